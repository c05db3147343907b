"""An answer that both ports give."""

from __future__ import annotations

import json
from typing import Any

from fastapi import Response


def as_json(value: Any) -> Response:
    """JSON as Flask's `jsonify` writes it here."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return Response(text + "\n", media_type="application/json")
