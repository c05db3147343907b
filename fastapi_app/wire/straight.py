"""The straight way to a route that Routing has chosen: FastAPI asks each router and each route in turn, twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fastapi.routing import APIRoute, APIRouter, RouteContext
from starlette.types import ASGIApp, Receive, Scope, Send


class Straight:
    """Calls one route's own app, with the scope as FastAPI's routers leave it.

    FastAPI keeps nothing for a route but what its scope and its app hold. Only a router's `form_limits` and telemetry
    are added on the way: where there are such, the request goes FastAPI's way, as it does to a route with a `matches`
    or `handle` of its own.
    """

    def __init__(self, router: APIRouter, context: RouteContext) -> None:
        effective = context._route_context
        self._route = context.original_route
        self._router = router
        self._endpoint = (effective or self._route).endpoint  # type: ignore[union-attr]
        self._app: ASGIApp = (effective or self._route).app  # type: ignore[assignment,union-attr]

    async def __call__(self, scope: Scope, receive: Receive, send: Send, values: Mapping[str, Any]) -> None:
        scope.setdefault("router", self._router)
        path_params = {**scope.get("path_params", {}), **values}
        scope.update(endpoint=self._endpoint, path_params=path_params, route=self._route)
        await self._app(scope, receive, send)


def straight_to(context: RouteContext, router: APIRouter | None) -> Straight | None:
    """The straight way to a route; None where FastAPI's own must be taken."""
    kind = type(context.original_route)
    if router is None or limits_forms(router) or not issubclass(kind, APIRoute):
        return None
    own = kind.matches is not APIRoute.matches or kind.handle is not APIRoute.handle
    return None if own else Straight(router, context)


def limits_forms(router: APIRouter) -> bool:
    """Whether a router, or one that is included in it, limits the forms of its routes."""
    included: Iterable[Any] = (route for route in router.routes if hasattr(route, "include_context"))
    return bool(router.form_limits) or any(
        route.include_context.form_limits or limits_forms(route.original_router) for route in included
    )
