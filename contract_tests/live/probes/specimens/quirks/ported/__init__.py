"""The port that answers as the original does: FastAPI with the pieces of fastapi_app.wire, each where it is needed."""

from .app import create_app

__all__ = ["create_app"]
