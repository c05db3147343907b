"""What a Flask view may return, as a response."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import wraps
from inspect import Signature, iscoroutinefunction, signature
from typing import Any, get_origin, get_type_hints

from fastapi.datastructures import DefaultPlaceholder
from fastapi.routing import APIRoute
from starlette.datastructures import MutableHeaders
from starlette.responses import Response

from .json import FlaskJSON
from .streams import Stream

Headers = Mapping[str, Any] | Iterable[tuple[str, Any]]
HTML = "text/html; charset=utf-8"
# RFC 2616's entity headers; Werkzeug leaves those of them out of a 304, but for Expires and Content-Location.
ENTITY = (
    "allow", "content-encoding", "content-language", "content-length", "content-md5", "content-range", "content-type",
    "last-modified",
)  # fmt: skip


def make_response(value: Any) -> Response:
    """A response of whatever a Flask view may return, as Flask's make_response makes it.

    | value | FastAPI alone | Flask, and here |
    |---|---|---|
    | a str | a JSON string | HTML |
    | bytes | an error, or a JSON string | HTML |
    | a dict, a list | JSON of its own | as FlaskJSON |
    | (body, status), (body, headers), (body, status, headers) | a JSON list | that body, status and headers |
    | a generator | JSON lines, or a list | streamed as it is |
    | None, an int, a tuple of another length | `null`, a number, a list | TypeError (500) |

    A status may be "201 Created": its number counts, since ASGI has no reason phrase; a text without one is refused,
    which Flask sends as status 0. What Flask would call as a WSGI app is refused. Raises TypeError, ValueError.
    Drop it view by view, as handlers return models.
    """
    status: Any = None
    headers: Any = None
    if isinstance(value, tuple):
        value, status, headers = unpack(value)
    if isinstance(value, str | bytes | Iterator):
        # Flask makes these with their headers, which keeps repeats; on what else it has made it sets them.
        response, headers = begin(value, headers), None
    else:
        response = begin(value, None)
    if status is not None:
        response.status_code = number_of(status)
    if headers:
        update(response.headers, headers)
    return finish(response)


def unpack(values: tuple[Any, ...]) -> tuple[Any, Any, Any]:
    """Body, status and headers. Raises TypeError for a tuple that is none of the three forms."""
    match values:
        case (body, status, headers):
            return body, status, headers
        case (body, dict() | tuple() | list() as headers):
            return body, None, headers
        case (body, status):
            return body, status, None
    raise TypeError("a view returns (body, status, headers), (body, status) or (body, headers)")


def begin(body: Any, headers: Headers | None) -> Response:
    """A response of a body alone; headers are taken here where Flask makes its own response of them."""
    match body:
        case Response():
            return body
        case str() | bytes():
            response = Response(body, media_type=HTML)
        case Iterator():
            response = Stream(body)
        case dict() | list():
            return FlaskJSON(body)
        case _:
            raise TypeError(f"a view cannot return {type(body).__name__}")
    given = [(name, text_of(value)) for name, value in pairs_of(headers or ())]
    if any(name.lower() == "content-type" for name, _ in given):
        del response.headers["content-type"]
    for name, value in given:
        response.headers.append(name, value)
    return response


def pairs_of(headers: Headers) -> Iterator[tuple[str, Any]]:
    """Names and values, one pair for each value of a list."""
    for name, value in headers.items() if isinstance(headers, Mapping) else headers:
        for each in value if isinstance(value, list | tuple | set) else (value,):
            yield name, each


def update(headers: MutableHeaders, given: Headers) -> None:
    """Replace what is given; of a mapping all values of a list, of pairs the last of a name."""
    names = set()
    for name, value in pairs_of(given):
        text = text_of(value)
        if name in names and isinstance(given, Mapping):
            headers.append(name, text)
        else:
            headers[name] = text
        names.add(name)


def text_of(value: Any) -> str:
    """A header's value. Raises ValueError for a line break in it."""
    text = str(value)
    if re.search(r"[\r\n]", text):
        raise ValueError("a header's value has no line breaks")
    return text


def number_of(status: Any) -> int:
    """The number of a status. Raises ValueError, TypeError."""
    if isinstance(status, str):
        return int(status.split()[0]) if status.split() else int("")
    if isinstance(status, int):
        return int(status)
    raise TypeError(f"{type(status).__name__} is no status")


def finish(response: Response) -> Response:
    """Without a body where HTTP allows none; with one, uvicorn fails."""
    if response.status_code >= 200 and response.status_code not in (204, 304):
        return response
    dropped = ENTITY if response.status_code == 304 else ("content-length",)
    empty = Response(status_code=response.status_code, background=response.background)
    empty.raw_headers = [(name, value) for name, value in response.raw_headers if name.decode() not in dropped]
    return empty


class ViewRoute(APIRoute):
    """`APIRouter(route_class=ViewRoute)`: handlers return what Flask views may return, through `make_response`.

    Their parameters are FastAPI's own. A return annotation is in the document where it is a dict or a list, which are
    sent as JSON. Combine it with the others: `class Route(ViewRoute, FormRoute): ...`.
    Drop it view by view, as handlers return models.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        if isinstance(options.get("response_model"), DefaultPlaceholder) and not is_json_type(endpoint):
            options["response_model"] = None
        super().__init__(path, responding(endpoint), **options)


def is_json_type(endpoint: Callable[..., Any]) -> bool:
    """Whether a handler is annotated to return a dict or a list."""
    returned = get_type_hints(endpoint).get("return")
    return (get_origin(returned) or returned) in (dict, list)


def responding(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """The handler, with a response made of what it returns."""
    # Starlette runs a plain function on a thread; a coroutine, on the loop.
    if iscoroutinefunction(endpoint):

        @wraps(endpoint)
        async def respond_async(*args: Any, **named: Any) -> Response:
            return make_response(await endpoint(*args, **named))

        return respond_async

    def respond(*args: Any, **named: Any) -> Response:
        return make_response(endpoint(*args, **named))

    # Not by wraps(): FastAPI looks through it, and takes a generator function for a stream of JSON lines.
    for name in ("__module__", "__name__", "__qualname__", "__doc__"):
        setattr(respond, name, getattr(endpoint, name))
    respond.__signature__ = typed_signature(endpoint)  # type: ignore[attr-defined]
    return respond


def typed_signature(endpoint: Callable[..., Any]) -> Signature:
    """Its parameters, with their types resolved where they were written."""
    hints = get_type_hints(endpoint, include_extras=True)
    plain = signature(endpoint)
    parameters = [each.replace(annotation=hints.get(name, each.annotation)) for name, each in plain.parameters.items()]
    return plain.replace(parameters=parameters, return_annotation=hints.get("return", Signature.empty))
