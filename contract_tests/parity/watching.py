"""A target that hangs is abandoned, and made anew: the run goes on without it."""

from __future__ import annotations

from collections.abc import Callable

from contract_tests.parity.drivers.alarm import caller
from contract_tests.parity.drivers.worker import Late
from contract_tests.parity.messages import Request, Response, Target
from contract_tests.parity.resets import ResetError

# A reset may take what a start takes; a driver that tells its own timeout is given the moment to do so.
_RESET, _GRACE = 60.0, 0.5


class Watched:
    """A target all of whose calls are made on one thread, so that a database lives where it was made.

    `make` gives the target; it is called again after a call that did not end in `timeout` seconds.
    """

    def __init__(self, make: Callable[[], Target], timeout: float) -> None:
        self._make, self._timeout = make, timeout
        self._caller = caller()
        self._target: Target | None = self._caller.call(make, _RESET)
        self._name = self._target.name

    @property
    def name(self) -> str:
        return self._name

    @property
    def app(self) -> object:
        """The application behind it."""
        return getattr(self._target, "app", None)

    @property
    def on_socket(self) -> bool:
        """Whether it is a server that raw bytes can be sent to."""
        return getattr(self._target, "on_socket", False)

    def send(self, request: Request) -> Response:
        target = self._living()
        try:
            response: Response = self._caller.call(lambda: target.send(request), self._timeout + _GRACE)
        except Late:
            self._abandon()
            return Response(0, failure="timeout")
        if response.failure == "timeout" and self.app is not None:
            # What still runs in this process would be waited for by all that comes after.
            self._abandon()
        return response

    def reset(self) -> None:
        """Rewind the target; one that was abandoned is made anew. Raises ResetError where that does not end."""
        target = self._target
        if target is None:
            self._living()
            return
        try:
            self._caller.call(target.reset, _RESET)
        except Late:
            self._abandon()
            self._living()

    def close(self) -> None:
        target, self._target = self._target, None
        if target is not None:
            try:
                self._caller.call(target.close, self._timeout + _GRACE)
            except Late:
                self._caller = caller()

    def __enter__(self) -> Watched:
        target = self._living()
        self._caller.call(target.__enter__, _RESET)
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _abandon(self) -> None:
        self._caller, self._target = caller(), None

    def _living(self) -> Target:
        if self._target is None:
            try:
                self._target = self._caller.call(self._entered, _RESET)
            except Late:
                self._caller = caller()
                raise ResetError(f"{self._name} hung, and could not be made anew within {_RESET:g} s") from None
        assert self._target is not None
        return self._target

    def _entered(self) -> Target:
        return self._make().__enter__()
