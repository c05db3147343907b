"""A recording becomes cases for `parity check`, its secrets replaced, and a summary of what is in it."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from contract_tests.parity.binding import Bindings
from contract_tests.parity.recording.captured import Body, Captured
from contract_tests.parity.recording.lines import Lines

from .exchanges import Recorded, Recording

_ENDLESS = 1 << 62


def summary(recording: Recording) -> Iterator[str]:
    """Lines for a person: how many, from when to when, by operation and status, and what is not whole."""
    exchanges, operation = recording.exchanges, Bindings().operation
    seconds = exchanges[-1].time - exchanges[0].time
    yield f"{len(exchanges)} exchanges in {seconds:.0f} s"
    counts = Counter(
        (operation(each.request), each.response.failure or str(each.response.status)) for each in exchanges
    )
    for (name, status), number in sorted(counts.items()):
        yield f"{number:8} {status:>12}  {name}"
    for number, what in (
        (sum(each.request_cut for each in exchanges), "requests are not known whole, and make no case"),
        (sum(each.cut for each in exchanges), "responses are known in part"),
        (sum(count > 1 for count in Counter(each.key for each in exchanges).values()), "request ids are not unique"),
    ):
        if number:
            yield f"{number:8} {what}"
    yield from recording.notes


def write_cases(recording: Recording, path: Path) -> int:
    """Write the cases of a recording into a new file; how many. Raises FileExistsError, and OSError."""
    lines = Lines(key=secrets.token_bytes(16))
    whole = [each for each in recording.exchanges if not each.request_cut]
    with path.open("xb") as file:
        for exchange in whole:
            file.write(lines.line(_captured(exchange)))
    return len(whole)


def _captured(recorded: Recorded) -> Captured:
    request, response = recorded.request, recorded.response
    captured = Captured(recorded.key, request.method, request.target.decode("latin-1"), request.headers, _ENDLESS)
    if request.body:
        captured.request_body = Body(_ENDLESS)
        captured.request_body.add(request.body)
    captured.answer.add(response.body)
    captured.status, captured.headers, captured.failure = response.status, response.headers, response.failure
    captured.time, captured.seconds = recorded.time, recorded.received - recorded.time
    captured.seen = not recorded.cut
    return captured
