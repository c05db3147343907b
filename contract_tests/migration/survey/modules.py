"""The module that an import names, among the given ones."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from posixpath import basename, dirname

from contract_tests.migration.survey.known import OUTSIDE

# A module by its number, or a folder of modules by its path.
Found = int | str | None


class Modules:
    """Finds modules by their paths from the base, without ending."""

    def __init__(self, inners: Sequence[str]) -> None:
        self._by_path: dict[str, int] = {}
        self._folders: set[str] = {""}
        self._packages: set[str] = set()
        self.paths: list[str] = []
        for number, inner in enumerate(inners):
            path = inner.removesuffix(".py")
            if path == "__init__" or path.endswith("/__init__"):
                path = dirname(path)
                self._packages.add(path)
            self._by_path.setdefault(path, number)
            if path in self._packages:
                self._by_path[path] = number
            self.paths.append(path)
            folder = path if path in self._packages else dirname(path)
            while folder and folder not in self._folders:
                self._folders.add(folder)
                folder = dirname(folder)
        self._tops: dict[str, list[str]] = {}
        for path in (*self._by_path, *(each for each in self._folders if each not in self._by_path)):
            self._tops.setdefault(basename(path), []).append(dirname(path))
        self._roots: dict[tuple[str, str, str], str | None] = {}

    def at(self, path: str) -> Found:
        found = self._by_path.get(path)
        return found if found is not None else path if path in self._folders else None

    def is_package(self, number: int) -> bool:
        return self.paths[number] in self._packages

    def folder_of(self, number: int) -> str:
        """The folder that a relative import with one dot means."""
        return self.paths[number] if self.is_package(number) else dirname(self.paths[number])

    def relative(self, importer: int, level: int, dotted: str) -> str | None:
        folder = self.folder_of(importer)
        for _ in range(level - 1):
            if not folder:
                return None
            folder = dirname(folder)
        return "/".join(part for part in (folder, dotted.replace(".", "/")) if part)

    def absolute(self, importer: int, dotted: str) -> str | None:
        """The path that a dotted name means in a module; None where it is not among the given."""
        first, _, rest = dotted.partition(".")
        folder = dirname(self.paths[importer]) if not self.is_package(importer) else self.paths[importer]
        key = (folder, first, rest)
        if key not in self._roots:
            self._roots[key] = self._root(folder, first, dotted.replace(".", "/"))
        root = self._roots[key]
        return None if root is None else "/".join(part for part in (root, dotted.replace(".", "/")) if part)

    def dotted(self, number: int) -> str:
        """A module's name as its own tree has it."""
        parts, path = [], self.paths[number]
        while path:
            parts.append(basename(path))
            path = dirname(path)
            if path not in self._packages:
                break
        return ".".join(reversed(parts))

    def _root(self, folder: str, first: str, path: str) -> str | None:
        candidates = [root for root in self._tops.get(first, ()) if self._may_be_root(root, folder, first, path)]
        if not candidates:
            return None
        # The whole name must be there, or a shorter one is what is meant: a name within a module.
        whole = [root for root in candidates if self.at(f"{root}/{path}" if root else path) is not None]
        return max(
            whole or candidates, key=lambda root: (root not in self._packages, _shared(root, folder), -len(root))
        )

    def _may_be_root(self, root: str, folder: str, first: str, path: str) -> bool:
        above = _is_within(folder, root)
        if first in OUTSIDE or first in sys.stdlib_module_names:
            return root in ("", "src") and (f"{root}/{first}" if root else first) in self._packages
        if root in self._packages:
            # The folder of a script that is a package too: `pgadmin4/pgadmin` with `pgadmin4/__init__.py`.
            return (
                above and "/" in path and self.at(f"{root}/{path}") is not None and f"{root}/{first}" in self._packages
            )
        return above or _is_within(folder, dirname(root))


def _is_within(folder: str, root: str) -> bool:
    return not root or folder == root or folder.startswith(f"{root}/")


def _shared(root: str, folder: str) -> int:
    return len(root) if _is_within(folder, root) else -1
