"""A form is read as the original reads it, while the port's fields stay typed."""

import random
from io import BytesIO
from typing import Annotated

import pytest
from fastapi import APIRouter, FastAPI, Form, Request, UploadFile
from werkzeug.formparser import MultiPartParser
from werkzeug.http import parse_options_header

from contract_tests.parity import asgi
from contract_tests.tests.house.wire import ask, three
from fastapi_app.wire.form_data import FormData
from fastapi_app.wire.forms import FormRequest, FormRoute
from fastapi_app.wire.options import parse_options
from fastapi_app.wire.query import Lenient

# Werkzeug leaves the files of a form that is cut off to the garbage collector; the kit closes them, as tested below.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=B"
END = b"--B--\r\n"


@pytest.fixture(scope="module")
def apps():
    with three() as apps:
        yield apps


def post(path, body, media_type):
    return ask(path, "POST", *([("Content-Type", media_type)] if media_type is not None else []), body=body)


def part(disposition, body, *more, nl=b"\r\n"):
    return nl.join([b"--B", b"Content-Disposition: form-data; " + disposition, *more, b"", body, b""])


def name(body, *more, nl=b"\r\n"):
    return part(b'name="name"', body, *more, nl=nl)


def file(parameters, body, *more):
    return part(b'name="file"; ' + parameters, body, *more)


