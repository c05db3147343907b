"""What the port shows after a write as it was before: one cause, whatever members, lists and pages tell of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .difference import Difference
from .exchange import Exchange
from .folding import name_of
from .keeping import element_at, pointed
from .reason import Reason
from .shapes import is_format, shape

_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_GONE = frozenset({404, 410})
_LARGEST = 100_000
# So many things of one case, and so many states of each, are remembered.
_MOST, _STATES = 200, 12


def stale(write: str, read: str, member: str | None = None) -> Reason:
    """The reason of what is shown as it was before a write; of one member where the port shows others as written."""
    what = f"{member} as it was" if member else "what was there"
    return Reason("stale", (write, read, *([member] if member else [])), f"the port shows {what} before {write}")


@dataclass(frozen=True, slots=True)
class _State:
    """What both sides showed of a thing, as JSON or as the bytes that they are; None where it was gone."""

    original: Any
    port: Any


class Told:
    """What both sides showed of each thing in the case at hand, and which writes both have accepted since."""

    def __init__(self) -> None:
        self._case = ""
        # By path: states, and between them the names of writes, in their order.
        self._events: dict[str, list[_State | str]] = {}

    def stale(self, exchange: Exchange, case: str) -> Mapping[Difference, Reason]:
        """The differences in which the port shows what it showed before a write, each with its reason."""
        if case != self._case:
            self._case, self._events = case, {}
        target = _path(exchange)
        found = dict(self._found(exchange, target)) if exchange.differences else {}
        if exchange.request.method in _SAFE:
            self._show(target, exchange)
        elif exchange.original.status < 400 and exchange.port.status < 400:
            self._write(exchange, target)
        return found

    def _write(self, exchange: Exchange, target: str) -> None:
        # What is posted to a collection changes that; only a thing's own writes change the thing.
        self._events.setdefault(target, []).append(exchange.operation)
        if exchange.request.method == "POST":
            made = _made(exchange, target)
            if made is not None:
                self._show(made, exchange)
        elif exchange.request.method == "DELETE":
            self._events[target].append(_State(None, None))
        else:
            self._show(target, exchange)

    def _show(self, target: str, exchange: Exchange) -> None:
        bodies = exchange.original.body, exchange.port.body
        if max(map(len, bodies)) > _LARGEST or len(self._events) > _MOST:
            return
        gone = [each.status in _GONE for each in (exchange.original, exchange.port)]
        good = [200 <= each.status < 300 for each in (exchange.original, exchange.port)]
        if all(one or other for one, other in zip(gone, good, strict=True)) and all(bodies):
            values = [None if lost else _value(body) for lost, body in zip(gone, bodies, strict=True)]
            events = self._events.setdefault(target, [])
            events.append(_State(*values))
            del events[: -2 * _STATES]

    def _found(self, exchange: Exchange, target: str) -> Iterator[tuple[Difference, Reason]]:
        """What a thing shows itself, and what a list above it shows of it."""
        read = exchange.operation
        if exchange.original.status in _GONE and exchange.port.status < 400:
            write = self._last_write(target)
            if write is not None and write.startswith("DELETE "):
                # Whatever such an answer holds: it should not be there.
                yield from ((each, stale(write, read)) for each in exchange.differences)
            return
        if exchange.original.status != exchange.port.status or exchange.original.status >= 400:
            return
        now = _State(_value(exchange.original.body), _value(exchange.port.body))
        for difference in exchange.differences:
            if difference.level == "json":
                reason = self._of_thing(difference, now, target, read) or self._of_element(
                    difference, now, target, read
                )
            else:
                reason = self._of_page(difference, now, target, read)
            if reason is not None:
                yield difference, reason

    def _last_write(self, target: str) -> str | None:
        return next((each for each in reversed(self._events.get(target, ())) if isinstance(each, str)), None)

    def _before(self, target: str, write: str | None = None) -> Iterator[tuple[_State, str]]:
        """The states of a thing before a write, the latest first, each with the write that came right after it."""
        for event in reversed(self._events.get(target, ())):
            if isinstance(event, str):
                write = event
            elif write is not None:
                yield event, write

    def _of_thing(self, difference: Difference, now: _State, target: str, read: str) -> Reason | None:
        if _is_of_form(difference):
            return None
        # What a write answers itself is what was there before it.
        answered = read if read.startswith(("PUT ", "PATCH ")) else None
        for before, write in self._before(target, answered):
            if write.startswith(("PUT ", "PATCH ")) and _is_kept(difference.path, before, now):
                return stale(write, read, _member_alone(difference, before, now))
        return None

    def _of_element(self, difference: Difference, now: _State, target: str, read: str) -> Reason | None:
        """What a list shows of a thing that was written to, or is deleted."""
        path, _, name = difference.path.rpartition(".")
        owner = element_at(now.port, path) if path else None
        if isinstance(owner, dict) and name and not _is_of_form(difference):
            ours = element_at(now.original, path)
            for thing in self._things(target, owner):
                for before, write in self._before(thing):
                    kept = _is_kept(f"$.{name}", before, _State(ours, owner))
                    if kept and write.startswith(("PUT ", "PATCH ")):
                        return stale(write, read, _member_alone(difference, before, _State(ours, owner)))
        extra = element_at(now.port, difference.path) if difference.kind == "extra" else None
        if isinstance(extra, dict):
            for thing in self._things(target, extra):
                last = self._last_write(thing)
                if last is not None and last.startswith("DELETE "):
                    return stale(last, read)
        return None

    def _of_page(self, difference: Difference, now: _State, target: str, read: str) -> Reason | None:
        """A page that stays as it was on the port alone, to the byte."""
        if difference.level != "bytes" or not isinstance(now.port, bytes):
            return None
        for before, write in self._before(target):
            if before.port == now.port and before.original != now.original:
                return stale(write, read)
        return None

    def _things(self, target: str, element: Mapping[str, Any]) -> list[str]:
        """The paths of things that an element of a list may be: below the list, by its id."""
        ids = {str(element[name]) for name in ("id", "uuid", "slug", "_id", "key") if name in element}
        return [path for path in self._events if path.rpartition("/")[2] in ids and path != target]


def _path(exchange: Exchange) -> str:
    """The path of a thing as the port was asked for it: elements show the port's own ids."""
    return exchange.port_request.target.partition(b"?")[0].decode("latin-1").rstrip("/")


