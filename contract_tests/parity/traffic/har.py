"""HAR 1.2 as a recording: what was sent and what was answered, bodies as text or base64, times as ISO 8601."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from contract_tests.parity.messages import Headers, Request, Response

from .exchanges import Recorded, Recording, RecordingError, request_id

# A browser tells the body as it was after decoding.
_OF_CODING = frozenset({"content-encoding", "content-length", "transfer-encoding"})


def har(path: Path, recording: Recording, broken: list[str]) -> Iterator[Recorded]:
    """The exchanges of a file. The join key is X-Request-ID, else the entry's number."""
    try:
        entries = json.loads(path.read_bytes().removeprefix(b"\xef\xbb\xbf"))["log"]["entries"]
        entries = list(entries)
    except (ValueError, KeyError, TypeError):
        raise RecordingError(f"{path}: this is no HAR 1.2: there is no log with entries in it") from None
    for number, entry in enumerate(entries, 1):
        place = f"{path}: entry {number}"
        try:
            yield _recorded(entry, number, place)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            why = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
            broken.append(f"{place}: {why}")


def _recorded(entry: Mapping[str, Any], number: int, place: str) -> Recorded:
    request, response = _request(entry["request"]), _response(entry["response"])
    began = datetime.fromisoformat(entry["startedDateTime"]).timestamp()
    key = request_id(request.headers, response.headers) or f"entry-{number}"
    return Recorded(key, request, response, began, began + float(entry.get("time", 0)) / 1000, place)


def _request(told: Mapping[str, Any]) -> Request:
    url = urlsplit(told["url"])
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    headers = _headers(told["headers"], frozenset({"content-length", "transfer-encoding"}))
    if not any(name.lower() == b"host" for name, _ in headers):
        headers = ((b"Host", url.netloc.encode()), *headers)
    data = told.get("postData") or {}
    if "text" in data:
        body = _bytes(data["text"], data.get("encoding"))
    else:
        body = urlencode([(each["name"], each.get("value", "")) for each in data.get("params", ())]).encode()
    return Request(told["method"], target.encode(), headers, body)


def _response(told: Mapping[str, Any]) -> Response:
    content = told.get("content") or {}
    status = int(told["status"])
    body = _bytes(content.get("text") or "", content.get("encoding"))
    # A browser writes 0 where no response came.
    return Response(max(status, 0), _headers(told["headers"], _OF_CODING), body, None if status > 0 else "reset")


def _headers(pairs: Any, left_out: frozenset[str]) -> Headers:
    return tuple(
        (pair["name"].encode("latin-1", "replace"), pair["value"].encode("latin-1", "replace"))
        for pair in pairs
        if not pair["name"].startswith(":") and pair["name"].lower() not in left_out
    )


def _bytes(text: str, encoding: str | None) -> bytes:
    return base64.b64decode(text, validate=True) if encoding == "base64" else text.encode("utf-8", "surrogatepass")