URLENCODED_BODIES = [
    b"",
    b"name=",
    b"name",
    b"name=a&name=b",
    b"name=a&city=",
    b"name=a&age=",
    b"name=a&age=x",
    b"name=a&age=%205",
    b"name=a&age=7&age=8",
    b"name=a&tag=&tag=x&tag=x",
    b"name=%FF",
    b"name=\xff",
    b"name=\xc3\xa9",
    b"name=a+b%2B",
    b"name=a;city=b",
    b"=x",
    b"&&",
    b"name=a%00b",
    b"\xef\xbb\xbfname=a",
    b"name=a\r\n",
    b"name=" + b"x" * 600_000,
    b"&".join(b"t%d=1" % i for i in range(1500)) + b"&name=a",
]
TYPES = [
    URLENCODED,
    f"{URLENCODED}; charset=iso-8859-1",
    URLENCODED.upper(),
    f" {URLENCODED} ;",
    f"{URLENCODED},x",
    None,
    "",
    "text/plain",
    "application/json",
    "application/x-url-encoded",
    "multipart/form-data",
    MULTIPART,
]
BODIES = {
    "value": name(b"v") + END,
    "unquoted": part(b"name=name", b"v") + END,
    "empty": name(b"") + part(b"name=city", b"") + END,
    "not ended": name(b"v"),
    "ended without dashes": name(b"v") + b"--B",
    "ended without a line break": name(b"v") + b"--B--",
    "ended by more": name(b"v") + b"--B--junk",
    "LF": name(b"v", nl=b"\n") + b"--B--\n",
    "CR": name(b"v", nl=b"\r") + b"--B--\r",
    "preamble": b"junk\r\n" + name(b"v") + END,
    "preamble without a line break": b"junk" + name(b"v") + END,
    "epilogue": b"\r\n" + name(b"v") + END + b"epilogue",
    "spaces behind a boundary": name(b"v") + b"--B  \r\nContent-Disposition: form-data; name=city\r\n\r\nx\r\n--B--",
    "nameless": b"--B\r\nContent-Disposition: form-data\r\n\r\nx\r\n" + name(b"v") + END,
    "no head": b"--B\r\n\r\nx\r\n" + END,
    "no disposition": b"--B\r\nX: 1\r\n\r\nx\r\n" + name(b"v") + END,
    "repeated": name(b"a") + name(b"b") + END,
    "a file for a field": part(b'name="name"; filename="x"', b"a") + END,
    "an empty file for a field": part(b'name="name"; filename=""', b"") + END,
    "latin-1": name(b"\xe9", b"Content-Type: text/plain; charset=ISO-8859-1") + END,
    "utf-16": name(b"\xe9\x00", b"Content-Type: text/plain; charset=utf-16") + END,
    "no UTF-8": name(b"\xe9\xff") + END,
    "no UTF-8 in a name": part(b'name="n\xff"', b"x") + name(b"v") + END,
    "upper case": b"--B\r\nCONTENT-DISPOSITION:FORM-DATA;NAME=name\r\n\r\nv\r\n--B--",
    "folded": b'--B\r\nContent-Disposition: form-data;\r\n name="name"\r\n\r\nv\r\n--B--',
    "unclosed quote": part(b'name="name', b"v") + END,
    "boundaries in a value": name(b"line\r\n--C\r\nx\r\n--Bx\r\n") + END,
    "line breaks for a value": name(b"\r\n\r") + END,
    "a long head, then a short one": name(b"v", b"X-Long: " + b"x" * 300) + part(b"name=n", b"1") + END,
    "nothing": b"",
    "only an end": END,
    "only a beginning": b"--B\r\n",
    "garbage": b"garbage",
    "lenient": part(b"name=age", b" 7 ") + name(b"v") + part(b"name=tag", b"") + part(b"name=tag", b"b") + END,
    "1000 parts": part(b"name=x", b"1") * 999 + name(b"v") + END,
    "1001 parts": part(b"name=x", b"1") * 1000 + name(b"v") + END,
    "500 kB": name(b"x" * 500_000) + END,
    "a byte more": name(b"x" * 500_001) + END,
    "twice 300 kB": name(b"x" * 300_000) + part(b"name=city", b"x" * 300_000) + END,
    "400 kB of line breaks": name(b"\n" * 400_000) + END,
    "a large preamble": b"x" * 600_000 + name(b"v") + END,
    "a large head": name(b"v", b"X-Long: " + b"x" * 600_000) + END,
    "text": file(b'filename="a.txt"', b"abc", b"Content-Type: text/plain; x=y") + END,
    "no type": file(b'filename="a.txt"', b"abc") + END,
    "no file chosen": file(b'filename=""', b"") + END,
    "content without a name": file(b'filename=""', b"x") + END,
    "a field for a file": part(b"name=file", b"abc") + END,
    "filename*": file(b"filename*=UTF-8''na%c3%afve.txt", b"abc") + END,
    "both filenames": file(b"filename=\"a.txt\"; filename*=UTF-8''b.txt", b"abc") + END,
    "continued": file(b"filename*0*=UTF-8''%c3%af; filename*1=\"b\"", b"abc") + END,
    "backslashes": file(b'filename="C:\\dir\\a.txt"', b"abc") + END,
    "quotes": file(b'filename="a\\"b%22;c.txt"', b"abc") + END,
    "UTF-8": file(b'filename="n\xc3\xa4.txt"', b"abc") + END,
    "latin-1 in a filename": file(b'filename="n\xe4.txt"', b"abc") + END,
    "2 MB": file(b"filename=a", b"x" * 2_000_000) + END,
    "half boundaries": file(b"filename=a", b"\r\n--" * 200_000) + END,
    "two files": file(b"filename=a", b"1") + file(b'filename="b"', b"2") + END,
    "a file and a field": file(b"filename=a", b"1") + part(b"name=note", b"hi") + END,
    "a file and an empty field": file(b"filename=a", b"1") + part(b"name=note", b"") + END,
    "a file cut off": file(b"filename=a", b"1"),
}
PATHS = ["/forms/fields", "/forms/optional", "/forms/file", "/forms/files"]


@pytest.mark.parametrize("media_type", TYPES)
def test_a_urlencoded_form_is_read_alike(apps, media_type):
    for body in URLENCODED_BODIES:
        for path in PATHS:
            assert not apps.differences(post(path, body, media_type)), (path, body[:40])


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_multipart_form_is_read_alike(apps, body):
    for path in PATHS:
        assert not apps.differences(post(path, body, MULTIPART)), path


