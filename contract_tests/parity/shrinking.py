"""A case is made smaller as long as it shows the same difference: steps, headers, parameters, members are dropped."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from contract_tests.parity.cases import Case
from contract_tests.parity.messages import Request

_NEEDED = frozenset({b"host", b"content-length"})
_MOST = 40

Shows = Callable[[Case], bool]


def shrunk(case: Case, shows: Shows, *, until: float) -> Case:
    """The smallest case that was found in a bounded number of tries; the case itself where none is smaller.

    `shows` runs a case on worlds of its own and says whether the difference is there.
    """
    tries, smaller = 0, True
    while smaller:
        smaller = False
        for candidate in _candidates(case):
            if tries >= _MOST or time.monotonic() > until:
                return case
            tries += 1
            if shows(candidate):
                case, smaller = candidate, True
                break
    return case


def cut_after(case: Case, steps: int) -> Case:
    """The case without what comes after its first steps."""
    return replace(case, steps=case.steps[:steps], keeps=case.keeps[:steps])


def _candidates(case: Case) -> Iterator[Case]:
    count = len(case.steps)
    if count > 2:
        yield replace(case, steps=case.steps[-1:], keeps=case.keeps[count - 1 :], signed_in=False)
    for at in range(count - 1):
        yield _without(case, at)
    for at in reversed(range(count)):
        for step in _smaller(case.steps[at]):
            yield replace(case, steps=(*case.steps[:at], step, *case.steps[at + 1 :]))


def _without(case: Case, at: int) -> Case:
    keeps = tuple(dict(case.kept(each)) for each in range(len(case.steps)))
    kept = (*keeps[:at], *keeps[at + 1 :]) if case.keeps else ()
    return replace(case, steps=(*case.steps[:at], *case.steps[at + 1 :]), keeps=kept)


def _smaller(step: Request) -> Iterator[Request]:
    path, mark, query = step.target.partition(b"?")
    if mark:
        parts = query.split(b"&")
        yield replace(step, target=path)
        if len(parts) > 1:
            for at in range(len(parts)):
                yield replace(step, target=path + b"?" + b"&".join([*parts[:at], *parts[at + 1 :]]))
    for at, (name, _) in enumerate(step.headers):
        if name.lower() not in _NEEDED:
            yield replace(step, headers=(*step.headers[:at], *step.headers[at + 1 :]))
    if step.body:
        yield from _with_less(step)


def _with_less(step: Request) -> Iterator[Request]:
    try:
        value = json.loads(step.body)
    except (ValueError, RecursionError):
        pairs = step.body.split(b"&")
        for at in range(len(pairs)) if len(pairs) > 1 and b"\r\n" not in step.body else ():
            yield _sized(step, b"&".join([*pairs[:at], *pairs[at + 1 :]]))
        return
    # What JSON reads and writes otherwise than it stood would be another request.
    if json.dumps(value).encode() == step.body:
        for less in _less(value):
            yield _sized(step, json.dumps(less).encode())


def _less(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield {key: each for key, each in value.items() if key != name}
            for less in _less(inner):
                yield {**value, name: less}
    elif isinstance(value, list) and len(value) > 1:
        for at in range(len(value)):
            yield [*value[:at], *value[at + 1 :]]
    elif isinstance(value, str) and len(value) > 40:
        yield value[: len(value) // 2]


def _sized(step: Request, body: bytes) -> Request:
    headers = tuple((n, b"%d" % len(body) if n.lower() == b"content-length" else v) for n, v in step.headers)
    return replace(step, body=body, headers=headers)
