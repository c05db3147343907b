r"""Raw bytes to send over a socket are data: a line a probe, `id | world | bytes | what is special` (docs/wire.md).

    framing-017 | - | GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n%{shut} | half-closed before its body

The bytes are printable ASCII with the escapes `\r` `\n` `\t` `\\` `\xNN`, and these macros:

`%{8190*a}` repeats a text; `%{length}` is the length of what follows the next empty line, to the end of its request;
`%{next}` begins another request on the connection, `%{await}` does so once the answer before it is there;
`%{pause}` lets a moment pass in which nothing is sent; `%{shut}` closes the sending side, `%{drop}` the connection;
any other name stands for a value of the probe's world, such as `%{session}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from .messages import Request

_MACRO = re.compile(r"%\{([^{}]*)\}")
_REPEAT = re.compile(r"(\d+)\*(.+)", re.DOTALL)
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|.)", re.DOTALL)
_ESCAPED = {"r": "\r", "n": "\n", "t": "\t", "\\": "\\"}
_ID = re.compile(r"[a-z0-9-]+-\d{3}")
_BREAKS = ("next", "await")
_ACTS = (*_BREAKS, "pause", "shut", "drop")
_COLUMNS = 4
_LENGTH = "\ue000"


class ProbeError(ValueError):
    """A probe cannot be used as it is written; the message names the file and the line."""


@dataclass(frozen=True, slots=True)
class Send:
    """Bytes to send."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Act:
    """Something else to do: one of next, await, pause, shut, drop."""

    name: str


@dataclass(frozen=True, slots=True)
class Probe:
    """What is sent over one connection. `world` names what exists before."""

    id: str
    area: str
    world: str
    text: str
    special: str

    def steps(self, values: Mapping[str, str]) -> tuple[Send | Act, ...]:
        """What to do, one after another, in a world with these values. Raises ProbeError."""
        found: list[Send | Act] = []
        for request in self._requests():
            found += _sends(request, values, self.id)
        return tuple(found)

    def requests(self, values: Mapping[str, str]) -> tuple[Request, ...]:
        """The requests as a lenient reader sees them, for comparing and telling their answers."""
        return tuple(
            _request(b"".join(step.data for step in _sends(each, values, self.id) if isinstance(step, Send)))
            for each in self._requests()
        )

    def _requests(self) -> list[str]:
        """The text of each request; each but the first begins with what breaks it from the one before."""
        return re.split(r"(?=%\{(?:next|await)\})", self.text)


def load_probes(folder: Path) -> tuple[Probe, ...]:
    """The probes of all `*.probes` files of a folder, by area. Raises ProbeError, and OSError."""
    probes = [probe for path in sorted(folder.glob("*.probes")) for probe in read_probes(path)]
    return _each_once(probes, folder)


def read_probes(path: Path) -> tuple[Probe, ...]:
    """The probes of one file, whose name is their area. Raises ProbeError, and OSError."""
    return tuple(_probes(path.read_text(encoding="utf-8"), path))


def _probes(text: str, path: Path) -> Iterator[Probe]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            try:
                yield _probe(line, path.stem)
            except ProbeError as error:
                raise ProbeError(f"{path.name}:{number}: {error}") from None


def _probe(line: str, area: str) -> Probe:
    columns = [column.strip(" ") for column in line.split(" | ")]
    if len(columns) != _COLUMNS:
        raise ProbeError(f"{len(columns)} columns: write id | world | bytes | what is special")
    id, world, text, special = columns
    if not _ID.fullmatch(id) or not id.startswith(f"{area}-"):
        raise ProbeError(f"the id {id!r} is not {area}- and three digits")
    if not special:
        raise ProbeError(f"{id} does not say what is special")
    if not text.isascii() or not text.isprintable():
        raise ProbeError(f"{id} has a character that is not printable ASCII: write \\xNN for each byte")
    probe = Probe(id, area, world, text, special)
    probe.steps(_AnyValue())
    return probe


class _AnyValue(dict[str, str]):
    """Values for a check of the form alone."""

    def __missing__(self, name: str) -> str:
        if not re.fullmatch(r"[a-z_]+", name):
            raise KeyError(name)
        return name


def _each_once(probes: Iterable[Probe], folder: Path) -> tuple[Probe, ...]:
    found: dict[str, Probe] = {}
    for probe in probes:
        if probe.id in found:
            raise ProbeError(f"{folder.name}: {probe.id} is there twice")
        found[probe.id] = probe
    return tuple(found.values())


def _sends(text: str, values: Mapping[str, str], id: str) -> list[Send | Act]:
    """The steps of one request."""
    parts: list[str | Act] = []
    end = 0
    for macro in _MACRO.finditer(text):
        parts += [_unescaped(text[end : macro.start()], id), _meant(macro[1], values, id)]
        end = macro.end()
    parts.append(_unescaped(text[end:], id))
    whole = "".join(part for part in parts if isinstance(part, str))
    length = str(len(whole.partition("\r\n\r\n")[2]))
    return _joined(part.replace(_LENGTH, length) if isinstance(part, str) else part for part in parts)


def _joined(parts: Iterable[str | Act]) -> list[Send | Act]:
    found: list[Send | Act] = []
    for part in parts:
        if isinstance(part, Act):
            found.append(part)
        elif part and found and isinstance(found[-1], Send):
            found[-1] = Send(found[-1].data + part.encode("latin-1"))
        elif part:
            found.append(Send(part.encode("latin-1")))
    return found


def _meant(macro: str, values: Mapping[str, str], id: str) -> str | Act:
    if macro in _ACTS:
        return Act(macro)
    if macro == "length":
        return _LENGTH
    if repeat := _REPEAT.fullmatch(macro):
        return _unescaped(repeat[2], id) * int(repeat[1])
    try:
        return values[macro]
    except KeyError:
        raise ProbeError(f"{id}: nothing is called {macro!r} in its world") from None


def _unescaped(text: str, id: str) -> str:
    def meant(found: re.Match[str]) -> str:
        code = found[1]
        if len(code) > 1:
            return chr(int(code[1:], 16))
        if code not in _ESCAPED:
            raise ProbeError(f"{id}: no escape \\{code}: there are \\r \\n \\t \\\\ \\xNN")
        return _ESCAPED[code]

    return _ESCAPE.sub(meant, text)


def _request(data: bytes) -> Request:
    """What a lenient reader takes the bytes for."""
    head, _, body = data.lstrip(b"\r\n").partition(b"\r\n\r\n")
    line, *fields = head.split(b"\r\n")
    words = line.split(b" ") + [b"", b""]
    headers = tuple((name.strip(), value.strip()) for name, _, value in (field.partition(b":") for field in fields))
    return Request(words[0].decode("latin-1"), words[1] or b"/", headers, body)
