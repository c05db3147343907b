"""The original's headers."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("headers", __name__, url_prefix="/headers")
