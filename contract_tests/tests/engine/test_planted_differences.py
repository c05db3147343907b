"""One planted difference of each kind and level is found at its place, alone, and no acceptance hides another."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from contract_tests.parity import Bindings, Difference, Ledger, Pair, Request, Response
from contract_tests.parity.difference import KINDS, LEVELS
from contract_tests.parity.ledger import Entry, Known

from .toys import Toy, request

OPERATION = "GET /item/{id}"
BODY = (
    '{"id": 5, "name": "Ada", "price": 1, "on": true, "note": null, "tags": ["a", "b"],'
    ' "items": [{"price": 1}, {"price": 2}], "big": 90071992547409931, "ratio": 1.5}\n'
)
HEADERS = (
    "Content-Type: application/json; charset=utf-8",
    "Content-Length: {length}",
    "Allow: GET, HEAD, OPTIONS",
    'ETag: "a-1"',
    "Link: </a>; rel=prev",
    "Link: </b>; rel=next",
    "Date: Sun, 22 Nov 2026 17:31:16 GMT",
    "Set-Cookie: session=abc; Path=/; HttpOnly; Expires=Thu, 01 Jan 2032 00:00:00 GMT",
    "Set-Cookie: theme=dark; Path=/",
    "Set-Cookie: theme=dark; Path=/x",
)


@dataclass(frozen=True)
class Planted:
    """What is changed in the port: text in its body, a header replaced, its status or its failure."""

    level: str
    path: str
    kind: str
    body: tuple[str, str] = ("", "")
    head: tuple[str, str] = ("", "")
    status: int = 200
    failure: str | None = None


PLANTED = {
    "a status": Planted("status", "status", "value", status=201),
    "a failure": Planted("transport", "failure", "extra", failure="reset"),
    "a media type": Planted("media-type", "Content-Type", "value", head=("application/json", "text/json")),
    "a charset": Planted("media-type", "Content-Type.charset", "missing", head=("; charset=utf-8", "")),
    "a media type's spelling": Planted("media-type", "Content-Type.spelling", "value", head=("; ch", ";ch")),
    "no media type": Planted("media-type", "Content-Type", "missing", head=(HEADERS[0], "")),
    "a header's value": Planted("header", "ETag", "value", head=('"a-1"', '"a-2"')),
    "a missing header": Planted("header", "ETag", "missing", head=(HEADERS[3], "")),
    "an additional header": Planted(
        "header", "X-Powered-By", "extra", head=(HEADERS[3], HEADERS[3] + "\nX-Powered-By: x")
    ),
    "a set of methods": Planted("header", "Allow", "value", head=("GET, HEAD, OPTIONS", "GET")),
    "two headers made one": Planted("header", "Link", "count", head=(HEADERS[5], "")),
    "two headers in another order": Planted(
        "header", "Link", "order", head=("\n".join(HEADERS[4:6]), "\n".join(HEADERS[5:3:-1]))
    ),
    "a date that is none": Planted("header", "Date", "value", head=("Nov", "nov")),
    "no length": Planted("header", "Content-Length", "missing", head=(HEADERS[1], "")),
    "a false length": Planted("header", "Content-Length", "value", head=("{length}", "7")),
    "a cookie's value": Planted("cookie", "session.value", "value", head=("=abc", "=abd")),
    "a cookie's attribute": Planted("cookie", "session.HttpOnly", "missing", head=("; HttpOnly", "")),
    "a cookie's new attribute": Planted("cookie", "session.Secure", "extra", head=("; HttpOnly", "; HttpOnly; Secure")),
    "a cookie's path": Planted("cookie", "session.Path", "value", head=("abc; Path=/;", "abc; Path=/a;")),
    "a cookie's expiry": Planted("cookie", "session.Expires", "value", head=("00:00:00", "00:00:09")),
    "a cookie's order": Planted("cookie", "session", "order", head=("Path=/; HttpOnly", "HttpOnly; Path=/")),
    "a cookie's spelling": Planted("cookie", "session.spelling", "value", head=("HttpOnly", "httponly")),
    "a missing cookie": Planted("cookie", "session", "missing", head=(HEADERS[7], "")),
    "an additional cookie": Planted("cookie", "lang", "extra", head=(HEADERS[9], HEADERS[9] + "\nSet-Cookie: lang=de")),
    "a cookie set once": Planted("cookie", "theme", "count", head=(HEADERS[9], "")),
    "a type: float": Planted("json", "$.price", "type", body=('"price": 1,', '"price": 1.0,')),
    "a type: boolean": Planted("json", "$.on", "type", body=("true", "1")),
    "a type: string": Planted("json", "$.id", "type", body=('"id": 5', '"id": "5"')),
    "a value": Planted("json", "$.name", "value", body=("Ada", "ada")),
    "a value within": Planted("json", "$.items[1].price", "value", body=('"price": 2', '"price": 3')),
    "a big integer": Planted("json", "$.big", "value", body=("931", "930")),
    "null left out": Planted("json", "$.note", "missing", body=(' "note": null,', "")),
    "an additional member": Planted("json", "$.password", "extra", body=('"ratio"', '"password": "x", "ratio"')),
    "the order of keys": Planted("json", "$", "order", body=('"id": 5, "name": "Ada"', '"name": "Ada", "id": 5')),
    "the order of a list": Planted("json", "$.tags", "order", body=('"a", "b"', '"b", "a"')),
    "an element left out": Planted("json", "$.tags[1]", "missing", body=('"a", "b"', '"a"')),
    "a key given twice": Planted("json", "$.on", "count", body=('"on": true', '"on": true, "on": true')),
    "no JSON": Planted("json", "$", "type", body=("true", "True")),
    "white space": Planted("bytes", "body", "value", body=("}\n", "}")),
    "another spelling of a number": Planted("bytes", "body", "value", body=("1.5", "1.50")),
}


def response(planted: Planted | None = None, *more: Planted) -> Response:
    """The toy's response with these differences planted in it."""
    head, body, status, failure = "\n".join(HEADERS), BODY, 200, None
    for each in (planted, *more):
        if each is not None:
            head, body = head.replace(*each.head, 1), body.replace(*each.body, 1)
            status, failure = each.status if each.status != 200 else status, each.failure or failure
    if failure:
        return Response(0, failure=failure)
    pairs = (line.format(length=len(body)).encode().split(b": ", 1) for line in head.split("\n") if line)
    return Response(status, tuple((name, value) for name, value in pairs), body.encode())


