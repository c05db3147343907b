"""A WSGI application sees a strict server, and its outcome is what a client of that server would read."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from threading import Barrier, Event, Thread, current_thread
from typing import TYPE_CHECKING, Any
from wsgiref.validate import validator

import pytest

from contract_tests.parity.drivers import wsgi
from contract_tests.parity.messages import Request, Response
from contract_tests.tests.engine.wsgi_apps import TEXT, Environ, answering, environ_of, get

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse


def test_a_response_arrives_whole_under_wsgiref_validate() -> None:
    headers = [*TEXT, ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]
    response = get(validator(answering("201 Created", headers, [b"one", b"two"])))
    assert response == Response(
        201, ((b"Content-Type", b"text/plain"), (b"Set-Cookie", b"a=1"), (b"Set-Cookie", b"b=2")), b"onetwo"
    )
    assert response.exception is None


def test_the_path_is_decoded_to_latin_1_and_the_query_is_left_raw() -> None:
    environ = environ_of(Request("GET", b"/caf%C3%A9/a%2Fb//c?x=%C3%A9&y=a+b"))
    assert environ["PATH_INFO"] == "/caf\xc3\xa9/a/b//c"
    assert environ["QUERY_STRING"] == "x=%C3%A9&y=a+b"
    assert environ["RAW_URI"] == environ["REQUEST_URI"] == "/caf%C3%A9/a%2Fb//c?x=%C3%A9&y=a+b"
    assert environ["SCRIPT_NAME"] == ""


def test_the_server_is_https_testserver_and_the_client_is_local() -> None:
    environ = environ_of(Request("GET", b"/"))
    assert (environ["wsgi.url_scheme"], environ["SERVER_NAME"], environ["SERVER_PORT"]) == (
        "https",
        "testserver",
        "443",
    )
    assert environ["HTTP_HOST"] == "testserver"
    assert environ["REMOTE_ADDR"] == "127.0.0.1"
    assert environ["SERVER_PROTOCOL"] == "HTTP/1.1"
    assert environ["wsgi.input_terminated"] is True


@pytest.mark.parametrize("target", [b"//double/slash?q=1", b"https://elsewhere.example//double/slash?q=1"])
def test_the_target_may_begin_with_two_slashes_or_be_absolute(target: bytes) -> None:
    environ = environ_of(Request("GET", target))
    assert (environ["PATH_INFO"], environ["QUERY_STRING"]) == ("//double/slash", "q=1")


def test_a_fragment_is_dropped_as_servers_do() -> None:
    environ = environ_of(Request("GET", b"/a?b#c?d"))
    assert (environ["PATH_INFO"], environ["QUERY_STRING"]) == ("/a", "b")


@pytest.mark.parametrize("target", [b"/a b", b"/\xff", b"/a\r\nX: y", b"", b"h:80"])
def test_a_target_that_no_server_hands_on_is_a_bad_request(target: bytes) -> None:
    assert get(answering(), target=target).status == 400


def test_repeated_headers_are_joined_by_commas_as_gunicorn_does() -> None:
    headers = ((b"X-Tag", b"a"), (b"Cookie", b"a=1"), (b"x-tag", b"b"), (b"Cookie", b"b=2"))
    environ = environ_of(Request("GET", b"/", headers))
    assert environ["HTTP_X_TAG"] == "a,b"
    assert environ["HTTP_COOKIE"] == "a=1,b=2"


def test_header_names_with_an_underscore_are_dropped() -> None:
    environ = environ_of(Request("GET", b"/", ((b"X_Forwarded_For", b"evil"), (b"X-Forwarded-For", b"good"))))
    assert environ["HTTP_X_FORWARDED_FOR"] == "good"


def test_white_space_around_a_header_value_does_not_count() -> None:
    assert environ_of(Request("GET", b"/", ((b"X-Tag", b" \ta b\t "),)))["HTTP_X_TAG"] == "a b"


def test_content_type_and_length_have_their_own_names() -> None:
    environ = environ_of(Request("POST", b"/", ((b"Content-Type", b"text/plain"),), b"12345"))
    assert (environ["CONTENT_TYPE"], environ["CONTENT_LENGTH"], environ["body"]) == ("text/plain", "5", b"12345")


def test_a_request_without_a_body_has_no_content_length() -> None:
    assert "CONTENT_LENGTH" not in environ_of(Request("GET", b"/"))


def test_a_chunked_request_keeps_its_body_and_gets_no_length() -> None:
    environ = environ_of(Request("POST", b"/", ((b"Transfer-Encoding", b"chunked"),), b"12345"))
    assert environ["body"] == b"12345"
    assert environ["HTTP_TRANSFER_ENCODING"] == "chunked"
    assert "CONTENT_LENGTH" not in environ


def test_the_input_ends_where_content_length_says() -> None:
    assert environ_of(Request("POST", b"/", ((b"Content-Length", b"3"),), b"12345"))["body"] == b"123"


def test_the_input_has_the_methods_of_pep_3333_and_no_others() -> None:
    seen: list[Any] = []

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        stream = environ["wsgi.input"]
        seen.extend([stream.read(1), stream.readline(), stream.readlines(), list(stream), hasattr(stream, "seek")])
        start_response("200 OK", TEXT)
        return []

    get(app, method="POST", body=b"a1\nb\nc")
    assert seen == [b"a", b"1\n", [b"b\n", b"c"], [], False]


def test_what_the_application_writes_to_errors_is_kept() -> None:
    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        environ["wsgi.errors"].write("it broke\n")
        return answering()(environ, start_response)

    target = wsgi(validator(app))
    target.send(Request("GET", b"/"))
    assert target.errors == "it broke\n"


def test_write_sends_the_head_and_comes_before_the_body() -> None:
    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        write = start_response("200 OK", TEXT)
        write(b"first ")
        return [b"second"]

    assert get(validator(app)).body == b"first second"


def test_an_exception_after_an_empty_write_is_truncated_as_the_head_is_sent() -> None:
    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", TEXT)(b"")
        raise KeyError("late")

    response = get(app)
    assert (response.status, response.failure) == (200, "truncated")


def test_start_response_may_be_called_late() -> None:
    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response("202 Accepted", TEXT)
        yield b"late"

    assert get(validator(app)).status == 202


def test_start_response_twice_with_exc_info_replaces_the_head() -> None:
    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", [*TEXT, ("X-First", "yes")])
        try:
            raise ValueError("before the body")
        except ValueError:
            start_response("503 Service Unavailable", TEXT, sys.exc_info())
        yield b"sorry"

    response = get(validator(app))
    assert (response.status, response.body, response.header("x-first")) == (503, b"sorry", None)


def test_start_response_with_exc_info_after_the_head_raises_that_exception() -> None:
    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", TEXT)
        yield b"some"
        try:
            raise ValueError("in the body")
        except ValueError:
            start_response("500 Oh", TEXT, sys.exc_info())

    response = get(app)
    assert (response.status, response.body, response.failure) == (200, b"some", "truncated")
    assert isinstance(response.exception, ValueError)


def test_start_response_twice_without_exc_info_is_an_error() -> None:
    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", TEXT)
        start_response("200 OK", TEXT)
        return [b""]

    response = get(app)
    assert response.status == 500
    assert isinstance(response.exception, AssertionError)


@pytest.mark.parametrize("body", [[b"early"], [b""], []])
def test_a_body_without_start_response_is_a_500(body: list[bytes]) -> None:
    assert get(lambda *_: body).status == 500


@pytest.mark.parametrize(
    "header",
    [("X-Bad", "a\r\nSet-Cookie: b=1"), ("X-Bad", "a\nb"), ("X Bad", "a"), ("", "a"), ("X-Bad", "\u0142"), ("X", 1)],
)
def test_an_invalid_header_is_a_500(header: Any) -> None:
    response = get(answering(headers=[header]))
    assert response.status == 500
    assert isinstance(response.exception, ValueError | TypeError)


@pytest.mark.parametrize("status", ["20 OK", "OK", "200 \r\nX: y", 200, "2000 OK"])
def test_an_invalid_status_is_a_500(status: Any) -> None:
    assert get(answering(status=status)).status == 500


@pytest.mark.parametrize("body", [["text"], [1], "text"])
def test_a_body_that_is_no_bytes_is_a_500(body: Any) -> None:
    assert get(answering(body=body)).status == 500


def test_connection_headers_are_left_to_the_server() -> None:
    headers = [*TEXT, ("Connection", "close"), ("Transfer-Encoding", "chunked"), ("Date", "never"), ("Server", "me")]
    assert get(answering(headers=headers)).headers == ((b"Content-Type", b"text/plain"),)


def test_several_threads_are_in_the_application_at_once() -> None:
    together = Barrier(3, timeout=10)

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        together.wait()
        return answering(body=[environ["PATH_INFO"].encode()])(environ, start_response)

    target = wsgi(app)
    with ThreadPoolExecutor(3) as pool:
        requests = [Request("GET", b"/%d" % number) for number in range(3)]
        assert [response.body for response in pool.map(target.send, requests)] == [b"/0", b"/1", b"/2"]


def test_context_variables_neither_reach_the_application_nor_leak_from_it() -> None:
    variable: ContextVar[str] = ContextVar("variable", default="unset")
    seen: list[str] = []

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        seen.append(variable.get())
        variable.set("application")
        return answering()(environ, start_response)

    token = variable.set("caller")
    target = wsgi(app)
    target.send(Request("GET", b"/"))
    target.send(Request("GET", b"/"))
    assert (seen, variable.get()) == (["unset", "unset"], "caller")
    variable.reset(token)


def test_reset_calls_its_hook_and_close_may_be_called_twice() -> None:
    calls: list[str] = []
    with wsgi(answering(), reset=lambda: calls.append("reset")) as target:
        target.reset()
        target.close()
    target.close()
    assert calls == ["reset"]
    wsgi(answering()).reset()


def test_the_name_is_the_class_of_the_application() -> None:
    class Application:
        def __call__(self, *_: object) -> Iterable[bytes]:
            return []

    assert wsgi(Application()).name.endswith(".Application")
    assert wsgi(answering()).name.endswith(".app")


def test_a_length_of_any_number_of_digits_is_one_that_never_arrives() -> None:
    def echo(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        return answering(body=[environ["wsgi.input"].read()])(environ, start_response)

    endless = "9" * 5000
    response = get(answering(headers=[("Content-Length", endless)]))
    assert (response.body, response.failure) == (b"hello", "truncated")
    request = Request("POST", b"/", ((b"Content-Length", endless.encode()),), b"abc")
    assert wsgi(echo).send(request).body == b"abc"
    assert get(answering(headers=[("Content-Length", "0" * 5000 + "5")])).failure is None


def stuck(timeout: float | None) -> tuple[Any, Event, list[Thread]]:
    """A target whose path /stuck waits for an event; and the threads that the application ran on."""
    release, threads = Event(), list[Thread]()

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        threads.append(current_thread())
        if environ["PATH_INFO"] == "/stuck":
            release.wait(10)
        return answering(body=[environ["PATH_INFO"].encode()])(environ, start_response)

    return wsgi(app, timeout=timeout), release, threads


def test_an_application_that_never_answers_is_a_timeout_and_the_next_request_is_not() -> None:
    target, release, _ = stuck(0.05)
    assert target.send(Request("GET", b"/stuck")) == Response(0, failure="timeout")
    assert target.send(Request("GET", b"/next")).body == b"/next"
    release.set()
    assert [target.send(Request("GET", path)).body for path in (b"/a", b"/b")] == [b"/a", b"/b"]


def test_one_thread_serves_a_sender_and_ends_with_the_target() -> None:
    target, _, threads = stuck(10.0)
    for _ in range(3):
        target.send(Request("GET", b"/"))
    assert len(set(threads)) == 1
    assert threads[0] is not current_thread()
    target.close()
    threads[0].join(5)
    assert not threads[0].is_alive()
    assert target.send(Request("GET", b"/again")).body == b"/again"


def test_without_a_timeout_the_application_is_called_on_the_senders_thread() -> None:
    target, _, threads = stuck(None)
    target.send(Request("GET", b"/"))
    assert threads == [current_thread()]
