"""The original's cookies."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("cookies", __name__, url_prefix="/cookies")
