"""What an application's life may fail with outside a request, apart from asyncio, which takes long to import."""

from __future__ import annotations


class LifespanError(RuntimeError):
    """The application's own startup or shutdown failed."""


class SettleError(RuntimeError):
    """The application was still at work for an answered request when its target was to be reset."""