def differences(port: Response, *accepted: Entry) -> tuple[tuple[Difference, ...], tuple[Difference, ...]]:
    """What is new and what is accepted when the toy's port answers with this."""
    pair = Pair(Toy(lambda _: response()), Toy(lambda _: port), accepted=Ledger(accepted), bindings=Bindings.none())
    exchange = pair.exchange(request("GET", "/item/5"))
    return exchange.differences, tuple(difference for difference, _ in exchange.accepted)


def entry(difference: Difference) -> Entry:
    """An entry that accepts exactly one difference, its texts included."""
    known = Known(difference.level, difference.path, difference.kind, difference.original, difference.port)
    return Entry((known,), "planted", "0001", "tests", operations=(OPERATION,))


def test_a_pair_that_is_alike_gives_no_difference() -> None:
    assert differences(response()) == ((), ())


@pytest.mark.parametrize("planted", PLANTED.values(), ids=PLANTED)
def test_a_planted_difference_is_found_at_its_place_and_nothing_else_is(planted: Planted) -> None:
    found, _ = differences(response(planted))
    assert [(each.level, each.path, each.kind) for each in found] == [(planted.level, planted.path, planted.kind)]


@pytest.mark.parametrize("planted", PLANTED.values(), ids=PLANTED)
def test_an_accepted_difference_passes_and_is_kept(planted: Planted) -> None:
    (difference,), _ = differences(response(planted))
    assert differences(response(planted), entry(difference)) == ((), (difference,))


@pytest.mark.parametrize("name", PLANTED)
def test_no_acceptance_hides_a_neighbour(name: str) -> None:
    planted = PLANTED[name]
    (difference,), _ = differences(response(planted))
    for other_name, other in PLANTED.items():
        both = response(planted, other)
        if other_name == name or both in (response(planted), response(other)) or "failure" in name + other_name:
            continue
        new, _ = differences(both, entry(difference))
        assert new, f"{name} accepted hides {other_name}"


def test_every_level_and_every_kind_is_planted() -> None:
    assert {each.level for each in PLANTED.values()} == set(LEVELS) - {"effect"}  # not of an exchange: test_effects
    assert {each.kind for each in PLANTED.values()} == set(KINDS) - {"binding"}, "ids are planted in test_binding.py"
    json.loads(BODY)


def test_the_request_reaches_both_unchanged() -> None:
    original, port = Toy(lambda _: response()), Toy(lambda _: response())
    sent = request("POST", "/item/%7e//x?a=%41", b"\x00\xff")
    Pair(original, port).exchange(sent)
    assert original.sent == port.sent == [sent]
    assert isinstance(sent, Request)
