"""Surveys a code base: every use of Flask's globals, where it stands, and how requests get there.

`survey(paths)` gives what `parity globals --format json` writes; docs/globals.md names its keys.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from contract_tests.migration.survey.calls import Calls
from contract_tests.migration.survey.files import find_files
from contract_tests.migration.survey.modules import Modules
from contract_tests.migration.survey.reading import Cache, Readings, contents, read, uncollected
from contract_tests.migration.survey.reads import parameter_of
from contract_tests.migration.survey.routes import Entries, Entry, Function
from contract_tests.migration.survey.uses import Need, Unresolved, Use, Uses, is_probably_builtin
from contract_tests.migration.survey.values import World

Data = dict[str, Any]
VERSION = 1


def silent(done: int, total: int) -> None:
    """No progress."""


def survey(
    paths: Sequence[Path],
    *,
    exclude: Sequence[str] = (),
    cache: Path | None = None,
    jobs: int | None = None,
    progress: Callable[[int, int], None] = silent,
) -> Data:
    """What stands in the code below the paths, by the keys of docs/globals.md. Raises OSError where there is none."""
    found = contents(find_files(paths, exclude))
    kept = Cache(cache)
    digest = hashlib.sha256()
    for file, _, key in found:
        digest.update(f"{file.shown}\0{file.inner}\0{key}\0".encode("utf-8", "surrogateescape"))
    key = "result" + digest.hexdigest()
    data = kept.get(key)
    if data is None:
        with uncollected():
            readings = read(found, kept, jobs=jobs or os.cpu_count() or 1, progress=progress)
            data = Survey(readings).data()
        kept.put(key, data)
        kept.forget("result")
    return dict(data)


class Survey:
    """All that is known of the modules of one reading."""

    def __init__(self, readings: Readings) -> None:
        self.readings = readings
        modules = Modules([file.inner for file in readings.files])
        self.world = World(readings.summaries, modules)
        self.routes = Entries(self.world)
        self.calls = Calls(self.world, self.routes)
        self._uses = Uses(self.world, self.calls)
        self.entries = self.routes.all()
        self._uses.find()
        self.calls.decorated()
        self._names: dict[Function, str] = {}
        # What an entry runs itself, and where a way from it may begin.
        self._own: dict[Function, list[Entry]] = {}
        self.entered: dict[Function, list[Entry]] = {}
        for entry in self.entries:
            for function in entry.functions:
                self._own.setdefault(function, []).append(entry)
            for function in (*entry.functions, *entry.inherited):
                self.entered.setdefault(function, []).append(entry)
        self._guess()

    def _guess(self) -> None:
        """A call that is not resolved most likely means the one function of its name, if there is but one."""
        named: dict[str, list[Function]] = {}
        for module, summary in enumerate(self.readings.summaries):
            for number, scope in enumerate(summary["scopes"]):
                if scope["kind"] == "f":
                    named.setdefault(scope["name"], []).append((module, number))
        for call in self._uses.unresolved:
            found = named.get(call.name, ())
            if call.function and len(found) == 1 and not is_probably_builtin(call.name):
                self.calls.guess(call.function, found[0])

    def name(self, function: Function) -> str:
        """`module.Class.method`, as a reader finds it."""
        module, number = function
        parts: list[str] = []
        while number > 0:
            scope = self.world.scope(module, number)
            if scope["kind"] in "fcl":
                parts.append(scope["name"])
            number = scope["parent"]
        return ".".join([self.world.modules.dotted(module), *reversed(parts)])

    def place(self, function: Function | None) -> tuple[str, list[Entry]]:
        """view, hook or command with the entries; deep within other functions; import at a module's level."""
        if function is None:
            return "import", []
        module, number = function
        while number > 0:
            entries = self._own.get((module, number))
            if entries:
                return entries[0].kind, entries
            number = self.world.scope(module, number)["parent"]
        return "deep", []

    def data(self) -> Data:
        self._numbers = {id(entry): number for number, entry in enumerate(self.entries)}
        self._functions: dict[Function, int] = {}
        ways: dict[str, list[Data]] = {}
        uses = [self._use(use, ways) for use in self._uses.uses]
        needs = [self._need(need) for need in self._uses.needs]
        uses.sort(key=_order)
        _add_fingerprints(uses)
        return {
            "version": VERSION, "files": len(self.readings.files), "lines": self.readings.lines, "uses": uses,
            "needs_context": sorted(needs, key=_order), "ways": dict(sorted(ways.items())),
            "entries": [self._entry(entry) for entry in self.entries],
            "functions": [self._function(each) for each in self._functions],
            "unresolved": self._unresolved(),
            "unreadable": [{"path": path, "line": line, "why": why} for path, line, why in self.readings.unreadable],
        }  # fmt: skip

    def _use(self, use: Use, ways: dict[str, list[Data]]) -> Data:
        place, entries = self.place(use.function)
        function = self._placed(use.function) if use.function else None
        if place == "deep" and use.function and function and function not in ways:
            ways[function] = self._ways(use.function)
        read = use.read
        return {
            **self._at(use), "file": self.readings.files[use.module].inner, "proxy": use.proxy, "access": read.access,
            "what": read.what, "key": read.key, "default": read.default, "via": use.via, "place": place,
            "function": function,
            "entries": [self._numbers[id(entry)] for entry in entries],
            "parameter": parameter_of(read, use.proxy) if place == "deep" else None, "then": use.then,
        }  # fmt: skip

    def _need(self, need: Need) -> Data:
        place, entries = self.place(need.function)
        return {
            **self._at(need), "name": need.name, "place": place,
            "function": self._placed(need.function) if need.function else None,
            "entries": [self._numbers[id(entry)] for entry in entries],
        }  # fmt: skip

    def _ways(self, function: Function) -> list[Data]:
        found: list[Data] = []
        made: dict[int, list[int]] = {}
        for entry, way, guessed in self.calls.ways(function, self.entered):
            calls = made.get(id(way))  # many entries share a way
            if calls is None:
                calls = made[id(way)] = [self._numbered(each) for each in way]
            found.append({"entry": self._numbers[id(entry)], "calls": calls, "guessed": guessed})
        return found

    def _placed(self, function: Function) -> str:
        name = self._names.get(function)
        if name is None:
            name = self._names[function] = self.name(function)
        return name

    def _numbered(self, function: Function) -> int:
        """The number of a function among those that `functions` lists."""
        return self._functions.setdefault(function, len(self._functions))

    def _function(self, function: Function) -> Data:
        path = self.readings.files[function[0]].shown
        return {"name": self._placed(function), "path": path, "line": self.world.scope(*function)["line"]}

    def _at(self, each: Use | Need | Unresolved) -> Data:
        return {"path": self.readings.files[each.module].shown, "line": each.line, "column": each.column}

    def _entry(self, entry: Entry) -> Data:
        return {
            "kind": entry.kind, "name": entry.name, "methods": list(entry.methods), "rule": entry.rule,
            "endpoint": entry.endpoint,
            "path": self.readings.files[entry.module].shown, "line": entry.line,
            "functions": [self._numbered(each) for each in entry.functions],
            "class": self.name(entry.cls) if entry.cls else None,
        }  # fmt: skip

    def _unresolved(self) -> Data:
        """Calls that may lead to a use, with what they may mean; the others are counted."""
        users = {use.function for use in self._uses.uses if use.function}
        reaching = self.calls.reaching({each for each in users if self.place(each)[0] == "deep"})
        named: dict[str, list[str]] = {}
        for function in sorted(reaching - self.entered.keys()):
            named.setdefault(self.world.scope(*function)["name"], []).append(self.name(function))
        listed, others, builtin = [], 0, 0
        for call in self._uses.unresolved:
            candidates = named.get(call.name, [])
            if is_probably_builtin(call.name):
                builtin += 1
            elif candidates:
                where = self._placed(call.function) if call.function else None
                listed.append({**self._at(call), "name": call.name, "function": where, "may_be": candidates[:5]})
            else:
                others += 1
        listed.sort(key=_order)
        return {"listed": listed, "leads_to_no_use": others, "builtin_methods": builtin}


def _order(each: Data) -> tuple[Any, ...]:
    return (each["path"], each["line"], each["column"], each.get("what", ""))


def _add_fingerprints(uses: list[Data]) -> None:
    """Name each use by what it is and where it stands, not by its line: the first of like ones is 0."""
    seen: dict[str, int] = {}
    for use in uses:
        text = "|".join((use["file"], use["function"] or "", use["access"], use["what"]))
        seen[text] = number = seen.get(text, -1) + 1
        use["fingerprint"] = hashlib.sha256(f"{text}|{number}".encode()).hexdigest()[:16]
