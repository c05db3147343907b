"""Clients that register people without a pause, and remember each that they were told is registered."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from contract_tests.live.resilience.burst import SILENCE
from contract_tests.live.resilience.operations import someone

PAUSE = 0.01


class Writers:
    """`size` threads that register people, each over one connection, made anew whenever it breaks."""

    def __init__(self, port: int, *, size: int = 4) -> None:
        self.acknowledged: dict[int, str] = {}
        self.broken = 0
        self.others: set[int] = set()
        self._port = port
        self._numbers = count()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._write) for _ in range(size)]

    @contextmanager
    def writing(self) -> Iterator[Writers]:
        for thread in self._threads:
            thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join()

    def await_more(self, more: int) -> None:
        """Wait until so many more have been acknowledged."""
        goal, deadline = len(self.acknowledged) + more, time.monotonic() + SILENCE
        while len(self.acknowledged) < goal:
            assert time.monotonic() < deadline, f"{len(self.acknowledged)} acknowledged, {goal} awaited"
            time.sleep(PAUSE)

    def _write(self) -> None:
        while not self._stop.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=SILENCE)
            try:
                while not self._stop.is_set():
                    self._register(connection)
            except (OSError, http.client.HTTPException):
                # Nobody was told that this one is registered; whether it is, is open.
                self.broken += 1
                time.sleep(PAUSE)
            finally:
                connection.close()

    def _register(self, connection: http.client.HTTPConnection) -> None:
        person = someone(next(self._numbers))
        connection.request("POST", "/user", json.dumps(person), {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = json.loads(response.read())
        if response.status == 201:
            self.acknowledged[answer["id"]] = person["email"]
        else:
            self.others.add(response.status)
