"""The ported port's redirects."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(prefix="/redirects")
