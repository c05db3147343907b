"""Flask's wire behaviour for any FastAPI app: one named piece a difference; it knows neither this service nor Flask.

Each piece says which difference it closes, as measured against Flask 3.1 and FastAPI 0.165, and when it can go.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

from fastapi import FastAPI, HTTPException, Request, params
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute, iter_route_contexts
from starlette._utils import get_route_path
from starlette.datastructures import QueryParams
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

if TYPE_CHECKING:
    from fastapi._compat import ModelField

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

# What stands in for a body that cannot be read, until the dependencies are solved: neither fits any model.
UNREADABLE, UNREAD = 0j, b"\0"


def field(scope: Scope, name: bytes) -> str | None:
    """All header fields of a name (in lower case) as one, joined as a WSGI server joins them; Starlette gives one."""
    values = [value.decode("latin-1") for key, value in scope["headers"] if key == name]
    return ",".join(values) if values else None


class FirstValues(QueryParams):
    """A query whose repeated keys give their first value, as Werkzeug's does; Starlette gives the last.

    Lists (`getlist`) are untouched. Drop it once no client repeats a key.
    """

    def __init__(self, query: str | bytes) -> None:
        super().__init__(query)
        self._dict = dict(reversed(self._list))


class FlaskRequest(Request):
    """A request that reads its query by FirstValues, and its JSON with the route's own parser.

    Where `defers` is set, a body that is refused is noted as `refusal` and stood in for, and not raised at once.
    """

    loads: Callable[[bytes], Any] = staticmethod(json.loads)
    defers = False
    refusal: HTTPException | None = None

    @property
    def query_params(self) -> QueryParams:
        if not hasattr(self, "_query_params"):
            self._query_params: QueryParams = FirstValues(self.scope["query_string"])
        return self._query_params

    async def body(self) -> bytes:
        if self.refusal is None:
            try:
                return await super().body()
            except HTTPException as refusal:
                self.refuse(refusal)
        return UNREAD

    async def json(self) -> Any:
        if not hasattr(self, "_json"):
            content = await self.body()
            try:
                self._json = self.loads(content) if self.refusal is None else UNREADABLE
            except Exception as error:
                refusal = HTTPException(400)
                refusal.__cause__ = error
                self.refuse(refusal)
                self._json = UNREADABLE
        return self._json

    def refuse(self, refusal: HTTPException) -> None:
        if not self.defers:
            raise refusal
        self.refusal = refusal


class Route(APIRoute):
    """`APIRouter(route_class=Route)`: typed parameters stay, and requests are read as Flask reads them.

    - A body that is not declared as JSON is 415; FastAPI hands the raw bytes to the model and answers 422.
    - JSON is read by `loads`, so that both apps can share one parser. An error it raises is a 400, with the error as
      its cause.
    - A body is refused (413, 415, 400) after the dependencies, so that a 401 of one of them comes first, as it does
      where a Flask view asks who is signed in before it reads the body; FastAPI reads the body before anything else.
    - The first of repeated query keys counts.

    Not deferred: a body that is optional, or of a type that takes anything; it is refused at once.

    Drop it when the original is gone and its clients may see FastAPI's own answers.
    """

    loads: ClassVar[staticmethod[[bytes], Any]] = staticmethod(json.loads)

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()
        takes_json = self.body_field is not None and not isinstance(self.body_field.field_info, params.Form)
        defers = self.body_field is not None and takes_json and refuses_stand_ins(self.body_field)
        loads = self.loads

        async def handle_as_flask(request: Request) -> Response:
            flask_request = FlaskRequest(request.scope, request.receive)
            flask_request.loads = loads
            flask_request.defers = defers
            if takes_json and not is_json(request.headers.get("content-type", "")):
                flask_request.refuse(HTTPException(415))
            try:
                return await handle(flask_request)
            except RequestValidationError:
                if flask_request.refusal is not None:
                    raise flask_request.refusal from flask_request.refusal.__cause__
                raise

        return handle_as_flask


def refuses_stand_ins(body: ModelField) -> bool:
    """Whether a body is required and of a type that takes neither stand-in, so that a refusal can wait for the end."""
    accepted = any(not body.validate(each, {}, loc=())[1] for each in (UNREADABLE, UNREAD))
    return body.field_info.is_required() and not accepted


def is_json(content_type: str) -> bool:
    """Whether a Content-Type is JSON: application/json or application/*+json, parameters and case aside."""
    media_type = content_type.partition(";")[0].strip(" \t").lower()
    return media_type == "application/json" or (media_type.startswith("application/") and media_type.endswith("+json"))


class Routing:
    """Werkzeug's routing over FastAPI's own routes.

    | request | FastAPI alone | Flask, and here |
    |---|---|---|
    | HEAD on a GET route | 405 | the GET, without its body |
    | OPTIONS | 405 | 200 with Allow |
    | a wrong method | 405, Allow of one route | 405, Allow of all routes of the path, with HEAD and OPTIONS |
    | doubled slashes | 404 | 308 to the merged path, where that one is routed |
    | leading slashes doubled | 404 | served |
    | a missing trailing slash | 307 | 308, where the method is routed |
    | a surplus trailing slash | 307 | 404 |
    | a method in lower case | 405 | served, where the server lets it through |
    | a path that ends in a newline (%0A) | matches as if it did not | 404 |

    Not closed: Werkzeug tries static parts before placeholders, FastAPI routes in the order of their declaration.

    Install it with `Routing.install(app)`, after the routes. Drop the redirects when no client follows them; keep HEAD.
    """

    def __init__(self, app: ASGIApp, routes: Callable[[], Iterable[Any]]) -> None:
        self.app = app
        self._routes = routes
        self._rules: tuple[Rule, ...] | None = None

    @classmethod
    def install(cls, app: FastAPI) -> None:
        """Put it between the app's exception handlers and its router, where an HTTPException is still answered."""
        app.router.redirect_slashes = False
        app.router.middleware_stack = cls(app.router.middleware_stack, lambda: app.routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = as_werkzeug_reads(scope)
            path = get_route_path(scope)
            # Most requests end here: only one that nobody takes is worth asking every rule about.
            if not self.takes(path, scope["method"]):
                routed = self.routed(path)
                if scope["method"] == "HEAD" and "GET" in routed.methods:
                    scope = {**scope, "method": "GET", "wire.method": "HEAD"}
                else:
                    await self._answer(scope, routed)(scope, receive, send)
                    return
        await self.app(scope, receive, send)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """What the app routes; read once, at the first request."""
        if self._rules is None:
            self._rules = tuple(Rule.of(route) for route in iter_route_contexts(list(self._routes())))
        return self._rules

    def takes(self, path: str, method: str) -> bool:
        """Whether a route takes the path by this method, or a mounted app may."""
        return any(rule.matches(path) for rule in self.rules if rule.methods is None or method in rule.methods)

    def routed(self, path: str) -> Routed:
        """What is routed for a path."""
        return Routed(frozenset().union(*(rule.methods for rule in self.rules if rule.methods and rule.matches(path))))

    def _answer(self, scope: Scope, routed: Routed) -> Response:
        """What is answered without a route's help. Raises HTTPException."""
        path, method = get_route_path(scope), scope["method"]
        if method == "OPTIONS" and routed.allowed:
            return allow(routed.allowed)
        if method in self.routed(path + "/").allowed and not path.endswith("/"):
            return redirect(scope, path + "/")
        allowed = routed.allowed
        if "//" in path:
            merged = self._merged(re.sub("/{2,}", "/", path), method)
            if isinstance(merged, str):
                return redirect(scope, merged)
            allowed |= merged
        if allowed:
            raise HTTPException(405, headers={"Allow": ", ".join(sorted(allowed))})
        raise HTTPException(404)

    def _merged(self, path: str, method: str) -> str | frozenset[str]:
        """Where a path without its doubled slashes leads, or the methods that it would allow."""
        allowed = self.routed(path).allowed
        if method in allowed:
            return path
        if method in self.routed(path + "/").allowed and not path.endswith("/"):
            return path + "/"
        return allowed


@dataclass(frozen=True, slots=True)
class Routed:
    """The methods of all routes of a path."""

    methods: frozenset[str]

    @property
    def allowed(self) -> frozenset[str]:
        """With the two that come by themselves: HEAD with GET, OPTIONS with anything."""
        by_themselves = {"OPTIONS"} if self.methods else set()
        return self.methods | by_themselves | ({"HEAD"} if "GET" in self.methods else set())


EVERYTHING = re.compile("")


@dataclass(frozen=True, slots=True)
class Rule:
    """One of the app's routes; no methods where it takes them all, as a mounted app does."""

    pattern: re.Pattern[str]
    methods: frozenset[str] | None

    @classmethod
    def of(cls, route: Any) -> Rule:
        methods = None if route.methods is None else frozenset(route.methods)
        # A Host route has no path: it may answer any.
        return cls(getattr(route, "path_regex", EVERYTHING), methods)

    def matches(self, path: str) -> bool:
        # fullmatch: the `$` of Starlette's patterns lets a newline pass at the end. A mount's own pattern ends open.
        return (self.pattern.match if self.methods is None else self.pattern.fullmatch)(path) is not None


def as_werkzeug_reads(scope: Scope) -> Scope:
    """Werkzeug takes any number of slashes at the front of a path for one, and a method in any case."""
    path, method = get_route_path(scope), scope["method"]
    if path.startswith("//") or not method.isupper():
        root = scope["path"].removesuffix(path)
        return {**scope, "path": f"{root}/{path.lstrip('/')}", "method": method.upper()}
    return scope


def allow(methods: Iterable[str]) -> Response:
    """Flask's automatic answer to OPTIONS: 200, empty, with Allow."""
    return HTMLResponse(b"", headers={"Allow": ", ".join(sorted(methods))})


def redirect(scope: Scope, path: str) -> Response:
    """Werkzeug's 308 to the canonical path: an absolute URL, the query kept, a small HTML page."""
    canonical = f"{scope['scheme']}://{host_of(scope)}{quote(scope.get('root_path', '') + path, safe=PATH_SAFE)}"
    query = scope["query_string"]
    location = canonical + (f"?{quote(query, safe=QUERY_SAFE)}" if query else "")
    # The page has the query as it was sent, with quotes escaped by number.
    shown = canonical + (f"?{query.decode('utf-8', 'replace')}" if query else "")
    link = escape(shown).replace("&quot;", "&#34;").replace("&#x27;", "&#39;")
    page = (
        "<!doctype html>\n<html lang=en>\n<title>Redirecting...</title>\n<h1>Redirecting...</h1>\n"
        "<p>You should be redirected automatically to the target URL: "
        f'<a href="{link}">{link}</a>. If not, click the link.\n'
    )
    return HTMLResponse(page, 308, headers={"Location": location})


# The characters that Werkzeug leaves as they are in a redirect's path, and in its query.
PATH_SAFE = "!$&'()*+,/:;=@"
QUERY_SAFE = "%!$&'()*+,/:;=?@"

HOST = re.compile(r"(?:[\w.-]+|\[[0-9a-f:.]+\])(?::\d+)?", re.ASCII | re.IGNORECASE)
DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def host_of(scope: Scope) -> str:
    """The host as Werkzeug gives it: in lower case, without its scheme's own port, empty where it is no host."""
    host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
    default_port = DEFAULT_PORTS.get(scope["scheme"], "")
    return str(host.lower().removesuffix(default_port)) if HOST.fullmatch(host) else ""


@dataclass(slots=True)
class Limit:
    """How many bytes the body of one request may have."""

    max_bytes: int


class BodyLimit:
    """413 for a body over `max_bytes`, at the moment a handler reads it, declared or counted; FastAPI has no limit.

    As in Flask, a route that does not read its body never refuses it, and one that takes more says so before it reads:
    `BodyLimit.lift(request.scope, max_bytes)`. Keep it after the cutover.
    """

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self.app = app
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"")
        expected = int(declared) if declared.isdigit() else 0
        received = 0
        # An object and not a number: what is further in has copies of the scope.
        limit = scope["wire.body_limit"] = Limit(self.max_bytes)

        async def receive_limited() -> Message:
            nonlocal received
            if max(expected, received) > limit.max_bytes:
                raise HTTPException(413)
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit.max_bytes:
                raise HTTPException(413)
            return message

        await self.app(scope, receive_limited, send)

    @staticmethod
    def lift(scope: Scope, max_bytes: int) -> None:
        """Let this request's body have more bytes."""
        scope["wire.body_limit"].max_bytes = max_bytes


class QuietErrors:
    """The outermost piece: what no handler caught has been answered by now, and ends here.

    Starlette answers 500 and raises the error again, and the server then logs its message, which may hold what a client
    sent. Here it goes to `log`, and to `scope["wire.exception"]`, where a test can find it. A transfer that had begun
    stays broken: the server closes the connection. Keep it after the cutover.
    """

    def __init__(self, app: ASGIApp, log: Callable[[BaseException], None]) -> None:
        self.app = app
        self.log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        except Exception as error:
            scope["wire.exception"] = error
            self.log(error)
