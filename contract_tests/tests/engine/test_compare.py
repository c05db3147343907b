"""All levels are evaluated always, nothing but what the rules name is normalised away, and equal outcomes are alike."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract_tests.parity import DEFAULT, Difference, Response, compare
from contract_tests.parity.difference import KINDS, LEVELS

from .toys import answer, json_answer, text_answer

DATE = "Sun, 22 Nov 2026 17:31:16 GMT"

HEADERS = {
    "a missing header": ([("ETag", '"a"')], [], ['header ETag missing "a" -> (absent)']),
    "an additional header": ([], [("x-powered-by", "x")], ["header X-Powered-By extra (absent) -> x"]),
    "a header's value": ([("ETag", '"a"')], [("etag", '"b"')], ['header ETag value "a" -> "b"']),
    "a header's case": ([("X-A", "a")], [("X-A", "A")], ["header X-A value a -> A"]),
    "the number of a header": (
        [("X-A", "1"), ("X-A", "2")],
        [("X-A", "1, 2")],
        ['header X-A count ["1", "2"] -> 1, 2'],
    ),
    "the order of a repeated header": (
        [("X-A", "1"), ("X-A", "2")],
        [("X-A", "2"), ("X-A", "1")],
        ['header X-A order ["1", "2"] -> ["2", "1"]'],
    ),
    "one of a repeated header": (
        [("X-A", "1"), ("X-A", "2")],
        [("X-A", "1"), ("X-A", "3")],
        ["header X-A value 2 -> 3"],
    ),
    "a set of tokens": ([("Allow", "GET, HEAD")], [("Allow", "GET")], ["header Allow value GET, HEAD -> GET"]),
    "a set on one side": ([("Vary", "Cookie")], [], ["header Vary missing Cookie -> (absent)"]),
    "the case of a method": ([("Allow", "GET")], [("Allow", "get")], ["header Allow value GET -> get"]),
    "a date that is none": ([("Date", DATE)], [("Date", "today")], [f"header Date value {DATE} -> today"]),
    "a time that is off": (
        [("Last-Modified", DATE)],
        [("Last-Modified", "Sun, 22 Nov 2026 17:31:26 GMT")],
        [f"header Last-Modified value {DATE} -> Sun, 22 Nov 2026 17:31:26 GMT"],
    ),
    "a time on one side": ([("Last-Modified", DATE)], [], [f"header Last-Modified missing {DATE} -> (absent)"]),
    "a time that is none": (
        [("Last-Modified", DATE)],
        [("Last-Modified", "today")],
        [f"header Last-Modified value {DATE} -> today"],
    ),
    "another delay": ([("Retry-After", "300")], [("Retry-After", "290")], ["header Retry-After value 300 -> 290"]),
    "a short delay": ([("Retry-After", "1")], [("Retry-After", "2")], ["header Retry-After value 1 -> 2"]),
    "a length on one side": ([], [("Content-Length", "0")], ["header Content-Length extra (absent) -> 0"]),
    "the lengths of bodies left out": (
        [("Content-Length", "5")],
        [("Content-Length", "6")],
        ["header Content-Length value 5 -> 6"],
    ),
    "the media type": (
        [("Content-Type", "text/html")],
        [("Content-Type", "text/plain")],
        ["media-type Content-Type value text/html -> text/plain"],
    ),
    "a missing media type": (
        [("Content-Type", "text/html")],
        [],
        ["media-type Content-Type missing text/html -> (absent)"],
    ),
    "a charset": (
        [("Content-Type", "text/html; charset=utf-8")],
        [("Content-Type", "text/html")],
        ["media-type Content-Type.charset missing utf-8 -> (absent)"],
    ),
    "the spelling of a media type": (
        [("Content-Type", "text/html; charset=utf-8")],
        [("Content-Type", "text/html;charset=UTF-8")],
        ["media-type Content-Type.spelling value ; charset=utf-8 -> ;charset=UTF-8"],
    ),
}


@pytest.mark.parametrize(("original", "port", "told"), HEADERS.values(), ids=HEADERS)
def test_each_difference_of_a_header_is_told_by_its_name(
    original: list[tuple[str, str]], port: list[tuple[str, str]], told: list[str]
) -> None:
    found = compare(answer(b"", *original, length=False), answer(b"", *port, length=False))
    assert [str(each) for each in found] == told


ALIKE = {
    "hop-by-hop and server headers": (
        [("Server", "gunicorn"), ("Connection", "close"), ("Transfer-Encoding", "chunked")],
        [("Keep-Alive", "timeout=5")],
    ),
    "two valid dates": ([("Date", DATE)], [("Date", "Sun, 22 Nov 2026 17:31:17 GMT")]),
    "a date on one side": ([("Date", DATE)], []),
    "what each made a second apart": (
        [("Last-Modified", DATE)],
        [("Last-Modified", "Sun, 22 Nov 2026 17:31:17 GMT")],
    ),
    "a delay that runs": ([("Retry-After", "300")], [("Retry-After", "299")]),
    "the case of names": ([("X-A", "1")], [("x-a", "1")]),
    "the order of different names": ([("X-A", "1"), ("X-B", "2")], [("X-B", "2"), ("X-A", "1")]),
    "the order of a set": ([("Allow", "GET, HEAD")], [("Allow", "HEAD,GET")]),
    "the lines of a set": ([("Vary", "Cookie, Origin")], [("Vary", "origin"), ("Vary", "cookie")]),
}


@pytest.mark.parametrize(("original", "port"), ALIKE.values(), ids=ALIKE)
def test_what_design_names_as_not_compared_is_not(original: list[tuple[str, str]], port: list[tuple[str, str]]) -> None:
    assert compare(answer(b"", *original), answer(b"", *port)) == ()


def test_the_length_of_a_body_that_differs_is_a_consequence() -> None:
    assert [each.level for each in compare(json_answer({"a": 1}), json_answer({"a": 10}))] == ["json"]


def test_a_length_that_lies_is_told_beside_the_body() -> None:
    lying = answer(b"abc", ("Content-Length", "9"), length=False)
    found = compare(answer(b"abcd"), lying)
    assert [(each.level, each.path) for each in found] == [("header", "Content-Length"), ("bytes", "body")]
    assert [str(each) for each in compare(answer(b"abc"), lying)] == ["header Content-Length value 3 -> 9"]


def test_the_same_length_over_two_bodies_is_a_lie_of_one() -> None:
    told = compare(answer(b"abc"), answer(b"abcd", ("Content-Length", "3"), length=False))
    assert str(told[0]) == "header Content-Length value 3 for 3 bytes -> 3 for 4 bytes"


def test_all_levels_are_told_at_once() -> None:
    ours = json_answer({"a": 1, "b": 1}, ("Set-Cookie", "s=1"), ("ETag", '"a"'))
    theirs = answer(b'{"a":2,"b":1}', ("Content-Type", "text/json"), ("Set-Cookie", "s=2"), ("ETag", '"b"'), status=201)
    assert [each.level for each in compare(ours, theirs)] == [
        "status",
        "media-type",
        "header",
        "cookie",
        "json",
        "bytes",
    ]


@pytest.mark.parametrize("failure", ["refused", "timeout", "reset", "truncated"])
def test_a_failure_on_one_side_is_one_difference(failure: str) -> None:
    failed = Response(0, failure=failure)
    assert [str(each) for each in compare(answer(b"x"), failed)] == [f"transport failure extra (absent) -> {failure}"]
    assert [each.kind for each in compare(failed, answer(b"x"))] == ["missing"]
    assert compare(failed, Response(0, failure=failure)) == ()


def test_the_head_of_a_truncated_response_is_still_compared() -> None:
    ours = Response(200, ((b"X-A", b"1"),), b"half", failure="truncated")
    theirs = Response(206, ((b"X-A", b"2"),), b"hal", failure="truncated")
    assert [each.level for each in compare(ours, theirs)] == ["status", "header", "bytes"]


def test_bytes_are_told_by_the_first_that_differs_and_its_surroundings() -> None:
    (found,) = compare(answer(b"a" * 100 + b"x" + b"b" * 100), answer(b"a" * 100 + b"\xff" + b"b" * 100))
    assert found.original == f"byte 100 of 201: …{'a' * 24}x{'b' * 47}…"
    assert found.port == rf"byte 100 of 201: …{'a' * 24}\xff{'b' * 47}…"


def test_json_against_a_page_is_one_verdict_on_the_body() -> None:
    page = answer(b"<!doctype html><p>no</p>", ("Content-Type", "text/html"), status=404)
    told = compare(page, json_answer({"detail": "no"}, status=404))
    assert [(each.level, each.path, each.kind) for each in told] == [
        ("media-type", "Content-Type", "value"),
        ("json", "$", "type"),
    ]


def test_differences_come_in_the_order_of_levels_and_natural_paths() -> None:
    ours, theirs = (json_answer({"a": [n] * 12}) for n in (1, 2))
    found = compare(ours, theirs)
    assert [each.path for each in found] == [f"$.a[{n}]" for n in range(12)]
    for order in itertools.islice(itertools.permutations(found), 20):
        assert tuple(sorted(order)) == found


def test_a_difference_is_a_value_with_a_fingerprint_without_values_or_indexes() -> None:
    one, other = (Difference("json", f"$.items[{n}].price", "type", "1", "1.0") for n in (2, 10))
    assert one < other
    assert {one, other, Difference("json", "$.items[2].price", "type", "1", "1.0")} == {one, other}
    assert one.fingerprint("GET /x") == other.fingerprint("GET /x") == "GET /x json $.items[*].price type"
    assert Difference("json", '$["a[0]"][1]', "value", "1", "2").pattern == '$["a[0]"][*]'
    assert (LEVELS[0], KINDS[0]) == ("transport", "missing")


HEADER = st.sampled_from(["Content-Type", "Content-Length", "Date", "Set-Cookie", "Allow", "Vary", "X-A", "ETag"])
OUTCOMES = st.builds(
    lambda status, headers, body, failure: Response(status, tuple(headers), body, failure),
    st.sampled_from([0, 100, 101, 200, 204, 304, 404, 500, 599]),
    st.lists(st.tuples(HEADER.map(str.encode), st.binary(max_size=8)), max_size=4),
    st.binary(max_size=12)
    | st.sampled_from([b'{"a":1}', b"[1,2]", b"[NaN]", b'\xef\xbb\xbf{"a":1}', b'{"a":1,"a":2}']),
    st.sampled_from([None, None, None, "reset", "truncated"]),
)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(OUTCOMES, OUTCOMES)
def test_comparison_answers_for_any_outcomes_and_is_symmetric(one: Response, other: Response) -> None:
    assert compare(one, one) == compare(one, Response(one.status, one.headers, one.body, one.failure)) == ()
    there, back = compare(one, other), compare(other, one)
    assert {each.level for each in there} == {each.level for each in back}
    assert there == tuple(sorted(there))
    if one.status != other.status and not one.failure and not other.failure:
        assert there[0].level == "status"


def test_large_bodies_are_compared_to_their_last_byte() -> None:
    body = b"\x00" * 20_000_000
    assert compare(answer(body), answer(bytes(body))) == ()
    (found,) = compare(answer(body), answer(body[:-1] + b"x"))
    assert found.original is not None
    assert found.original.startswith("byte 19999999 of 20000000")


def test_the_rules_can_be_changed_by_name() -> None:
    ours, theirs = text_answer("1", ("Server", "a")), text_answer("1", ("Server", "b"))
    strict = type(DEFAULT)(uncompared=frozenset())
    assert [each.path for each in compare(ours, theirs, rules=strict)] == ["Server"]
