"""A fault is a known way to break an app at its wire: a name, what it needs, and what becomes of an answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from contract_tests.parity.messages import Request, Response, Target

Breaks = Callable[[Request, Response], Response | None]


class Breaker(Protocol):
    """A fault at work on one target, from one reset to the next."""

    def send(self, request: Request, target: Target) -> tuple[Response, bool]:
        """What the broken app answers, and whether the fault had something to break."""


@dataclass(frozen=True, slots=True)
class Fault:
    """`needs` says which exchange a corpus must have for it.

    `stateful` faults are what an app does, not what it says: they need an app that runs.
    """

    name: str
    needs: str
    make: Callable[[], Breaker]
    stateful: bool = False

    @property
    def area(self) -> str:
        return self.name.partition("-")[0]


class Answering:
    """A breaker that changes answers and remembers nothing. A failure is left as it is."""

    def __init__(self, breaks: Breaks) -> None:
        self._breaks = breaks

    def send(self, request: Request, target: Target) -> tuple[Response, bool]:
        response = target.send(request)
        changed = None if response.failure is not None else self._breaks(request, response)
        return (response, False) if changed is None or changed == response else (changed, True)


class Broken:
    """A target, in this process or live, with one fault; `applied` counts how often it had something to break."""

    def __init__(self, target: Target, fault: Fault) -> None:
        self._target, self._fault, self._breaker = target, fault, fault.make()
        self.applied = 0

    @property
    def name(self) -> str:
        return f"{self._target.name} with {self._fault.name}"

    def send(self, request: Request) -> Response:
        response, applied = self._breaker.send(request, self._target)
        self.applied += applied
        return response

    def reset(self) -> None:
        self._target.reset()
        self._breaker = self._fault.make()

    def close(self) -> None:
        self._target.close()

    def __enter__(self) -> Target:
        self._target.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
