"""What the plugins and their plain counterparts do by themselves: why ours are set as they are (docs/plugins.md)"""

import httpx
import pytest
from fastapi import FastAPI
from flask import Flask
from flask_cors import CORS
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_talisman import Talisman
from starlette.middleware.cors import CORSMiddleware

from contract_tests.parity import asgi, wsgi
from contract_tests.parity.transport import TargetTransport

FRIEND, STRANGER = "https://app.example", "https://evil.example"
FRIENDS = [FRIEND, "https://shop.example", "http://[::1]:3000"]


def client_of(target):
    return httpx.Client(transport=TargetTransport(target), base_url="https://testserver")


def preflight(origin=FRIEND, method="POST", headers="content-type"):
    return {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": headers,
    }


@pytest.fixture
def flask():
    """Flask-CORS with a few origins, and nothing else chosen."""
    app = Flask(__name__)
    CORS(app, origins=FRIENDS, supports_credentials=True)
    app.get("/")(lambda: "here")
    with wsgi(app) as target:
        yield client_of(target)


@pytest.fixture
def fastapi():
    """CORSMiddleware with the same, where its documentation puts it."""
    app = FastAPI()
    app.add_middleware(CORSMiddleware, allow_origins=FRIENDS, allow_credentials=True, allow_methods=["POST"])

    @app.get("/")
    def here():
        return "here"

    @app.get("/fails")
    def fails():
        raise RuntimeError

    with asgi(app) as target:
        yield client_of(target)


def test_flask_cors_names_one_origin_to_who_names_none(flask):
    assert flask.get("/").headers.get_list("access-control-allow-origin") == [FRIEND]


def test_flask_cors_takes_brackets_for_a_regular_expression(flask):
    assert "access-control-allow-origin" not in flask.get("/", headers={"Origin": "http://[::1]:3000"}).headers
    assert flask.get("/", headers={"Origin": "http://1:3000"}).headers["access-control-allow-origin"] == "http://1:3000"


def test_flask_cors_does_not_say_that_a_refusal_varies(flask):
    assert "vary" not in flask.get("/", headers={"Origin": STRANGER}).headers
    assert flask.get("/", headers={"Origin": FRIEND}).headers["vary"] == "Origin"


def test_starlette_answers_preflights_itself_whatever_is_there(fastapi):
    asked = fastapi.options("/nowhere", headers=preflight())
    assert (asked.status_code, asked.text) == (200, "OK")
    refused = fastapi.options("/", headers=preflight(method="DELETE", headers="authorization"))
    assert (refused.status_code, refused.text) == (400, "Disallowed CORS method, headers")
    assert "allow" not in asked.headers


def test_starlette_allows_headers_that_nobody_listed(fastapi):
    allowed = fastapi.options("/", headers=preflight()).headers["access-control-allow-headers"]
    assert allowed == "Accept, Accept-Language, Content-Language, Content-Type"


def test_starlette_tells_strangers_that_credentials_are_allowed(fastapi):
    answer = fastapi.get("/", headers={"Origin": STRANGER})
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert "access-control-allow-origin" not in answer.headers


def test_starlette_s_unforeseen_errors_are_without_cors(fastapi):
    answer = fastapi.get("/fails", headers={"Origin": FRIEND})
    assert answer.status_code == 500
    assert "access-control-allow-origin" not in answer.headers


def test_starlette_compares_origins_letter_for_letter(flask, fastapi):
    for client, granted in ((flask, True), (fastapi, False)):
        answer = client.get("/", headers={"Origin": "https://APP.example"})
        assert ("access-control-allow-origin" in answer.headers) == granted


def test_flask_limiter_counts_only_what_is_routed_and_puts_retry_after_on_everything():
    app = Flask(__name__)
    Limiter(get_remote_address, app=app, application_limits=["2/minute"], storage_uri="memory://", headers_enabled=True)
    app.get("/")(lambda: ("busy", 503, {"Retry-After": "1"}))
    with wsgi(app) as target:
        client = client_of(target)
        assert {client.get("/nowhere").status_code for _ in range(5)} == {404}
        assert int(client.get("/").headers["retry-after"]) > 30


@pytest.fixture
def talisman():
    """Flask-Talisman, and nothing else chosen; a client that comes by http."""
    app = Flask(__name__)
    Talisman(app)
    app.get("/")(lambda: "here")
    return app.test_client()


def test_flask_talisman_takes_anyone_s_word_for_the_scheme(talisman):
    assert "Strict-Transport-Security" in talisman.get("/", headers={"X-Forwarded-Proto": "https"}).headers


def test_flask_talisman_sends_on_to_https_what_comes_by_http(talisman):
    sent = talisman.get("/")
    assert (sent.status_code, sent.headers["Location"]) == (302, "https://localhost/")


def test_flask_talisman_holds_every_host_below_to_https_and_lets_caches_keep_everything(talisman):
    headers = talisman.get("/", base_url="https://localhost").headers
    assert headers["Strict-Transport-Security"].endswith("; includeSubDomains")
    assert headers["Content-Security-Policy"] == "default-src 'self'; object-src 'none'"
    assert "Cache-Control" not in headers
