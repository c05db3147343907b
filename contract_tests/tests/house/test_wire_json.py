"""JSON is read as `get_json()` reads it, and written as `jsonify()` writes it."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated

import pytest
from fastapi import APIRouter, Body, FastAPI, Request, Response
from pydantic import BaseModel
from werkzeug.http import http_date as werkzeugs

from contract_tests.live.probes.specimens.quirks.values import VALUES
from contract_tests.parity import asgi
from contract_tests.tests.house.wire import ask, three
from fastapi_app.wire.json import NOT_JSON, FlaskJSON, JSONRoute, get_json, http_date

JSON = "application/json"


@pytest.fixture(scope="module")
def apps():
    with three() as apps:
        yield apps


BODIES = [
    b"",
    b" ",
    b"null",
    b"{}",
    b"[]",
    b'{"name": "a"}',
    b'{"name": 1, "name": 2}',
    b"{",
    b"{'a': 1}",
    b"[1,]",
    b"[1] x",
    b"// c\n{}",
    b"NaN",
    b"[Infinity, -Infinity]",
    b'"\\ud800"',
    b'"\\ud83d\\ude00"',
    b'\xef\xbb\xbf{"a": 1}',
    "{}".encode("utf-16"),
    '{"a": "\u00e9"}'.encode("utf-16-le"),
    "[1]".encode("utf-32"),
    b'"\xff"',
    b"\xa0{}",
    b"\x00",
    b'"a\nb"',
    b"9" * 4300,
    b"9" * 4301,
    b"1e400",
    b"-0",
    b"1.0",
    b"[" * 100 + b"]" * 100,
    b"[" * 100_000,
]
TYPES = [
    JSON,
    f"{JSON}; charset=latin-1",
    "APPLICATION/JSON",
    "application/problem+json",
    "application/+json",
    f" {JSON} ",
]
OTHER_TYPES = [
    None,
    "",
    "text/plain",
    "text/json",
    "application/jsonx",
    f"{JSON},{JSON}",
    "application/x-www-form-urlencoded",
]


def post(path, body, media_type):
    return ask(path, "POST", *([("Content-Type", media_type)] if media_type is not None else []), body=body)


@pytest.mark.parametrize("path", ["any", "people", "silent", "forced"])
@pytest.mark.parametrize("body", BODIES, ids=lambda body: repr(body[:20]))
def test_a_body_is_read_or_refused_alike(apps, path, body):
    for media_type in TYPES + OTHER_TYPES:
        assert not apps.differences(post(f"/json/{path}", body, media_type)), media_type


@pytest.mark.parametrize("media_type", OTHER_TYPES)
def test_a_body_that_is_not_declared_as_json_is_refused_otherwise_without_the_kit(apps, media_type):
    assert apps.naive_differences(post("/json/any", b"{}", media_type))
    assert apps.answer(post("/json/any", b"{}", media_type)).status == 415


@pytest.mark.parametrize(
    ("body", "status"), [(b"", 400), (b"{", 400), (b'"\xff"', 400), (b"9" * 4301, 400), (b"[" * 100_000, 500)]
)
def test_a_broken_body_is_refused_otherwise_without_the_kit(apps, body, status):
    assert apps.naive_differences(post("/json/any", body, JSON))
    assert apps.answer(post("/json/any", body, JSON)).status == status


@pytest.mark.parametrize("name", VALUES)
def test_a_value_is_written_alike(apps, name):
    assert not apps.differences(ask(f"/json/values/{name}"))
    assert apps.naive_differences(ask(f"/json/values/{name}"))


@pytest.mark.parametrize("hours", range(-12, 15))
def test_a_time_is_written_as_werkzeug_writes_it(hours):
    there = datetime(2024, 2, 29, 12, 30, 59, 999999, timezone(timedelta(hours=hours, minutes=45)))
    for value in (there, there.replace(tzinfo=None), there.astimezone(UTC), there.date()):
        assert http_date(value) == werkzeugs(value)


class Person(BaseModel):
    name: str


def make_app():
    app, router = FastAPI(), APIRouter(route_class=JSONRoute)

    @router.post("/", response_model=Person)
    def post_person(person: Person) -> Response:
        return FlaskJSON({"b": 1, "a": person.name})

    @router.post("/any")
    def post_any(body: Annotated[int, Body()] = 5):
        return body

    app.include_router(router)
    return app


def test_it_works_on_any_app():
    with asgi(make_app()) as target:
        assert target.send(post("/", b'{"name": "\xc3\xa9"}', JSON)).body == b'{"a":"\\u00e9","b":1}\n'
        assert target.send(post("/", b"", JSON)).status == 400
        assert target.send(post("/", b"{}", "text/plain")).status == 415
        assert isinstance(target.send(post("/", b"[" * 100_000, JSON)).exception, RecursionError)
        # What does not fit its type is FastAPI's own answer.
        assert target.send(post("/", b"{}", JSON)).status == 422


def test_a_handler_can_ask_for_json_by_itself():
    app = FastAPI()

    @app.post("/")
    async def post_anything(request: Request):
        return await get_json(request)

    with asgi(app) as target:
        assert target.send(post("/", b"[1]", JSON)).body == b"[1]"
        refused = target.send(post("/", b"[1]", "text/plain"))
        assert (refused.status, NOT_JSON.encode() in refused.body) == (415, True)
        assert target.send(post("/", b"[", JSON)).status == 400


def test_types_stay_in_the_document():
    operation = make_app().openapi()["paths"]["/"]["post"]
    person = {"$ref": "#/components/schemas/Person"}
    assert operation["requestBody"]["content"][JSON]["schema"] == person
    assert operation["responses"]["200"]["content"][JSON]["schema"] == person
