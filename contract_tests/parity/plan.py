"""The sources take turns under one budget: whoever has had the least time is next, so that each gets its turn."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib import import_module

from contract_tests.parity.applications import SpecError
from contract_tests.parity.cases import Case
from contract_tests.parity.known import Cases, Known
from contract_tests.parity.messages import Request, Response

# Each source that the engine has of its own, and where it is: what it needs is imported when it is asked for.
HOMES = {
    "framework": "framework",
    "mutated": "mutated",
    "sequences": "sequences",
    "generated": "generated",
    "wire": "wire",
}
_WORD = re.compile(rb"parity[a-z](?![a-z0-9])")
ALL = ("cases", "recorded", *HOMES)


class SourceLeftOutError(Exception):
    """A source cannot make cases here; the message says what it lacks."""


def chosen(sources: Sequence[str] | None, *, given: bool) -> tuple[str, ...]:
    """The sources to run: those that are named, or what is given alone, or all. Raises SpecError."""
    if not sources:
        return ("cases", "recorded") if given else ALL
    if "all" in sources:
        return ALL
    unknown = [name for name in sources if name not in ALL]
    if unknown:
        raise SpecError(f"--sources {unknown[0]}: there are all, {', '.join(ALL)}")
    return tuple(sources)


def opened(name: str, known: Known) -> Cases:
    """The cases of a source. Raises SourceLeftOutError."""
    make: Callable[[Known], Cases] = getattr(import_module(f"contract_tests.parity.sources.{HOMES[name]}"), name)
    return make(known)


class Turns:
    """Cases of several sources, in turns; whoever takes a case tells what was answered before the next."""

    def __init__(
        self,
        sources: Mapping[str, Cases],
        known: Known,
        *,
        until: float,
        rewinds: bool,
        ways: str = "both",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._sources, self._known, self._until, self._rewinds = dict(sources), known, until, rewinds
        self._ways = ways
        self._number = 0
        self._spent = dict.fromkeys(sources, 0.0)
        self.answers: Sequence[Response] = ()
        self.unfinished: list[str] = []

    def __iter__(self) -> Iterator[Case]:
        waiting: dict[str, Sequence[Response] | None] = dict.fromkeys(self._sources)
        while waiting:
            if self._clock() > self._until:
                self.unfinished = list(waiting)
                return
            # By time where each case has worlds of its own; else by number, so that a seed gives one order.
            name = min(waiting, key=self._spent.__getitem__)
            began = self._clock()
            try:
                case = self._sources[name].send(waiting[name])  # type: ignore[arg-type]
            except StopIteration:
                del waiting[name]
                continue
            yield from self._both_ways(case)
            waiting[name] = self.answers
            self._spent[name] += self._clock() - began if self._rewinds else 1

    def _is_nowhere(self) -> bool:
        """Whether the original has nothing where it was asked: who asks does not matter there."""
        return bool(self.answers) and self.answers[-1].status in (404, 405)

    def _both_ways(self, case: Case) -> Iterator[Case]:
        """The case signed out and signed in, where there is a way to; the source is told the latter's answers."""
        self._number += 1
        own = case if self._rewinds else individual(case, self._number)
        sign_in = self._known.sign_in
        if sign_in is None or case.signed_in or self._ways != "in":
            yield own
        if self._ways == "both" and case.source == "framework" and self._is_nowhere():
            return
        if self._ways == "both" and sign_in is not None and sign_in.is_in(case):
            return
        if sign_in is not None and not case.signed_in and self._ways != "out":
            yield sign_in.signed(own)


def individual(case: Case, number: int) -> Case:
    """The case with words of its own: where nothing is rewound, what others made is there still."""
    return replace(case, steps=tuple(_worded(step, b"%d" % number) for step in case.steps))


def _worded(step: Request, number: bytes) -> Request:
    target, body = (_WORD.sub(rb"\g<0>" + number, text) for text in (step.target, step.body))
    headers = step.headers
    if len(body) != len(step.body):
        headers = tuple((n, b"%d" % len(body) if n.lower() == b"content-length" else v) for n, v in headers)
    return replace(step, target=target, body=body, headers=headers)
