"""The given modules as they were read: what is written in them, with nothing asked of what it stands for."""

from __future__ import annotations

from typing import Any

from contract_tests.migration.survey.expressions import Expression
from contract_tests.migration.survey.kinds import Value, Values
from contract_tests.migration.survey.known import canonical, proxy_of
from contract_tests.migration.survey.modules import Modules
from contract_tests.migration.survey.summary import Summary


class Sources:
    """All given modules: their scopes, what stands around and above them, and what an import in them names."""

    def __init__(self, summaries: list[Summary], modules: Modules) -> None:
        self.summaries = summaries
        self.modules = modules

    def scope(self, module: int, number: int) -> dict[str, Any]:
        found: dict[str, Any] = self.summaries[module]["scopes"][number]
        return found

    def class_around(self, module: int, scope: int) -> Value | None:
        while scope >= 0:
            each = self.scope(module, scope)
            if each["kind"] == "c":
                return ("C", module, scope)
            scope = each["parent"]
        return None

    def is_property(self, function: Value) -> bool:
        return self.is_marked(function, ("property", "cached_property"))

    def is_marked(self, function: Value, words: tuple[str, ...]) -> bool:
        scope = self.scope(function[1], function[2])
        return any(
            each and each[0] in "na" and each[1 if each[0] == "n" else 2] in words
            for each in scope.get("decorators", ())
        )

    def elements(self, module: int, iterated: Expression) -> list[Any]:
        if iterated[0] == "t":
            return list(iterated[1])
        if iterated[0] != "n" or iterated[2] < 0:
            return []
        bindings = self.scope(module, iterated[2])["names"].get(iterated[1], ())
        return [each for binding in bindings if binding[0] == "e" and binding[1][0] == "t" for each in binding[1][1]]

    def module(self, importer: int, level: int, dotted: str) -> Values:
        path = self.modules.relative(importer, level, dotted) if level else self.modules.absolute(importer, dotted)
        found = self.modules.at(path) if path is not None else None
        if found is None:
            return () if level else (("O", canonical(dotted)),)
        return (("M", found),) if isinstance(found, int) else (("D", found),)

    def flask_itself(self, module: int, name: str) -> str | None:
        """Flask's own source names its proxies in a way that no other code does."""
        if name not in ("request", "g", "session", "current_app", "request_ctx", "app_ctx"):
            return None
        dotted = self.modules.dotted(module)
        folder = self.modules.paths[module].removesuffix("/globals")
        own = dotted in ("flask", "flask.globals") and isinstance(self.modules.at(f"{folder}/globals"), int)
        return proxy_of(f"{dotted}.{name}") if own else None
