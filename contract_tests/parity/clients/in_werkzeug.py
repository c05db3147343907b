"""Werkzeug's client, and Flask's, with another app beside its own: only the call of the app itself is another one."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote_to_bytes, urlsplit

import werkzeug.test
from werkzeug.datastructures import Headers
from werkzeug.wsgi import get_current_url

from contract_tests.parity.drivers import framing
from contract_tests.parity.drivers.wsgi import is_the_servers
from contract_tests.parity.messages import Request, Response, Target

from .mirror import Ask, Mirror, Reached

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = tuple[Iterable[bytes], str, Headers]


class SessionNotShared(RuntimeError):
    """A session that `session_transaction` writes would not reach the other app."""


def flask_client(original: Any, port: Target, *, sessions_shared: bool = False, **options: Any) -> Any:
    """`app.test_client()`, whose every request also goes to the port, and is compared.

    `original` is a Flask app (its own client class is kept), any other WSGI app, or a Target. `options` are
    PairTransport's, and those of `app.test_client()`. `sessions_shared` says that both apps keep their sessions in
    one store. The client's `mirror.finish()` raises what `collect=True` collected.
    """
    mirrored = {name: options.pop(name) for name in _MIRRORED & options.keys()}
    mirror = Mirror(port, name=_name(original), **mirrored)
    if hasattr(original, "test_client"):
        client: Any = original.test_client(**options)
    else:
        client = werkzeug.test.Client(original, **options)
    client.__class__ = type(f"Pair{type(client).__name__}", (PairClient, type(client)), {})
    client.mirror, client.sessions_shared = mirror, sessions_shared
    return client


_MIRRORED = {"accepted", "collect", "bindings", "operation", "rules", "on_exchange"}


class PairClient:
    """What a client of Werkzeug's, or a subclass of it, does otherwise: it also asks the other app."""

    mirror: Mirror
    sessions_shared: bool
    application: Any

    def run_wsgi_app(self, environ: dict[str, Any], buffered: bool = False) -> Answer:
        return run_mirrored(self, self.mirror, environ, buffered=buffered)

    @contextmanager
    def session_transaction(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
        """Flask's own. Raises SessionNotShared where what it writes would not reach the port."""
        refuse_unshared(self.application, shared=self.sessions_shared)
        with super().session_transaction(*args, **kwargs) as session:  # type: ignore[misc]
            yield session


def run_mirrored(client: Any, mirror: Mirror, environ: Any, *, buffered: bool) -> Answer:
    """What a client's `run_wsgi_app` gives, its cookies kept, with the mirror in the place of its app."""
    # As Client.run_wsgi_app, line by line: there is no other way to have it call something else than its app.
    client._add_cookies_to_wsgi(environ)
    answer = werkzeug.test.run_wsgi_app(Mirrored(client.application, mirror), environ, buffered=buffered)
    url = urlsplit(get_current_url(environ))
    client._update_cookies_from_response(url.hostname or "localhost", url.path, answer[2].getlist("Set-Cookie"))
    return answer


def refuse_unshared(app: Any, *, shared: bool) -> None:
    """Raises SessionNotShared unless the session travels in the cookie, or both apps are said to share their store."""
    interface = getattr(app, "session_interface", None)
    if interface is None:
        raise SessionNotShared("session_transaction() needs the original as a Flask app in this process")
    from flask.sessions import SecureCookieSessionInterface

    if not shared and not isinstance(interface, SecureCookieSessionInterface):
        raise SessionNotShared(
            f"session_transaction() writes by {type(interface).__name__}, which does not keep a session in its cookie: "
            "the port sees it only if both share one store: sessions_shared=True (--parity-shared-sessions) says so"
        )


class Mirrored:
    """A WSGI application that asks the suite's own app and the other one, and answers as the original does."""

    def __init__(self, app: Any, mirror: Mirror) -> None:
        self._app, self._mirror = app, mirror

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        request = request_of(environ)
        answers: list[Answer] = []
        outcome = self._mirror.exchange(request, self._ask(environ, answers), reached=_reached(environ))
        if self._mirror.role == "original" and answers:
            body, status, headers = answers[0]
            start_response(status, list(headers))
            return body
        if outcome.failure is not None:
            raise ConnectionError(f"both apps: {outcome.failure}")
        head = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in outcome.headers]
        start_response(str(outcome.status), head)
        return [outcome.body]

    def _ask(self, environ: dict[str, Any], answers: list[Answer]) -> Ask:
        if hasattr(self._app, "send"):
            send: Ask = self._app.send
            return send

        def ask(request: Request) -> Response:
            # Read whole and closed: the other app is asked when this one has ended.
            answers.append(werkzeug.test.run_wsgi_app(self._app, asking(environ, request), buffered=True))
            return response_of(answers[0], request.method)

        return ask


