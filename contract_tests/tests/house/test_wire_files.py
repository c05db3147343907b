"""Files are sent as Flask's send_file sends them: conditions, ranges, names and what is no file."""

import mimetypes

import pytest
from fastapi import FastAPI, Request
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import Headers
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.security import safe_join as theirs_joined
from werkzeug.utils import send_file as theirs
from werkzeug.wrappers import Response as TheirResponse

from contract_tests.live.probes.specimens.quirks.folder import FILES, LETTERS, MODIFIED, fill
from contract_tests.parity import asgi
from contract_tests.tests.house.wire import ask, three
from fastapi_app.wire.conditional import Selected, Unsatisfiable, Whole, select
from fastapi_app.wire.files import safe_join, send_file

DATE = "Tue, 14 Nov 2023 22:13:20 GMT"
EARLIER, LATER = "Tue, 14 Nov 2023 22:13:19 GMT", "Wednesday, 15-Nov-23 00:00:00 GMT"

TAGS = [
    '"v1"',
    'W/"v1"',
    'w/"v1"',
    "v1",
    "*",
    " * ",
    '"v0"',
    '"v0", "v1"',
    '"v0" "v1"',
    '"v0","v2',
    '"v1',
    "",
    '""',
    ',,"v1"',
    '"v0", *',
    "W/v1",
    '"v1"x',
]
DATES = [DATE, EARLIER, LATER, "Tue, 14 Nov 2023 22:13:20 -0100", "Tue, 14 Nov 2023 22:13:20", "yesterday", "", "0"]
RANGES = [
    "bytes=0-4",
    "bytes=20-",
    "bytes=-3",
    "bytes=24-99",
    "bytes=25-25",
    "bytes=26-",
    "bytes=-26",
    "bytes=-27",
    "bytes=-0",
    "bytes=--3",
    "bytes=0-1,4-5",
    "bytes=0-1,",
    "bytes=,0-1",
    "bytes=5-2",
    "bytes=5-5",
    "bytes=5--2",
    "lines=0-1",
    "bytes",
    "bytes=",
    "bytes=-",
    "bytes=a-b",
    "bytes=1_0-12",
    "bytes=+1-2",
    "bytes=0x1-2",
    "bytes= 1 - 3 ",
    "BYTES=1-3",
    " bytes =1-3",
    "bytes=1-3=",
    "=1-3",
    "bytes=0-9999999999999999999999",
    "bytes=1-2-3",
    "",
    "bytes=\xb2-3",
    "bytes=0-" + "9" * 5000,
]


@pytest.fixture(scope="module")
def apps(tmp_path_factory):
    with three(fill(tmp_path_factory.mktemp("quirks"))) as apps:
        yield apps


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("path", ["notes", "from/large.bin", "from/empty.bin"])
def test_a_file_is_sent_whole(apps, path, method):
    assert not apps.differences(ask(f"/files/{path}", method))


def test_a_long_file_is_all_there(apps):
    answer = apps.answer(ask("/files/from/large.bin"))
    assert (answer.body, answer.exception) == (FILES["large.bin"], None)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["tagged", "untagged", "unconditional"])
@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.parametrize("name", ["If-None-Match", "If-Match"])
def test_a_precondition_by_tag(apps, name, tag, path, method):
    assert not apps.differences(ask(f"/files/{path}", method, (name, tag)))


@pytest.mark.parametrize("path", ["notes", "untagged", "dated"])
@pytest.mark.parametrize("date", DATES)
def test_a_precondition_by_date(apps, path, date):
    assert not apps.differences(ask(f"/files/{path}", "GET", ("If-Modified-Since", date)))
    assert not apps.differences(ask(f"/files/{path}", "GET", ("If-Modified-Since", date), ("If-None-Match", '"v0"')))


