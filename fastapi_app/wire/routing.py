"""Which route answers a request, and what is answered where none does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, HTTPException
from fastapi.routing import iter_route_contexts
from starlette._utils import get_route_path
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from .redirects import redirect


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
