"""GET /files/{id}/content: conditional and range requests (RFC 9110 sections 13 and 14); GET /users.csv"""

import csv
import hashlib
import io
import re
import stat
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from contract_tests.suite.visitors import credentials
from contract_tests.suite.world import NOW
from shared_core import users
from shared_core.errors import Unavailable
from shared_core.exports import export_users

CONTENT = bytes(range(256)) * 4
ETAG = f'"{hashlib.sha256(CONTENT).hexdigest()}"'
SIZE = len(CONTENT)
LONG_AGO, FAR_OFF = "Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"


@pytest.fixture
def url(api, ada, sign_up):
    """Where a file's content is."""
    sign_up(api, ada)
    answer = api.post("/files", files={"file": ("bytes.bin", CONTENT, "application/x-bytes")})
    return answer.headers["location"] + "/content"


def test_content_is_given_as_it_was_with_what_identifies_it(api, url):
    got = api.get(url)
    assert (got.status_code, got.content) == (200, CONTENT)
    assert got.headers["content-type"] == "application/x-bytes"
    assert got.headers["content-length"] == str(SIZE)
    assert got.headers["etag"] == ETAG
    assert got.headers["accept-ranges"] == "bytes"
    assert got.headers["last-modified"].endswith(" GMT")


def test_head_tells_of_the_whole_without_it(api, url):
    got, headed = api.get(url), api.head(url, headers={"Range": "bytes=0-1"})
    assert (headed.status_code, headed.content) == (200, b"")
    for name in ("content-length", "etag", "last-modified", "content-type", "content-disposition", "accept-ranges"):
        assert headed.headers[name] == got.headers[name]
    assert "content-range" not in headed.headers


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=1-9", 1, 10),
        ("bytes=0-", 0, SIZE),
        ("bytes=1000-", 1000, SIZE),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE),
        ("bytes=-1", SIZE - 1, SIZE),
        ("bytes=-5000", 0, SIZE),
        ("bytes=1000-99999", 1000, SIZE),
        ("BYTES=1-9", 1, 10),
        ("bytes= 1-9 ", 1, 10),
        ("bytes=007-009", 7, 10),
    ],
)
def test_a_range_gets_its_part(api, url, asked, start, stop):
    got = api.get(url, headers={"Range": asked})
    assert (got.status_code, got.content) == (206, CONTENT[start:stop])
    assert got.headers["content-range"] == f"bytes {start}-{stop - 1}/{SIZE}"
    assert got.headers["content-length"] == str(stop - start)
    assert got.headers["etag"] == ETAG


@pytest.mark.parametrize(
    "asked", [f"bytes={SIZE}-", "bytes=5000-6000", "bytes=-0", f"bytes={'9' * 400}-", "bytes=1024-1024"]
)
def test_a_range_beyond_the_end_is_not_satisfiable(api, url, asked):
    refused = api.get(url, headers={"Range": asked})
    assert refused.status_code == 416
    assert refused.headers["content-range"] == f"bytes */{SIZE}"
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["detail"] == "The file has no such part."


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=9-1",
        "bytes=a-b",
        "bytes=1-2,4-5",
        "items=0-1",
        "bytes=1--2",
        "bytes=+1-2",
    ]
    + ["bytes=0x1-2", "bytes 1-2", "bytes=1-2-3", "bytes=\u0663-"],
)
def test_what_is_no_single_range_is_ignored(api, url, asked):
    got = api.get(url, headers={"Range": asked.encode()})
    assert (got.status_code, got.content) == (200, CONTENT)


