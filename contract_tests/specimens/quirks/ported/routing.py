"""The ported port's routing."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(prefix="/routing")
