"""The talk's four forms of `GET /`. They wait `seconds`; on the slides it is 5."""

import asyncio
import time

from fastapi import FastAPI

HELLO = {"message": "Hello World"}
SECONDS = 0.3


def tutorial() -> FastAPI:
    """The tutorial: `async def`, and an answer at once."""
    app = FastAPI()

    @app.get("/")
    async def root() -> dict[str, str]:
        return HELLO

    return app


def problem(seconds: float = SECONDS) -> FastAPI:
    """The problem: `async def` that blocks the loop, and every other request with it."""
    app = FastAPI()

    @app.get("/")
    async def root() -> dict[str, str]:
        time.sleep(seconds)  # noqa: ASYNC251 - the fault that this form is about
        return HELLO

    return app


def solution(seconds: float = SECONDS) -> FastAPI:
    """The solution: nothing but awaitables inside."""
    app = FastAPI()

    @app.get("/")
    async def root() -> dict[str, str]:
        await asyncio.sleep(seconds)
        return HELLO

    return app


def other_solution(seconds: float = SECONDS) -> FastAPI:
    """The other solution: plain `def`, run in the thread pool."""
    app = FastAPI()

    @app.get("/")
    def root() -> dict[str, str]:
        time.sleep(seconds)
        return HELLO

    return app
