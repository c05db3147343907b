"""The query string, as Werkzeug reads it."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, ClassVar, TypeVar, get_args, get_origin
from urllib.parse import parse_qsl, quote

from fastapi import HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticUseDefault, core_schema
from starlette.datastructures import QueryParams
from starlette.responses import Response

T = TypeVar("T")
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def requote(error: UnicodeError) -> tuple[str, int]:
    """What stands for bytes that are no UTF-8: their percent encoding, as it came."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return quote(error.object[error.start : error.end], safe=""), error.end


REQUOTED = "wire.requoted"
codecs.register_error(REQUOTED, requote)


def read_pairs(text: bytes) -> list[tuple[str, str]]:
    """The pairs of a query or of a urlencoded body. Raises UnicodeDecodeError for bytes sent raw that are no UTF-8."""
    return parse_qsl(text.decode(), keep_blank_values=True, errors=REQUOTED)


def first_of(pairs: Iterable[tuple[str, T]]) -> dict[str, T]:
    """The first value of each key, in the order of the keys' first appearance."""
    first: dict[str, T] = {}
    for key, value in pairs:
        first.setdefault(key, value)
    return first


class FirstValues(QueryParams):
    """A query as Werkzeug reads it.

    | query | FastAPI alone | Flask, and here |
    |---|---|---|
    | a repeated key | the last value | the first; lists (`getlist`) are untouched |
    | `a=%FF`, which is no UTF-8 | U+FFFD | `%FF`, as it came |
    | bytes sent raw | read as latin-1 | read as UTF-8; an error (500) where they are not |

    gunicorn and uvicorn refuse raw bytes themselves (400). Drop it once no client repeats a key.
    """

    def __init__(self, query: bytes) -> None:
        # Each request has a query, and most are empty.
        super().__init__(read_pairs(query) if query else [])
        self._dict = first_of(self._list)
        self._lists: dict[str, list[str]] | None = None

    def getlist(self, key: Any) -> list[Any]:
        """All values of a key. The pairs are gone through once, and not once for each key that is asked for."""
        if self._lists is None:
            self._lists = {}
            for each, value in self._list:
                self._lists.setdefault(each, []).append(value)
        return list(self._lists.get(key, ()))


class QueryRequest(Request):
    """A request that reads its query by FirstValues."""

    @property
    def query_params(self) -> QueryParams:
        if not hasattr(self, "_query_params"):
            self._query_params: QueryParams = FirstValues(self.scope["query_string"])
        return self._query_params


class QueryRoute(APIRoute):
    """`APIRouter(route_class=QueryRoute)`: the query is read by FirstValues, and a required key that is missing is 400.

    The second is what `request.args["key"]` does; FastAPI answers 422. Values that do not fit are FastAPI's 422, but
    where Lenient is declared. Drop it once no client repeats a key or expects the 400.
    """

    request_class: ClassVar[type[Request]] = QueryRequest
    sources: ClassVar[frozenset[str]] = frozenset({"query"})

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()

        async def handle_as_flask(request: Request) -> Response:
            try:
                return await handle(self.make_request(request))
            except RequestValidationError as error:
                if any(each["type"] == "missing" and each["loc"][0] in self.sources for each in error.errors()):
                    raise HTTPException(400) from error
                raise

        return handle_as_flask

    def make_request(self, request: Request) -> Request:
        """The request as the handler and its dependencies see it."""
        return self.request_class(request.scope, request.receive)


class Lenient:
    """`page: Annotated[int, Lenient(int)] = 1` is Flask's `request.args.get("page", 1, type=int)`.

    A value that `convert` refuses (ValueError, TypeError) is the default, and any other error of it is an error of the
    handler; FastAPI answers 422. What it takes is what Python takes: int() takes " 5 ", "1_0" and the digits of any
    script, bool() takes "false" for True, where pydantic reads otherwise. Of a list, refused values are left out, as by
    `getlist("tag", type=int)`: `tags: Annotated[list[int], Query(), Lenient(int)] = []`.

    It is for queries, forms, headers and cookies; the type and the default stay in the document. FastAPI reads the last
    of repeated keys: QueryRoute gives the first. Drop it once clients that send nonsense may be told so (422).
    """

    def __init__(self, convert: Callable[[str], Any]) -> None:
        self.convert = convert

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        many = (get_origin(source) or source) is list and bool(get_args(source))
        read = self.read_list if many else self.read
        # What the converter made is not validated again: it is what the handler of the original would have got.
        return core_schema.json_or_python_schema(schema, core_schema.no_info_plain_validator_function(read))

    def read(self, value: Any) -> Any:
        try:
            return self.convert(plain(value))
        except (ValueError, TypeError):
            raise PydanticUseDefault from None

    def read_list(self, values: list[Any]) -> list[Any]:
        converted = []
        for value in values:
            try:
                converted.append(self.convert(plain(value)))
            except (ValueError, TypeError):
                continue
        return converted


def plain(value: Any) -> Any:
    """Text without the marks that this package may have put on it."""
    return str(value) if isinstance(value, str) else value