OTHER = '"0"'


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If-None-Match": ETAG}, 304),
        ({"If-None-Match": f"W/{ETAG}"}, 304),
        ({"If-None-Match": f"{OTHER}, {ETAG}"}, 304),
        ({"If-None-Match": f"{OTHER},{ETAG},"}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": OTHER}, 200),
        ({"If-None-Match": ETAG.strip('"')}, 200),
        ({"If-None-Match": ""}, 200),
        ({"If-Modified-Since": FAR_OFF}, 304),
        ({"If-Modified-Since": LONG_AGO}, 200),
        ({"If-Modified-Since": "yesterday"}, 200),
        ({"If-Modified-Since": f"Fri, 01 Jan 2999 00:00:00 +{'9' * 400}"}, 200),
        ({"If-Unmodified-Since": f"Fri, 01 Jan {'9' * 30} 00:00:00 GMT"}, 200),
        ({"If-Modified-Since": ""}, 200),
        ({"If-Modified-Since": "Thu, 99 Jan 1970 00:00:00 GMT"}, 200),
        ({"If-None-Match": OTHER, "If-Modified-Since": FAR_OFF}, 200),
        ({"If-None-Match": ETAG, "If-Modified-Since": LONG_AGO}, 304),
        ({"If-Match": ETAG}, 200),
        ({"If-Match": "*"}, 200),
        ({"If-Match": f"{OTHER}, {ETAG}"}, 200),
        ({"If-Match": f"W/{ETAG}"}, 412),
        ({"If-Match": OTHER}, 412),
        ({"If-Match": ""}, 412),
        ({"If-Unmodified-Since": FAR_OFF}, 200),
        ({"If-Unmodified-Since": LONG_AGO}, 412),
        ({"If-Unmodified-Since": "never"}, 200),
        ({"If-Match": ETAG, "If-Unmodified-Since": LONG_AGO}, 200),
        ({"If-Match": OTHER, "If-None-Match": ETAG}, 412),
        ({"If-Match": ETAG, "If-None-Match": ETAG}, 304),
        ({"Range": "bytes=0-1", "If-None-Match": ETAG}, 304),
        ({"Range": "bytes=0-1", "If-Match": OTHER}, 412),
        ({"Range": "bytes=9999-", "If-Match": OTHER}, 412),
        ({"Range": "bytes=9999-", "If-None-Match": ETAG}, 304),
        ({"Range": "bytes=0-1", "If-Range": ETAG}, 206),
        ({"Range": "bytes=0-1", "If-Range": f"W/{ETAG}"}, 200),
        ({"Range": "bytes=0-1", "If-Range": OTHER}, 200),
        ({"Range": "bytes=0-1", "If-Range": LONG_AGO}, 200),
        ({"Range": "bytes=0-1", "If-Range": FAR_OFF}, 200),
        ({"Range": "bytes=0-1", "If-Range": ""}, 200),
        ({"Range": "bytes=9999-", "If-Range": OTHER}, 200),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_preconditions_are_evaluated_in_their_order(api, url, method, headers, status):
    """RFC 9110 section 13.2.2; Range is for GET alone."""
    answer = api.request(method, url, headers=headers)
    assert answer.status_code == (200 if method == "HEAD" and status == 206 else status)
    if status == 304:
        assert answer.content == b""
        assert answer.headers["etag"] == ETAG
        assert "content-length" not in answer.headers
    if status == 412 and method == "GET":
        assert answer.json()["detail"] == "The file is not the one that the request is about."


def test_the_date_of_last_modified_is_a_validator_too(connect, ada, sign_up):
    """No pair: each has a date of its own, and two uploads may fall into two seconds."""
    api = connect()
    sign_up(api, ada)
    url = api.post("/files", files={"file": ("a", CONTENT, "text/plain")}).headers["location"] + "/content"
    date = api.get(url).headers["last-modified"]
    assert api.get(url, headers={"If-Modified-Since": date}).status_code == 304
    assert api.get(url, headers={"If-Unmodified-Since": date}).status_code == 200
    assert api.get(url, headers={"Range": "bytes=0-1", "If-Range": date}).status_code == 206


@pytest.mark.in_process
def test_a_date_is_that_of_the_whole_second(start, services, ada, sign_up):
    """Dates on the wire have no fraction: a file is not newer than its own Last-Modified."""
    api = start(replace(services, clock=lambda: NOW + timedelta(milliseconds=1234)))
    sign_up(api, ada)
    url = api.post("/files", files={"file": ("a", CONTENT, "text/plain")}).headers["location"] + "/content"
    date = api.get(url).headers["last-modified"]
    assert api.get(url, headers={"If-Modified-Since": date}).status_code == 304
    assert api.get(url, headers={"If-Unmodified-Since": date}).status_code == 200


def test_an_empty_file_has_no_part(api, ada, sign_up):
    sign_up(api, ada)
    url = api.post("/files", files={"file": ("a", b"", "text/plain")}).headers["location"] + "/content"
    assert (api.get(url).status_code, api.get(url).headers["content-length"]) == (200, "0")
    assert [api.get(url, headers={"Range": asked}).status_code for asked in ("bytes=0-", "bytes=-1")] == [416, 416]


def test_a_large_file_comes_as_it_was(api, ada, sign_up):
    sign_up(api, ada)
    content = bytes(range(251)) * 12_000
    url = api.post("/files", files={"file": ("a", content, "text/plain")}).headers["location"] + "/content"
    assert api.get(url).content == content
    assert api.get(url, headers={"Range": "bytes=1000000-2500000"}).content == content[1_000_000:2_500_001]


@pytest.mark.in_process
def test_content_that_is_not_there_is_an_error_before_anything_is_sent(start, services, ada, sign_up):
    api = start(services)
    sign_up(api, ada)
    url = api.post("/files", files={"file": ("a", b"x" * 600_000, "text/plain")}).headers["location"] + "/content"
    (path,) = services.uploads.folder.iterdir()
    for spoil in (lambda: path.write_bytes(b""), path.unlink):
        spoil()
        failed = api.get(url)
        assert failed.status_code == 500
        assert failed.headers["content-type"] == "application/problem+json"


@pytest.mark.in_process
@pytest.mark.parametrize("left", [270_000, 599_999])
def test_content_that_breaks_off_is_a_broken_transfer(start, services, ada, sign_up, left):
    """Never a clean end: the client could not tell half a file from a whole one."""
    api = start(services)
    sign_up(api, ada)
    url = api.post("/files", files={"file": ("a", b"x" * 600_000, "text/plain")}).headers["location"] + "/content"
    (path,) = services.uploads.folder.iterdir()
    with path.open("r+b") as content:
        content.truncate(left)
    with pytest.raises(httpx.RemoteProtocolError):
        api.get(url)
    assert api.get("/healthz").status_code == 200


@pytest.mark.in_process
def test_nothing_is_left_of_an_upload_that_is_refused(start, services, ada, sign_up):
    api = start(services)
    sign_up(api, ada)
    folder = services.uploads.folder
    for files, status in [
        ({"other": ("a", b"x")}, 422),
        ({"file": ("a" * 300, b"x")}, 422),
        ({"file": ("a", b"x")}, 503),
    ]:
        if status == 503:
            with services.database.begin():
                assert api.post("/files", files=files).status_code == status
        else:
            assert api.post("/files", files=files).status_code == status
        assert list(folder.iterdir()) == []
    api.post("/files", files={"file": ("a", b"x")})
    assert [stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()] == [0o600]


@pytest.mark.in_process
@pytest.mark.parametrize("path", ["/files/1", "/user/1"])
def test_content_goes_with_its_file_and_with_its_owner(start, services, ada, sign_up, path):
    api = start(services)
    sign_up(api, ada)
    api.post("/files", files={"file": ("a", b"x")})
    assert len(list(services.uploads.folder.iterdir())) == 1
    assert api.delete(path).status_code == 204
    assert list(services.uploads.folder.iterdir()) == []


@pytest.mark.in_process
def test_no_name_of_a_client_names_anything_in_the_folder(start, services, ada, sign_up):
    api = start(services)
    sign_up(api, ada)
    api.post("/files", files={"file": ("../../../tmp/hunter2.txt", b"x")})
    (path,) = services.uploads.folder.iterdir()
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", path.name)


def rows(answer):
    return list(csv.reader(io.StringIO(answer.text, newline="")))


@pytest.mark.empty_world
def test_every_user_is_exported_as_csv(api, person, sign_up):
    names = ["Ada", 'Bea "B" Bar', "Cee, Dee", "\u00dcmit \U0001f98a", "=1+1", "two\r\nlines", " space "]
    ids = [api.post("/user", json=person(f"N{n}") | {"name": name}).json()["id"] for n, name in enumerate(names)]
    me = sign_up(api, person("Zed"))
    answer = api.get("/users.csv")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="users.csv"'
    assert "content-length" not in answer.headers
    assert answer.content.startswith(b"id,name,email\r\n")
    assert answer.content.endswith(b"\r\n")
    heading, *told = rows(answer)
    assert heading == ["id", "name", "email"]
    assert [(int(id), name) for id, name, _ in told] == [*zip(ids, names, strict=True), (me["id"], "Zed")]


def test_the_export_ends_with_the_login(connect, ada, sign_up):
    """The session is still there, and names a login that is over."""
    here, there = connect(), connect()
    sign_up(here, ada)
    there.post("/session", json=credentials(ada))
    there.delete("/sessions")
    assert here.get("/users.csv").status_code == 401


@pytest.mark.in_process
@pytest.mark.parametrize("count", [1, 499, 500, 501, 1234])
def test_an_export_goes_from_page_to_page(start, services, ada, sign_up, count):
    api = start(services)
    sign_up(api, ada)
    fill(services, count - 1)
    assert [int(row[0]) for row in rows(api.get("/users.csv"))[1:]] == list(range(1, count + 1))


@pytest.mark.in_process
def test_an_export_that_fails_on_the_way_is_a_broken_transfer(start, services, ada, sign_up):
    counting = Counting(services.database)
    api = start(replace(services, database=counting))
    sign_up(api, ada)
    fill(services, 1200)
    counting.left = 3
    with pytest.raises(httpx.RemoteProtocolError):
        api.get("/users.csv")
    counting.left = 100
    assert api.get("/whoami").status_code == 200


@pytest.mark.in_process
def test_an_export_that_cannot_begin_is_refused(start, services, ada, sign_up):
    counting = Counting(services.database)
    api = start(replace(services, database=counting))
    sign_up(api, ada)
    counting.left = 1
    refused = api.get("/users.csv")
    assert refused.status_code == 503
    assert refused.headers["content-type"] == "application/problem+json"


@pytest.mark.in_process
def test_no_connection_is_held_between_the_pages_of_an_export(services):
    fill(services, 1200)
    for _ in export_users(services.database):
        assert services.database.engine.pool.checkedout() == 0


class Counting:
    """A database that goes away after some transactions."""

    def __init__(self, database):
        self.database = database
        self.left = 100

    def __getattr__(self, name):
        return getattr(self.database, name)

    def begin(self):
        self.left -= 1
        if self.left < 0:
            raise Unavailable("The database cannot answer just now; try again soon.")
        return self.database.begin()


def fill(services, count):
    with services.database.begin() as db:
        for n in range(count):
            users.create_user(db, name=f"N{n}", email=f"n{n}@example.com", password_hash="", now=NOW)
