"""An app that is made anew for each case would compile its Jinja templates each time: what is compiled is kept."""

from __future__ import annotations

import sys
from typing import Any


class Templates:
    """The compiled templates of one factory's apps, by Jinja's own means: its bytecode cache.

    A template is compiled again when its source is another one. An app that has a bytecode cache keeps its own.
    """

    def __init__(self) -> None:
        self._cache: Any = None

    def keep(self, app: Any) -> None:
        """Let an app use what the apps before it have compiled; nothing is done to an app without Jinja."""
        environment, options = vars_of(app).get("jinja_env"), getattr(app, "jinja_options", None)
        if environment is not None and getattr(environment, "bytecode_cache", self) is None:
            environment.bytecode_cache = self._bytecode()
        elif environment is None and isinstance(options, dict) and "bytecode_cache" not in options:
            # The options may be the class's own: every app's.
            app.jinja_options = {**options, "bytecode_cache": self._bytecode()}

    def _bytecode(self) -> Any:
        if self._cache is None:
            self._cache = _in_memory(sys.modules["jinja2"])
        return self._cache


def vars_of(app: Any) -> dict[str, Any]:
    """What an object has of its own: a property that makes something is not asked."""
    found = getattr(app, "__dict__", {})
    return found if isinstance(found, dict) else {}


def _in_memory(jinja2: Any) -> Any:
    class InMemory(jinja2.BytecodeCache):  # type: ignore[misc]
        def __init__(self) -> None:
            self.kept: dict[tuple[str, str], Any] = {}

        def load_bytecode(self, bucket: Any) -> None:
            bucket.code = self.kept.get((bucket.key, bucket.checksum))

        def dump_bytecode(self, bucket: Any) -> None:
            self.kept[bucket.key, bucket.checksum] = bucket.code

    return InMemory()
