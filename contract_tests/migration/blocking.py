"""`python -m contract_tests.migration.blocking PATH...`: what blocks the event loop, from the source alone.

A handler declared `async def` (also dependencies, middleware, exception handlers and the lifespan) must not call what
blocks, nor must what it calls. Each such call is told with the way to it. `# blocks: REASON` on a line accepts the
calls on it. Nothing is imported; what the source does not tell (an attribute without a type) is not followed.
Exit code: 0 nothing found, 1 something, 2 usage or a file that is no Python.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from contract_tests.migration.calls.handlers import find_handlers
from contract_tests.migration.calls.inference import Inference
from contract_tests.migration.calls.sources import Sources, Unreadable, shown
from contract_tests.migration.calls.values import Function
from contract_tests.migration.calls.walking import Blocker, Call, Walk

# So many of the other handlers that reach the same call are named.
_NAMED = 5

USAGE = "usage: python -m contract_tests.migration.blocking PATH..."


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A line of a file."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Finding:
    """A call that blocks the loop, and the way to it.

    `handler` is its name and `kind` what it is; `place` is where it stands. `chain` has each call on the way with its
    place, the blocking one last; `call` is that one's dotted name, and `why` what it does.
    """

    handler: str
    kind: str
    place: Place
    chain: tuple[tuple[Place, str], ...]
    call: str
    why: str
    note: str = ""

    def __str__(self) -> str:
        first = f"{self.place}: {self.handler} ({self.kind}) blocks: {self.call} {self.why}{self.note}"
        return "\n".join([first, *(f"    {place} calls {name}" for place, name in self.chain)])


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found, what it could not read, and how many handlers it looked at."""

    findings: tuple[Finding, ...]
    unreadable: tuple[Unreadable, ...]
    handlers: int


def check(paths: Iterable[Path]) -> Report:
    """Check files and folders; each blocking call is told once a handler, by the shortest way."""
    sources = Sources.read(paths)
    inference = Inference(sources)
    walk = Walk(inference)
    handlers = find_handlers(inference)
    findings = (found for function, kind in handlers.items() for found in _of_handler(function, kind, walk))
    return Report(
        tuple(sorted(findings, key=lambda each: (each.place, each.chain))), tuple(sources.unreadable), len(handlers)
    )


def _of_handler(handler: Function, kind: str, walk: Walk) -> Iterator[Finding]:
    ways: deque[tuple[Function, tuple[tuple[Place, str], ...]]] = deque([(handler, ())])
    seen: set[object] = {handler}
    while ways:
        function, way = ways.popleft()
        for call in walk.calls(function):
            if call.accepted:
                continue
            place = Place(shown(function.scope.source.path), call.line)
            key = call.target if isinstance(call.target, Function) else (place, call.target)
            if key in seen:
                continue
            seen.add(key)
            further = (*way, (place, call.target.name))
            if isinstance(call.target, Function):
                ways.append((call.target, further))
            else:
                yield _finding(handler, kind, further, call, call.target)


def _finding(handler: Function, kind: str, chain: tuple[tuple[Place, str], ...], call: Call, what: Blocker) -> Finding:
    place = Place(shown(handler.scope.source.path), handler.node.lineno)
    note = "" if call.accepted is None else " (its `# blocks:` gives no reason)"
    return Finding(handler.name, kind, place, chain, what.name, what.why, note)


def _by_place(findings: Iterable[Finding]) -> list[list[Finding]]:
    """The findings of each blocking call, those of the shortest way first."""
    found: dict[tuple[Place, str], list[Finding]] = {}
    for finding in sorted(findings, key=lambda each: len(each.chain)):
        found.setdefault((finding.chain[-1][0], finding.call), []).append(finding)
    return sorted(found.values(), key=lambda each: (each[0].place, each[0].chain))


def main(arguments: Sequence[str]) -> int:
    if not arguments or any(argument.startswith("-") for argument in arguments):
        asked = arguments in (["-h"], ["--help"])
        (sys.stdout if asked else sys.stderr).write(f"{__doc__ if asked else USAGE}\n")
        return 0 if asked else 2
    report = check(Path(argument) for argument in arguments)
    places = _by_place(report.findings)
    for first, *others in places:
        also = ", ".join(each.handler for each in others[:_NAMED]) + (", ..." if len(others) > _NAMED else "")
        sys.stdout.write(f"{first}\n" + (f"    reached from {len(others)} more: {also}\n" if others else "") + "\n")
    for unreadable in report.unreadable:
        sys.stderr.write(f"{unreadable}\n")
    blocked = len({finding.place for finding in report.findings})
    calls = "1 blocking call" if len(places) == 1 else f"{len(places)} blocking calls"
    sys.stdout.write(f"{calls}, reached from {blocked} of the {report.handlers} functions that the loop runs\n")
    return 2 if report.unreadable else int(bool(report.findings))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
