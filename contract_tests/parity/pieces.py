"""A cause that a piece of the wire kit closes names the piece and what to write, as pieces.toml knows."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from .difference import Difference
from .exchange import Exchange
from .reason import Reason

_BODY = 20_000


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece by `module:name`, the line to write, and the page that tells of it."""

    names: str
    write: str
    docs: str

    def as_json(self) -> dict[str, str]:
        return asdict(self)

    def __str__(self) -> str:
        module, _, name = self.names.partition(":")
        return f"{module}: {self.write}" if name in self.write else f"{module}.{name}: {self.write}"


def closing(reason: Reason, difference: Difference, exchange: Exchange) -> Piece | None:
    """The first piece that closes a difference of this reason, if the kit has one."""
    told = _told(reason, difference, exchange)
    for piece, conditions in pieces():
        if any(_fits(condition, told) for condition in conditions):
            return piece
    return None


@cache
def pieces() -> tuple[tuple[Piece, tuple[Mapping[str, str], ...]], ...]:
    """Each piece with the conditions under which it closes a cause, in the order of the file."""
    tables = tomllib.loads((files(__package__) / "pieces.toml").read_text(encoding="utf-8"))["piece"]
    return tuple((Piece(each["names"], each["write"], each["docs"]), tuple(each["when"])) for each in tables)


def _told(reason: Reason, difference: Difference, exchange: Exchange) -> dict[str, str]:
    """What conditions are held against; of a status the bodies tell more than the numbers."""
    status = difference.level == "status"
    return {
        "reason": reason.name,
        "kind": difference.kind,
        "path": difference.path,
        "method": exchange.request.method,
        "target": exchange.request.target.decode("latin-1"),
        "sent": _sent(exchange),
        "statuses": f"{exchange.original.status} {exchange.port.status}",
        "original": _text(exchange.original.body) if status else difference.original or "",
        "port": _text(exchange.port.body) if status else difference.port or "",
    }


def _fits(condition: Mapping[str, str], told: Mapping[str, Any]) -> bool:
    exact = all(told[key] == condition[key] for key in ("reason", "method", "kind") if key in condition)
    return exact and all(
        re.search(wanted, told[key]) for key, wanted in condition.items() if key not in ("reason", "method", "kind")
    )


def _sent(exchange: Exchange) -> str:
    values = (value for name, value in exchange.request.headers if name.lower() == b"content-type")
    return next(values, b"").decode("latin-1")


def _text(body: bytes) -> str:
    return body[:_BODY].decode("utf-8", "replace")
