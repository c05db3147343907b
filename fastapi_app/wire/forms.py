"""Forms, as Werkzeug reads them: fields by FastAPI's own Form() and File()."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from fastapi import HTTPException, Request, params
from starlette.datastructures import FormData as Fields
from starlette.datastructures import UploadFile
from starlette.requests import ClientDisconnect

from .form_data import FormData, TooLarge
from .options import parse_options
from .query import QueryRequest, QueryRoute, first_of, read_pairs

if TYPE_CHECKING:
    from fastapi._compat import ModelField
    from fastapi.dependencies.models import Dependant

Pairs = Sequence[tuple[str | None, str | UploadFile]]

# A decoder's answer about a body that is too large depends on how it is fed.
CHUNK = 64 * 1024


class EmptyText(str):
    """An empty value that was sent: FastAPI takes one that equals "" for none, and puts the default."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return other != "" and str.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other


class FirstFields(Fields):
    """A form whose repeated keys give their first value; lists (`getlist`) are untouched."""

    def __init__(self, items: list[tuple[str, str | UploadFile]]) -> None:
        super().__init__([(key, EmptyText() if value == "" else value) for key, value in items])
        self._dict = first_of(self._list)


class FormRequest(QueryRequest):
    """A request that reads its form as Werkzeug does; `files` are the names under which only files are wanted."""

    max_parts = 1000
    max_memory = 500_000
    files: frozenset[str] | None = None

    async def _get_form(self, **_: Any) -> Fields:
        if self._form is None:
            try:
                self._form = FirstFields(list(self.wanted(await self.read_form())))
            except ClientDisconnect:
                raise HTTPException(400) from None
        return self._form

    def wanted(self, pairs: Pairs) -> Iterator[tuple[str, str | UploadFile]]:
        """The values under a name that their kind belongs to: Flask keeps fields and files apart."""
        for name, value in pairs:
            if name is not None and (self.files is None or isinstance(value, UploadFile) == (name in self.files)):
                yield name, value
            elif isinstance(value, UploadFile):
                value.file.close()

    async def read_form(self) -> Pairs:
        """Its pairs, none where the body is no form or a broken one. Raises HTTPException (413)."""
        media_type, options = parse_options(self.headers.get("content-type", ""))
        try:
            match media_type.lower():
                case "multipart/form-data":
                    return await self.read_parts(options.get("boundary", "").encode("ascii"))
                case "application/x-www-form-urlencoded":
                    return read_pairs(await self.body())
        except ValueError:
            pass
        return []

    async def read_parts(self, boundary: bytes) -> Pairs:
        """The pairs of a multipart body. Raises ValueError, HTTPException (413)."""
        form = FormData(boundary, self.max_parts, self.max_memory)
        try:
            if not boundary:
                raise ValueError("no boundary")
            async for chunk in self.even_chunks():
                form.feed(chunk)
            form.finish()
        except TooLarge:
            form.close()
            raise HTTPException(413) from None
        except BaseException:
            form.close()
            raise
        return [(part.name, part.text() if part.filename is None else part.upload()) for part in form.parts]

    async def even_chunks(self) -> AsyncIterator[bytes]:
        """The body in pieces of one size."""
        waiting = bytearray()
        async for received in self.stream():
            waiting += received
            while len(waiting) >= CHUNK:
                yield bytes(waiting[:CHUNK])
                del waiting[:CHUNK]
        if waiting:
            yield bytes(waiting)


class FormRoute(QueryRoute):
    """`APIRouter(route_class=FormRoute)`: Form() and File() stay, and a form is read as Werkzeug reads it.

    | form | FastAPI alone | Flask, and here |
    |---|---|---|
    | an empty value | missing (422), or the default | the empty value |
    | a repeated field | the last value | the first |
    | a required field that is missing | 422 | 400 |
    | a body of another type, or none | 422 | an empty form |
    | multipart without a boundary, cut off, or with a broken head | 400, or what was read until then | an empty form |
    | lines ended by LF or CR alone | 400 | read |
    | a file under a field's name, a field under a file's | 422 | missing (400) |
    | `filename*=UTF-8''...` | not read | the file's name |
    | a file field left empty by a browser | missing | a file without a name |
    | `%FF` in a urlencoded value | U+FFFD | `%FF`, as it came |
    | more than 1000 parts, or 500 kB of one field | 400 at 1000 and at 1 MB | 413 |

    Needs python-multipart, as Form() does, but does not read with it. Set `max_parts` and `max_memory` in a subclass to
    the original's MAX_FORM_PARTS and MAX_FORM_MEMORY_SIZE. Drop it once the clients send forms as the document says.
    """

    request_class = FormRequest
    sources = frozenset({"query", "body"})
    max_parts: ClassVar[int] = 1000
    max_memory: ClassVar[int] = 500_000

    def make_request(self, request: Request) -> Request:
        form_request = FormRequest(request.scope, request.receive)
        form_request.max_parts, form_request.max_memory = self.max_parts, self.max_memory
        form_request.files = self.file_names
        return form_request

    @property
    def file_names(self) -> frozenset[str] | None:
        """The names of the parameters that are declared as files; None where nothing is declared."""
        declared = list(body_params(self.dependant))
        files = frozenset(each.alias for each in declared if isinstance(each.field_info, params.File))
        return files if declared else None


def body_params(dependant: Dependant) -> Iterator[ModelField]:
    """What a handler and its dependencies take of the body."""
    yield from dependant.body_params
    for each in dependant.dependencies:
        yield from body_params(each)
