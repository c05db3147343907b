"""The port as a team writes it at first: FastAPI's plain defaults."""

from .app import create_app

__all__ = ["create_app"]
