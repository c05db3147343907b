"""A head that gunicorn refuses is refused before the app is asked; over sockets the probes hold it against gunicorn."""

import asyncio

import pytest

from fastapi_app.wire.fields import field
from fastapi_app.wire.heads import RefuseHeads

HOST = (b"host", b"testserver")
MANY = [(b"x-%d" % number, b"") for number in range(100)]


def told(target=b"/", fields=(HOST,), method="GET", version="1.1"):
    """The status of the answer to a head, and the names of the fields that the app saw; None where it was not asked."""
    seen, statuses = [], []

    async def app(scope, receive, send):
        seen.extend(name for name, _ in scope["headers"])
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message):
        statuses.extend([message["status"]] if message["type"] == "http.response.start" else [])

    path, _, query = target.partition(b"?")
    scope = {"type": "http", "http_version": version, "method": method, "path": path.decode(), "raw_path": path}
    scope |= {"query_string": query, "headers": list(fields)}
    asyncio.run(RefuseHeads(app)(scope, None, send))
    return statuses[0], seen or None


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ({"target": b"/" + b"x" * (4094 - len("GET / HTTP/1.1"))}, 200),
        ({"target": b"/" + b"x" * (4095 - len("GET / HTTP/1.1"))}, 414),
        ({"target": b"/?" + b"x" * 4094}, 414),
        ({"fields": MANY}, 200),
        ({"fields": [*MANY, HOST]}, 431),
        ({"fields": [HOST, (b"x-large", b"x" * 8190)]}, 431),
        ({"fields": [HOST, HOST]}, 400),
        ({"fields": [HOST, (b"content-type", b"a/b"), (b"content-type", b"a/b")]}, 400),
        ({"fields": [HOST, (b"expect", b"100-Continue")]}, 200),
        ({"fields": [HOST, (b"expect", b"200-ok")]}, 417),
        ({"fields": [HOST, (b"transfer-encoding", b"chunked")]}, 200),
        ({"fields": [HOST, (b"transfer-encoding", b"unknown, chunked")]}, 501),
        ({"fields": [HOST, (b"transfer-encoding", b"chunked, chunked")]}, 400),
        ({"fields": [HOST, (b"transfer-encoding", b"chunked")], "version": "1.0"}, 400),
        ({"fields": [HOST, (b"content-length", b"1" * 4301)]}, 400),
        ({"target": b"*"}, 400),
        ({"target": b"*", "method": "OPTIONS"}, 200),
        ({"version": "2.0"}, 400),
    ],
)
def test_a_head_is_taken_or_refused_as_by_gunicorn(head, status):
    answered, seen = told(**head)
    assert answered == status
    assert (seen is None) == (status != 200)


def test_a_field_with_an_underscore_passes_for_no_other():
    assert told(fields=[HOST, (b"x_user", b"root"), (b"x-user", b"ada")]) == (200, [b"host", b"x-user"])


def test_repeated_fields_are_one_joined_by_a_comma_alone():
    scope = {"headers": [(b"x-a", b"1"), HOST, (b"x-a", b"2")]}
    assert (field(scope, b"x-a"), field(scope, b"x-b")) == ("1,2", None)
