"""A suite asks its own app as it always did; the other app is asked the same, and the two outcomes are compared."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

from contract_tests.parity.drivers import framing
from contract_tests.parity.exchange import Exchange
from contract_tests.parity.messages import Request, Response, Target
from contract_tests.parity.pair import Judge, Pair

Ask = Callable[[Request], Response]
Reached = tuple[str, str, int]

# What an app's own handlers ask with a client of the same kind is a part of the answer, no request of the suite's.
_WITHIN: ContextVar[bool] = ContextVar("within", default=False)
_TOLD = ("transport", "status")


def within() -> bool:
    """Whether an app is being asked just now, in whose name this is a request of its own."""
    return _WITHIN.get()


class InPlace:
    """The app that a suite asks by itself, on its own thread and within its own context."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.ask: Ask | None = None
        self.raised: Exception | None = None

    def send(self, request: Request) -> Response:
        """What the suite's own client makes of it; an exception that it lets through stands for an answer of 500."""
        assert self.ask is not None
        self.raised = None
        try:
            return self.ask(request)
        except Exception as error:
            self.raised = error
            return Response(500, exception=error)

    def reset(self) -> None:
        """The suite makes and empties its own app's world."""

    def close(self) -> None: ...

    def __enter__(self) -> Target:
        return self

    def __exit__(self, *exc: object) -> None: ...


class Mirror:
    """A suite's own app and the other one. `role` is the one of the suite's own: "original" or "port".

    The options are PairTransport's. Where the own app's exception reaches the suite, as with `TESTING`, nobody
    knows the answer it would have given: that the other fails with 500, too, is compared, and the exception goes on.
    """

    def __init__(
        self,
        other: Target,
        *,
        name: str = "the suite's own app",
        role: str = "original",
        collect: bool = False,
        on_exchange: Callable[[Exchange], object] | None = None,
        **options: Any,
    ) -> None:
        self.role, self.own = role, InPlace(name)
        ends = (self.own, other) if role == "original" else (other, self.own)
        self.pair = _InPlacePair(*ends, **options)
        self.pair.own = self.own
        self._judge = Judge(self.pair, collect=collect, on_exchange=on_exchange)

    def exchange(self, request: Request, ask: Ask, *, reached: Reached | None = None) -> Response:
        """The original's answer; `ask` asks the suite's own app, `reached` is how the request would reach the other.

        Raises Different, Inconclusive, and what the suite's own app raised.
        """
        if within():
            return ask(request)
        self.own.ask = ask
        before = _WITHIN.set(True)
        try:
            with framing.reached_by(*reached) if reached else nullcontext():
                exchange = self._judge.exchange(request, origin=_origin(request, reached))
        finally:
            _WITHIN.reset(before)
        if self.own.raised is not None:
            raise self.own.raised
        return exchange.original

    def finish(self) -> None:
        """Raise one Different with all that was collected, if anything was."""
        self._judge.finish()


class _InPlacePair(Pair):
    own: InPlace

    def exchange(
        self, request: Request, *, origin: str = "", probe: str | None = None, port_request: Request | None = None
    ) -> Exchange:
        exchange = super().exchange(request, origin=origin, probe=probe, port_request=port_request)
        if self.own.raised is None:
            return exchange
        return replace(exchange, differences=tuple(each for each in exchange.differences if each.level in _TOLD))


def _origin(request: Request, reached: Reached | None) -> str:
    host = next((value.decode("latin-1") for name, value in request.headers if name.lower() == b"host"), framing.HOST)
    return f"{reached[0] if reached else framing.SCHEME}://{host}"
