"""Traffic while it is moved: visitors who read, each unknown, and members who are signed in, each with one session."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any

PAUSE = 0.02
# Seconds after which a request that nobody answers is lost.
PATIENCE = 20.0
_REOPENED = (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError)


@dataclass(frozen=True, slots=True)
class Seen:
    """How one request ended: who answered it (X-Served-By), or the fault that it met."""

    step: str
    who: str
    served_by: str
    fault: str = ""

    @property
    def is_member(self) -> bool:
        return not self.who.startswith("visitor")


@dataclass(slots=True)
class Tally:
    """What was seen, by steps; a request belongs to the step in which it began."""

    step: str = ""
    seen: list[Seen] = field(default_factory=list)
    reopened: int = 0
    # While an app is being killed: an answer of which a part has come can be finished by nobody.
    killing: bool = False
    broken_off: int = 0
    # Seconds between two requests of one client: more where something else needs the machine.
    pause: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, seen: Seen) -> None:
        with self._lock:
            self.seen.append(seen)

    def of(self, step: str, who: str = "") -> list[Seen]:
        with self._lock:
            return [each for each in self.seen if each.step == step and each.who.startswith(who)]

    def served(self, step: str, who: str = "") -> Counter[str]:
        """How many requests of a step each answered."""
        return Counter(each.served_by for each in self.of(step, who) if not each.fault)

    def faults(self) -> Counter[str]:
        """Everything that was lost or wrong, with its step."""
        with self._lock:
            return Counter(f"{each.step}: {each.fault}" for each in self.seen if each.fault)


class Browser:
    """One client over one connection that is kept, with the cookies that it was given.

    A kept connection may be closed at the very moment of the next request. Every client then asks again on a new one,
    where that can do no harm (RFC 9112, 9.3.1). This one does, too: once, if nothing came back.
    """

    def __init__(self, port: int, tally: Tally) -> None:
        self.cookies: dict[str, str] = {}
        self._tally = tally
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, str, bytes]:
        """The status, who answered, and the body. Raises OSError and HTTPException for a request that is lost."""
        kept = self._connection.sock is not None
        try:
            return self._once(method, path, body)
        except _REOPENED:
            self._connection.close()
            if not kept or method == "POST":
                raise
            self._tally.reopened += 1
            return self._once(method, path, body)

    def close(self) -> None:
        self._connection.close()

    def _once(self, method: str, path: str, body: object) -> tuple[int, str, bytes]:
        headers = (
            {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}
        )
        content = None if body is None else json.dumps(body)
        if content is not None:
            headers["Content-Type"] = "application/json"
        self._connection.request(method, path, content, headers)
        answer = self._connection.getresponse()
        told = answer.read()
        for given in answer.headers.get_all("Set-Cookie", []):
            name, _, value = given.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer.status, answer.headers.get("X-Served-By", "nobody"), told


class Load:
    """Threads that ask without a pause until the context ends: some visitors, and a thread for each member."""

    def __init__(self, port: int, members: list[dict[str, str]], *, visitors: int = 4) -> None:
        self.tally = Tally()
        self._port = port
        self._stop = threading.Event()
        works = [partial(self._visit, f"visitor {number}") for number in range(visitors)]
        works += [partial(self._be_member, person) for person in members]
        self._threads = [threading.Thread(target=work, daemon=True) for work in works]

    @contextmanager
    def running(self) -> Iterator[Tally]:
        for thread in self._threads:
            thread.start()
        try:
            yield self.tally
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join(PATIENCE)

    def _visit(self, who: str) -> None:
        """Read as someone who was never here, each time; the connection is kept."""
        browser = Browser(self._port, self.tally)
        while not self._stop.wait(self.tally.pause):
            browser.cookies.clear()
            self._ask(browser, who, "GET", "/user/1", holds={"name": "Person 0"})
        browser.close()

    def _be_member(self, person: dict[str, str]) -> None:
        """Sign in once, then keep and read values: whoever is signed out at any time is told."""
        browser, who = Browser(self._port, self.tally), person["email"]
        credentials = {"email": person["email"], "password": person["password"]}
        self._ask(browser, who, "POST", "/session", body=credentials)
        for number in count():
            if self._stop.wait(PAUSE + self.tally.pause):
                break
            self._ask(browser, who, "GET", "/whoami", holds={"email": who})
            self._ask(browser, who, "PUT", "/session/data/seen", body={"value": number})
            self._ask(browser, who, "GET", "/session/data/seen", holds={"value": number})
        browser.close()

    def _ask(
        self,
        browser: Browser,
        who: str,
        method: str,
        path: str,
        *,
        body: object = None,
        holds: dict[str, Any] | None = None,
    ) -> None:
        """Ask, and note how it ended: every answer is 200, and its JSON has what it `holds`."""
        step, fault, served_by = self.tally.step, "", ""
        try:
            status, served_by, told = browser.ask(method, path, body)
            fault = _fault(status, told, holds or {})
        except (OSError, http.client.HTTPException) as error:
            browser.close()
            if self.tally.killing and isinstance(error, http.client.IncompleteRead):
                self.tally.broken_off += 1
                return
            fault = f"was lost: {type(error).__name__}"
            time.sleep(PAUSE)
        self.tally.note(Seen(step, who, served_by, fault and f"{method} {path} {fault}"))


def _fault(status: int, told: bytes, holds: dict[str, Any]) -> str:
    if status != 200:
        return f"was {status}" + (", signed out" if status == 401 else "")
    answer = json.loads(told) if holds else {}
    return "" if all(answer.get(key) == value for key, value in holds.items()) else "was answered wrongly"