@pytest.mark.parametrize(
    "media_type",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=\xe9",
        "multipart/form-data; boundary=C",
        'multipart/form-data; boundary="B"',
        'multipart/form-data; boundary="B',
        "multipart/mixed; boundary=B",
        "Multipart/Form-Data; Boundary=B",
        "multipart/form-data; boundary*=utf-8''B",
        "multipart/form-data; boundary=B; boundary=C",
        "multipart/form-data, boundary=B",
    ],
)
def test_a_boundary_is_found_alike(apps, media_type):
    assert not apps.differences(post("/forms/optional", BODIES["value"], media_type))


@pytest.mark.parametrize("seed", range(20))
def test_what_is_drawn_at_random_is_read_alike(apps, seed):
    drawn = random.Random(seed)
    pieces = [
        b"--B",
        b"--B",
        b"--B--",
        b"\r\n",
        b"\r\n",
        b"\r\n\r\n",
        b"\n",
        b"\r",
        b"x",
        b" ",
        b"\t",
        b"-",
        b"\xff",
        b":",
    ]
    pieces += [b"Content-Disposition: form-data; name=name", b"Content-Disposition: form-data; name=file; filename=f"]
    for _ in range(40):
        body = name(b"")[:-2] + b"".join(drawn.choices(pieces, k=drawn.randint(3, 22))) + b"\r\n--B--"
        for path in ("/forms/optional", "/forms/files"):
            assert not apps.differences(post(path, body, MULTIPART)), body


@pytest.mark.parametrize(
    ("path", "body", "media_type"),
    [
        ("/forms/fields", b"name=", URLENCODED),
        ("/forms/fields", b"name=a&city=", URLENCODED),
        ("/forms/fields", b"name=a&name=b", URLENCODED),
        ("/forms/fields", b"name=a&age=x", URLENCODED),
        ("/forms/fields", b"name=%FF", URLENCODED),
        ("/forms/fields", b"city=a", URLENCODED),
        ("/forms/fields", b"name=a", "text/plain"),
        ("/forms/optional", BODIES["value"], "multipart/form-data"),
        ("/forms/optional", BODIES["LF"], MULTIPART),
        ("/forms/optional", name(b"a") + name(b"b"), MULTIPART),
        ("/forms/optional", BODIES["no disposition"], MULTIPART),
        ("/forms/optional", BODIES["a file for a field"], MULTIPART),
        ("/forms/optional", BODIES["1001 parts"], MULTIPART),
        ("/forms/optional", BODIES["a byte more"], MULTIPART),
        ("/forms/file", BODIES["a field for a file"], MULTIPART),
        ("/forms/file", BODIES["no file chosen"], MULTIPART),
        ("/forms/file", BODIES["filename*"], MULTIPART),
        ("/forms/files", BODIES["no file chosen"], MULTIPART),
    ],
)
def test_without_the_kit_it_is_read_otherwise(apps, path, body, media_type):
    assert apps.naive_differences(post(path, body, media_type))


@pytest.mark.parametrize("seed", range(20))
def test_a_header_is_parsed_as_werkzeug_parses_it(seed):
    drawn = random.Random(seed)
    pieces = list("\";=\\ \t*%',a") + [
        "name",
        "filename",
        "*0",
        "*1",
        "UTF-8''",
        "iso-8859-1''",
        "%22",
        "%e2%82%ac",
        '="',
        '";',
        "\u00e9",
    ]
    for _ in range(500):
        header = "form-data; " + "".join(drawn.choices(pieces, k=drawn.randint(1, 20)))
        assert parse_options(header) == parse_options_header(header)


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 64, 350])
@pytest.mark.parametrize(
    "body",
    [
        "value",
        "LF",
        "boundaries in a value",
        "line breaks for a value",
        "a file and a field",
        "a long head, then a short one",
    ],
)
def test_chunks_are_put_together_as_werkzeug_does(body, chunk):
    """Also where that is odd: a boundary that comes in small pieces leaves a carriage return in the value before it."""
    form = FormData(b"B", max_parts=10, max_memory=1_000)
    for start in range(0, len(BODIES[body]), chunk):
        form.feed(BODIES[body][start : start + chunk])
    form.finish()
    fields, files = MultiPartParser(buffer_size=chunk).parse(BytesIO(BODIES[body]), b"B", None)
    theirs = [(key, value.encode()) for key, value in fields.items(multi=True)]
    theirs += [(key, value.read()) for key, value in files.items(multi=True)]
    assert sorted((part.name, part.content.read()) for part in form.parts) == sorted(theirs)
    form.close()
    for _, value in files.items(multi=True):
        value.close()


