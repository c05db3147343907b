"""The options of `parity check`: from the command line, else `[tool.parity]` of pyproject.toml, else a default."""

from __future__ import annotations

import threading
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from contract_tests.parity.applications import SpecError

# The least of each; the most is what a thread can wait.
_SECONDS = {"budget": 0.0, "timeout": 0.01, "clocks": 0.0}


@dataclass(frozen=True, slots=True)
class Options:
    """Everything that a check is told beside its two SPECs. Times are in seconds."""

    cases: Path | None = None
    har: Path | None = None
    openapi: str | None = None
    ledger: Path | None = None
    budget: float = 60.0
    seed: int = 1
    sources: tuple[str, ...] = ()
    report: Path | None = None
    corpus: Path | None = None
    timeout: float = 10.0
    clocks: float = 2.0
    auth: str | None = None
    auth_carry: str | None = None
    reset_original: str | None = None
    reset_port: str | None = None
    database_original: str | None = None
    database_port: str | None = None
    cluster: str | None = None

    @classmethod
    def of(cls, given: Mapping[str, Any], table: Mapping[str, Any]) -> Options:
        """The options of a command line (what it does not give is None), over a table of pyproject.toml.

        Raises SpecError, in one line, for a key or a value that is none.
        """
        named = {key: value for key, value in table.items() if key not in ("original", "port")}
        known = {each.name.replace("_", "-") for each in fields(cls)}
        unknown = sorted(key for key in named if key.replace("_", "-") not in known)
        if unknown:
            raise SpecError(f"[tool.parity]: unknown key {unknown[0]}; there are {', '.join(sorted(known))}")
        read = {key.replace("-", "_"): _read(key.replace("-", "_"), value) for key, value in named.items()}
        typed = {key: value for key, value in given.items() if value is not None and value != ()}
        for key, least in _SECONDS.items():
            _check_seconds(f"--{key} ", typed.get(key, least), least)
            _check_seconds(f"[tool.parity]: {key} = ", read.get(key, least), least)
        return cls(**(read | typed))


def configured(folder: Path) -> dict[str, Any]:
    """The table [tool.parity] of a folder's pyproject.toml; empty where there is none. Raises SpecError."""
    path = folder / "pyproject.toml"
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SpecError(f"pyproject.toml cannot be read: {error}") from None
    table = document.get("tool", {}).get("parity", {})
    if not isinstance(table, dict):
        raise SpecError("[tool.parity] is a table")
    return table


def _read(key: str, value: Any) -> Any:
    if key in ("cases", "har", "ledger", "report", "corpus"):
        return Path(_demanded(key, value, str, "a path"))
    if key == "sources":
        listed = value.split(",") if isinstance(value, str) else value
        return tuple(str(each).strip() for each in _demanded(key, listed, list, "a list of texts"))
    if key in _SECONDS:
        return float(_demanded(key, value, (int, float), "a number of seconds"))
    if key == "seed":
        return _demanded(key, value, int, "an integer")
    return _demanded(key, value, str, "a text")


def _check_seconds(named: str, value: float, least: float) -> None:
    # Nothing is true of a NaN, so what must be true is asked.
    if not least <= value <= threading.TIMEOUT_MAX:
        raise SpecError(f"{named}{value:g}: this is no number of seconds, from {least:g} on")


def _demanded(key: str, value: Any, kind: Any, what: str) -> Any:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise SpecError(f"[tool.parity]: {key} is {what}, not {value!r}")
    return value
