"""The ported port's headers."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(prefix="/headers")
