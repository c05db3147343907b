"""Files, sent as Flask sends them."""

from __future__ import annotations

import posixpath
import unicodedata
from email.utils import formatdate
from mimetypes import guess_type
from os import PathLike, fspath, fstat, sep
from pathlib import Path, PurePath
from typing import BinaryIO
from urllib.parse import quote
from zlib import adler32

from fastapi import HTTPException, Request
from starlette.responses import Response

from . import threads
from .conditional import Unsatisfiable, Whole, select
from .fields import field
from .streams import Stream

# Read in the handler's own thread, so that most files cost no further hop.
BLOCK = 256 * 1024


def send_file(
    request: Request,
    path: str | PathLike[str],
    *,
    mimetype: str | None = None,
    as_attachment: bool = False,
    download_name: str | None = None,
    conditional: bool = True,
    etag: bool | str = True,
    last_modified: float | None = None,
    max_age: int | None = None,
    now: float | None = None,
) -> Response:
    """Flask's send_file() for a path: call it in a `def` handler, which may block, and return what it gives.

    | | FileResponse | Flask, and here |
    |---|---|---|
    | ETag | MD5 of time and size | time, size and Adler-32 of the path: caches stay valid over the cutover |
    | a client that has the file (If-None-Match, If-Modified-Since) | 200, the whole file | 304 |
    | If-Match that does not fit | 200 | 412 |
    | several ranges | multipart/byteranges | 416 |
    | no range, another unit | 400 | 416 |
    | a range beyond the end | 416, empty | 416, the page, Content-Range |
    | Content-Disposition | none, or attachment; names with a space percent-encoded | inline or attachment, both forms |
    | Cache-Control | none | no-cache, or public and max-age |
    | Content-Encoding of a name such as a.tar.gz | none | by its name, but not for an attachment |

    A relative path is taken from the working directory; Flask takes it from the package. `max_age` is in seconds, and
    `now` (seconds since 1970) gives Expires beside it. The file is read in blocks off the event loop, and only what one
    read does not hold costs more than the handler's own hop. Raises HTTPException (416), OSError, and ValueError for a
    name that no header can hold.

    Keep it while clients or caches hold entity tags of the original, or ask for parts.
    """
    # Not tidied: the entity tag is of the path as it was given.
    full = fspath(path) if Path(path).is_absolute() else str(Path.cwd() / path)
    file = open(full, "rb")  # noqa: SIM115, PTH123 - a long one is closed by the stream
    try:
        status = fstat(file.fileno())
        tag = etag if isinstance(etag, str) else None
        if etag is True:
            tag = f"{status.st_mtime}-{status.st_size}-{adler32(full.encode()) & 0xFFFFFFFF}"
        modified = formatdate(status.st_mtime if last_modified is None else last_modified, usegmt=True)
        whole = Whole(status.st_size, tag, modified)
        name = PurePath(full).name if download_name is None else download_name
        headers = described(name, mimetype, as_attachment=as_attachment) | cached(max_age, now)
        return answer(request, file, whole, headers, conditional=conditional)
    except BaseException:
        file.close()
        raise


def send_from_directory(request: Request, directory: str | PathLike[str], path: str, **options: object) -> Response:
    """send_file() for a path that a client gave; 404 where it leads out of the directory, or to no regular file."""
    found = safe_join(fspath(directory), path)
    if found is None or not Path(found).is_file():
        raise HTTPException(404)
    return send_file(request, found, **options)  # type: ignore[arg-type]


def safe_join(directory: str, path: str) -> str | None:
    """Werkzeug's safe_join(): None for a path that would lead out of the directory; only `/` separates."""
    if not path:
        return directory or "."
    inner = posixpath.normpath(path)
    if inner.startswith(("/", "../")) or inner == ".." or PurePath(inner).drive or (sep != "/" and sep in inner):
        return None
    return posixpath.join(directory or ".", inner)


