"""The wire kit is copied, not depended on: a team owns what answers its clients, and drops what it no longer needs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

_HERE = Path(__file__).parent
_NAME = "flask-fastapi-parity"
# In a wheel the kit lies beside this module, in a checkout where our own port has it.
_PLACES = (_HERE / "wire", _HERE.parents[2] / "fastapi_app" / "wire")
_LICENSE = _HERE.parents[2] / "LICENSE"
_MARK = "# Copied from the wire kit of "


class KitError(Exception):
    """Nothing was copied; the message says why, in one line."""


@dataclass(frozen=True, slots=True)
class Module:
    """A module of the kit: its file's name, the first line of its docstring, and its source."""

    name: str
    told: str
    source: str

    @property
    def copied(self) -> str:
        """The source as it is written into a project: its first line says where it comes from."""
        return f"{_MARK}{_NAME} {_version()} (MIT, see LICENSE): `parity kit --check` compares it.\n{self.source}"


@dataclass(frozen=True, slots=True)
class Compared:
    """A copy that is held against the kit: names of modules that are as copied, changed, missing, and of its own."""

    alike: tuple[str, ...]
    changed: tuple[str, ...]
    missing: tuple[str, ...]
    own: tuple[str, ...]


def modules() -> list[Module]:
    """All modules of the kit, by name. Raises KitError where this installation has none."""
    place = next((each for each in _PLACES if each.is_dir()), None)
    if place is None:
        raise KitError("this installation has no wire kit: install the wheel, or run it in a checkout")
    return [_module(path) for path in sorted(place.glob("*.py"))]


def copy(folder: Path) -> list[Path]:
    """Write the kit and its license into a folder that is not there yet, or empty. Raises KitError."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise KitError(f"{folder}: there already, and nothing is written over it; --check compares it")
    if not folder.name.isidentifier():
        raise KitError(f"{folder}: Python cannot import a package of this name")
    texts = {f"{each.name}.py": each.copied for each in modules()} | {"LICENSE": _license()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise KitError(f"{error.filename or folder}: {error.strerror}") from None
    return [folder / name for name in texts]


def compare(folder: Path) -> Compared:
    """Hold a copy against the kit. Raises KitError where there is no copy."""
    kit = {each.name: each for each in modules()}
    found = {path.stem: path for path in _files(folder)}
    if not found.keys() & kit.keys():
        raise KitError(f"{folder}: no copy of the wire kit is there")
    alike = {name for name, path in found.items() if name in kit and _plain(_text(path)) == kit[name].source}
    return Compared(
        tuple(sorted(alike)),
        tuple(sorted(found.keys() & kit.keys() - alike)),
        tuple(sorted(kit.keys() - found.keys())),
        tuple(sorted(found.keys() - kit.keys())),
    )


def _module(path: Path) -> Module:
    source = path.read_text(encoding="utf-8")
    told = (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]
    return Module(path.stem, told, source)


def _files(folder: Path) -> Iterator[Path]:
    try:
        yield from sorted(path for path in folder.iterdir() if path.suffix == ".py")
    except OSError as error:
        raise KitError(f"{folder}: {error.strerror}") from None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise KitError(f"{path}: {error}") from None


def _plain(text: str) -> str:
    """A copy without the line that says where it comes from."""
    return text.partition("\n")[2] if text.startswith(_MARK) else text


def _license() -> str:
    try:
        kept = distribution(_NAME).read_text("licenses/LICENSE")
    except PackageNotFoundError:
        kept = None
    return kept or _LICENSE.read_text(encoding="utf-8")


def _version() -> str:
    try:
        return version(_NAME)
    except PackageNotFoundError:
        return "(a checkout)"
