"""Reads modules from files and folders, and finds the module that an import names."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

_ACCEPTED = re.compile(r"#\s*blocks:\s*(.*?)\s*$")
_SKIPPED = {"node_modules", "site-packages", "__pycache__", "venv"}


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file that cannot be read as Python; `where` is its path, with the line where that is known."""

    where: str
    why: str

    def __str__(self) -> str:
        return f"{self.where}: {self.why}"


@dataclass(slots=True, eq=False)
class Source:
    """One module's tree; `accepted` has the reason of each `# blocks:` comment by its line."""

    path: Path
    tree: ast.Module
    accepted: dict[int, str]

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"


@dataclass(slots=True)
class Sources:
    """All modules that were given, by path, and the folders that an absolute import may begin in."""

    modules: dict[Path, Source] = field(default_factory=dict)
    unreadable: list[Unreadable] = field(default_factory=list)
    roots: list[Path] = field(default_factory=list)

    @classmethod
    def read(cls, paths: Iterable[Path]) -> Sources:
        """Read files, and folders with all below them. What cannot be read stands in `unreadable`."""
        sources = cls()
        for path in (each.resolve() for each in paths):
            files = sorted(_python_files(path)) if path.is_dir() else [path]
            for file in files:
                sources._add(file)
            sources._root(path)
        for file in sources.modules:
            sources._root(_top(file.parent))
        return sources

    def find(self, name: str, importer: Source | None) -> Source | None:
        """The given module that an absolute import in another one means; None where it is not among the given."""
        parts = name.split(".")
        # A flat script folder is its own root: Python has the script's folder first in its path.
        above = importer.path.parents if importer else ()
        own = [folder for folder in above if not (folder / "__init__.py").exists()][:1]
        for root in (*self.roots, *own):
            found = self.at(root.joinpath(*parts))
            # `redis.py` in a folder of the package is not what `import redis` means there.
            if found is not None and found is not importer:
                return found
        return None

    def at(self, base: Path) -> Source | None:
        """The module or package of a path without its ending."""
        return self.modules.get(base.with_name(f"{base.name}.py")) or self.modules.get(base / "__init__.py")

    def is_folder(self, name: str) -> bool:
        """Whether an import may name a folder of the given ones, with or without `__init__.py`."""
        return any(root.joinpath(*name.split(".")).is_dir() for root in self.roots)

    def _root(self, path: Path) -> None:
        folder = path if path.is_dir() else path.parent
        for root in (_top(folder), *([folder, folder.parent] if not (folder / "__init__.py").exists() else [])):
            if root not in self.roots:
                self.roots.append(root)

    def _add(self, path: Path) -> None:
        if path in self.modules:
            return
        try:
            raw = path.read_bytes()
            tree = ast.parse(raw, filename=str(path))
            accepted = _accepted(raw)
        except SyntaxError as error:
            self.unreadable.append(Unreadable(f"{shown(path)}:{error.lineno or 1}", f"no Python: {error.msg}"))
        except (OSError, ValueError, RecursionError, tokenize.TokenError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            self.unreadable.append(Unreadable(shown(path), why))
        else:
            self.modules[path] = Source(path, tree, accepted)


def shown(path: Path) -> str:
    """A path as a reader has it: from where they stand, if it is below."""
    return _shown(path, str(Path.cwd()))


@cache
def _shown(path: Path, folder: str) -> str:
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)


def _python_files(folder: Path) -> Iterable[Path]:
    for path in folder.rglob("*.py"):
        parts = path.relative_to(folder).parts
        if not any(part in _SKIPPED or part.startswith(".") for part in parts):
            yield path


def _top(folder: Path) -> Path:
    """The folder that the outermost package around it is in."""
    while (folder / "__init__.py").exists() and folder.parent != folder:
        folder = folder.parent
    return folder


def _accepted(raw: bytes) -> dict[int, str]:
    if b"blocks:" not in raw:
        return {}
    tokens = tokenize.tokenize(io.BytesIO(raw).readline)
    comments = ((token.start[0], _ACCEPTED.search(token.string)) for token in tokens if token.type == tokenize.COMMENT)
    return {line: match[1] for line, match in comments if match}