def _made(exchange: Exchange, target: str) -> str | None:
    """The path of what a POST has made, by its Location or the id that it tells."""
    location = pointed(exchange.port, "header Location")
    if isinstance(location, str) and location.startswith(f"{target}/"):
        return location.partition("?")[0].rstrip("/")
    value = _value(exchange.port.body)
    if not isinstance(value, dict):
        return None
    made = next((value[name] for name in ("id", "uuid", "slug", "_id", "key") if name in value), None)
    return f"{target}/{made}" if isinstance(made, (str, int)) else None


def _value(body: bytes) -> Any:
    if body.lstrip()[:1] in (b"{", b"["):
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            return body
    return body


def _is_of_form(difference: Difference) -> bool:
    """Whether two values are one that is written in two ways."""
    return difference.kind == "value" and is_format(shape(difference.original), shape(difference.port))


def _is_kept(path: str, before: _State, now: _State) -> bool:
    """Whether the port shows at a path what it showed before, and the original shows something else."""
    ours, theirs = element_at(now.original, path), element_at(now.port, path)
    return _same(element_at(before.port, path), theirs) and not _same(element_at(before.original, path), ours)


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def _member_alone(difference: Difference, before: _State, now: _State) -> str | None:
    """The member that the port alone keeps, where it shows others of the same thing as they were written."""
    sides = before.original, before.port, now.original, now.port
    if not all(isinstance(each, dict) for each in sides):
        return None
    changed = [name for name in now.original if name in before.original and before.original[name] != now.original[name]]
    kept = [name for name in changed if _is_kept(f'$["{name}"]', before, now)]
    return name_of(difference.path) if kept != changed else None
