"""One HTTP/1.1 exchange as bytes: requests made ready beforehand, answers taken as they come in."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

PROBLEM = b"application/problem+json"
FORM = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n%b\r\n--x--\r\n'


def request(method: str, path: str, *, body: Any = None, cookie: str = "", expects: bool = False) -> bytes:
    """The bytes of a request, with a value as its JSON body, or bytes as the file of a form."""
    if isinstance(body, bytes):
        content, media_type = FORM % body, "multipart/form-data; boundary=x"
    else:
        content, media_type = b"" if body is None else json.dumps(body).encode(), "application/json"
    lines = [f"{method} {path} HTTP/1.1", "Host: testserver"]
    if body is not None:
        lines += [f"Content-Type: {media_type}", f"Content-Length: {len(content)}"]
    if cookie:
        lines.append(f"Cookie: {cookie}")
    if expects:
        lines.append("Expect: 100-continue")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


@dataclass(slots=True)
class Answer:
    """A response as far as it has come in. What comes without a length, and not in chunks, ends with its connection.

    `closes` is what the server says of the connection, `ended` that it has ended.
    """

    received: bytes = b""
    whole: bool = False
    ended: bool = False
    closes: bool = False
    _length: int | None = None
    _body_at: int = 0
    _chunked: bool = False

    def take(self, data: bytes) -> bool:
        """Add what has come in, nothing at the connection's end; whether the response is whole now."""
        self.received += data
        self.ended = not data
        if not self._body_at:
            self._read_head()
        if self._body_at:
            got = len(self.received) - self._body_at
            at_end = self.received.endswith(b"\r\n0\r\n\r\n") if self._chunked else self.ended
            self.whole = at_end if self._length is None else got >= self._length
        return self.whole

    @property
    def status(self) -> int:
        """The status code; 0 before the first line is there."""
        return int(self.received[9:12] or 0)

    @property
    def is_problem(self) -> bool:
        return PROBLEM in self.received[: self._body_at].lower()

    @property
    def body(self) -> bytes:
        return self.received[self._body_at :]

    def cookie(self) -> str:
        """The first cookie that it sets, as a request sends it back."""
        head = self.received[: self._body_at].decode("latin-1")
        fields = [
            line.split(":", 1)[1].strip() for line in head.split("\r\n") if line.lower().startswith("set-cookie:")
        ]
        return fields[0].split(";")[0]

    def _read_head(self) -> None:
        end = self.received.find(b"\r\n\r\n")
        if end < 0:
            return
        self._body_at = end + 4
        head = self.received[:end].lower()
        self.closes = b"\r\nconnection: close" in head
        self._chunked = b"\r\ntransfer-encoding: chunked" in head
        if self.status in (204, 304):
            self._length = 0
        elif (at := head.find(b"\r\ncontent-length:")) >= 0:
            self._length = int(head[at + 17 :].partition(b"\r\n")[0])
