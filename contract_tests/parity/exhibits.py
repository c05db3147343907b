"""An exchange as data for a report: secrets replaced, bodies cut at a bound, nothing else left out."""

from __future__ import annotations

import json
from typing import Any, Protocol

from .exchange import Exchange
from .messages import Request, Response
from .secrets import Secrets, hidden_headers
from .telling import curl
from .texts import CUT

# Characters of a body, of a header and of a value.
BODY, VALUE = 4000, 2000
# Read beyond the bound, so that what stands at it is known whole: tokens are long.
_BEYOND = 16_000


class Shows(Protocol):
    """What a report has that was seen in an exchange."""

    @property
    def exchange(self) -> dict[str, Any] | None: ...

    def as_json(self) -> dict[str, Any]: ...


class Exchanges:
    """The exchanges of a report, each once."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self._places: dict[str, int] = {}

    def shown(self, seen: Shows) -> dict[str, Any]:
        """What was seen as JSON has it, with the place of its exchange, None where it was told without one."""
        return seen.as_json() | {"exchange": self._place(seen.exchange)}

    def _place(self, exchange: dict[str, Any] | None) -> int | None:
        if exchange is None:
            return None
        place = self._places.setdefault(json.dumps(exchange), len(self.told))
        if place == len(self.told):
            self.told.append(exchange)
        return place


def exhibit(exchange: Exchange, secrets: Secrets) -> dict[str, Any]:
    """Request and both answers as JSON has them; `port_request` is there where the port was sent its own ids."""
    shown: dict[str, Any] = {
        "operation": secrets.hide(exchange.operation),
        "request": _request(exchange.request, secrets),
        "original": _response(exchange.original, secrets),
        "port": _response(exchange.port, secrets),
        "curl": curl(exchange.request, origin=exchange.origin, secrets=secrets),
    }
    if exchange.port_request != exchange.request:
        shown["port_request"] = _request(exchange.port_request, secrets)
    return shown


def cut(text: str | None, size: int = VALUE) -> str | None:
    """A text that is not longer than a bound; lone surrogates are written as escapes, since no file holds them."""
    if text is None:
        return None
    plain = text.encode("utf-8", "backslashreplace").decode()
    return plain if len(plain) <= size else f"{plain[:size]}{CUT} ({len(plain)} characters)"


def _request(request: Request, secrets: Secrets) -> dict[str, Any]:
    target = secrets.query(request.target.decode("latin-1"))
    return {"method": request.method, "target": cut(target), **_message(request, secrets)}


def _response(response: Response, secrets: Secrets) -> dict[str, Any]:
    raised = type(response.exception).__qualname__ if response.exception is not None else None
    return {"status": response.status, "failure": response.failure, "raised": raised, **_message(response, secrets)}


def _message(message: Request | Response, secrets: Secrets) -> dict[str, Any]:
    text, whole = _body(message, secrets)
    headers = [[cut(name), cut(value)] for name, value in hidden_headers(secrets, message.headers)]
    return {"headers": headers, "body": text, "body_bytes": len(message.body), "body_is_whole": whole}


def _body(message: Request | Response, secrets: Secrets) -> tuple[str, bool]:
    """A body's text; bytes that are no text are written as escapes."""
    whole = len(message.body) <= BODY
    text = message.body[: BODY + _BEYOND].decode("utf-8", "backslashreplace")
    # The mark tells that a secret may have been cut in two there.
    hidden = secrets.body(text if whole else text + CUT, of_request=isinstance(message, Request))
    return hidden if whole else hidden[:BODY] + CUT, whole
