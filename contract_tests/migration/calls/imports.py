"""What an import binds: a module, a class or a function of the given ones, or something outside by its name."""

from __future__ import annotations

import ast
from collections.abc import Callable

from contract_tests.migration.calls import outside
from contract_tests.migration.calls.sources import Source, Sources
from contract_tests.migration.calls.syntax import Values, some
from contract_tests.migration.calls.values import Folder, Module, Outside, Scope, Value


class Imports:
    """Follows imports; `names` looks a name up in a module, `attribute` in any value."""

    def __init__(
        self,
        sources: Sources,
        modules: dict[Source, Scope],
        *,
        names: Callable[[Scope, str], Values],
        attribute: Callable[[Value, str], Values],
    ) -> None:
        self._sources = sources
        self._modules = modules
        self._names = names
        self._attribute = attribute

    def plain(self, node: ast.Import, name: str, source: Source) -> Values:
        found = [each for each in node.names if name == (each.asname or each.name.partition(".")[0])]
        names = {each.name if each.asname else name for each in found}
        return some(each for full in names for each in self.module(full, source))

    def imported(self, node: ast.ImportFrom, name: str, source: Source) -> Values:
        if node.level:
            folder = source.path.parents[node.level - 1]
            base = folder.joinpath(*node.module.split(".")) if node.module else folder
            module, inner = self._sources.at(base), self._sources.at(base / name)
            if module is None:
                return (Module(self._modules[inner]),) if inner else ()
            found = self._names(self._modules[module], name) if module is not source else ()
            return found or ((Module(self._modules[inner]),) if inner else ())
        assert node.module is not None
        return some(each for value in self.module(node.module, source) for each in self._attribute(value, name))

    def module(self, name: str, importer: Source | None) -> Values:
        """The module of a dotted name: one of the given, or one outside."""
        first = name.partition(".")[0]
        if first not in outside.KNOWN:
            found = self._sources.find(name, importer)
            if found is not None:
                return (Module(self._modules[found]),)
            if self._sources.is_folder(name):
                return (Folder(name),)
        return (Outside(outside.canonical(name)),)
