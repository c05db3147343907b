"""A suite keeps its client: Flask's, Werkzeug's or Starlette's manners, with every request compared on both apps"""

import io
import subprocess
import sys
from typing import ClassVar

import httpx
import pytest
from flask import Flask, Response, flash, g, jsonify, redirect, request, session, stream_with_context
from flask.sessions import SessionInterface

from contract_tests.parity import Different, asgi, wsgi
from contract_tests.parity.clients import PairTestClient, SessionNotShared, flask_client

from .toys import Toy, always, answer, json_answer


def shop(*, gone=404, key="k", raises=True):
    """A small app as Flask teams write them; `gone` is what the port may do otherwise."""
    app = Flask("shop")
    app.config.update(SECRET_KEY=key, TESTING=raises)
    items = {}

    @app.post("/items")
    def add():
        number = len(items) + 1
        items[number] = request.get_json()
        return jsonify(id=number, **items[number]), 201, {"Location": f"/items/{number}"}

    @app.get("/items/<int:id>")
    def show(id):
        return jsonify(id=id, **items[id]) if id in items else (jsonify(error="gone"), gone)

    @app.post("/login")
    def login():
        session["user"] = request.form["name"]
        flash("welcome")
        return redirect("/me")

    @app.get("/me")
    def me():
        g.who = session.get("user")
        return jsonify(user=g.who, url=request.url, agent=request.headers["User-Agent"], a=request.args.getlist("a"))

    @app.route("/echo", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    def echo():
        sent = {name: file.read().decode() for name, file in request.files.items()}
        data = "" if sent else request.get_data(as_text=True)
        return jsonify(request.method, request.form, sent, data, request.content_type and request.content_type[:19])

    @app.get("/cookies")
    def cookies():
        return jsonify(request.cookies)

    @app.get("/streamed")
    def streamed():
        return Response(stream_with_context(part for part in ("a", request.path)), mimetype="text/plain")

    @app.get("/boom")
    def boom():
        raise ZeroDivisionError("boom")

    return app


@pytest.fixture
def app():
    return shop()


@pytest.fixture
def client(app):
    return flask_client(app, wsgi(shop()))


def test_the_client_is_the_app_s_own(client, app):
    assert isinstance(client, type(app.test_client()))
    assert client.application is app


def test_an_answer_is_the_original_s_with_all_that_flask_s_has(client):
    made = client.post("/items", json={"name": "tea"})
    assert (made.status, made.status_code, made.json, made.mimetype) == (
        "201 CREATED", 201, {"id": 1, "name": "tea"}, "application/json",
    )  # fmt: skip
    shown = client.get(made.headers["Location"])
    assert shown.get_json() == {"id": 1, "name": "tea"}
    assert b"tea" in shown.data
    assert "tea" in shown.text
    assert shown.request.path == "/items/1"


def test_a_port_that_answers_otherwise_fails_the_request(app):
    client = flask_client(app, wsgi(shop(gone=410)))
    with pytest.raises(Different) as raised:
        client.get("/items/7?x=1", headers={"X-A": "b"})
    assert raised.value.fingerprints == ("GET /items/{id} status status value",)
    for part in ("GET /items/7?x=1", "X-A: b", "original  404", "port      410", "http://localhost/items/7"):
        assert part in str(raised.value)


def test_collecting_goes_on_and_tells_all_at_the_end(app):
    client = flask_client(app, wsgi(shop(gone=410)), collect=True)
    assert [client.get(f"/items/{id}").status_code for id in (1, 2)] == [404, 404]
    with pytest.raises(Different, match="in 2 exchanges"):
        client.mirror.finish()


@pytest.mark.parametrize(
    "sent",
    [
        {"data": {"a": "1", "b": ["2", "3"]}},
        {"data": b"raw", "content_type": "text/plain"},
        lambda: {"data": {"f": (io.BytesIO(b"file"), "f.txt"), "a": "1"}},
        lambda: {"data": {"f": (io.BytesIO(b"file"), "f.txt")}, "content_type": "multipart/form-data"},
        {"json": [1, "é"]},
        lambda: {"input_stream": io.BytesIO(b"streamed"), "headers": {"Content-Length": "8"}},
        {},
    ],
    ids=["form", "bytes", "files", "multipart", "json", "stream", "nothing"],
)
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_both_are_sent_the_same_body(app, sent, method):
    client = flask_client(app, wsgi(shop()))
    assert getattr(client, method)("/echo", **(sent() if callable(sent) else sent)).status_code == 200


def test_a_query_a_base_and_an_environ_reach_both(client):
    shown = client.get("/me", query_string={"a": ["1", "é"]}, base_url="https://shop.test:8443")
    assert shown.json["url"] == "https://shop.test:8443/me?a=1&a=é"
    assert client.get("/me", headers={"User-Agent": "mine"}).json["agent"] == "mine"
    client.environ_base["HTTP_USER_AGENT"] = "base"
    assert client.get("/me").json["agent"] == "base"
    assert client.open("/me", method="GET").json["url"] == "http://localhost/me"


def test_an_encoded_slash_reaches_both_as_it_is(app):
    port = always(json_answer({}))
    client = flask_client(app, port, collect=True)
    client.get("/items/a%2Fb?x=%20")
    assert port.sent[0].target == b"/items/a%2Fb?x=%20"


def test_head_and_options_are_compared_too(client):
    assert client.head("/me").status_code == 200
    assert "HEAD" in client.options("/me").headers["Allow"]


def test_redirects_are_followed_by_werkzeug_and_each_is_compared(client):
    shown = client.post("/login", data={"name": "ada"}, follow_redirects=True)
    assert (shown.json["user"], [each.status_code for each in shown.history]) == ("ada", [302])
    assert client.mirror.pair.original.name == "flask.app.Flask"


def test_a_with_block_keeps_the_original_s_context(client):
    with client:
        client.post("/login", data={"name": "ada"})
        assert session["user"] == "ada"
        client.get("/me")
        assert (g.who, request.path) == ("ada", "/me")
    with pytest.raises(RuntimeError):
        _ = request.path


def test_cookies_of_the_client_reach_both(client):
    client.set_cookie("a", "1")
    assert client.get("/cookies").json == {"a": "1"}
    assert client.get_cookie("a").value == "1"
    client.delete_cookie("a")
    assert client.get("/cookies").json == {}


def test_a_stream_is_read_whole(client):
    with client:
        assert client.get("/streamed").text == "a/streamed"


def test_a_session_transaction_reaches_both_where_the_session_is_in_the_cookie(app):
    client = flask_client(app, wsgi(shop()))
    with client.session_transaction() as kept:
        kept["user"] = "bob"
    assert client.get("/me").json["user"] == "bob"
    client = flask_client(shop(), wsgi(shop(key="other")))
    with client.session_transaction() as kept:
        kept["user"] = "bob"
    with pytest.raises(Different, match=r"json \$\.user type"):
        client.get("/me")


def test_a_session_in_a_store_is_refused_unless_both_are_said_to_share_it(app):
    class Stored(SessionInterface):
        kept: ClassVar = {}

        def open_session(self, *_):
            return self.kept

        def save_session(self, app, session, response): ...

    app.session_interface = Stored()
    with (
        pytest.raises(SessionNotShared, match="Stored, which does not keep"),
        flask_client(app, wsgi(shop())).session_transaction(),
    ):
        pass
    with flask_client(app, wsgi(shop()), sessions_shared=True).session_transaction() as kept:
        kept["a"] = 1
    assert Stored.kept == {"a": 1}


def test_an_exception_that_the_suite_expects_is_raised_when_the_port_failed_too(app):
    with pytest.raises(ZeroDivisionError):
        flask_client(app, wsgi(shop())).get("/boom")
    with pytest.raises(ZeroDivisionError):
        flask_client(app, always(answer(b"its own words", status=500))).get("/boom")
    with pytest.raises(Different, match="status status value"):
        flask_client(app, always(answer(b""))).get("/boom")


def test_an_app_that_asks_itself_is_compared_once(app):
    @app.get("/outer")
    def outer():
        return inner.get("/items/1").json, 404

    port = always(json_answer({"error": "gone"}, status=404))
    inner = flask_client(app, port, collect=True)
    inner.get("/outer")
    assert [sent.target for sent in port.sent] == [b"/outer"]


def test_werkzeugs_own_client_and_an_original_that_is_a_target():
    for original in (shop().wsgi_app, wsgi(shop())):
        client = flask_client(original, wsgi(shop()))
        assert client.post("/items", json={"name": "tea"}).json == {"id": 1, "name": "tea"}
        with pytest.raises(Different):
            flask_client(original, wsgi(shop(gone=500))).get("/items/9")
    with pytest.raises(SessionNotShared, match="needs the original as a Flask app"), client.session_transaction():
        pass


def test_a_failure_of_both_is_an_error_of_the_connection():
    from contract_tests.parity import Response as Outcome

    failed = Outcome(0, failure="timeout")
    with pytest.raises(ConnectionError, match="timeout"):
        flask_client(always(failed), always(failed)).get("/")


async def echo(scope, receive, send):
    """An ASGI app that tells how it was reached."""
    assert scope["type"] == "http"
    body = f"{scope['scheme']} {scope['server']} {scope['method']} {scope['path']}".encode()
    if scope["path"] == "/away":
        head = {"status": 302, "headers": [(b"location", b"/there"), (b"content-length", b"0")]}
        body = b""
    elif scope["path"] == "/boom":
        raise ZeroDivisionError("boom")
    else:
        head = {"status": 200, "headers": [(b"content-length", str(len(body)).encode())]}
    await send({"type": "http.response.start", **head})
    await send({"type": "http.response.body", "body": body})


async def other(scope, receive, send):
    """The same, but for one path."""
    if scope["path"] == "/other":
        scope = {**scope, "path": "/another"}
    await echo(scope, receive, send)


def test_a_pair_test_client_has_the_manners_of_starlettes():
    with PairTestClient(echo, asgi(other)) as client:
        assert client.get("/x").text == "http ('testserver', 80) GET /x"
        shown = client.get("/away")
        assert (shown.text, [each.status_code for each in shown.history]) == (
            "http ('testserver', 80) GET /there",
            [302],
        )
        assert client.get("/away", follow_redirects=False).status_code == 302
        assert isinstance(client, httpx.Client)
        assert client.headers["user-agent"] == "testclient"
        with pytest.raises(Different, match="bytes body value"):
            client.get("/other")
        with pytest.raises(ZeroDivisionError):
            client.get("/boom")
        with pytest.raises(NotImplementedError, match="WebSocket"):
            client.websocket_connect("/ws")


def test_a_pair_test_client_gives_the_500_where_it_is_told_to():
    with PairTestClient(echo, other, raise_server_exceptions=False) as client:
        assert client.get("/boom").status_code == 500


def test_a_pair_test_client_runs_lifespans_and_leaves_given_targets_alone():
    class Given(Toy):
        closed = False

        def close(self):
            self.closed = True

    events = []

    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            for name in ("startup", "shutdown"):
                await receive()
                events.append(name)
                await send({"type": f"lifespan.{name}.complete"})
        else:
            await echo(scope, receive, send)

    given = Given(lambda _: answer(b"http ('testserver', 80) GET /x"))
    with PairTestClient(given, app) as client:
        client.get("/x")
        assert events == ["startup"]
    assert events == ["startup", "shutdown"]
    assert not given.closed


def test_collecting_in_a_pair_test_client_is_told_when_it_closes():
    client = PairTestClient(echo, other, collect=True)
    assert client.get("/other").text.endswith("/other")
    with pytest.raises(Different):
        client.close()


def test_the_engine_without_its_clients_imports_no_framework():
    code = (
        "import sys; import contract_tests.parity.clients.mirror, contract_tests.parity.clients.pair_test_client;"
        "names = {name.partition('.')[0] for name in sys.modules};"
        "print(sorted(names & {'requests', 'flask', 'werkzeug', 'fastapi', 'starlette', 'pytest'}))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
