"""Content that is sent while it is made, as a WSGI server sends what Flask gives it."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping
from inspect import isawaitable
from typing import Any

import anyio
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from . import threads

# What gunicorn answers by itself where an application fails before its first chunk.
FAILED = (
    b"<html>\n  <head>\n    <title>Internal Server Error</title>\n  </head>\n  <body>\n"
    b"    <h1><p>Internal Server Error</p></h1>\n    \n  </body>\n</html>\n"
)
END: Any = object()

Content = AsyncIterable[bytes | str] | Iterable[bytes | str]


class Stream(StreamingResponse):
    """A streamed response whose first chunk is made before its head is sent.

    | | StreamingResponse | Flask behind gunicorn, and here |
    |---|---|---|
    | it fails before the first chunk | 200, broken off | 500, gunicorn's own page, connection closed |
    | it fails later | broken off | broken off |
    | HEAD | the content is made, and thrown away | not begun |
    | status 204 or 304 | broken off | the head alone, the content is not begun |
    | more than Content-Length says | broken off, nothing of the chunk sent | cut |
    | the client goes away | the generator is left to the garbage collector | closed at once, off the event loop |
    | Content-Type where none is given | none | text/html; charset=utf-8 |

    Alike on both: str is encoded, and an empty generator is an empty 200. Not closed: less than Content-Length says is
    broken off here, where gunicorn keeps the connection and the client waits for the rest (RFC 9112 section 8); and
    uvicorn sends chunks to a client of HTTP/1.0, too, which gunicorn does not.

    An error is raised after it was answered, so that the server logs it. Keep it after the cutover; only the page that
    a failure has may go.
    """

    media_type = "text/html"

    def __init__(
        self,
        content: Content,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
    ) -> None:
        super().__init__((), status_code, headers, media_type)
        self.body_iterator = content if isinstance(content, AsyncIterable) else Threaded(iter(content))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        content: Any = aiter(self.body_iterator)
        try:
            if not self.has_content(scope):
                if self.status_code < 200 or self.status_code == 204:
                    # RFC 9110 section 8.6, and uvicorn would wait for that many bytes.
                    del self.headers["content-length"]
                await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
                await send({"type": "http.response.body"})
                return
            try:
                first = await anext(content, END)
            except Exception:
                await send_failure(send)
                raise
            self.body_iterator = self.fitted(first, content)
            await super().__call__(scope, receive, send)
        finally:
            with anyio.CancelScope(shield=True):
                await close(content)

    def has_content(self, scope: Scope) -> bool:
        """Whether any of the content will be sent; wire's own routing names the method that was asked for."""
        method = scope.get("wire.method", scope["method"])
        return method != "HEAD" and self.status_code >= 200 and self.status_code not in (204, 304)

    async def fitted(self, first: bytes | str, rest: AsyncIterator[bytes | str]) -> AsyncIterator[bytes]:
        """The chunks in bytes, and no more of them than Content-Length says."""
        declared = self.headers.get("content-length")
        left = int(declared) if declared is not None else None
        chunk = first
        while chunk is not END:
            encoded = chunk.encode() if isinstance(chunk, str) else memoryview(chunk).tobytes()
            if left is not None:
                encoded = encoded[:left]
                left -= len(encoded)
            yield encoded
            chunk = await anext(rest, END)


class Threaded:
    """An iterator that blocks, as an asynchronous one: each step is taken off the event loop, and so is its end."""

    def __init__(self, content: Iterator[bytes | str]) -> None:
        self._content = content

    def __aiter__(self) -> Threaded:
        return self

    async def __anext__(self) -> bytes | str:
        chunk: bytes | str = await threads.run(next, self._content, END)
        if chunk is END:
            raise StopAsyncIteration
        return chunk

    async def aclose(self) -> None:
        if hasattr(self._content, "close"):
            await threads.run(self._content.close)


async def close(content: Any) -> None:
    """Close a generator or whatever else can be closed."""
    if hasattr(content, "aclose"):
        closing = content.aclose()
        if isawaitable(closing):
            await closing


async def send_failure(send: Send) -> None:
    """gunicorn's page; its head is marked as the server's own, which no hook of the application sees."""
    headers = [(b"content-type", b"text/html"), (b"content-length", b"%d" % len(FAILED)), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 500, "headers": headers, "wire.server": True})
    await send({"type": "http.response.body", "body": FAILED})
