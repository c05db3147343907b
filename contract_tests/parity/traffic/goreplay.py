"""GoReplay's files: payloads between separators, each a line `type id nanoseconds [latency]` and a raw HTTP message."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

from contract_tests.parity.messages import Headers, Request, Response

from .exchanges import Recorded, Recording, request_id

_SEPARATOR = "\n\U0001f435\U0001f648\U0001f649\n".encode()
_REQUEST, _RESPONSE, _REPLAYED = b"1", b"2", b"3"
_NANO = 1e9


def goreplay(path: Path, recording: Recording, broken: list[str]) -> Iterator[Recorded]:
    """The exchanges of a file: a request (type 1) and the response (2) with its id, in any order.

    What was replayed (3) is left out and counted, as is a request without a response. The join key is X-Request-ID,
    else GoReplay's own id.
    """
    requests: dict[str, tuple[Request, float, str]] = {}
    responses: dict[str, tuple[Response, float]] = {}
    replayed = 0
    data, line = path.read_bytes(), 1
    for payload in data.split(_SEPARATOR):
        place = f"{path}:{line}"
        line += payload.count(b"\n") + _SEPARATOR.count(b"\n")
        if not payload.strip():
            continue
        try:
            kind, name, moment, message = _payload(payload)
            if kind == _REQUEST:
                requests[name] = (_request(message), moment, place)
            elif kind == _RESPONSE:
                responses[name] = (_response(message), moment)
            else:
                replayed += 1
        except ValueError as error:
            broken.append(f"{place}: {error}")
    yield from _joined(requests, responses)
    for number, what in (
        (replayed, "replayed responses (type 3) are left out"),
        (len(requests.keys() - responses.keys()), "requests have no response: record with --input-raw-track-response"),
    ):
        if number:
            recording.notes.append(f"{path.name}: {number} {what}")


def _joined(
    requests: dict[str, tuple[Request, float, str]], responses: dict[str, tuple[Response, float]]
) -> Iterator[Recorded]:
    for name, (request, began, place) in requests.items():
        if name in responses:
            response, ended = responses[name]
            key = request_id(request.headers, response.headers) or name
            yield Recorded(key, request, response, began, max(began, ended), place)


def _payload(payload: bytes) -> tuple[bytes, str, float, bytes]:
    first, newline, message = payload.partition(b"\n")
    parts = first.split(b" ")
    if not newline or len(parts) < 3 or parts[0] not in (_REQUEST, _RESPONSE, _REPLAYED) or not parts[2].isdigit():
        raise ValueError("a payload begins with a line of type (1, 2 or 3), id and time in nanoseconds")
    return parts[0], parts[1].decode("latin-1"), int(parts[2]) / _NANO, message


def _request(message: bytes) -> Request:
    first, headers, body = _message(message)
    parts = first.split(b" ")
    if len(parts) != 3 or not parts[2].startswith(b"HTTP/"):
        raise ValueError("this is no HTTP request: it begins with a method, a target and a version")
    return Request(parts[0].decode("latin-1"), parts[1], headers, body)


def _response(message: bytes) -> Response:
    first, headers, body = _message(message)
    parts = first.split(b" ", 2)
    if not parts[0].startswith(b"HTTP/") or len(parts) < 2 or not parts[1].isdigit():
        raise ValueError("this is no HTTP response: it begins with a version and a status")
    length = next((value for name, value in headers if name.lower() == b"content-length"), b"")
    short = length.isdigit() and 0 < len(body) < int(length)
    return Response(int(parts[1]), headers, body, "truncated" if short else None)


def _message(message: bytes) -> tuple[bytes, Headers, bytes]:
    head, _, body = message.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    headers = tuple((name, value.strip()) for name, colon, value in (line.partition(b":") for line in lines) if colon)
    coded = {name.lower(): value.lower() for name, value in headers}
    if coded.get(b"transfer-encoding") == b"chunked":
        body = _unchunked(body)
    if coded.get(b"content-encoding") == b"gzip":
        body = _unzipped(body)
        headers = tuple(pair for pair in headers if pair[0].lower() not in (b"content-encoding", b"content-length"))
    return first, headers, body


def _unchunked(body: bytes) -> bytes:
    parts, rest = [], body
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        try:
            number = int(size.partition(b";")[0], 16)
        except ValueError:
            raise ValueError("a chunk's size is no number") from None
        if number <= 0:
            break
        parts.append(rest[:number])
        rest = rest[number + 2 :]
    return b"".join(parts)


def _unzipped(body: bytes) -> bytes:
    try:
        return zlib.decompressobj(wbits=31).decompress(body, 64 << 20)
    except zlib.error:
        raise ValueError("a body is no gzip, although its header says so") from None
