"""One route in two documents: what changes for whoever asks, and for whoever reads the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from contract_tests.parity.difference import Difference
from contract_tests.parity.notes.change import ADDED, BREAKING, OTHER, Change, code, codes
from contract_tests.parity.notes.document import ANY, Answer, Described, Parameter, Route, Way
from contract_tests.parity.notes.values import Values

_BODY = "request body"


class Routes:
    """Compares the routes of two documents."""

    def __init__(self, original: Described, port: Described) -> None:
        self.original, self.port = original, port

    def changes(self) -> dict[str, list[Change]]:
        """The changes of each operation that has any, by the original's name for it, or the port's."""
        ours, theirs = self.original.routes, self.port.routes
        found = {route.name: self._gone(route) for shape, route in ours.items() if shape not in theirs}
        for shape, route in ours.items():
            if shape in theirs:
                found[route.name] = list(self._both(route, theirs[shape]))
        found |= {
            route.name: [Change(ADDED, "", "new operation")] for shape, route in theirs.items() if shape not in ours
        }
        return {name: changes for name, changes in found.items() if changes}

    def _gone(self, route: Route) -> list[Change]:
        slashed = route.shape.removesuffix("/") if route.shape.endswith("/") else f"{route.shape}/"
        other = self.port.routes.get(slashed)
        moved = f", and {code(other.template)} is there" if other is not None else ""
        return [Change(BREAKING, "", f"the operation is gone{moved}")]

    def _both(self, ours: Route, theirs: Route) -> Iterator[Change]:
        if theirs.deprecated and not ours.deprecated:
            yield Change(OTHER, "", "is deprecated now")
        yield from self._ways(ours.ways, theirs.ways)
        yield from self._parameters(ours, theirs)
        yield from self._request(ours, theirs)
        yield from self._statuses(ours.answers, theirs.answers)
        for one, other in _partners(ours.answers, theirs.answers):
            yield from self._answer(one, ours.answers[one], theirs.answers[other])

    def _ways(self, ours: tuple[Way, ...] | None, theirs: tuple[Way, ...] | None) -> Iterator[Change]:
        if ours is None or theirs is None or set(ours) == set(theirs):
            return
        # Who was let in by one way has what that way wants, and no more.
        shut = [way for way in ours if not any(_is_met(other, way) for other in theirs)]
        opened = [way for way in theirs if not any(_is_met(one, way) for one in ours)]
        if shut or opened:
            text = f"{' or '.join(map(_told, ours))} is now {' or '.join(map(_told, theirs))}"
            yield Change(BREAKING if shut else OTHER, "sign-in", text)

    def _parameters(self, ours: Route, theirs: Route) -> Iterator[Change]:
        one, other = _by_place(ours), _by_place(theirs)
        for key, parameter in one.items():
            where = f"{parameter.told} {code(parameter.name)}"
            if key not in other:
                moved = next((each for each in other.values() if _is_moved(parameter, each, one)), None)
                yield Change(BREAKING, where, f"is a {moved.told} now" if moved else "is gone")
            else:
                yield from (each.at(where) for each in self._parameter(parameter, other[key]))
        for key, parameter in other.items():
            if key not in one and not any(_is_moved(each, parameter, one) for k, each in one.items() if k not in other):
                where = f"{parameter.told} {code(parameter.name)}"
                required = parameter.required
                yield Change(BREAKING if required else ADDED, where, "new, and required" if required else "new")

    def _parameter(self, ours: Parameter, theirs: Parameter) -> Iterator[Change]:
        if ours.required != theirs.required:
            required = theirs.required
            yield Change(BREAKING if required else OTHER, "", "is required now" if required else "is optional")
        many = self.original.reader.forms(ours.schema) or {}
        if ours.style != theirs.style and many.keys() & {"array", "object"}:
            yield Change(BREAKING, "", f"how a list is written: {code(ours.style)} is now {code(theirs.style)}")
        yield from self._values(asks=True).compare(ours.schema, theirs.schema)

    def _request(self, ours: Route, theirs: Route) -> Iterator[Change]:
        if not ours.bodies and not theirs.bodies:
            return
        if not ours.bodies or not theirs.bodies:
            text = "is gone" if ours.bodies else "new, and required" if theirs.body_required else "new"
            breaks = bool(ours.bodies) or theirs.body_required
            yield Change(BREAKING if breaks else ADDED, _BODY, text)
            return
        if ours.body_required != theirs.body_required:
            required = theirs.body_required
            yield Change(BREAKING if required else OTHER, _BODY, "is required now" if required else "is optional")
        yield from self._bodies(ours.bodies, theirs.bodies, _BODY, asks=True)

    def _statuses(self, ours: Mapping[str, Answer], theirs: Mapping[str, Answer]) -> Iterator[Change]:
        paired = _partners(ours, theirs)
        gone = [status for status in ours if status not in {one for one, _ in paired}]
        new = [status for status in theirs if status not in {other for _, other in paired}]
        for status in gone:
            instead = [other for other in new if other[:1] == status[:1]]
            good = _is_good(status)
            if instead:
                differences = tuple(Difference("status", "status", "value", status, other) for other in instead)
                yield Change(BREAKING, "answer", f"{code(status)} is now {codes(instead)}", differences)
            else:
                yield Change(BREAKING if good else OTHER, "answer", f"{code(status)} is no longer documented")
        replaced = {status[:1] for status in gone}
        for status in new:
            if status[:1] not in replaced:
                yield Change(OTHER, "answer", f"may be {code(status)}")

    def _answer(self, status: str, ours: Answer, theirs: Answer) -> Iterator[Change]:
        where = f"answer {code(status)}"
        if ours.bodies and theirs.bodies:
            yield from self._bodies(ours.bodies, theirs.bodies, where, asks=False)
        elif ours.bodies or theirs.bodies:
            yield Change(
                OTHER, where, "the body is no longer described" if ours.bodies else "the body is described now"
            )
        for name, (schema, always) in ours.headers.items():
            told = f"header {code(_titled(name))}"
            if name not in theirs.headers:
                lost = (Difference("header", _titled(name), "missing", "", None),)
                yield Change(BREAKING, where, f"{told} is gone", lost)
                continue
            other, still = theirs.headers[name]
            if always and not still:
                yield Change(BREAKING, where, f"{told} may be missing")
            values = Values(self.original.reader, self.port.reader, asks=False, level="header")
            yield from (
                replace(each, where=where, text=f"{told}: {each.text}") for each in values.compare(schema, other)
            )
        for name in theirs.headers:
            if name not in ours.headers:
                added = (Difference("header", _titled(name), "extra", None, ""),)
                yield Change(ADDED, where, f"header {code(_titled(name))} is new", added)

    def _bodies(
        self, ours: Mapping[str, Any], theirs: Mapping[str, Any], where: str, *, asks: bool
    ) -> Iterator[Change]:
        pairs = [(kind, kind) for kind in ours if kind in theirs]
        gone = [kind for kind in ours if kind not in theirs and not _is_any(kind, theirs)]
        new = [kind for kind in theirs if kind not in ours and not _is_any(kind, ours)]
        if gone and new:
            told = f"media type {codes(gone)} is now {codes(new)}"
            lost = () if asks else tuple(Difference("media-type", "Content-Type", "value", one, other) for one in gone for other in new)  # fmt: skip  # noqa: E501
            yield Change(BREAKING, where, told, lost)
        elif gone:
            yield Change(BREAKING, where, f"media type {codes(gone)} is gone")
        elif new:
            yield Change(ADDED if asks else OTHER, where, f"media type {codes(new)} is new")
        if not pairs:
            pairs = list(zip(ours, theirs, strict=False))[:1]
        told_before: set[tuple[str, str]] = set()
        for one, other in pairs:
            for change in self._values(asks=asks).compare(ours[one], theirs[other]):
                # A body in several media types is one body.
                if (change.weight, change.text) not in told_before:
                    told_before.add((change.weight, change.text))
                    yield change.at(where)

    def _values(self, *, asks: bool) -> Values:
        return Values(self.original.reader, self.port.reader, asks=asks)


def _by_place(route: Route) -> dict[tuple[str, str], Parameter]:
    """Parameters by what names them on the wire: in a path that is their turn, and a header's case says nothing."""
    found: dict[tuple[str, str], Parameter] = {}
    turns = {name: at for at, name in enumerate(_turns(route.template))}
    for each in route.parameters:
        name = each.name.lower() if each.place == "header" else each.name
        key = str(turns.get(name, name)) if each.place == "path" else name
        found[each.place, key] = each
    return found