def answer(request: Request, file: BinaryIO, whole: Whole, headers: dict[str, str], *, conditional: bool) -> Response:
    """The file, the part of it that the request asks for, or what is said instead."""
    if whole.etag is not None:
        headers["ETag"] = f'"{whole.etag}"'
    if whole.last_modified is not None:
        headers["Last-Modified"] = whole.last_modified
    status, start, stop = 200, 0, whole.size
    if conditional and request.method in ("GET", "HEAD"):
        headers["Accept-Ranges"] = "bytes"
        try:
            selected = select(whole, lambda name: field(request.scope, name))
        except Unsatisfiable:
            raise HTTPException(416, headers={"Content-Range": f"bytes */{whole.size}"}) from None
        status, start, stop = selected.status, selected.start, selected.stop
    if status == 304:
        file.close()
        gone = {"Content-Type", "Content-Encoding", "Last-Modified"}
        return Response(status_code=304, headers={name: headers[name] for name in headers if name not in gone})
    if status == 206:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{whole.size}"
    headers["Content-Length"] = str(stop - start)
    file.seek(start)
    return content(file, stop - start, status, headers)


def content(file: BinaryIO, size: int, status: int, headers: dict[str, str]) -> Response:
    """So many bytes from where the file stands; the file is closed in the end."""
    block = file.read(min(size, BLOCK))
    if len(block) == size:
        file.close()
        return Response(block, status, headers)
    return Stream(Blocks(file, block, size), status, headers)


class Blocks:
    """A file's bytes, block by block. Raises OSError where they are not all there: the transfer must not end well."""

    def __init__(self, file: BinaryIO, first: bytes, size: int) -> None:
        self._file = file
        self._next = first
        self._left = size

    def __aiter__(self) -> Blocks:
        return self

    async def __anext__(self) -> bytes:
        if not self._left:
            raise StopAsyncIteration
        block = self._next or await threads.run(self._file.read, min(self._left, BLOCK))
        if not block:
            raise OSError("the file is shorter than it was")
        self._next, self._left = b"", self._left - len(block)
        return block

    async def aclose(self) -> None:
        self._file.close()


def described(name: str, mimetype: str | None, *, as_attachment: bool) -> dict[str, str]:
    """What kind of file it is, and what to call it."""
    headers = {"Content-Disposition": disposition(name, as_attachment=as_attachment)}
    if mimetype is None:
        mimetype, encoding = guess_type(name)
        if encoding is not None and not as_attachment:
            headers["Content-Encoding"] = encoding
    headers["Content-Type"] = with_charset(mimetype or "application/octet-stream")
    return headers


def cached(max_age: int | None, now: float | None) -> dict[str, str]:
    """How long it may be kept."""
    if max_age is None:
        return {"Cache-Control": "no-cache"}
    headers = {"Cache-Control": f"public, max-age={max_age}" if max_age > 0 else f"no-cache, max-age={max_age}"}
    return headers if now is None else headers | {"Expires": formatdate(int(now + max_age), usegmt=True)}


TEXT = frozenset(
    {
        "application/ecmascript",
        "application/javascript",
        "application/sql",
        "application/xml",
        "application/xml-dtd",
        "application/xml-external-parsed-entity",
    }
)


def with_charset(mimetype: str) -> str:
    """A media type as Werkzeug completes it: text has a charset, and so has what ends in +xml."""
    if mimetype.startswith("text/") or mimetype in TEXT or mimetype.endswith("+xml"):
        return f"{mimetype}; charset=utf-8"
    return mimetype


TOKEN = frozenset("!#$%&'*+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz|~")


def disposition(name: str, *, as_attachment: bool) -> str:
    """Content-Disposition with a file's name, told twice where it is not plain ASCII. Raises ValueError."""
    if "\r" in name or "\n" in name:
        raise ValueError("a header has one line")
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode() if not name.isascii() else name
    quoted = plain.replace("\\", "\\\\").replace('"', '\\"')
    value = f"{'attachment' if as_attachment else 'inline'}; filename="
    value += plain if plain and TOKEN.issuperset(plain) else f'"{quoted}"'
    return value if name.isascii() else f"{value}; filename*=UTF-8''{quote(name, safe='!#$&+-.^_`|~')}"
