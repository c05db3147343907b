"""The lifespan of an ASGI application, as uvicorn's "auto" has it: used where it is supported, missed nowhere else."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from contract_tests.parity.drivers.errors import LifespanError

if TYPE_CHECKING:
    from contract_tests.parity.drivers.interface import ASGIApp

Message = dict[str, Any]


class Lifespan:
    """The lifespan protocol of one application; `state` is what its requests get a copy of."""

    def __init__(self, app: ASGIApp) -> None:
        self.state: dict[str, Any] = {}
        self._app = app
        self._questions: asyncio.Queue[Message] = asyncio.Queue()
        self._answers: asyncio.Queue[Message] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def startup(self) -> None:
        """Start the application. One that ends without an answer knows no lifespan, which is no error."""
        task = asyncio.create_task(self._run())
        answer = await self._ask("lifespan.startup", task)
        if answer is None:
            # What it raised says no more than that it knows no lifespan.
            task.exception()
        elif answer["type"] == "lifespan.startup.complete":
            self._task = task
        else:
            raise _failure("startup", answer, await _end(task))

    async def shutdown(self) -> None:
        """Shut the application down, if it was started."""
        task, self._task = self._task, None
        if task is None:
            return
        answer = await self._ask("lifespan.shutdown", task) or {}
        cause = await _end(task)
        if cause is not None or answer.get("type") == "lifespan.shutdown.failed":
            raise _failure("shutdown", answer, cause)

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        await self._app(scope, self._questions.get, self._answers.put)

    async def _ask(self, question: str, task: asyncio.Task[None]) -> Message | None:
        """The application's answer; None where it ended without one."""
        self._questions.put_nowait({"type": question})
        answer = asyncio.create_task(self._answers.get())
        await asyncio.wait({task, answer}, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            # An application may answer and end in one turn of the loop.
            await asyncio.sleep(0)
        if answer.done():
            return answer.result()
        answer.cancel()
        return None


async def _end(task: asyncio.Task[None]) -> BaseException | None:
    """Wait a little for the application to return; what it raised, if anything."""
    await asyncio.wait({task}, timeout=1.0)
    return task.exception() if task.done() and not task.cancelled() else None


def _failure(phase: str, answer: Message, cause: BaseException | None) -> LifespanError:
    message = str(answer.get("message", "")).strip()
    reason = message.rpartition("\n")[2] or (repr(cause) if cause else "no reason given")
    failure = LifespanError(f"the application's {phase} failed: {reason}")
    failure.__cause__ = cause
    return failure
