"""An error is answered by the page that Flask has for it."""

import pytest
from fastapi import FastAPI, HTTPException
from starlette.responses import StreamingResponse
from werkzeug.exceptions import default_exceptions

from contract_tests.live.probes.specimens.quirks.ported import create_app
from contract_tests.parity import asgi, compare
from contract_tests.tests.house.wire import ask, three
from fastapi_app.wire.pages import Pages, page


@pytest.fixture(scope="module")
def apps():
    with three() as apps:
        yield apps


def test_what_nobody_routes_is_the_page_for_404(apps):
    assert apps.naive_differences(ask("/nowhere"))
    assert not apps.differences(ask("/nowhere"))


@pytest.mark.parametrize("status", sorted(default_exceptions))
@pytest.mark.parametrize("description", [None, "", '<b>it\'s</b> "me" & co\nline', "ünicode €"])
def test_each_page_is_werkzeugs(status, description):
    theirs = default_exceptions[status](description=description).get_response()
    ours = page(status, description)
    assert ours.body == theirs.get_data()
    assert ours.status_code == theirs.status_code
    assert ours.headers["content-type"] == theirs.headers["Content-Type"]


def test_it_works_on_any_app():
    app = FastAPI()

    @app.get("/refuse")
    def refuse():
        raise HTTPException(403, "not you", {"X-Why": "because"})

    @app.get("/fail")
    def fail():
        raise RuntimeError

    Pages.install(app)
    with asgi(app) as target:
        refused = target.send(ask("/refuse"))
        failed = target.send(ask("/fail"))
    assert (refused.status, refused.header("X-Why"), refused.body) == (403, b"because", page(403, "not you").body)
    assert (failed.status, failed.body) == (500, page(500).body)
    assert isinstance(failed.exception, RuntimeError)


def test_a_transfer_that_has_begun_stays_broken(caplog):
    app = FastAPI()

    @app.get("/stream")
    def stream():
        def chunks():
            yield b"begun"
            raise RuntimeError

        return StreamingResponse(chunks())

    Pages.install(app)
    with asgi(app) as target:
        answer = target.send(ask("/stream"))
    assert (answer.status, answer.body, answer.failure) == (200, b"begun", "truncated")
    # Whoever is further out hears of it, and nothing more is sent.
    assert isinstance(answer.exception, RuntimeError)
    assert "no handler caught" not in caplog.text


@pytest.mark.parametrize(
    ("area", "request_"),
    [
        ("routing", ask("/routing/leaf", "OPTIONS")),
        ("redirects", ask("/redirects/here")),
        ("cookies", ask("/cookies/set")),
        ("headers", ask("/headers/read/X-A", "GET", ("X-A", "1"), ("X-A", "2"))),
        ("streams", ask("/streams/letters")),
        ("errors", ask("/errors/fail")),
        ("auth", ask("/auth/nowhere")),
        ("pages", ask("/nowhere")),
    ],
)
def test_an_area_can_be_left_naive(apps, area, request_):
    with asgi(create_app(naive=frozenset({area}))) as target:
        assert compare(apps.original.send(request_), target.send(request_))
    with asgi(create_app(naive=frozenset())) as target:
        assert not compare(apps.original.send(request_), target.send(request_))
