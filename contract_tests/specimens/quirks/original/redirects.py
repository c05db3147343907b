"""The original's redirects."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("redirects", __name__, url_prefix="/redirects")
