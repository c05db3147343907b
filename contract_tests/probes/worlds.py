"""What exists before a probe of the service is sent, made by ordinary requests to both apps."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from contract_tests.parity import Exchange, Pair, Request

Values = dict[str, str]

HOST = (b"Host", b"testserver")
ADA = {"name": "Ada", "email": "ada@example.com", "password": "correct horse battery"}
LETTERS = bytes(range(ord("a"), ord("z") + 1))
PEOPLE = 30
COOKIE = "__Host-session"


@dataclass(frozen=True, slots=True)
class World:
    """The values that a probe's bytes may name, as each app gave them."""

    original: Values
    port: Values


class WorldError(RuntimeError):
    """A world could not be made: its ordinary requests were not answered as they should be, or not alike."""


def make_world(name: str, pair: Pair) -> World:
    """Make a world in two empty apps. Raises WorldError."""
    maker = Maker(pair)
    WORLDS[name](maker)
    return World(maker.original, maker.port)


class Maker:
    """Sends what makes a world to both apps, and keeps what each answered."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.original: Values = {}
        self.port: Values = {}

    def send(self, method: str, target: str, body: bytes = b"", content_type: str = "application/json") -> Exchange:
        headers = [HOST]
        if body:
            headers.append((b"Content-Type", content_type.encode()))
        if "session" in self.original:
            headers.append((b"Cookie", f"{COOKIE}={self.original['session']}".encode()))
        exchange = self.pair.exchange(Request(method, target.encode(), tuple(headers), body))
        if exchange.differences or not 200 <= exchange.original.status < 300:
            raise WorldError(f"{method} {target}: {exchange.original.status}, {exchange.port.status}")
        return exchange

    def send_json(self, method: str, target: str, content: Any) -> Exchange:
        return self.send(method, target, json.dumps(content).encode())

    def keep_session(self, exchange: Exchange) -> None:
        for values, response in ((self.original, exchange.original), (self.port, exchange.port)):
            cookie = (response.header("Set-Cookie") or b"").decode()
            values["session"] = cookie.partition(";")[0].removeprefix(f"{COOKIE}=")

    def keep(self, **values: str) -> None:
        self.original |= values
        self.port |= values


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
    content = json.loads(uploaded.original.body)
    maker.keep(id=str(content["id"]))
    shown = maker.send("GET", f"/files/{content['id']}/content")
    maker.keep(etag=(shown.original.header("ETag") or b"").decode().strip('"'))


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
