"""The port: the same service on FastAPI."""

from fastapi_app.app import create_app

__all__ = ["create_app"]
