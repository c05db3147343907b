"""The original's extensions, in their documented configuration, and what cures their faults."""

from __future__ import annotations

import logging
import re
import sys
from typing import TYPE_CHECKING, Any, cast

from flask import Flask, Request, Response, g, request
from flask.sessions import SessionInterface, SessionMixin
from flask_cors import CORS
from flask_limiter import Limiter, RateLimitExceeded
from flask_limiter.util import get_remote_address
from flask_session import Session
from flask_session.base import ServerSideSession, ServerSideSessionInterface

from flask_app import outputs
from shared_core import problems, rates
from shared_core.errors import ServiceError, Unavailable
from shared_core.http import cors
from shared_core.rates import Count
from shared_core.services import Services, utc_now
from shared_core.sessions import Codec, SessionPolicy
from shared_core.sessions.stores import SqliteStore

if TYPE_CHECKING:
    from shared_core.sessions.redis_stores import RedisStore

# What answers even where the session store does not.
WITHOUT_STORE = frozenset({"/healthz"})


def install_cors(app: Flask, services: Services) -> None:
    """Flask-CORS for the configured origins; without any, nothing."""
    origins = services.settings.allowed_origins
    if not origins:
        return
    # Outside the limiter and the sessions: what is registered first comes last after a request.
    app.after_request(vary_by_origin)
    CORS(
        app,
        # Compiled: of texts it takes an IPv6 address's brackets for a regular expression's, and names one to whoever
        # names no origin.
        origins=[re.compile(rf"{re.escape(origin)}\Z", re.IGNORECASE) for origin in origins],
        methods=list(cors.METHODS),
        allow_headers=list(cors.ALLOWED_HEADERS),
        expose_headers=list(cors.EXPOSED_HEADERS),
        supports_credentials=True,
        max_age=cors.MAX_AGE_SECONDS,
        # It says so only where it grants something, and a cache would hand one origin's answer to another.
        vary_header=False,
    )


def vary_by_origin(response: Response) -> Response:
    """Tell caches that the answer depends on who asks, even where it grants nothing (Fetch standard, HTTP caches)."""
    response.vary.add("Origin")
    return response


def install_limits(app: Flask, services: Services) -> None:
    """Flask-Limiter over the configured store; without a limit, nothing."""
    limits = services.rate_limits
    if not limits.limit:
        return
    limiter = Limiter(
        get_remote_address,
        application_limits=[limits.limit],
        # Its own is the endpoint's name: what is not routed has none, and would never be refused.
        request_identifier=lambda: rates.SCOPE,
        strategy="fixed-window",
        storage_uri=limits.store.uri,
        storage_options=limits.store.options,
        swallow_errors=True,
        # On, every response has a Retry-After, and a 503's becomes the window's.
        headers_enabled=False,
    )
    limiter.logger = OutageLog(limiter.logger)  # type: ignore[assignment]
    limiter.request_filter(lambda: request.path in rates.EXEMPT)
    limiter.init_app(app)

    def count() -> None:
        count_of(limiter)

    def tell_count(response: Response) -> Response:
        if counted := count_of(limiter):
            response.headers.update(counted.headers)
        return response

    def refuse(_: RateLimitExceeded) -> Response:
        counted = count_of(limiter)
        refusal = counted and problems.of_error(counted.refusal(now=utc_now().timestamp()))
        return outputs.problem(refusal or problems.of_status(429))

    app.before_request(count)
    app.after_request(tell_count)
    app.register_error_handler(RateLimitExceeded, refuse)


def count_of(limiter: Limiter) -> Count | None:
    """Where the client of this request stands, looked up once; None for who is exempt, and where no store answers."""
    if "count" not in g:
        limit, g.count = limiter.current_limit, None
        try:
            if limit is not None:
                g.count = Count(limit.limit.amount, limit.remaining, limit.reset_at, exceeded=limit.breached)
        except Exception as error:  # each store has its own kinds; the request passes whatever became of the count
            rates.note_outage(error)
    return cast("Count | None", g.count)


class OutageLog(logging.LoggerAdapter[logging.Logger]):
    """Flask-Limiter's log, where a store that fails is one line and no traceback."""

    def exception(self, *_: object, **__: Any) -> None:
        rates.note_outage(sys.exception())


def install_sessions(app: Flask, services: Services) -> None:
    """Flask-Session over the configured store."""
    policy, codec = services.session_policy, Codec(services.session_policy.format)
    app.config |= policy.flask_config() | store_config(services.session_store, codec)
    app.response_class = response_class(policy)
    Session(app)
    interface = cast("ServerSideSessionInterface", app.session_interface)
    # Its own decoder ends in pickle, and raises for rubbish.
    interface.serializer = codec
    app.session_interface = Guarded(interface)
    app.before_request(refuse_without_store)


def store_config(store: SqliteStore | RedisStore, codec: Codec) -> dict[str, Any]:
    """Flask-Session's choice of a store."""
    if isinstance(store, SqliteStore):
        return {"SESSION_TYPE": "cachelib", "SESSION_CACHELIB": StoreCache(store, codec)}
    return {"SESSION_TYPE": "redis", "SESSION_REDIS": store.client}


class StoreCache:
    """A store as Flask-Session's cachelib door takes it; cachelib's own would pickle, and evict what is in use."""

    def __init__(self, store: SqliteStore, codec: Codec) -> None:
        self._store = store
        self._codec = codec

    def get(self, key: str) -> dict[str, Any] | None:
        stored = self._store.get(key)
        return self._codec.decode(stored) if stored else None

    def set(self, key: str, value: dict[str, Any], timeout: int) -> None:
        self._store.set(key, self._codec.encode(value), seconds=timeout)

    def delete(self, key: str) -> None:
        self._store.delete(key)


def response_class(policy: SessionPolicy) -> type[Response]:
    """Responses whose deletion of the session's cookie a browser obeys: Flask-Session's own has no Secure."""

    class HardenedResponse(Response):
        def delete_cookie(self, key: str, *arguments: Any, **attributes: Any) -> None:
            if key == policy.cookie_name and policy.hardened_deletion:
                self.headers.add("Set-Cookie", policy.deletion())
            else:
                super().delete_cookie(key, *arguments, **attributes)

    return HardenedResponse


class Guarded(SessionInterface):
    """Flask-Session's interface, where a store that fails is a 503 and not a 500 for every request with a cookie."""

    def __init__(self, interface: ServerSideSessionInterface) -> None:
        self._interface = interface

    def open_session(self, app: Flask, request: Request) -> SessionMixin:
        try:
            return cast("SessionMixin", self._interface.open_session(app, request))
        except Unavailable as error:
            # Told by refuse_without_store: an error here would come before Flask has an error handler.
            g.session_failure = error
            return cast("SessionMixin", ServerSideSession(sid=""))

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if "session_failure" in g:
            return
        try:
            self._interface.save_session(app, session, response)
        except Exception as error:
            # The response to this error comes by here again.
            g.session_failure = error
            # The first failure is the one that is told; Flask would log this one with its message.
            if response.status_code != 500:
                raise

    def regenerate(self, session: ServerSideSession) -> None:
        self._interface.regenerate(session)


def refuse_without_store() -> None:
    """Refuse a request whose session cannot be known. Raises Unavailable."""
    if "session_failure" in g and request.path not in WITHOUT_STORE:
        raise cast("ServiceError", g.session_failure)
