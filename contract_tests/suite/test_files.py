"""POST /files, GET and DELETE /files/{id}: uploads, and the talk's `enrich_file` without the global request"""

import hashlib

import pytest

MEBIBYTE = 1 << 20
LONG = "x" * 200
NOT_FOUND = {"type": "about:blank", "title": "Not Found", "status": 404, "detail": "There is no such file."}


def upload(api, content=b"hello", name="hello.txt", media_type="text/plain"):
    return api.post("/files", files={"file": (name, content, media_type)})


def form(*parts, boundary="x", end=b"--x--\r\n"):
    """A multipart body by hand: each part is its header lines and its content."""
    told = b"".join(b"--x\r\n" + head + b"\r\n\r\n" + content + b"\r\n" for head, content in parts)
    return {"content": told + end, "headers": {"Content-Type": f"multipart/form-data; boundary={boundary}"}}


def disposition(name=b"hello.txt", field=b"file"):
    return b'Content-Disposition: form-data; name="' + field + b'"; filename="' + name + b'"'


@pytest.fixture
def me(api, ada, sign_up):
    """Signed in."""
    return sign_up(api, ada)


@pytest.mark.usefixtures("me")
def test_an_uploaded_file_is_told_with_its_size_and_digest(api):
    answer = upload(api)
    assert answer.status_code == 201
    told = answer.json()
    assert answer.headers["location"] == f"/files/{told['id']}"
    assert list(told) == ["id", "name", "media_type", "size", "sha256", "tag", "timestamp"]
    assert told["name"] == "hello.txt"
    assert told["media_type"] == "text/plain"
    assert told["size"] == 5
    assert told["sha256"] == hashlib.sha256(b"hello").hexdigest()
    assert told["tag"] == "unidentified"


@pytest.mark.usefixtures("me")
@pytest.mark.parametrize(
    ("query", "tag"),
    [("", "unidentified"), ("?tag=", ""), ("?tag=cat", "cat"), ("?tag=%C3%BC+%F0%9F%A6%8A", "\u00fc \U0001f98a")]
    + [("?tag=a&tag=b", "a"), ("?other=1", "unidentified"), ("?TAG=x", "unidentified"), (f"?tag={LONG}", LONG)],
)  # fmt: skip
def test_a_file_is_enriched_with_the_tag_of_the_query(api, query, tag):
    """The slide's `enrich_file`: `request.args.get("tag", "unidentified")`."""
    path = upload(api).headers["location"]
    shown = api.get(path + query)
    assert shown.status_code == 200
    assert shown.json()["tag"] == tag


@pytest.mark.usefixtures("me")
@pytest.mark.in_process
def test_the_time_stamp_is_the_clock_s_in_iso_form(api):
    path = upload(api).headers["location"]
    assert api.get(path).json()["timestamp"] == "2026-01-02T03:04:05.000000+00:00"


@pytest.mark.usefixtures("me")
def test_a_tag_that_is_too_long_is_told_where(api):
    path = upload(api).headers["location"]
    refused = api.get(path, params={"tag": "x" * 201})
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/query/tag"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/files/1"),
        ("GET", "/files/1/content"),
        ("DELETE", "/files/1"),
        ("GET", "/users.csv"),
        ("POST", "/files"),
    ],
)
def test_files_are_for_those_who_are_signed_in(api, method, path):
    refused = api.request(method, path)
    assert refused.status_code == 401
    assert refused.json()["detail"] == "Sign in first."


@pytest.mark.parametrize(
    "body", [{"content": b"x" * 2 * MEBIBYTE}, {"json": {}}, form()], ids=["large", "json", "empty"]
)
def test_who_is_not_signed_in_is_told_so_before_the_upload_is_looked_at(api, body):
    assert api.post("/files", **body).status_code == 401


def test_a_file_is_its_owner_s_alone(connect, ada, person, sign_up):
    mine, other = connect(), connect()
    sign_up(mine, ada)
    sign_up(other, person("Bea"))
    path = upload(mine).headers["location"]
    for method, url in [("GET", path), ("GET", f"{path}/content"), ("DELETE", path)]:
        refused = other.request(method, url)
        assert refused.status_code == 404
        assert refused.json() == NOT_FOUND
    assert mine.get(f"{path}/content").content == b"hello"


@pytest.mark.usefixtures("me")
@pytest.mark.parametrize("id", ["0", "999999999999"])
def test_a_file_that_is_not_there_is_not_found(api, id):
    for method, path in [("GET", f"/files/{id}"), ("GET", f"/files/{id}/content"), ("DELETE", f"/files/{id}")]:
        assert api.request(method, path).json() == NOT_FOUND


