"""The original's extensions, in their documented configuration, and what cures their faults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from flask import Flask, Request, Response, g, request
from flask.sessions import SessionInterface, SessionMixin
from flask_session import Session
from flask_session.base import ServerSideSession, ServerSideSessionInterface

from shared_core.errors import ServiceError, Unavailable
from shared_core.services import Services
from shared_core.sessions import Codec, SessionPolicy
from shared_core.sessions.stores import SqliteStore

if TYPE_CHECKING:
    from shared_core.sessions.redis_stores import RedisStore

# What answers even where the session store does not.
WITHOUT_STORE = frozenset({"/healthz"})


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
            raise

    def regenerate(self, session: ServerSideSession) -> None:
        self._interface.regenerate(session)


def refuse_without_store() -> None:
    """Refuse a request whose session cannot be known. Raises Unavailable."""
    if "session_failure" in g and request.path not in WITHOUT_STORE:
        raise cast("ServiceError", g.session_failure)
