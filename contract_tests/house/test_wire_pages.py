"""An error is answered by the page that Flask has for it."""

import pytest
from fastapi import FastAPI, HTTPException
from werkzeug.exceptions import default_exceptions

from contract_tests.house.wire import ask, three
from contract_tests.parity import asgi
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
