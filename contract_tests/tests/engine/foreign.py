"""A foreign pair with its list: each listed difference, and each control, is a short story of plain requests."""

from __future__ import annotations

import json
import re
import sqlite3
import tomllib
from dataclasses import dataclass, field
from functools import cache
from http.cookies import SimpleCookie
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from contract_tests.parity import Request, Response, Target, asgi, wsgi

FOLDER = Path(__file__).parents[1] / "specimens/foreign"
NAMES = ("shop", "board", "ledger")
ABSENT = "(absent)"


@cache
def listed(name: str) -> dict[str, Any]:
    """The pair's list: `signin` (what is carried on), `differences` and `controls`."""
    return tomllib.loads((FOLDER / name / "differences.toml").read_text())


def signin(name: str) -> list[dict[str, Any]]:
    """The steps of the pair's one case, which signs in."""
    [line] = (FOLDER / name / "signin.jsonl").read_text().splitlines()
    steps: list[dict[str, Any]] = json.loads(line)["steps"]
    return steps


@dataclass
class Client:
    """Whoever sends a story's steps: keeps cookies as a browser does, and what a step says is kept."""

    target: Target
    cookies: dict[str, str] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)

    def send(self, step: dict[str, Any]) -> Response:
        """Send a step: method, target, headers, one of json, form, body (repeated `times`); keep what `keep` names."""
        answer = self.target.send(self._request(step))
        for name, value in answer.headers:
            if name.lower() == b"set-cookie":
                self.cookies |= {key: morsel.value for key, morsel in SimpleCookie(value.decode("latin-1")).items()}
        self.kept |= {name: _one(answer, where) for name, where in step.get("keep", {}).items()}
        return answer

    def _request(self, step: dict[str, Any]) -> Request:
        body, media_type = self._body(step)
        headers = [("Host", "localhost"), *step.get("headers", [])]
        if media_type and not any(name.lower() == "content-type" for name, _ in headers):
            headers.append(("Content-Type", media_type))
        if self.cookies and not any(name.lower() == "cookie" for name, _ in headers):
            headers.append(("Cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items())))
        pairs = tuple((name.encode("latin-1"), self._filled(value).encode("latin-1")) for name, value in headers)
        return Request(step["method"], self._filled(step["target"]).encode("latin-1"), pairs, body.encode())

    def _body(self, step: dict[str, Any]) -> tuple[str, str | None]:
        if "json" in step:
            return self._filled(json.dumps(step["json"])), "application/json"
        if "form" in step:
            form = [(name, self._filled(value)) for name, value in step["form"]]
            return urlencode(form), "application/x-www-form-urlencoded"
        return self._filled(step.get("body", "")) * step.get("times", 1), None

    def _filled(self, text: str) -> str:
        return re.sub(r"\{\{(\w+)\}\}", lambda match: self.kept[match[1]], text)


def answers(name: str, story: dict[str, Any], folder: Path) -> tuple[str, str]:
    """What the original and the port answer to the last step of a story: the status, and what `shows` asks for."""
    makers = (("original", wsgi), ("port", asgi))
    original, port = (_told(name, side, make, story, folder) for side, make in makers)
    return original, port


def fits(told: str, pattern: str) -> bool:
    """Whether an answer is as listed; a … stands for any text."""
    return bool(re.fullmatch(".*".join(map(re.escape, pattern.split("…"))), told, re.DOTALL))


def _told(name: str, side: str, make: Any, story: dict[str, Any], folder: Path) -> str:
    shows = story.get("shows", "status")
    file = folder / f"{side}.sqlite3" if shows.startswith("database ") else None
    with make(_app_that_is_read(name, side) if _only_reads(story) and not file else _app(name, side, file)) as target:
        answer = _played(Client(target), name, story)
    part = _rows(file, shows.partition(" ")[2]) if file else _part(answer, shows)
    return f"{answer.status} {part}".strip()


def _only_reads(story: dict[str, Any]) -> bool:
    return not story.get("signed_in") and all(step["method"] in ("GET", "HEAD", "OPTIONS") for step in story["steps"])


def _app(name: str, side: str, file: Path | None = None) -> Any:
    """The app in a world of its own."""
    create_app = import_module(f"contract_tests.tests.specimens.foreign.{name}.{side}").create_app
    return create_app(str(file)) if file else create_app()


# One for all stories that only read: to make an app takes as long as to ask it a dozen times.
_app_that_is_read = cache(_app)


def _played(client: Client, name: str, story: dict[str, Any]) -> Response:
    headers = []
    if story.get("signed_in"):
        carried = listed(name)["signin"]
        for step in signin(name):
            client.send({**step, "keep": carried.get("keep", {})})
        headers = carried.get("headers", [])
    for step in story["steps"]:
        answer = client.send({**step, "headers": [*headers, *step.get("headers", [])]})
    return answer


def _rows(file: Path, query: str) -> str:
    connection = sqlite3.connect(file)
    try:
        return json.dumps(connection.execute(query).fetchall())
    finally:
        connection.close()


def _one(answer: Response, where: str) -> str:
    text = _part(answer, f"json {where}" if where.startswith("$") else where)
    return json.loads(text) if where.startswith("$") and text.startswith('"') else text


def _part(answer: Response, shows: str) -> str:
    """The part of an answer that `shows` names: one of _PARTS and, after a space, what it takes."""
    kind, _, rest = shows.partition(" ")
    return _PARTS[kind](answer, rest)


def _headers(answer: Response, name: str) -> str:
    values = [value.decode("latin-1") for key, value in answer.headers if key.lower() == name.lower().encode()]
    if name.lower() == "allow":
        values = [", ".join(sorted(value.replace(" ", "").split(","))) for value in values]
    return " | ".join(values) or ABSENT


def _cookie(answer: Response, name: str) -> str:
    for value in _headers(answer, "Set-Cookie").split(" | "):
        if value.startswith(f"{name}="):
            return value
    return ABSENT


def _at(answer: Response, path: str) -> Any:
    value = json.loads(answer.body)
    for word in re.findall(r"\w+", path):
        try:
            value = value[int(word) if isinstance(value, list) else word]
        except (KeyError, IndexError):
            return ABSENT
    return value


def _json(answer: Response, path: str) -> str:
    value = _at(answer, path)
    return value if value == ABSENT else json.dumps(value, ensure_ascii=False)


def _hidden(answer: Response, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', answer.body.decode())
    return found[1] if found else ABSENT


def _text(answer: Response) -> str:
    return answer.body.decode("utf-8", "replace")


_PARTS = {
    "status": lambda _answer, _: "",
    "header": _headers,
    "cookie": _cookie,
    "json": _json,
    "keys": lambda answer, path: ",".join(_at(answer, path)),
    "body": lambda answer, _: _text(answer).replace("\n", "\\n"),
    "form": _hidden,
    "has": lambda answer, text: "yes" if text in _text(answer) else "no",
    "all": lambda answer, _: repr((_sorted(answer), answer.body)),
    "value": lambda answer, _: json.dumps([_headers(answer, "Content-Type"), _at(answer, "$")], sort_keys=True),
}


def _sorted(answer: Response) -> list[tuple[str, str]]:
    names = {name.decode("latin-1").lower() for name, _ in answer.headers} - {"date"}
    return sorted((name, _headers(answer, name)) for name in names)
