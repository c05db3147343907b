"""Behind an httpx.Client a target gets what httpx sends, and the client gets what the target answers."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import httpx
import pytest

from contract_tests.parity.messages import Request, Response
from contract_tests.parity.transport import TargetTransport, httpx_response, request_of

OK = Response(200, ((b"Content-Type", b"text/plain"),), b"ok")


class Recorder:
    """A target that keeps its requests and gives its answers in turn, the last one for all that follow."""

    name = "recorder"

    def __init__(self, *answers: Response) -> None:
        self.answers = answers or (OK,)
        self.requests: list[Request] = []
        self.closed = False

    def send(self, request: Request) -> Response:
        self.requests.append(request)
        return self.answers[min(len(self.requests), len(self.answers)) - 1]

    def reset(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *exc: object) -> None:
        pass


def client_of(target: Recorder, **kwargs: bool) -> httpx.Client:
    return httpx.Client(transport=TargetTransport(target), base_url="https://testserver", **kwargs)  # type: ignore[arg-type]


def answered(response: Response) -> httpx.Response:
    with client_of(Recorder(response)) as client:
        return client.get("/")


def test_the_target_is_the_raw_path_with_the_query() -> None:
    assert request_of(httpx.Request("GET", "https://h/a%2Fb?x=%20")).target == b"/a%2Fb?x=%20"


def test_the_target_extension_goes_out_as_it_is() -> None:
    request = httpx.Request("GET", "https://h/a", extensions={"target": b"/a/../b"})
    assert request_of(request).target == b"/a/../b"


def test_repeated_request_headers_stay_apart_with_their_case() -> None:
    request = httpx.Request("GET", "https://h/", headers=[("X-tag", "a"), ("X-tag", "b"), ("Host", "h")])
    assert request_of(request).headers == ((b"X-tag", b"a"), (b"X-tag", b"b"), (b"Host", b"h"))


def test_a_streamed_request_is_read_whole_and_left_as_it_was() -> None:
    def parts() -> Iterator[bytes]:
        yield b"one"
        yield b"two"

    request = httpx.Request("POST", "https://h/", content=parts())
    before = (request.method, request.url, list(request.headers.raw), dict(request.extensions))
    assert request_of(request).body == b"onetwo"
    assert request_of(request).body == b"onetwo"
    assert (request.method, request.url, list(request.headers.raw), dict(request.extensions)) == before


def test_repeated_response_headers_stay_apart() -> None:
    response = answered(Response(200, ((b"Set-Cookie", b"a=1"), (b"set-cookie", b"b=2; Path=/"))))
    assert response.headers.get_list("set-cookie") == ["a=1", "b=2; Path=/"]
    assert dict(response.cookies) == {"a": "1", "b": "2"}


def test_no_header_is_added_to_a_response() -> None:
    assert answered(Response(200, (), b"ok")).headers.raw == []


def test_cookies_are_kept_and_sent_again() -> None:
    target = Recorder(Response(200, ((b"Set-Cookie", b"a=1; Secure"),)))
    with client_of(target) as client:
        client.get("/")
        client.get("/")
    assert (b"Cookie", b"a=1") in target.requests[1].headers


def test_redirects_are_not_followed() -> None:
    target = Recorder(Response(302, ((b"Location", b"/there"),)))
    with client_of(target) as client:
        assert client.get("/").status_code == 302
    assert len(target.requests) == 1


def test_a_client_that_follows_redirects_may() -> None:
    target = Recorder(Response(302, ((b"Location", b"/there"),)), OK)
    with client_of(target, follow_redirects=True) as client:
        assert client.get("/").text == "ok"
    assert target.requests[1].target == b"/there"


def test_an_encoded_body_is_decoded_as_usual() -> None:
    response = answered(Response(200, ((b"Content-Encoding", b"gzip"),), gzip.compress(b"plain")))
    assert response.content == b"plain"
    assert response.headers["content-encoding"] == "gzip"


def test_a_response_may_be_streamed() -> None:
    with client_of(Recorder()) as client, client.stream("GET", "/") as response:
        assert b"".join(response.iter_raw()) == b"ok"


def test_the_exception_of_the_application_is_in_the_extensions() -> None:
    error = ValueError("in the application")
    assert answered(Response(500, exception=error)).extensions["exception"] is error
    assert "exception" not in answered(OK).extensions


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        ("refused", httpx.ConnectError),
        ("timeout", httpx.ReadTimeout),
        ("reset", httpx.ReadError),
        ("truncated", httpx.RemoteProtocolError),
    ],
)
def test_a_failure_is_raised_as_the_error_of_httpx(failure: str, error: type[httpx.TransportError]) -> None:
    cause = ValueError("why")
    with pytest.raises(error, match=failure) as raised:
        answered(Response(200, (), b"some", failure=failure, exception=cause))
    assert raised.type is error
    assert raised.value.__cause__ is cause
    assert raised.value.request.url == "https://testserver/"
    assert "4 bytes" in str(raised.value)


def test_a_failure_without_a_head_says_so() -> None:
    with pytest.raises(httpx.ConnectError, match="refused: no response"):
        httpx_response(Response(0, failure="refused"), httpx.Request("GET", "https://h/"))


def test_the_target_outlives_the_client() -> None:
    target = Recorder()
    with client_of(target):
        pass
    assert not target.closed
