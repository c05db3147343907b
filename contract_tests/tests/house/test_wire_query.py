"""A query is read as the original reads it, while the port's parameters stay typed."""

from decimal import Decimal, InvalidOperation
from typing import Annotated

import pytest
from fastapi import APIRouter, FastAPI, Query

from contract_tests.parity import asgi
from contract_tests.tests.house.wire import ask, three
from fastapi_app.wire.query import FirstValues, Lenient, QueryRoute


@pytest.fixture(scope="module")
def apps():
    with three() as apps:
        yield apps


# What FastAPI reads as Flask does.
ALIKE = [
    "/typed",
    "/typed?",
    "/typed?page=2",
    "/typed?page=%205%20",
    "/typed?page=1_0",
    "/typed?page=-1",
    "/typed?ratio=nan",
    "/typed?ratio=1e400",
    "/typed?color=1F",
    "/typed?unit=kg",
    "/typed?name=",
    "/typed?name",
    "/typed?name=a%2Bb+c",
    "/typed?name=%u1234%",
    "/typed?name=a;sort=b",
    "/typed?sort=",
    "/typed?&&",
    "/typed?=&=a",
    "/typed?name=%F0%9F%98%80",
    "/typed?name=%00",
    "/lists",
    "/lists?tag=",
    "/lists?tag=a&tag=b",
    "/required?key",
    "/required?key=",
    "/all?a=1;b=2",
]

OTHERWISE = [
    "/typed?page=x",
    "/typed?page=",
    "/typed?page=1.5",
    "/typed?page=%D9%A3",
    "/typed?page=" + "9" * 4301,
    "/typed?page=1&page=2",
    "/typed?page=x&page=2",
    "/typed?ratio=x",
    "/typed?ratio=",
    "/typed?flag=false",
    "/typed?flag=0",
    "/typed?flag=",
    "/typed?flag=maybe",
    "/typed?color=zz",
    "/typed?unit=boom",
    "/typed?name=%FF",
    "/typed?name=%C3%28",
    "/typed?name=a&name=b",
    "/lists?n=1&n=x&n=2",
    "/lists?n=x",
    "/lists?n=",
    "/required",
    "/required?Key=a",
    "/required?key=a&key=b",
    "/all?a=%FF%FE&%C3=1",
]


@pytest.mark.parametrize("path", ALIKE + OTHERWISE)
def test_the_port_reads_what_the_original_reads(apps, path):
    assert not apps.differences(ask("/query" + path))


@pytest.mark.parametrize("path", OTHERWISE)
def test_without_the_kit_it_is_read_otherwise(apps, path):
    assert apps.naive_differences(ask("/query" + path))


def test_thousands_of_keys_are_read(apps):
    assert not apps.differences(ask("/query/all?" + "&".join(f"k{i}={i}&k{i}=x" for i in range(5000))))


def test_bytes_sent_raw_are_utf_8():
    assert FirstValues(b"name=\xc3\xa9")["name"] == "\u00e9"
    with pytest.raises(UnicodeDecodeError):
        FirstValues(b"name=\xff")


def make_app():
    app, router = FastAPI(), APIRouter(route_class=QueryRoute)

    @router.get("/")
    def find(
        size: int,
        page: Annotated[int, Lenient(int)] = 1,
        price: Annotated[Decimal | None, Lenient(Decimal)] = None,
        n: Annotated[list[int], Query(), Lenient(int)] = [],  # noqa: B006  # FastAPI copies it
    ):
        return [size, page, str(price), n]

    app.include_router(router)
    return app


def test_it_works_on_any_app():
    with asgi(make_app()) as target:
        assert target.send(ask("/?size=1&size=2&page=x&n=1&n=x")).body == b'[1,1,"None",[1]]'
        assert target.send(ask("/?page=2")).status == 400
        # What does not fit, and is not declared Lenient, is still FastAPI's own answer.
        assert target.send(ask("/?size=x")).status == 422
        # A converter's other errors are the handler's, as in Flask.
        assert isinstance(target.send(ask("/?size=1&price=x")).exception, InvalidOperation)


def test_types_and_defaults_stay_in_the_document():
    size, page, price, n = make_app().openapi()["paths"]["/"]["get"]["parameters"]
    assert (size["required"], size["schema"]["type"]) == (True, "integer")
    assert (page["required"], page["schema"]) == (False, {"type": "integer", "default": 1, "title": "Page"})
    assert not price["required"]
    assert (n["schema"]["type"], n["schema"]["items"]) == ("array", {"type": "integer"})


def test_a_lenient_parameter_needs_no_route_class():
    app = FastAPI()

    @app.get("/")
    def find(page: Annotated[int, Lenient(int)] = 1, flag: Annotated[bool, Lenient(bool)] = False):
        return [page, flag]

    with asgi(app) as target:
        assert target.send(ask("/?page=x&flag=false")).body == b"[1,true]"
        assert target.send(ask("/?page=1_0")).body == b"[10,false]"