@pytest.mark.parametrize(
    "parameters",
    [
        "a=1; a*0=2; a*1=3",
        "a*0=1; a=2; a*1=3",
        "a*0=1; a*1=2; a=3",
        "a*0*=iso-8859-1''%e9; a=x; a*1*=%e9",
        "a*0*=utf-8''%c3%a9; a*1*=''%c3%a9",
        "a*0*=utf-8''%c3%a9; a*1*=%c3%a9",
        "a*0*=iso-8859-1''%e9; a*1*=%e9; a*2=%e9",
        "a*=%e9; b*=''%e9; c*=koi8-r''%e9",
    ],
)
def test_parameters_in_pieces_are_joined_as_werkzeug_joins_them(parameters):
    assert parse_options(f"form-data; {parameters}") == parse_options_header(f"form-data; {parameters}")


def test_a_file_that_nobody_asks_for_is_closed():
    request = FormRequest({"type": "http"})
    request.files = frozenset({"photo"})
    unwanted, wanted = (UploadFile(BytesIO(), filename="f") for _ in range(2))
    assert list(request.wanted([("name", unwanted), ("photo", wanted), ("photo", "text")])) == [("photo", wanted)]
    assert (unwanted.file.closed, wanted.file.closed) == (True, False)


def test_the_files_of_a_broken_form_are_closed():
    form = FormData(b"B", max_parts=10, max_memory=1_000)
    form.feed(BODIES["a file cut off"])
    with pytest.raises(ValueError, match="ends in"):
        form.finish()
    form.close()
    assert form.parts[0].content.closed


class SmallForms(FormRoute):
    """No more than two parts, of no more than 200 bytes."""

    max_parts = 2
    max_memory = 200


def make_app():
    app, router = FastAPI(), APIRouter(route_class=SmallForms)

    @router.post("/")
    def post_form(
        name: Annotated[str, Form(max_length=5)],
        age: Annotated[int, Form(), Lenient(int)] = 0,
        file: UploadFile | None = None,
    ):
        return [name, age, None if file is None else file.filename]

    @router.post("/raw")
    async def post_raw(request: Request):
        async with request.form() as form:
            return [key for key, _ in form.multi_items()]

    app.include_router(router)
    return app


def test_it_works_on_any_app():
    with asgi(make_app()) as target:
        assert target.send(post("/", b"name=&age=x", URLENCODED)).body == b'["",0,null]'
        both = name(b"ada") + file(b"filename=f", b"1") + END
        assert target.send(post("/", both, MULTIPART)).body == b'["ada",0,"f"]'
        assert target.send(post("/", b"", URLENCODED)).status == 400
        # What does not fit is still FastAPI's own answer.
        assert target.send(post("/", b"name=too+long", URLENCODED)).status == 422
        assert target.send(post("/", name(b"a") * 3 + END, MULTIPART)).status == 413
        assert target.send(post("/", name(b"a" * 201) + END, MULTIPART)).status == 413
        # A handler that reads the form itself has fields and files.
        assert target.send(post("/raw", both, MULTIPART)).body == b'["name","file"]'


def test_types_stay_in_the_document():
    document = make_app().openapi()
    content = document["paths"]["/"]["post"]["requestBody"]["content"]
    (reference,) = content["multipart/form-data"]["schema"].values()
    fields = document["components"]["schemas"][reference.rsplit("/", 1)[1]]
    assert fields["required"] == ["name"]
    assert fields["properties"]["name"]["maxLength"] == 5
    assert fields["properties"]["age"] == {"type": "integer", "title": "Age", "default": 0}
