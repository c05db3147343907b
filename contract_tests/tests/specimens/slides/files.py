"""The slides' core/processing/files.py: business code that reads a query parameter from Flask's global request."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import request


def enrich_file(file: dict[str, Any]) -> dict[str, Any]:
    """The talk's question: where does `tag` come from? From a query parameter, seen from nowhere but here."""
    file["tag"] = request.args.get("tag", "unidentified")
    file["timestamp"] = datetime.utcnow().isoformat()
    return file
