"""Records an app's traffic for `parity check` and `parity shadow`, and never changes, delays or fails a request.

It needs nothing but Python (docs/recording.md).
"""

from __future__ import annotations

from .asgi import ASGIRecorder
from .recorder import Recorder
from .wsgi import WSGIRecorder

__all__ = ["ASGIRecorder", "Recorder", "WSGIRecorder"]