def _turns(template: str) -> list[str]:
    return [part.partition("}")[0] for part in template.split("{")[1:]]


def _is_moved(parameter: Parameter, other: Parameter, known: Mapping[tuple[str, str], Parameter]) -> bool:
    if other.name != parameter.name or other.place == parameter.place:
        return False
    return all((each.place, each.name) != (other.place, other.name) for each in known.values())


def _is_met(wanted: Way, had: Way) -> bool:
    """Whether who has what one way wants has all that the other wants."""
    return all(any(name == other and scopes <= more for other, more in had) for name, scopes in wanted)


def _told(way: Way) -> str:
    if not way:
        return "no sign-in"
    parts = [code(name) + (f" with {codes(sorted(scopes))}" if scopes else "") for name, scopes in sorted(way, key=str)]
    return " and ".join(parts)


def _partners(ours: Mapping[str, Answer], theirs: Mapping[str, Answer]) -> list[tuple[str, str]]:
    """Statuses that stand for one another: by number, else by what covers it (`2XX`, `default`)."""
    lower = {status.upper(): status for status in theirs}
    found = []
    for status in ours:
        covers: list[Callable[[str], str]] = [str.upper, lambda text: f"{text[:1]}XX", lambda _: "DEFAULT"]
        other = next((lower[key] for cover in covers if (key := cover(status)) in lower), None)
        if other is not None and (other.upper() != "DEFAULT" or status.lower() == "default"):
            found.append((status, other))
    return found


def _is_good(status: str) -> bool:
    return status[:1] in ("2", "3")


def _is_any(kind: str, known: Mapping[str, Any]) -> bool:
    """Whether a media type says nothing, or is one of what the other side allows."""
    return kind == ANY or ANY in known or f"{kind.partition('/')[0]}/*" in known


def _titled(name: str) -> str:
    return "-".join(part.capitalize() for part in name.split("-"))
