"""The three apps of the specimen side by side: one request to all of them is a value that tests look at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from contract_tests.live.probes.specimens.quirks import naive, original, ported
from contract_tests.parity import Difference, Request, Response, Target, asgi, compare, wsgi

HOST = (b"Host", b"testserver")


@dataclass(frozen=True, slots=True)
class Three:
    """Targets for the original, the naive port and the port."""

    original: Target
    naive: Target
    ported: Target

    def differences(self, request: Request) -> tuple[Difference, ...]:
        """What the port answers otherwise than the original."""
        return compare(self.original.send(request), self.ported.send(request))

    def naive_differences(self, request: Request) -> tuple[Difference, ...]:
        """What the naive port answers otherwise than the original."""
        return compare(self.original.send(request), self.naive.send(request))

    def answer(self, request: Request) -> Response:
        """The port's answer, which must be the original's."""
        assert not self.differences(request)
        return self.ported.send(request)


@contextmanager
def three(folder: Path | None = None) -> Iterator[Three]:
    """The three apps, as their create_app() makes them of a folder."""
    with ExitStack() as stack:
        yield Three(
            stack.enter_context(wsgi(original.create_app(folder))),
            stack.enter_context(asgi(naive.create_app(folder))),
            stack.enter_context(asgi(ported.create_app(folder))),
        )


def ask(target: str, method: str = "GET", *headers: tuple[str, str], body: bytes = b"") -> Request:
    """A request as it goes over the wire; target and headers in latin-1."""
    fields = tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in headers)
    return Request(method, target.encode("latin-1"), fields, body)
