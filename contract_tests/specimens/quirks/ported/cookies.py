"""The ported port's cookies."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(prefix="/cookies")
