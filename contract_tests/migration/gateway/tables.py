"""The table of a gateway: a TOML file that says for each route who serves it, and with which share."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import combinations
from pathlib import Path
from typing import Any

from contract_tests.migration.gateway.patterns import Pattern, PatternError

PROXIES = ("nginx", "haproxy", "envoy")
# Their requests change nothing (RFC 9110, 9.2.1), so a copy of one does not, either.
SAFE = ("GET", "HEAD", "OPTIONS")
IDEMPOTENT = (*SAFE, "PUT", "DELETE", "TRACE")
_METHODS = (*IDEMPOTENT, "POST", "PATCH")
_GATEWAY = {"proxy", "listen", "original", "port", "sticky", "hidden", "tls", "max_body_mb", "logs", "admin_socket"}
_ROUTE = {"path", "methods", "serve", "mirror", "mirror_is_safe"}
_ADDRESS = re.compile(r"(?P<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\]):(?P<port>[1-9][0-9]{0,4})")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_PLACE = re.compile(r"[^\s\"'\\;{}#$%]+")
HUNDRED = Decimal(100)


class TableError(ValueError):
    """A table says what cannot be written; the message names the file and the place, in one line."""


@dataclass(frozen=True, slots=True)
class Route:
    """A path, its methods (none: all), the port's share and the share that is mirrored to it, both in percent."""

    path: str
    methods: tuple[str, ...] = ()
    share: Decimal = Decimal(0)
    mirror: Decimal = Decimal(0)
    mirror_is_safe: bool = False

    @property
    def pattern(self) -> Pattern:
        return Pattern.parse(self.path)

    @property
    def matched(self) -> tuple[str, ...]:
        """The methods that it is asked by: a HEAD goes where its GET does."""
        return (*self.methods, "HEAD") if "GET" in self.methods and "HEAD" not in self.methods else self.methods

    @property
    def mirrored(self) -> tuple[str, ...]:
        """The methods that are mirrored: safe ones, unless it was declared that the others are."""
        asked = self.matched or _METHODS
        return asked if self.mirror_is_safe else tuple(each for each in asked if each in SAFE)

    @property
    def is_split(self) -> bool:
        return 0 < self.share < HUNDRED

    def __str__(self) -> str:
        return f"{','.join(self.methods) or 'every method of'} {self.path}"