def test_a_client_that_has_the_file_gets_no_body(apps):
    tag = apps.answer(ask("/files/notes")).header("ETag").decode()
    answer = apps.answer(ask("/files/notes", "GET", ("If-None-Match", tag)))
    assert (answer.status, answer.body, answer.header("Last-Modified")) == (304, b"", None)
    assert apps.naive_differences(ask("/files/notes", "GET", ("If-None-Match", tag)))


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("asked", RANGES)
def test_a_range(apps, asked, method):
    assert not apps.differences(ask("/files/notes", method, ("Range", asked)))
    assert not apps.differences(ask("/files/from/empty.bin", method, ("Range", asked)))


def test_a_range_across_blocks(apps):
    answer = apps.answer(ask("/files/from/large.bin", "GET", ("Range", "bytes=262000-600000")))
    assert answer.body == FILES["large.bin"][262000:600001]


@pytest.mark.parametrize("condition", [*TAGS, *DATES])
@pytest.mark.parametrize("path", ["tagged", "dated"])
def test_a_range_on_a_condition(apps, path, condition):
    for others in ((), (("If-None-Match", '"v1"'),), (("If-Match", '"v0"'),)):
        assert not apps.differences(
            ask(f"/files/{path}", "GET", ("Range", "bytes=0-4"), ("If-Range", condition), *others)
        )


@pytest.mark.parametrize(
    "name", [*FILES, "missing.txt", "inner", "", "../secret.txt", "%00", "..", "inner/../notes.txt"]
)
@pytest.mark.parametrize("route", ["from", "save"])
def test_a_file_by_its_name(apps, route, name):
    quoted = name if "%" in name and name not in FILES else "".join(f"%{byte:02X}" for byte in name.encode())
    assert not apps.differences(ask(f"/files/{route}/{quoted}"))


@pytest.mark.parametrize(
    "path",
    [
        "../secret.txt",
        "%2e%2e/secret.txt",
        "..%2fsecret.txt",
        "inner/../../secret.txt",
        "%2fetc/passwd",
        "..%5csecret.txt",
        "./notes.txt",
        "%2e%2e",
    ],
)
def test_no_path_leads_out_of_the_folder(apps, path):
    assert b"secret" not in apps.answer(ask(f"/files/from/{path}")).body


def test_a_naive_port_lets_one_out(apps):
    assert apps.naive.send(ask("/files/from/%2e%2e/secret.txt")).body == b"secret"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a.txt",
        "a%20b.txt",
        "a%22b%5C.pdf",
        "na%C3%AFve.txt",
        "%E2%82%AC",
        "a%0Ab",
        "a%0D",
        "x.tar.gz",
        "a;b.txt",
        "a%27b%2Ac%25.txt",
        "%F0%9F%98%80.png",
        "%C2%A0",
    ],
)
@pytest.mark.parametrize("route", ["named", "shown"])
def test_a_name_of_the_clients_choice(apps, route, name):
    assert not apps.differences(ask(f"/files/{route}?name={name}"))


@pytest.mark.parametrize("path", ["missing", "folder", "typed", "dated"])
def test_what_is_no_file_and_what_is_typed(apps, path):
    assert not apps.differences(ask(f"/files/{path}"))


@pytest.mark.parametrize(
    "request_",
    [
        ask("/files/notes"),
        ask("/files/tagged", "GET", ("If-None-Match", '"v1"')),
        ask("/files/notes", "GET", ("If-Modified-Since", DATE)),
        ask("/files/notes", "GET", ("Range", "bytes=0-1,4-5")),
        ask("/files/notes", "GET", ("Range", "bytes=26-")),
        ask("/files/notes", "GET", ("Range", "lines=0-1")),
        ask("/files/save/two%20words.txt"),
        ask("/files/from/archive.tar.gz"),
        ask("/files/tagged", "GET", ("If-Match", '"v0"')),
    ],
)
def test_the_naive_port_answers_otherwise(apps, request_):
    assert apps.naive_differences(request_)
    assert not apps.differences(request_)


