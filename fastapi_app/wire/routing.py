"""Which route answers a request, and what is answered where none does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from functools import cached_property, partial
from typing import Any, NamedTuple

from fastapi import FastAPI, HTTPException
from fastapi.routing import APIRouter, iter_route_contexts
from starlette._utils import get_route_path
from starlette.responses import HTMLResponse, Response
from starlette.routing import Match, Mount, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from .fields import field
from .redirects import canonical, host_of, is_bad_host
from .rules import Rule, Rules, SlashMissing
from .straight import Straight, straight_to


class Routing:
    """Werkzeug's routing over FastAPI's own routes.

    | request | FastAPI alone | Flask, and here |
    |---|---|---|
    | a path that several routes take | the one declared first | the one with text where others have placeholders |
    | HEAD on a GET route | 405 | the GET, without its body |
    | OPTIONS | 405 | 200 with Allow |
    | a wrong method | 405, Allow of one route | 405, Allow of all routes of the path, with HEAD and OPTIONS |
    | doubled slashes | 404 | 308 to the merged path, where that one is routed |
    | leading slashes doubled | 404 | served |
    | a missing trailing slash | 307 | 308, where the method is routed |
    | a surplus trailing slash | 307 | 404 |
    | a method in lower case | 405 | served, where the server lets it through |
    | a path that ends in a newline (%0A) | matches as if it did not | 404 |
    | a value that a convertor refuses | 500 | 404 |
    | a Host with an empty label, or one of more than 63 letters | served | 400 |
    | an upgrade to a websocket | as if it were none, or 403 by the server | 400; give uvicorn `--ws none` |

    FastAPI still finds, runs and documents its routes: of those that would match, all but Werkzeug's choice are made
    not to. A route of its own for HEAD or OPTIONS comes before the automatic answer of another. A mounted app keeps its
    place in the order of declaration: what is declared before it is tried before it. `strict_slashes` and
    `merge_slashes` are those of Flask's url_map, for all routes.

    Not closed: subdomains, and what a Flask rule has as `defaults`, `alias`, `redirect_to`, `build_only`.

    Install it with `Routing.install(app)`, after the routes. Keep HEAD, OPTIONS and Allow after the cutover; drop it
    once no client follows the redirects and no two routes take one path.
    """

    def __init__(
        self,
        app: ASGIApp,
        routes: Callable[[], Iterable[Any]],
        *,
        strict_slashes: bool = True,
        merge_slashes: bool = True,
        router: APIRouter | None = None,
    ) -> None:
        self.app = app
        self.strict_slashes = strict_slashes
        self.merge_slashes = merge_slashes
        self._routes = routes
        self._router = router

    @classmethod
    def install(cls, app: FastAPI, *, strict_slashes: bool = True, merge_slashes: bool = True) -> None:
        """Put it between the app's exception handlers and its router, where an HTTPException is still answered."""
        app.router.redirect_slashes = False
        app.router.middleware_stack = cls(
            app.router.middleware_stack,
            lambda: app.routes,
            strict_slashes=strict_slashes,
            merge_slashes=merge_slashes,
            router=app.router,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if is_bad_host(host_of(scope)):
            raise HTTPException(400)
        scope = as_werkzeug_reads(scope)
        choice = self.table.choose(scope)
        if not isinstance(choice, Choice):
            await choice(scope, receive, send)
            return
        if choice.rule is not None and choice.rule.methods is not None and scope["method"] not in choice.rule.methods:
            # Only HEAD is left: what the GET answers, of which the server sends the head alone.
            scope = {**scope, "method": "GET", "wire.method": "HEAD"}
        straight = self.table.straight.get(choice.rule)
        if straight is not None and scope.get("fastapi.telemetry") is None:
            await straight(scope, receive, send, choice.values)
            return
        before = CHOSEN.set(choice)
        try:
            await self.app(scope, receive, send)
        finally:
            CHOSEN.reset(before)

    @cached_property
    def table(self) -> Table:
        """What the app routes; read once, at the first request."""
        return Table(
            self._routes(), router=self._router, strict_slashes=self.strict_slashes, merge_slashes=self.merge_slashes
        )


NO_VALUES: Mapping[str, Any] = {}


class Choice(NamedTuple):
    """What FastAPI may find: one rule, for the path that it was declared with, or only what is no rule.

    `values` are those of the path's placeholders.
    """

    rule: Rule | None = None
    path: str = ""
    values: Mapping[str, Any] = NO_VALUES


# None where Routing has no say, as for a websocket or an app that has none.
CHOSEN: ContextVar[Choice | None] = ContextVar("CHOSEN", default=None)


class Chosen:
    """A route's pattern that matches only where Routing chose that route, while Routing has a say."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule

    def match(self, path: str) -> re.Match[str] | None:
        """As FastAPI asks its routes."""
        choice = CHOSEN.get()
        if choice is None:
            return self.rule.pattern.match(path)
        return self.rule.pattern.fullmatch(choice.path) if choice.rule is self.rule else None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.rule.pattern, name)


def rule_of(route: Any) -> Rule:
    """The rule that a route is, whose pattern from now on heeds what Routing chose."""
    if isinstance(route.path_regex, Chosen):
        return route.path_regex.rule
    methods = None if route.methods is None else frozenset(route.methods)
    rule = Rule(route.path, methods, route.path_regex, route.param_convertors)
    route.path_regex = Chosen(rule)
    return rule


class Table:
    """What an app routes: rules, and between them what answers for itself: mounted apps and hosts."""

    def __init__(
        self,
        routes: Iterable[Any],
        *,
        router: APIRouter | None = None,
        strict_slashes: bool = True,
        merge_slashes: bool = True,
    ) -> None:
        self.straight: dict[Rule | None, Straight] = {}
        self._merge_slashes = merge_slashes
        self._places: dict[Rule, int] = {}
        self._others: dict[int, Any] = {}
        for place, context in enumerate(iter_route_contexts(list(routes))):
            route = context._effective_route
            if isinstance(context.original_route, WebSocketRoute):
                continue
            if isinstance(context.original_route, Mount) or not hasattr(route, "path_regex"):
                self._others[place] = route
            else:
                rule = rule_of(route)
                self._places[rule] = place
                if (straight := straight_to(context, router)) is not None:
                    self.straight[rule] = straight
        self._rules = Rules(self._places, strict_slashes=strict_slashes)

    def choose(self, scope: Scope) -> Choice | ASGIApp:
        """What FastAPI may find for a request, or the answer that needs no route. Raises HTTPException."""
        path, method, websocket = get_route_path(scope), scope["method"], wants_websocket(scope)
        try:
            search = self._rules.match(path, method, websocket=websocket)
            if self._taken_elsewhere(scope, before=search.rule):
                return Choice()
            if search.rule is not None:
                return self._chosen(search.rule, path, method, search.others)
            if self._merge_slashes and "//" in path:
                path = re.sub("/{2,}", "/", path)
                merged = self._rules.match(path, method, websocket=websocket)
                if merged.rule is not None:
                    return canonical(scope, path)
                search.others |= merged.others
                search.not_websockets |= merged.not_websockets
        except SlashMissing:
            return Choice() if self._taken_elsewhere(scope) else canonical(scope, path + "/")
        if search.others:
            raise not_allowed(search.others)
        if search.not_websockets:
            raise HTTPException(400)
        return self._mounted_without_slash(scope) or Choice()

    def _taken_elsewhere(self, scope: Scope, before: Rule | None = None) -> bool:
        """Whether a mounted app or a host takes the path, and stands before a rule that does too."""
        return any(
            route.matches(scope)[0] is not Match.NONE
            for place, route in self._others.items()
            if before is None or place < self._places[before]
        )

    def _chosen(self, rule: Rule, path: str, method: str, others: set[str]) -> Choice | ASGIApp:
        """What a rule is chosen for: the path as it was declared, or what it answers by itself."""
        for declared in (path, path + "/", path.removesuffix("/")):
            if (values := rule.values(declared)) is not None:
                break
        else:
            raise not_allowed(others) if others else HTTPException(404)
        if method == "OPTIONS" and rule.methods is not None and method not in rule.methods:
            # A method that no rule has finds the methods of them all.
            merged = re.sub("/{2,}", "/", path) if self._merge_slashes else path
            return allow(self._rules.match(path, "--").others | self._rules.match(merged, "--").others)
        return Choice(rule, declared, values)

    def _mounted_without_slash(self, scope: Scope) -> ASGIApp | None:
        """The app that is mounted at the very path: it says itself what becomes of a path without its slash."""
        with_slash = {**scope, "path": scope["path"] + "/"}
        for route in self._others.values():
            match, child = route.matches(with_slash) if isinstance(route, Mount) else (Match.NONE, {})
            if match is not Match.NONE and child["root_path"] == scope["path"]:
                return partial(hand_over, route, child)
        return None


async def hand_over(route: Mount, child: Scope, scope: Scope, receive: Receive, send: Send) -> None:
    await route.handle({**scope, **child}, receive, send)


def wants_websocket(scope: Scope) -> bool:
    """Whether a request asks to be upgraded to a websocket."""
    if (field(scope, b"upgrade") or "").lower() != "websocket":
        return False
    connection = (field(scope, b"connection") or "").lower().split(",")
    return "upgrade" in (each.strip(" \t") for each in connection)


def not_allowed(methods: Iterable[str]) -> HTTPException:
    """405, with Allow."""
    return HTTPException(405, headers={"Allow": ", ".join(sorted(methods))})


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
