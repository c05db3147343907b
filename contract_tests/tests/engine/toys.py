"""Targets written by hand: what they answer is given to them, what they were sent is kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from contract_tests.parity import Request, Response

Header = tuple[str, str]


class Toy:
    """A target that answers by a function."""

    def __init__(self, answer: Callable[[Request], Response], *, name: str = "toy") -> None:
        self.answer, self.name = answer, name
        self.sent: list[Request] = []
        self.resets = 0

    def send(self, request: Request) -> Response:
        self.sent.append(request)
        return self.answer(request)

    def reset(self) -> None:
        self.resets += 1

    def close(self) -> None: ...

    def __enter__(self) -> Toy:
        return self

    def __exit__(self, *exc: object) -> None: ...


def always(response: Response) -> Toy:
    return Toy(lambda _: response)


def answer(body: bytes = b"", *headers: Header, status: int = 200, length: bool = True) -> Response:
    pairs = [*headers, *([("Content-Length", str(len(body)))] if length else [])]
    return Response(status, tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs), body)


def json_answer(value: Any, *headers: Header, status: int = 200) -> Response:
    return text_answer(json.dumps(value), *headers, status=status)


def text_answer(text: str | bytes, *headers: Header, status: int = 200) -> Response:
    """A response that says it is JSON, with this text."""
    body = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    return answer(body, ("Content-Type", "application/json"), *headers, status=status)


def request(method: str = "GET", target: str = "/", body: bytes = b"", **headers: str) -> Request:
    pairs = tuple((name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items())
    return Request(method, target.encode(), ((b"Host", b"testserver"), *pairs), body)
