"""The original's routing."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("routing", __name__, url_prefix="/routing")