fields = st.fixed_dictionaries(
    {},
    optional={
        "If-None-Match": st.sampled_from(TAGS) | st.text('"vW/*, 1', max_size=9),
        "If-Match": st.sampled_from(TAGS) | st.text('"vW/*, 1', max_size=9),
        "If-Modified-Since": st.sampled_from(DATES),
        "If-Range": st.sampled_from([*TAGS, *DATES]) | st.text('"vW/, 1', max_size=6),
        "Range": st.sampled_from(RANGES) | st.text("bytes=-, 0123456789", max_size=9).map(lambda text: f"bytes={text}"),
    },
)


@given(fields=fields, size=st.integers(0, 30), etag=st.sampled_from(["v1", None]))
def test_werkzeug_selects_the_same(fields, size, etag):
    environ = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in fields.items()}
    response = TheirResponse(LETTERS, headers=Headers({"Last-Modified": DATE}))
    if etag:
        response.set_etag(etag)
    try:
        response.make_conditional({"REQUEST_METHOD": "GET", **environ}, accept_ranges=True, complete_length=size)
        found = response.headers.get("Content-Range")
        expected = response.status_code, found
    except RequestedRangeNotSatisfiable:
        expected = 416, None
    given = {name.lower().encode(): value for name, value in fields.items()}
    try:
        ours = select(Whole(size, etag, DATE), given.get)
        part = f"bytes {ours.start}-{ours.stop - 1}/{size}" if ours.status == 206 else None
        assert (ours.status, part) == expected
    except Unsatisfiable:
        assert expected == (416, None)


@given(st.text("./\\ab\0", max_size=12))
def test_werkzeug_joins_the_same(path):
    assert safe_join("/folder", path) == theirs_joined("/folder", path)


def test_a_number_beyond_what_python_reads_is_no_range():
    with pytest.raises(Unsatisfiable):
        select(Whole(9, None, None), {b"range": "bytes=0-" + "9" * 5000}.get)
    assert select(Whole(0, None, None), {b"range": "bytes=0-1"}.get) == Selected(200, 0, 0)


@pytest.mark.parametrize("max_age", [None, 0, 60, -1])
@pytest.mark.parametrize("suffix", [".txt", ".js", ".xml", ".svg", ".sql", ".wasm", ".tgz", ".html.br", ".csv", ""])
def test_headers_are_werkzeugs(tmp_path, monkeypatch, max_age, suffix):
    path = tmp_path / f"name{suffix}"
    path.write_bytes(b"content")
    monkeypatch.setattr("werkzeug.utils.time", lambda: MODIFIED)
    mimetypes.init()
    with theirs(path, {"REQUEST_METHOD": "GET"}, max_age=max_age) as expected:
        wanted = {name.lower(): value for name, value in expected.headers if name != "Date"}
    request = Request({"type": "http", "method": "GET", "headers": []})
    assert dict(send_file(request, path, max_age=max_age, now=MODIFIED).headers) == wanted


def test_it_works_on_any_app(tmp_path):
    app = FastAPI()
    path = tmp_path / "a.txt"
    path.write_bytes(LETTERS)

    @app.get("/a")
    def get_a(request: Request):
        return send_file(request, path, etag="v1")

    with asgi(app) as target:
        assert target.send(ask("/a")).body == LETTERS
        assert target.send(ask("/a", "GET", ("If-None-Match", '"v1"'))).status == 304
        assert target.send(ask("/a", "GET", ("Range", "bytes=1-2"))).body == b"bc"
        beyond = target.send(ask("/a", "GET", ("Range", "bytes=99-")))
        assert (beyond.status, beyond.header("Content-Range")) == (416, b"bytes */26")


def test_a_file_that_shrinks_is_broken_off(tmp_path):
    app = FastAPI()
    path = tmp_path / "large.bin"
    path.write_bytes(FILES["large.bin"])

    @app.get("/a")
    def get_a(request: Request):
        response = send_file(request, path)
        path.write_bytes(b"short")
        return response

    with asgi(app) as target:
        assert target.send(ask("/a")).failure == "truncated"
