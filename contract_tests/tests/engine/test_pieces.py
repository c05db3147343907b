"""What closes a cause: each piece that is named exists, and closes what it is named for"""

import importlib
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

from contract_tests.parity import Bindings, Pair, asgi, wsgi
from contract_tests.parity.cases import load_cases
from contract_tests.parity.causes import Causes
from contract_tests.parity.pieces import closing, pieces
from contract_tests.parity.reasons import Seen, reason_of
from contract_tests.tests.house.test_docs import anchors
from contract_tests.tests.house.test_house import ROOT
from contract_tests.tests.specimens.causes import pages_original, pages_port
from contract_tests.tests.specimens.slides import original, port

from .toys import always, answer, json_answer, request

CASES = Path(__file__).parents[1] / "specimens"
PIECES = [piece for piece, _ in pieces()]


@pytest.mark.parametrize("piece", PIECES, ids=lambda piece: piece.names)
def test_a_piece_exists_and_its_page_tells_of_it(piece):
    module, _, name = piece.names.partition(":")
    assert hasattr(importlib.import_module(module), name)
    page, _, anchor = piece.docs.partition("#")
    assert anchor in anchors(ROOT / page)
    called = re.findall(r"\w+", piece.write)
    assert any(hasattr(importlib.import_module(module), each) for each in called), piece.write


def test_every_condition_has_only_keys_that_are_asked():
    known = {"reason", "kind", "path", "method", "target", "sent", "statuses", "original", "port"}
    for piece, conditions in pieces():
        for condition in conditions:
            assert condition.keys() <= known, piece
            assert condition["reason"]


def test_every_reason_that_is_named_is_one_that_the_engine_gives():
    sources = "".join(path.read_text() for path in (ROOT / "contract_tests/parity").glob("*.py"))
    named = {condition["reason"] for _, conditions in pieces() for condition in conditions}
    assert {each for each in named if f'"{each}"' not in sources} == set()


@cache
def causes_of(make_original, make_port, cases):
    causes = Causes()
    for case in load_cases(cases):
        with wsgi(make_original()) as ours, asgi(make_port()) as theirs:
            pair = Pair(ours, theirs, bindings=Bindings.opaque())
            for step in case.steps:
                causes.add(pair.exchange(step), case.name, pair.secrets)
    return causes.ranked()


def named_for(causes, name):
    return {cause.reason for cause in causes if cause.closes and cause.closes.names.endswith(f":{name}")}


def installed(make_app, module, name):
    """A factory of the app with the line that the piece's entry says."""
    piece = getattr(importlib.import_module(module), name)

    def make():
        app = make_app()
        piece.install(app)
        return app

    return make


@pytest.mark.parametrize(("module", "name", "at_least"), [
    ("fastapi_app.wire.routing", "Routing", 4),
    ("fastapi_app.wire.pages", "Pages", 1),
])  # fmt: skip
def test_what_a_piece_is_named_for_is_gone_with_it(module, name, at_least):
    cases = CASES / "slides/cases.jsonl"
    named = named_for(causes_of(original.create_app, port.create_app, cases), name)
    assert len(named) >= at_least
    after = causes_of(original.create_app, installed(port.create_app, module, name), cases)
    assert named & {cause.reason for cause in after} == set()


def test_pages_that_are_redirected_are_alike_with_the_pieces_named():
    cases = CASES / "causes/pages.jsonl"
    named = named_for(causes_of(pages_original.create_app, pages_port.create_app, cases), "Routing")
    make = installed(pages_port.create_app, "fastapi_app.wire.routing", "Routing")
    after = {cause.reason for cause in causes_of(pages_original.create_app, make, cases)}
    assert {reason.name for reason in named} == {"slash", "allow"}
    assert named & after == set()


# Differences of which docs/wire.md tells, and the piece that closes each.
SEEN = {
    "HEAD": (("HEAD", "/a"), answer(b"", status=200), answer(b"", status=405), "Routing"),
    "a preflight is no OPTIONS of Flask's": (
        ("OPTIONS", "/a", {"Access_Control_Request_Method": "GET"}),
        answer(b""),
        answer(b"", status=405),
        None,
    ),
    "a redirect": (
        ("POST", "/a"),
        answer(b"", ("Location", "/b"), status=302),
        answer(b"", ("Location", "/b"), status=307),
        "redirect",
    ),
    "a page of Werkzeug's": (
        ("GET", "/a"),
        answer(b"<p>", ("Content-Type", "text/html"), status=404),
        json_answer({"detail": "a"}, status=404),
        "Pages",
    ),
    "a conditional request": (("GET", "/a"), answer(b"", status=304), answer(b"file", status=200), "send_file"),
    "a large body": (("POST", "/a"), answer(b"", status=413), answer(b"", status=201), "BodyLimit"),
    "a guard": (("GET", "/a"), answer(b"", status=401), answer(b"mine"), "BeforeRequest"),
    "a business rule": (("POST", "/a"), answer(b"", status=409), answer(b"", status=201), None),
    "a repeated key": (("GET", "/a?tag=1&tag=2"), json_answer({"tag": "1"}), json_answer({"tag": "2"}), "QueryRoute"),
    "two keys": (("GET", "/a?tag=1&tags=2"), json_answer({"tag": "1"}), json_answer({"tag": "2"}), None),
}


@pytest.mark.parametrize(("asked", "ours", "theirs", "name"), SEEN.values(), ids=SEEN)
def test_a_difference_names_the_piece_that_closes_it_and_no_other(asked, ours, theirs, name):
    method, target, headers = (*asked, {})[:3]
    exchange = Pair(always(ours), always(theirs), bindings=Bindings.none()).exchange(request(method, target, **headers))
    first = exchange.differences[0]
    piece = closing(reason_of(Seen(first, exchange, exchange.differences[1:])), first, exchange)
    assert (piece and piece.names.partition(":")[2]) == name


def test_the_file_is_read_as_it_is_written():
    text = (ROOT / "contract_tests/parity/pieces.toml").read_text()
    assert len(tomllib.loads(text)["piece"]) == len(PIECES)
