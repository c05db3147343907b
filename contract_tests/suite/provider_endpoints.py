"""The tests' OpenID provider over TLS on loopback: its server, and what each of its paths answers."""

from __future__ import annotations

import random
import socket
import time
from typing import Any
from urllib.parse import urlsplit

from contract_tests.suite.provider_protocol import authorization_server

# Below 32768 the system gives no port to outgoing connections by itself.
_PORTS = range(20000, 32768)

_ATTEMPTS = 20


def serve(provider: Any) -> Any:
    # Werkzeug's server listens 10 ms longer for a rest of each request before it answers; a sign-in is five requests.
    import ssl
    from socketserver import ThreadingMixIn
    from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

    import trustme

    class Handler(WSGIRequestHandler):
        def get_environ(self) -> dict[str, Any]:
            return {**super().get_environ(), "HTTPS": "on"}

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingMixIn, WSGIServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            pass  # a client that does not trust the certificate hangs up

    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(provider.ca_file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    listener = _listener()
    address = listener.getsockname()
    server = Server(address, Handler, bind_and_activate=False)
    server.socket.close()
    # The handshake is each connection's own thread's work.
    server.socket = context.wrap_socket(listener, server_side=True, do_handshake_on_connect=False)
    server.server_name, server.server_port = "localhost", address[1]
    server.setup_environ()
    server.set_app(_application(provider))
    return server


def _listener() -> socket.socket:
    for attempt in range(1, _ATTEMPTS + 1):
        listener = socket.socket()
        try:
            listener.bind(("127.0.0.1", random.choice(_PORTS)))
            listener.listen(128)
        except OSError:
            listener.close()
            if attempt == _ATTEMPTS:
                raise
        else:
            return listener
    raise AssertionError


def _application(provider: Any) -> Any:
    from flask import Flask, Response, request

    app = Flask(__name__)
    app.config["OAUTH2_REFRESH_TOKEN_GENERATOR"] = True
    server = authorization_server(app, provider)

    @app.before_request
    def overridden() -> Any:
        provider.requests.append(f"{request.method} {request.path}")
        time.sleep(provider._pauses.get(request.path, 0))
        if request.path in provider._answers:
            request.get_data()  # or closing would reset the connection before the answer is read
            status, body = provider._answers[request.path]
            place = {"Location": body} if 300 <= status < 400 else {}
            return Response(body, status, content_type="application/json", headers=place)
        return None

    @app.after_request
    def one_cookie_for_each(response: Any) -> Any:
        if request.cookies:
            provider.requests.append("a cookie that was another's")
        response.set_cookie("load-balancer", "1")
        return response

    @app.get("/tenant/.well-known/openid-configuration")
    def metadata() -> Any:
        return provider._metadata()

    @app.get("/tenant/keys")
    def keys() -> Any:
        return provider._jwks()

    @app.get("/tenant/authorize")
    def sign_in_page() -> Any:
        from authlib.oauth2 import OAuth2Error

        try:
            server.get_consent_grant(end_user=None)
        except OAuth2Error as error:
            return server.handle_error_response(server.create_oauth2_request(None), error)
        return "<form method=post><input name=account></form>"

    @app.post("/tenant/authorize")
    def sign_in() -> Any:
        asked = server.create_oauth2_request(None)
        grant = server.get_authorization_grant(asked)
        return server.create_authorization_response(asked, grant_user=request.form.get("account"), grant=grant)

    @app.post("/tenant/token")
    def token() -> Any:
        return server.create_token_response()

    @app.get("/tenant/userinfo")
    def userinfo() -> Any:
        found = provider._bearer(request.headers.get("Authorization", ""))
        return provider._claims(found.account) if found else Response("{}", 401, content_type="application/json")

    @app.get("/tenant/logout")
    def logout() -> Any:
        target = request.args.get("post_logout_redirect_uri", "")
        ours = {urlsplit(uri)[:2] for uri in provider.redirect_uris}
        if request.args.get("client_id") != provider.client_id or urlsplit(target)[:2] not in ours:
            return Response("who is asking?", 400)
        return Response(status=302, headers={"Location": target})

    return app
