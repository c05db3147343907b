"""A recorded exchange is a value, whichever format it comes from; what was a secret is one token wherever it stands."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path

from contract_tests.parity.messages import Headers, Request, Response

_SECRET = re.compile(rb"<secret:(\d+)>")


class RecordingError(ValueError):
    """A recording cannot be read; the message names the file and the line, one line of text for each fault."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One exchange. `key` is the request's id, `time` when it began and `received` when it ended (seconds).

    `cut` says that only the beginning of the response's body is known, `length` how long it was where that is known;
    `request_cut` that the request's body is not known. `keyed` is the id of the key that secrets were replaced with.
    """

    key: str
    request: Request
    response: Response
    time: float
    received: float
    place: str
    cut: bool = False
    length: int | None = None
    request_cut: bool = False
    keyed: str = ""


@dataclass(slots=True)
class Recording:
    """All exchanges of a file or a folder, in the order of time."""

    path: Path
    exchanges: list[Recorded] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def keys(self) -> frozenset[str]:
        """The ids of the keys that its secrets were replaced with; none where they stand in it as they are."""
        return frozenset(exchange.keyed for exchange in self.exchanges if exchange.keyed)


def with_tokens(recorded: Recorded, *, told_apart: bool) -> Recorded:
    """The exchange with each `<secret:7>` as a token, which the engine binds as it binds session ids.

    Unless `told_apart` all secrets are one token: numbers of two keys say nothing.
    """

    def token(found: re.Match[bytes]) -> bytes:
        return b"secret.%020d" % (int(found[1]) if told_apart else 0)

    request, response = recorded.request, recorded.response
    target, sent, got = (_SECRET.sub(token, text) for text in (request.target, request.body, response.body))
    asked, told = (
        tuple((name, _SECRET.sub(token, value)) for name, value in headers)
        for headers in (_resized(request.headers, request.body, sent), _resized(response.headers, response.body, got))
    )
    return replace(
        recorded,
        request=replace(request, target=target, headers=asked, body=sent),
        response=replace(response, headers=told, body=got),
    )


def _resized(headers: Headers, before: bytes, after: bytes) -> Headers:
    old, new = str(len(before)).encode(), str(len(after)).encode()
    if old == new:
        return headers
    return tuple(
        (name, new if name.lower() == b"content-length" and value == old else value) for name, value in headers
    )


def request_id(*messages: Headers) -> str:
    """The X-Request-ID of the first message that has one; empty where none does."""
    found = (value for headers in messages for name, value in headers if name.lower() == b"x-request-id")
    return next(found, b"").decode("latin-1").strip()
