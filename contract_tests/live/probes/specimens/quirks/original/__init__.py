"""The original: Flask as it comes."""

from .app import create_app

__all__ = ["create_app"]
