"""Any suite written with requests becomes a parity suite when its session mounts this adapter."""

from __future__ import annotations

import io
from collections.abc import Callable
from email.message import Message
from http.client import responses as http_reasons
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPHeaderDict, HTTPResponse

from .binding import Bindings
from .exchange import Exchange
from .ledger import Ledger
from .messages import Headers, Request, Response, Target
from .pair import Judge, Pair
from .rules import DEFAULT, Rules

_ERRORS: dict[str, type[requests.RequestException]] = {
    "timeout": requests.ReadTimeout,
    "truncated": requests.exceptions.ChunkedEncodingError,
}


class PairAdapter(BaseAdapter):
    """PairTransport for a requests.Session: the same arguments, the same errors by requests' names."""

    def __init__(
        self,
        original: Target,
        port: Target,
        *,
        accepted: Ledger | None = None,
        collect: bool = False,
        bindings: Bindings | None = None,
        operation: Callable[[Request], str] | None = None,
        rules: Rules = DEFAULT,
        on_exchange: Callable[[Exchange], object] | None = None,
    ) -> None:
        super().__init__()
        self.pair = Pair(original, port, accepted=accepted, bindings=bindings, operation=operation, rules=rules)
        self._judge = Judge(self.pair, collect=collect, on_exchange=on_exchange)

    def send(self, request: requests.PreparedRequest, *_args: Any, **_options: Any) -> requests.Response:
        """The original's response. Raises Different, Inconclusive, or requests' error for a failure of both."""
        parts = urlsplit(request.url or "")
        exchange = self._judge.exchange(request_of(request), origin=f"{parts.scheme}://{parts.netloc}")
        return requests_response(exchange.original, request)

    def finish(self) -> None:
        """Raise one Different with all that was collected, if anything was."""
        self._judge.finish()

    def close(self) -> None:
        """The same as `finish()`: a session that is closed has nothing more to collect."""
        self.finish()


def request_of(prepared: requests.PreparedRequest) -> Request:
    """The request as a value, its body read whole. Host and the framing are added as a connection would."""
    body = _whole(prepared.body)
    headers = [(_bytes(name), _bytes(value)) for name, value in prepared.headers.items()]
    headers = [(name, value) for name, value in headers if name.lower() != b"transfer-encoding"]
    names = {name.lower() for name, _ in headers}
    if b"host" not in names:
        headers.insert(0, (b"Host", urlsplit(prepared.url or "").netloc.rpartition("@")[2].encode()))
    if body and b"content-length" not in names:
        headers.append((b"Content-Length", str(len(body)).encode()))
    return Request(prepared.method or "GET", prepared.path_url.encode("ascii"), tuple(headers), body)


def requests_response(response: Response, request: requests.PreparedRequest) -> requests.Response:
    """The response as requests has it, with its cookies. Raises requests' error for a failure."""
    if response.failure is not None:
        error = _ERRORS.get(response.failure, requests.ConnectionError)
        raise error(response.failure, request=request)
    raw = HTTPResponse(
        body=io.BytesIO(response.body),
        headers=HTTPHeaderDict(_texts(response.headers)),
        status=response.status,
        reason=http_reasons.get(response.status),
        preload_content=False,
        request_method=request.method,
        original_response=_parsed(response.headers),
    )
    return HTTPAdapter().build_response(request, raw)


def _parsed(headers: Headers) -> Any:
    """The headers where requests looks for cookies: in the message that http.client would have parsed."""
    message = Message()
    for name, value in _texts(headers):
        message[name] = value
    return SimpleNamespace(msg=message, isclosed=lambda: True, close=lambda: None)


def _texts(headers: Headers) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]


def _bytes(text: str | bytes) -> bytes:
    return text.encode("latin-1") if isinstance(text, str) else text


def _whole(body: Any) -> bytes:
    if body is None:
        return b""
    if isinstance(body, str | bytes):
        return body.encode() if isinstance(body, str) else body
    return b"".join(iter(lambda: body.read(65536), b"")) if hasattr(body, "read") else b"".join(body)
