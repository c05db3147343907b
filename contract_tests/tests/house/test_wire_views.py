"""What a view returns becomes the response that Flask makes of it."""

from collections.abc import Iterator
from typing import Annotated

import pytest
from fastapi import APIRouter, FastAPI, Query, Response
from fastapi.responses import JSONResponse

from contract_tests.live.probes.specimens.quirks.returned import RETURNED
from contract_tests.parity import asgi
from contract_tests.tests.house.wire import ask, three
from fastapi_app.wire.views import ViewRoute, make_response


@pytest.fixture(scope="module")
def apps():
    with three() as apps:
        yield apps


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("name", RETURNED)
def test_whatever_is_returned_is_sent_alike(apps, name, method):
    request = ask(f"/views/returned/{name}", method)
    assert not apps.differences(request)
    assert apps.naive_differences(request)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/views/words", 200),
        ("HEAD", "/views/words", 200),
        ("GET", "/views/response", 201),
        ("GET", "/views/untouched", 202),
        ("DELETE", "/views/gone", 204),
        ("POST", "/views/echo/5", 201),
    ],
)
def test_other_views_are_answered_alike(apps, method, path, status):
    assert apps.answer(ask(path, method)).status == status
    assert apps.naive_differences(ask(path, method))


def test_a_text_that_is_no_status_is_refused():
    with pytest.raises(ValueError, match="invalid literal"):
        make_response(("body", "CREATED"))


def test_a_ready_response_is_returned_as_it_is():
    ready = JSONResponse({"a": 1})
    assert make_response(ready) is ready


def make_app():
    app, router = FastAPI(), APIRouter(route_class=ViewRoute)

    @router.get("/pair")
    def get_pair(name: Annotated[str, Query(max_length=3)] = "ada"):
        """A pair."""
        return f"<p>{name}</p>", "201 CREATED"

    @router.get("/later")
    async def get_later():
        return {"b": 1, "a": 2}, {"X-One": "1"}

    @router.get("/words")
    def get_words() -> Iterator[str]:
        yield "one "
        yield "two"

    @router.get("/list")
    def get_list() -> list[int]:
        return [1]

    @router.get("/nothing", status_code=204)
    def get_nothing() -> Response:
        return Response(status_code=204)

    app.include_router(router)
    return app


def test_it_works_on_any_app():
    with asgi(make_app()) as target:
        pair = target.send(ask("/pair?name=bob"))
        assert (pair.status, pair.header("Content-Type"), pair.body) == (
            201,
            b"text/html; charset=utf-8",
            b"<p>bob</p>",
        )
        later = target.send(ask("/later"))
        assert (later.status, later.header("X-One"), later.body) == (200, b"1", b'{"a":2,"b":1}\n')
        assert target.send(ask("/words")).body == b"one two"
        assert target.send(ask("/pair?name=long")).status == 422
        assert target.send(ask("/nothing")).status == 204


def test_parameters_and_json_types_stay_in_the_document():
    paths = make_app().openapi()["paths"]
    assert paths["/pair"]["get"]["summary"] == "Get Pair"
    assert paths["/pair"]["get"]["description"] == "A pair."
    assert paths["/pair"]["get"]["parameters"][0]["schema"]["maxLength"] == 3
    assert paths["/list"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]["type"] == "array"
    assert paths["/words"]["get"]["responses"]["200"]["content"]["application/json"]["schema"] == {}