@dataclass(frozen=True, slots=True)
class Sticky:
    """What keeps a user with one app: a cookie of the gateway's own, or a header that the client sends."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Table:
    """A gateway. `routes` are in the order in which they are tried: what is within another comes before it."""

    proxy: str
    listen: str
    original: str
    port: str
    routes: tuple[Route, ...]
    sticky: Sticky = Sticky("cookie", "gateway")
    hidden: tuple[str, ...] = ()
    tls: tuple[str, str] | None = None
    max_body_mb: int = 10
    logs: str = ""
    admin_socket: str = ""

    @property
    def scheme(self) -> str:
        return "https" if self.tls else "http"

    @property
    def is_split(self) -> bool:
        """Whether anybody has to be known: elsewhere no cookie is set."""
        return any(each.is_split for each in self.routes)

    def rolled_back(self) -> Table:
        """The same gateway where the original serves everything and nothing is mirrored."""
        back = (replace(each, share=Decimal(0), mirror=Decimal(0), mirror_is_safe=False) for each in self.routes)
        return replace(self, routes=tuple(back))


def load_table(path: Path) -> Table:
    """The table in a file. Raises TableError."""
    try:
        return read_table(path.read_bytes().decode(), name=str(path))
    except OSError as error:
        raise TableError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise TableError(f"{path}: byte {error.start} is not UTF-8") from None


def read_table(text: str, *, name: str) -> Table:
    """The table that a text holds; `name` is what an error calls it. Raises TableError."""
    try:
        return _table(tomllib.loads(text, parse_float=Decimal))
    except (TableError, PatternError, tomllib.TOMLDecodeError) as error:
        raise TableError(f"{name}: {error}") from None


def _table(given: dict[str, Any]) -> Table:
    _known(given, {"gateway", "routes"}, "the table")
    gateway, rows = given.get("gateway"), given.get("routes")
    _demand(isinstance(gateway, dict), "[gateway] is missing")
    _demand(isinstance(rows, list) and bool(rows), "[[routes]] is missing: without a route nothing is decided")
    assert isinstance(gateway, dict)
    assert isinstance(rows, list)
    _known(gateway, _GATEWAY, "[gateway]")
    routes = tuple(
        sorted((_route(row, number) for number, row in enumerate(rows, 1)), key=lambda each: each.pattern.order)
    )
    _distinct(routes)
    table = Table(
        proxy=_one_of(gateway, "proxy", PROXIES),
        listen=_address(gateway, "listen"),
        original=_address(gateway, "original"),
        port=_address(gateway, "port"),
        routes=routes,
        sticky=_sticky(gateway.get("sticky", {"cookie": "gateway"})),
        hidden=_hidden(gateway.get("hidden", [])),
        tls=_tls(gateway.get("tls")),
        max_body_mb=_megabytes(gateway.get("max_body_mb", 10)),
        logs=_place(gateway, "logs"),
        admin_socket=_place(gateway, "admin_socket"),
    )
    _demand(len({table.listen, table.original, table.port}) == 3, "listen, original and port are three addresses")
    return table


def _route(row: Any, number: int) -> Route:
    place = f"route {number}"
    _demand(isinstance(row, dict) and isinstance(row.get("path"), str), f"{place} has no path")
    place = f"route {number} ({row['path']})"
    _known(row, _ROUTE, place)
    _demand("serve" in row, f'{place} has no serve: "original", "port" or {{ original = 99, port = 1 }}')
    safe = row.get("mirror_is_safe", False)
    _demand(isinstance(safe, bool), f"{place}: mirror_is_safe is true or false")
    mirror = _percent(row.get("mirror", 0), f"{place}: mirror")
    route = Route(row["path"], _methods(row.get("methods", []), place), _share(row["serve"], place), mirror, safe)
    _demand(not (mirror and route.share), f'{place}: a mirror needs serve = "original", or the port is asked twice')
    unsafe = [each for each in route.methods if each not in SAFE]
    _demand(
        not (mirror and unsafe) or safe,
        f"{place}: a mirror of {', '.join(unsafe)} does everything twice; if the port has a database of its own,"
        " say mirror_is_safe = true",
    )
    route.pattern.regex()
    return route


def _methods(given: Any, place: str) -> tuple[str, ...]:
    fits = isinstance(given, list) and all(each in _METHODS for each in given)
    _demand(fits, f"{place}: methods is a list of {', '.join(_METHODS)}")
    return tuple(dict.fromkeys(given))


def _share(serve: Any, place: str) -> Decimal:
    if serve in ("original", "port"):
        return HUNDRED if serve == "port" else Decimal(0)
    fits = isinstance(serve, dict) and serve.keys() == {"original", "port"}
    _demand(fits, f'{place}: serve is "original", "port" or {{ original = 99, port = 1 }}')
    shares = {name: _percent(serve[name], f"{place}: {name}") for name in ("original", "port")}
    total = sum(shares.values())
    _demand(total == HUNDRED, f"{place}: the percentages add up to {total}, not to 100")
    return shares["port"]


def _percent(given: Any, what: str) -> Decimal:
    number = isinstance(given, int | Decimal) and not isinstance(given, bool)
    _demand(number and Decimal(given).is_finite() and 0 <= given <= 100, f"{what} is a percentage from 0 to 100")
    _demand(given == round(Decimal(given), 2), f"{what} has more than two decimals, which no proxy can tell apart")
    return Decimal(given)


def _distinct(routes: tuple[Route, ...]) -> None:
    """Of two routes that a request fits, one must be within the other: else their order would decide."""
    for one, two in combinations(routes, 2):
        shares_methods = not one.matched or not two.matched or set(one.matched) & set(two.matched)
        if not shares_methods or not one.pattern.overlaps(two.pattern):
            continue
        same = one.pattern.within(two.pattern) and two.pattern.within(one.pattern)
        nested = one.pattern.within(two.pattern) or two.pattern.within(one.pattern)
        _demand(nested and not same, f"the routes {one} and {two} overlap: some requests fit both")


def _address(gateway: Mapping[str, Any], key: str) -> str:
    given = gateway.get(key)
    found = _ADDRESS.fullmatch(given) if isinstance(given, str) else None
    _demand(bool(found) and int(found["port"]) < 65536, f"{key} is an address such as 127.0.0.1:8000")  # type: ignore[index]
    assert isinstance(given, str)
    return given


def _sticky(given: Any) -> Sticky:
    fits = isinstance(given, dict) and len(given) == 1 and given.keys() <= {"cookie", "header"}
    _demand(fits, 'sticky is { cookie = "gateway" } or { header = "X-User" }')
    ((kind, name),) = given.items()
    _demand(isinstance(name, str) and bool(_NAME.fullmatch(name)), f"sticky: {name!r} is no name of a {kind}")
    # nginx calls it by a variable, in which every - is a _, and a cookie's name goes in as it is.
    _demand(kind == "header" or "-" not in name, f"sticky: {name!r} has a -, which nginx finds in no cookie")
    return Sticky(kind, name)


def _hidden(given: Any) -> tuple[str, ...]:
    _demand(isinstance(given, list) and all(isinstance(each, str) for each in given), "hidden is a list of paths")
    for path in given:
        pattern = Pattern.parse(path)
        _demand(None not in pattern.segments and not pattern.rest, f"hidden: {path} is no single path")
    return tuple(given)


def _tls(given: Any) -> tuple[str, str] | None:
    if given is None:
        return None
    _demand(isinstance(given, dict) and given.keys() == {"certificate", "key"}, "tls has a certificate and a key")
    return _place(given, "certificate"), _place(given, "key")


def _megabytes(given: Any) -> int:
    fits = isinstance(given, int) and not isinstance(given, bool) and given > 0
    _demand(fits, "max_body_mb is a whole number above 0")
    assert isinstance(given, int)
    return given


def _place(table: Mapping[str, Any], key: str) -> str:
    given = table.get(key, "")
    fits = isinstance(given, str) and (not given or bool(_PLACE.fullmatch(given)))
    _demand(fits, f"{key} is a path without spaces and quotes")
    assert isinstance(given, str)
    return given


def _one_of(table: Mapping[str, Any], key: str, values: tuple[str, ...]) -> str:
    given = table.get(key)
    _demand(given in values, f"{key} is one of {', '.join(values)}")
    assert isinstance(given, str)
    return given


def _known(table: Mapping[str, Any], keys: set[str], place: str) -> None:
    unknown = sorted(table.keys() - keys)
    _demand(not unknown, f"{place} has an unknown key {', '.join(unknown)}")


def _demand(fits: bool, otherwise: str) -> None:
    if not fits:
        raise TableError(otherwise)
