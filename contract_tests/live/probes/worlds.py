"""What exists before a probe of the service is sent, made by ordinary requests."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from contract_tests.parity import Request, Response, Target
from contract_tests.parity.resets import ResetError

Values = dict[str, str]

HOST = (b"Host", b"testserver")
ADA = {"name": "Ada", "email": "ada@example.com", "password": "correct horse battery"}
LETTERS = bytes(range(ord("a"), ord("z") + 1))
PEOPLE = 30
COOKIE = "__Host-session"


@dataclass(frozen=True, slots=True)
class Made:
    """A world in one app: the values that a probe's bytes may name, and the exchanges that made it."""

    values: Values
    exchanges: tuple[tuple[Request, Response], ...]


class WorldError(ResetError):
    """A world could not be made: one of its ordinary requests was refused."""


def make_world(name: str, target: Target) -> Made:
    """Make a world in an empty app. Raises WorldError."""
    maker = Maker(target)
    WORLDS[name](maker)
    return Made(maker.values, tuple(maker.exchanges))


class Maker:
    """Sends what makes a world to an app, and keeps what it answered."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.values: Values = {}
        self.exchanges: list[tuple[Request, Response]] = []

    def send(self, method: str, target: str, body: bytes = b"", content_type: str = "application/json") -> Response:
        headers = [HOST]
        if body:
            headers.append((b"Content-Type", content_type.encode()))
        if "session" in self.values:
            headers.append((b"Cookie", f"{COOKIE}={self.values['session']}".encode()))
        request = Request(method, target.encode(), tuple(headers), body)
        response = self.target.send(request)
        self.exchanges.append((request, response))
        if not 200 <= response.status < 300:
            raise WorldError(f"{method} {target}: {response.status or response.failure}")
        return response

    def send_json(self, method: str, target: str, content: Any) -> Response:
        return self.send(method, target, json.dumps(content).encode())

    def keep_session(self, response: Response) -> None:
        cookie = (response.header("Set-Cookie") or b"").decode()
        self.values["session"] = cookie.partition(";")[0].removeprefix(f"{COOKIE}=")


def _ada(maker: Maker) -> None:
    maker.send_json("POST", "/user", ADA)


def _signed_in(maker: Maker) -> None:
    _ada(maker)
    credentials = {name: ADA[name] for name in ("email", "password")}
    maker.keep_session(maker.send_json("POST", "/session", credentials))


def _file(maker: Maker) -> None:
    _signed_in(maker)
    part = b'Content-Disposition: form-data; name="file"; filename="notes.txt"\r\nContent-Type: text/plain'
    form = b"--b\r\n" + part + b"\r\n\r\n" + LETTERS + b"\r\n--b--\r\n"
    uploaded = maker.send("POST", "/files", form, "multipart/form-data; boundary=b")
    id = json.loads(uploaded.body)["id"]
    shown = maker.send("GET", f"/files/{id}/content")
    maker.values |= {"id": str(id), "etag": (shown.header("ETag") or b"").decode().strip('"')}


def _people(maker: Maker) -> None:
    for number in range(1, PEOPLE + 1):
        person = {"name": f"Person {number}", "email": f"person{number}@example.com", "password": ADA["password"]}
        maker.send_json("POST", "/user", person)


def _data(maker: Maker) -> None:
    maker.keep_session(maker.send_json("PUT", "/session/data/k", {"value": {"a": [1]}}))


WORLDS: Mapping[str, Callable[[Maker], None]] = {
    "-": lambda _: None,
    "ada": _ada,
    "signed-in": _signed_in,
    "file": _file,
    "people": _people,
    "data": _data,
}
