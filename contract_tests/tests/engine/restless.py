"""A pair for runs in many processes: its answers depend on nothing but its own world, and some requests hurt it."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

# Where the first process that was asked to die says who it was.
MARKER = "RESTLESS_MARKER"


class App:
    """WSGI: items with tokens and prices, a way to die, a way to wait; one side fails, the other tells a password."""

    def __init__(self, *, price: Callable[[int], Any], token: str, leaks: bool, first: int) -> None:
        self.price, self.token, self.leaks, self.first = price, token, leaks, first
        self.items: list[str] = []

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        if environ["PATH_INFO"] == "/mine" and environ.get("HTTP_AUTHORIZATION") != f"Bearer {self.token}":
            start_response("401 Unauthorized", [("Content-Length", "0")])
            return []
        status, told = self.answer(environ["REQUEST_METHOD"], environ["PATH_INFO"], body)
        text = json.dumps(told).encode()
        start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(text)))])
        return [text]

    def answer(self, method: str, path: str, body: bytes) -> tuple[str, Any]:
        if path == "/die":
            die_once()
        if path == "/wait":
            if mark := os.environ.get("RESTLESS_MARK"):
                Path(mark).touch()
            time.sleep(0.2)
        if path == "/fail" and not self.leaks:
            raise ValueError(self.token)
        if path == "/login":
            return "200 OK", {"token": self.token}
        if path == "/mine":
            return "200 OK", {"mine": self.price(1)}
        if method == "POST":
            self.items.append(json.loads(body)["name"])
            return "201 Created", {
                "id": self.first + len(self.items),
                "password": json.loads(body).get("password") if self.leaks else None,
            }
        number = path.rpartition("/")[2]
        if number.isdigit() and 0 < int(number) - self.first <= len(self.items):
            return "200 OK", {"id": int(number), "price": self.price(int(number) - self.first), "token": self.token}
        return "200 OK", {"items": self.items}


def die_once() -> None:
    """End this process by its own number, unless one has died already."""
    marker = Path(os.environ[MARKER])
    if not marker.exists():
        marker.write_text(str(os.getpid()))
        os.kill(os.getpid(), signal.SIGKILL)


def original() -> App:
    return App(price=lambda number: number * 10, token="one-token-of-the-original-app", leaks=True, first=0)


def port() -> App:
    return App(price=lambda number: f"{number * 10}", token="one-token-of-the-other-app-1", leaks=False, first=100)


def cases(count: int, *, dying: int = -1) -> str:
    """Lines of cases: each makes an item with a secret, and reads it back by its id; one may kill its worker."""
    # A secret that no answer shows: the numbers of those after it show whether it was noticed.
    unseen = {"method": "GET", "target": "/items", "headers": [["Authorization", "Bearer a-token-that-nobody-shows"]]}
    lines = [json.dumps({"case": "unseen", "steps": [unseen]})]
    for at in range(count - 1):
        made = {"name": f"item {at}", "password": f"secret-of-item-{at % 7}"}
        steps: list[dict[str, Any]] = [
            {"method": "POST", "target": "/items", "json": made, "keep": {"id": "$.id"}},
            {"method": "GET", "target": "/items/{{id}}", "headers": [["X-Api-Key", f"key-of-somebody-{at % 5}"]]},
            {"method": "GET", "target": "/fail" if at % 10 == 3 else "/items"},
        ]
        if at == dying:
            steps.insert(1, {"method": "GET", "target": "/die"})
        lines.append(json.dumps({"case": f"case {at}", "steps": steps}))
    return "\n".join(lines)