@pytest.mark.usefixtures("me")
def test_a_deleted_file_is_gone(api):
    path = upload(api).headers["location"]
    gone = api.delete(path)
    assert (gone.status_code, gone.content) == (204, b"")
    assert [api.get(url).status_code for url in (path, f"{path}/content")] == [404, 404]
    assert api.delete(path).status_code == 404


@pytest.mark.usefixtures("me")
@pytest.mark.parametrize(
    ("size", "status", "detail"),
    [
        (0, 201, None),
        (10 * MEBIBYTE, 201, None),
        (10 * MEBIBYTE + 1, 413, "The file is too large."),
        (12 * MEBIBYTE, 413, "The request body is too large."),
    ],
)
def test_a_file_has_ten_mebibytes_at_most(api, size, status, detail):
    answer = upload(api, b"x" * size)
    assert answer.status_code == status
    assert answer.json().get("detail") == detail
    if status == 201:
        assert answer.json()["size"] == size


@pytest.mark.usefixtures("me")
def test_a_form_around_a_file_has_its_limit_too(api):
    parts = [(b'Content-Disposition: form-data; name="other"', b"x" * MEBIBYTE) for _ in range(12)]
    assert api.post("/files", **form(*parts, (disposition(), b"hello"))).status_code == 413


NAMES = [
    ("hello.txt", "hello.txt"),
    ("\u00fcber \U0001f98a.txt", "\u00fcber \U0001f98a.txt"),
    ("../../etc/passwd", "passwd"),
    ("..\\..\\windows\\system.ini", "system.ini"),
    ("C:\\Users\\ada\\a.txt", "a.txt"),
    ("/absolute/a.txt", "a.txt"),
    ("a\x00b.txt", "ab.txt"),
    ("a\x01\x1f\x7fb.txt", "ab.txt"),
    ("cod\u202egpj.exe", "codgpj.exe"),
    ("a\u2028b", "ab"),
    ("a\nb\rc", "abc"),
    (" a.txt ", "a.txt"),
    (".hidden", ".hidden"),
    ("CON", "CON"),
    ("a;b=c.txt", "a;b=c.txt"),
    ("%2e%2e%2fa", "%2e%2e%2fa"),
    ("x" * 255, "x" * 255),
    ("<script>alert(1)<", "<script>alert(1)<"),
]


@pytest.mark.usefixtures("me")
@pytest.mark.parametrize(("given", "kept"), NAMES, ids=[ascii(given)[:20] for given, _ in NAMES])
def test_a_file_keeps_the_plain_part_of_its_name(api, given, kept):
    answer = api.post("/files", **form((disposition(given.replace("\\", "\\\\").encode()), b"hello")))
    assert answer.status_code == 201, answer.text
    assert answer.json()["name"] == kept


@pytest.mark.usefixtures("me")
@pytest.mark.parametrize("name", ["", "/", "..", ".", "a/", "\\\\", "\x00", "   ", "\u202e", "x" * 256, "../.."])
def test_a_file_without_a_fit_name_is_refused(api, name):
    refused = api.post("/files", **form((disposition(name.encode()), b"hello")))
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/body/file"]


HUGE_NAMES = {"ten thousand letters": b"x" * 10_000, "no UTF-8": b"\xff\xfe.txt"}


@pytest.mark.usefixtures("me")
@pytest.mark.parametrize("name", HUGE_NAMES.values(), ids=list(HUGE_NAMES))
def test_a_name_that_no_header_may_hold_is_refused(api, name):
    assert api.post("/files", **form((disposition(name), b"hello"))).status_code in {400, 422}


@pytest.mark.usefixtures("me")
@pytest.mark.parametrize(
    ("given", "told"),
    [
        (b"text/plain", "text/plain"),
        (b"Text/HTML; charset=utf-8", "text/html"),
        (b"application/vnd.api+json", "application/vnd.api+json"),
        (b"", "application/octet-stream"),
        (b"text", "application/octet-stream"),
        (b"text/", "application/octet-stream"),
        (b"text/plain\tx", "application/octet-stream"),
        (b"a" * 128 + b"/b", "application/octet-stream"),
        (b"*/*", "*/*"),
    ],
)
def test_what_is_no_media_type_is_any_bytes(api, given, told):
    head = disposition() + b"\r\nContent-Type: " + given
    answer = api.post("/files", **form((head, b"hello")))
    assert answer.status_code == 201, answer.text
    assert answer.json()["media_type"] == told


