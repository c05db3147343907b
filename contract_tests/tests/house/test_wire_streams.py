"""Streams are sent as gunicorn sends Flask's: what fails early is an error, what fails later is broken off."""

import asyncio
import threading

import anyio
import pytest
from fastapi import FastAPI

from contract_tests.live.probes.specimens.quirks import naive, original, ported
from contract_tests.parity import asgi, wsgi
from contract_tests.tests.house.wire import Three, ask
from fastapi_app.wire.streams import FAILED, Stream

PATHS = [
    "letters",
    "words",
    "empty",
    "typed",
    "binary",
    "measured",
    "fails-first",
    "fails-later",
    "fails-within-length",
    "overlong",
    "overlong-by-a-chunk",
    "overlong-from-nothing",
    "no-content",
    "measured-no-content",
    "failing-no-content",
]


def behind_gunicorn(app):
    """The application with gunicorn's own page where it fails before its first chunk, as gunicorn/util.py has it."""

    def answer(environ, start_response):
        chunks = app(environ, start_response)
        try:
            first = next(iter(chunks), None)
        except RuntimeError as error:
            headers = [("Content-Type", "text/html"), ("Content-Length", str(len(FAILED)))]
            start_response("500 Internal Server Error", headers, (type(error), error, None))
            return [FAILED]
        return chunks if first is None else Rest(first, chunks)

    return answer


class Rest:
    """What is left of an iterable whose first item was taken."""

    def __init__(self, first, chunks):
        self.first, self.chunks = first, chunks

    def __iter__(self):
        yield self.first
        yield from self.chunks

    def close(self):
        self.chunks.close()


@pytest.fixture(scope="module")
def apps():
    first, second, third = original.create_app(), naive.create_app(), ported.create_app()
    with wsgi(behind_gunicorn(first)) as one, asgi(second) as two, asgi(third) as three:
        yield Three(one, two, three)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "DELETE"])
@pytest.mark.parametrize("path", PATHS)
def test_a_stream(apps, path, method):
    assert not apps.differences(ask(f"/streams/{path}", method))


def test_a_stream_in_answer_to_post(apps):
    assert not apps.differences(ask("/streams/created", "POST"))


@pytest.mark.parametrize("path", ["letters", "fails-first", "overlong", "no-content", "failing-no-content"])
def test_the_naive_port_answers_otherwise(apps, path):
    assert apps.naive_differences(ask(f"/streams/{path}"))


def test_what_fails_early_is_no_empty_200(apps):
    assert (apps.naive.send(ask("/streams/fails-first")).status, apps.answer(ask("/streams/fails-first")).status) == (
        200,
        500,
    )


def test_what_fails_later_never_ends_well(apps):
    answer = apps.answer(ask("/streams/fails-later"))
    assert (answer.status, answer.body, answer.failure) == (200, b"abcdef", "truncated")


def test_less_than_was_promised_is_broken_off(apps):
    assert apps.ported.send(ask("/streams/short")).failure == "truncated"


def test_it_works_on_any_app():
    app = FastAPI()

    async def numbers():
        for number in range(3):
            yield str(number)

    @app.get("/numbers")
    def get_numbers():
        return Stream(numbers(), media_type="text/plain")

    @app.get("/fails")
    def get_failing():
        return Stream(iter([1]))

    with asgi(app) as target:
        assert target.send(ask("/numbers")).body == b"012"
        assert target.send(ask("/fails")).failure == "truncated"


class Watched:
    """Endless content that notes in which thread it was closed, and that fails where it is closed while it is made."""

    def __init__(self):
        self.making, self.closed = threading.Lock(), None

    def __iter__(self):
        return self

    def __next__(self):
        with self.making:
            return b"x"

    def close(self):
        with self.making:
            self.closed = threading.current_thread()


async def gone_after(chunks, stream):
    """Serve a stream to a client that goes away after so many chunks."""
    seen, gone = 0, asyncio.Event()

    async def receive():
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        nonlocal seen
        seen += message["type"] == "http.response.body"
        if seen >= chunks:
            gone.set()

    await stream({"type": "http", "method": "GET", "asgi": {"spec_version": "2.3"}}, receive, send)


def test_a_stream_is_closed_off_the_loop_where_its_client_goes_away():
    content = Watched()
    asyncio.run(asyncio.wait_for(gone_after(3, Stream(content)), 5))
    assert content.closed is not None
    assert content.closed is not threading.main_thread()


def test_a_stream_is_closed_where_its_time_is_up():
    content = Watched()

    async def serve():
        with anyio.move_on_after(0.05):
            await gone_after(10**9, Stream(content))

    asyncio.run(asyncio.wait_for(serve(), 5))
    assert content.closed is not None


def test_a_generator_of_coroutines_is_closed_as_well():
    ended = []

    async def endless():
        try:
            while True:
                yield b"x"
                await asyncio.sleep(0)
        finally:
            ended.append(True)

    asyncio.run(asyncio.wait_for(gone_after(3, Stream(endless())), 5))
    assert ended == [True]


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
def test_a_stream_that_is_not_sent_is_not_begun_but_closed(method, status):
    content = Watched()
    content.__next__ = None
    sent = []

    async def send(message):
        sent.append(message["type"])

    asyncio.run(Stream(content, status)({"type": "http", "method": method}, None, send))
    assert (sent, content.closed is not None) == (["http.response.start", "http.response.body"], True)