def request_of(environ: dict[str, Any]) -> Request:
    """The request that an environ of Werkzeug's stands for, as it would go over the wire; its body is put back."""
    body = environ["wsgi.input"].read()
    environ["wsgi.input"] = io.BytesIO(body)
    headers = [(_spelled(name), value.encode("latin-1")) for name, value in _header_variables(environ)]
    given = {name.lower() for name, _ in headers}
    if body and b"content-length" not in given:
        headers.append((b"Content-Length", b"%d" % len(body)))
    if b"host" not in given:
        headers.insert(0, (b"Host", environ["SERVER_NAME"].encode("latin-1")))
    return Request(environ["REQUEST_METHOD"], _target(environ), tuple(headers), body)


def response_of(answer: Answer, method: str) -> Response:
    """What a client would read from the wire of an app's answer."""
    chunks, status, headers = answer
    code = int(status.split()[0])
    pairs = [(name.encode("latin-1"), value.strip(" \t").encode("latin-1")) for name, value in headers]
    sent = tuple(pair for pair in pairs if not is_the_servers(pair[0].lower(), code))
    return framing.delivered(method, code, sent, b"".join(chunks), ended=True, exception=None)


def asking(environ: dict[str, Any], request: Request) -> dict[str, Any]:
    """The environ for a request, which may have been translated into the ids of the app that is asked."""
    if request == request_of(environ):
        return environ
    path, query = framing.split_target(request.target) or ("", "")
    cookies = b"; ".join(value for name, value in request.headers if name.lower() == b"cookie").decode("latin-1")
    raw, target = unquote_to_bytes(path).decode("latin-1"), request.target.decode("latin-1")
    made = {**environ, "PATH_INFO": raw[len(environ.get("SCRIPT_NAME", "")) :], "QUERY_STRING": query}
    made |= {"REQUEST_URI": target, "RAW_URI": target, "wsgi.input": io.BytesIO(request.body)}
    made |= {"CONTENT_LENGTH": str(len(request.body))} if request.body else {}
    return made | ({"HTTP_COOKIE": cookies} if cookies else {})


def _target(environ: dict[str, Any]) -> bytes:
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    # RAW_URI alone keeps how a path was encoded, and has no query that was given apart.
    raw = environ.get("RAW_URI", "").partition("?")[0]
    if unquote_to_bytes(raw).decode("latin-1") != path:
        raw = quote(path.encode("latin-1"), safe="/%:@!$&'()*+,;=~")
    query = environ.get("QUERY_STRING", "")
    return f"{raw or '/'}{'?' * bool(query)}{query}".encode("latin-1")


def _header_variables(environ: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in environ.items():
        if name.startswith("HTTP_"):
            yield name[5:], value
        elif name in ("CONTENT_TYPE", "CONTENT_LENGTH") and value and value != "0":
            yield name, value


def _spelled(name: str) -> bytes:
    return name.replace("_", "-").title().encode("latin-1")


def _reached(environ: dict[str, Any]) -> Reached:
    return environ["wsgi.url_scheme"], environ["SERVER_NAME"], int(environ["SERVER_PORT"])


def _name(app: Any) -> str:
    return str(app.name) if hasattr(app, "send") else framing.name_of(app)