NOT_A_FORM = {
    "no boundary": {"content": b"--x--\r\n", "headers": {"Content-Type": "multipart/form-data"}},
    "empty boundary": {"content": b"----\r\n", "headers": {"Content-Type": "multipart/form-data; boundary="}},
    "another boundary": form((disposition(), b"hello"), boundary="y"),
    "nothing": {"content": b"", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
    "cut off": form((disposition(), b"hello"), end=b""),
    "cut in the head": {
        "content": b"--x\r\nContent-Disp",
        "headers": {"Content-Type": "multipart/form-data; boundary=x"},
    },
    "no disposition": form((b"Content-Type: text/plain", b"hello")),
    "bare line feeds": {
        "content": b"--x\n\nhello\n--x--",
        "headers": {"Content-Type": "multipart/form-data; boundary=x"},
    },
    "a hundred parts": form(*[(b'Content-Disposition: form-data; name="a"', b"")] * 101),
}


@pytest.mark.usefixtures("me")
@pytest.mark.parametrize("body", NOT_A_FORM.values(), ids=list(NOT_A_FORM))
def test_what_is_no_form_is_malformed(api, body):
    refused = api.post("/files", **body)
    assert refused.status_code == 400
    assert refused.json()["detail"] == "The request body is not well-formed multipart/form-data."


@pytest.mark.usefixtures("me")
@pytest.mark.parametrize(
    "body",
    [
        form(),
        form((b'Content-Disposition: form-data; name="other"; filename="a"', b"hello")),
        form((b'Content-Disposition: form-data; name="file"', b"hello")),
    ],
    ids=["empty", "another field", "no file name"],
)
def test_a_form_without_the_file_is_told_so(api, body):
    refused = api.post("/files", **body)
    assert refused.status_code == 422
    assert [(error["pointer"], error["type"]) for error in refused.json()["errors"]] == [("/body/file", "missing")]


@pytest.mark.usefixtures("me")
def test_the_first_of_repeated_files_counts(api):
    answer = api.post("/files", **form((disposition(b"a.txt"), b"first"), (disposition(b"b.txt"), b"second")))
    assert answer.json()["name"] == "a.txt"
    assert api.get(answer.headers["location"] + "/content").content == b"first"


@pytest.mark.usefixtures("me")
@pytest.mark.parametrize("content", [b"--x", b"\r\n--y\r\n", b"\r\n", b"\r\n--", b"\x00\xff" * 99, b"--x--"])
def test_content_that_looks_like_a_boundary_stays_content(api, content):
    answer = api.post("/files", **form((disposition(), content)))
    assert api.get(answer.headers["location"] + "/content").content == content


@pytest.mark.usefixtures("me")
@pytest.mark.parametrize(
    "media_type",
    ["application/json", "text/plain", "application/x-www-form-urlencoded", "", "multipart/mixed; boundary=x"],
)
def test_an_upload_must_be_a_form(api, media_type):
    refused = api.post("/files", content=b"--x--\r\n", headers={"Content-Type": media_type})
    assert refused.status_code == 415


@pytest.mark.usefixtures("me")
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("hello.txt", 'attachment; filename="hello.txt"'),
        ("a b'c.txt", 'attachment; filename="a b\'c.txt"'),
        ("\u00fcber.txt", "attachment; filename=\"_ber.txt\"; filename*=UTF-8''%C3%BCber.txt"),
        ("\U0001f98a", "attachment; filename=\"_\"; filename*=UTF-8''%F0%9F%A6%8A"),
        ("100%.txt", "attachment; filename=\"100_.txt\"; filename*=UTF-8''100%25.txt"),
        (r"a \"b\".txt", "attachment; filename=\"a _b_.txt\"; filename*=UTF-8''a%20%22b%22.txt"),
    ],
)
def test_a_download_has_a_name_that_every_client_can_read(api, name, told):
    answer = api.post("/files", **form((disposition(name.encode()), b"hello")))
    got = api.get(answer.headers["location"] + "/content")
    assert got.headers["content-disposition"] == told
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["cache-control"] == "private, no-cache"


def test_who_deletes_the_account_deletes_the_files(api, ada, sign_up):
    me = sign_up(api, ada)
    path = upload(api).headers["location"]
    assert api.delete(f"/user/{me['id']}").status_code == 204
    sign_up(api, ada)
    assert api.get(path).status_code == 404


@pytest.mark.usefixtures("me")
@pytest.mark.parametrize("end", [b"--x--", b"--x--\r\n--x\r\n", b"--x--\r\nanything"])
def test_what_follows_the_end_of_a_form_is_nothing(api, end):
    assert api.post("/files", **form((disposition(), b"hello"), end=end)).status_code == 201
