"""A recording is a file or a folder of files; a broken line is told with its place, and nothing is guessed."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from contract_tests.parity.cases import request_of
from contract_tests.parity.messages import Headers, Request, Response

from .exchanges import Recorded, Recording, RecordingError
from .goreplay import goreplay
from .har import har

_TOLD = 5
_FORMATS: dict[str, Callable[[Path, Recording, list[str]], Iterator[Recorded]]]


def read_recording(path: Path | str) -> Recording:
    """Read a recording: `.jsonl` as the recorder writes it, `.gor` (GoReplay), `.har` (HAR 1.2), or a folder of these.

    Raises RecordingError, which names each broken line, and OSError. A last line without an end was being written
    when its process was killed: it is left out, and a note says so.
    """
    recording, broken = Recording(Path(path)), list[str]()
    for file in _files(Path(path)):
        recording.exchanges += _FORMATS[file.suffix](file, recording, broken)
    if broken:
        more = [f"and {len(broken) - _TOLD} more"] if len(broken) > _TOLD else []
        raise RecordingError("\n".join([*broken[:_TOLD], *more]))
    if not recording.exchanges:
        raise RecordingError(f"{path}: there is no exchange in it")
    recording.exchanges.sort(key=lambda exchange: exchange.time)
    return recording


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        found = sorted(file for file in path.iterdir() if file.suffix in _FORMATS)
        if not found:
            raise RecordingError(f"{path}: there is no {', '.join(_FORMATS)} in it")
        return found
    if path.suffix not in _FORMATS:
        raise RecordingError(f"{path}: a recording is a folder or a file {', '.join(_FORMATS)}")
    return [path]


def _lines(path: Path, recording: Recording, broken: list[str]) -> Iterator[Recorded]:
    dropped = 0
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            place = f"{path}:{number}"
            try:
                document = json.loads(line)
                yield _recorded(document, place)
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                if line.endswith(b"\n"):
                    broken.append(f"{place}: {_told(error)}")
                else:
                    recording.notes.append(f"{place} was not written to its end, and is left out")
                continue
            dropped = max(dropped, document["recorded"].get("dropped", 0))
    if dropped:
        recording.notes.append(f"{dropped} exchanges were dropped before they came to {path.name}")


def _recorded(line: Any, place: str) -> Recorded:
    if not isinstance(line, dict) or not isinstance(line.get("recorded"), dict):
        raise ValueError("this is no recorded exchange: there is no object `recorded` in it")
    told, steps, key = line["recorded"], line["steps"], line["case"]
    if not isinstance(key, str) or not key:
        raise ValueError("case is a text, the request's id")
    if not isinstance(steps, list) or len(steps) > 1:
        raise ValueError("steps is a list of one request")
    request = request_of(steps[0]) if steps else _cut_request(told["request"])
    began, seconds = float(told["time"]), float(told["seconds"])
    return Recorded(
        key,
        request,
        _response(told),
        began,
        began + seconds,
        place,
        cut=bool(told.get("cut")),
        length=told.get("length"),
        request_cut=not steps,
        keyed=str(told.get("key", "")),
    )


def _cut_request(told: Any) -> Request:
    return request_of({name: value for name, value in told.items() if name != "cut"})


def _response(told: dict[str, Any]) -> Response:
    status, failure = told["status"], told.get("failure")
    if type(status) is not int or not 0 <= status < 1000:
        raise ValueError("status is a number from 0 to 999")
    if failure is not None and not isinstance(failure, str):
        raise ValueError("failure is a text")
    body = base64.b64decode(told["body_base64"]) if "body_base64" in told else told.get("body", "").encode()
    return Response(status, _headers(told["headers"]), body, failure)


def _headers(pairs: Any) -> Headers:
    return tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs)


def _told(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"{error.args[0]} is missing"
    if isinstance(error, json.JSONDecodeError):
        return f"this is not JSON: {error.msg} at column {error.colno}"
    return str(error)


_FORMATS = {".jsonl": _lines, ".gor": goreplay, ".har": har}
