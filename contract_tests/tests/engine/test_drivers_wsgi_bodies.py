"""What a WSGI application gives as a body, or fails to give, is what a client would read of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import pytest

from contract_tests.tests.engine.wsgi_apps import TEXT, Environ, answering, get

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse


class Body:
    """A body that counts its calls of close()."""

    def __init__(self, *parts: bytes | Exception) -> None:
        self.parts = parts
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        for part in self.parts:
            if isinstance(part, Exception):
                raise part
            yield part

    def close(self) -> None:
        self.closed += 1


@pytest.mark.parametrize("parts", [(), (b"a", b"b"), (ValueError(),), (b"a", ValueError())])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_body_is_closed_once_whatever_happens(parts: tuple[bytes | Exception, ...], method: str) -> None:
    body = Body(*parts)
    get(answering(body=body), method=method)
    assert body.closed == 1


def test_the_body_is_closed_before_the_outcome_is_returned() -> None:
    order: list[str] = []

    class Closing(Body):
        def close(self) -> None:
            order.append("closed")

    get(answering(body=Closing(b"a")))
    order.append("returned")
    assert order == ["closed", "returned"]


@pytest.mark.parametrize(("method", "status"), [("HEAD", "200 OK"), ("GET", "204 No Content"), ("GET", "304 Not")])
def test_a_body_that_may_not_follow_its_head_is_dropped(method: str, status: str) -> None:
    response = get(answering(status, TEXT, [b"dropped"]), method=method)
    assert (response.status, response.body, response.failure) == (int(status[:3]), b"", None)


def test_head_keeps_the_content_length_of_the_get() -> None:
    assert get(answering(headers=[("Content-Length", "5")]), method="HEAD").header("content-length") == b"5"


def test_a_204_has_no_content_length() -> None:
    assert get(answering("204 No Content", [("Content-Length", "0")], [])).headers == ()


def test_an_exception_before_the_head_is_a_500_with_the_exception() -> None:
    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        raise KeyError("broken")

    response = get(app)
    assert (response.status, response.body, response.failure) == (500, b"Internal Server Error", None)
    assert isinstance(response.exception, KeyError)


def test_an_exception_before_the_first_byte_is_a_500_though_start_response_was_called() -> None:
    """PEP 3333: the head is not sent before the first non-empty bytestring."""
    response = get(answering(body=Body(b"", ValueError("first chunk"))))
    assert response.status == 500
    assert isinstance(response.exception, ValueError)


def test_a_500_to_head_has_no_body() -> None:
    assert get(answering(body=Body(ValueError())), method="HEAD").body == b""


def test_an_exception_in_the_body_truncates_it() -> None:
    response = get(answering(body=Body(b"some", ValueError("middle"))))
    assert (response.status, response.body, response.failure) == (200, b"some", "truncated")
    assert isinstance(response.exception, ValueError)


def test_an_exception_after_the_whole_declared_body_is_told_but_truncates_nothing() -> None:
    response = get(answering(headers=[("Content-Length", "4")], body=Body(b"some", ValueError("afterwards"))))
    assert (response.body, response.failure) == (b"some", None)
    assert isinstance(response.exception, ValueError)


def test_a_system_exit_does_not_end_the_caller() -> None:
    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        raise SystemExit(3)

    assert isinstance(get(app).exception, SystemExit)


def test_a_keyboard_interrupt_does_reach_the_caller() -> None:
    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        get(app)


def test_a_body_shorter_than_its_content_length_is_truncated() -> None:
    response = get(answering(headers=[("Content-Length", "9")]))
    assert (response.status, response.body, response.failure) == (200, b"hello", "truncated")


def test_a_body_longer_than_its_content_length_is_cut_as_gunicorn_does() -> None:
    response = get(answering(headers=[("Content-Length", "4")]))
    assert (response.body, response.failure) == (b"hell", None)


def test_an_exception_that_the_application_answered_itself_is_taken_from_the_environ() -> None:
    caught = ValueError("caught")

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        environ["wire.exception"] = caught
        return answering("500 Oh", body=[b"my own page"])(environ, start_response)

    response = get(app)
    assert (response.status, response.body) == (500, b"my own page")
    assert response.exception is caught
