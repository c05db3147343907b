"""Cookies are compared by attribute (RFC 6265), and an Expires by its class."""

from __future__ import annotations

import pytest

from contract_tests.parity import compare

from .toys import answer

DIFFERENT = {
    "the value": ("a=1; Path=/", "a=2; Path=/", ["a.value value 1 -> 2"]),
    "a missing attribute": ("a=1; HttpOnly; Path=/", "a=1; Path=/", ["a.HttpOnly missing  -> (absent)"]),
    "an additional attribute": ("a=1; Path=/", "a=1; Path=/; SameSite=lax", ["a.SameSite extra (absent) -> lax"]),
    "an attribute's value": ("a=1; Path=/", "a=1; Path=/x", ["a.Path value / -> /x"]),
    "the case of an attribute's value": ("a=1; SameSite=Lax", "a=1; SameSite=lax", ["a.SameSite value Lax -> lax"]),
    "the lifetime": ("a=1; Max-Age=60", "a=1; Max-Age=61", ["a.Max-Age value 60 -> 61"]),
    "the order of attributes": (
        "a=1; Path=/; HttpOnly",
        "a=1; HttpOnly; Path=/",
        ["a order Path; HttpOnly -> HttpOnly; Path"],
    ),
    "the case of an attribute": (
        "a=1; HttpOnly",
        "a=1; httponly",
        ["a.spelling value  HttpOnly ->  httponly"],
    ),
    "the space between": ("a=1; Path=/", "a=1;Path=/", ["a.spelling value  Path= -> Path="]),
    "a repeated attribute": (
        "a=1; Path=/; Path=/",
        "a=1; Path=/",
        ['a.Path count ["/", "/"] -> /'],
    ),
    "quotes": ('a="1"', "a=1", ['a.value value "1" -> 1']),
    "the name's case": ("a=1", "A=1", ["A extra (absent) -> A=1", "a missing a=1 -> (absent)"]),
    "the form of a date": (
        "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        "a=; Expires=Thu, 01-Jan-1970 00:00:00 GMT",
        ["a.Expires value Thu, 01 Jan 1970 00:00:00 GMT -> Thu, 01-Jan-1970 00:00:00 GMT"],
    ),
    "a wrong weekday": (
        "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        "a=; Expires=Fri, 01 Jan 1970 00:00:00 GMT",
        ["a.Expires value Thu, 01 Jan 1970 00:00:00 GMT -> Fri, 01 Jan 1970 00:00:00 GMT"],
    ),
    "an expiry three seconds later": (
        "a=1; Expires=Thu, 01 Jan 2032 00:00:00 GMT",
        "a=1; Expires=Thu, 01 Jan 2032 00:00:03 GMT",
        ["a.Expires value Thu, 01 Jan 2032 00:00:00 GMT -> Thu, 01 Jan 2032 00:00:03 GMT"],
    ),
}


@pytest.mark.parametrize(("original", "port", "told"), DIFFERENT.values(), ids=DIFFERENT)
def test_each_difference_of_a_cookie_is_told_by_its_attribute(original: str, port: str, told: list[str]) -> None:
    found = compare(answer(b"", ("Set-Cookie", original)), answer(b"", ("Set-Cookie", port)))
    assert [str(each) for each in found] == [f"cookie {each}" for each in told]


def test_an_expiry_may_lie_two_seconds_apart() -> None:
    ours, theirs = (
        answer(b"", ("Set-Cookie", f"a=1; Expires=Thu, 01 Jan 2032 00:00:0{n} GMT; Path=/")) for n in (1, 3)
    )
    assert compare(ours, theirs) == ()


def test_an_expiry_within_the_window_does_not_hide_its_neighbours() -> None:
    ours = answer(b"", ("Set-Cookie", "a=1; Expires=Thu, 01 Jan 2032 00:00:01 GMT; Path=/"))
    theirs = answer(b"", ("Set-Cookie", "a=1; Expires=Thu, 01 Jan 2032 00:00:02 GMT;Path=/"))
    assert [each.path for each in compare(ours, theirs)] == ["a.spelling"]


def test_an_expiry_is_measured_from_the_receipt_of_its_own_response() -> None:
    ours, theirs = (answer(b"", ("Set-Cookie", f"a=1; Expires=Thu, 01 Jan 2032 00:00:{n} GMT")) for n in ("00", "30"))
    assert compare(ours, theirs, received=(1000.0, 1030.5)) == ()
    assert [each.path for each in compare(ours, theirs, received=(1000.0, 1000.5))] == ["a.Expires"]


def test_a_fixed_expiry_is_alike_however_slow_the_port_is() -> None:
    response = answer(b"", ("Set-Cookie", "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/"))
    other = answer(b"", ("Set-Cookie", "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT;  Path=/"))
    assert compare(response, response, received=(0.0, 60.0)) == ()
    assert [each.path for each in compare(response, other, received=(1.0, 60.0))] == ["a.spelling"]


def test_a_cookie_set_once_instead_of_twice_is_told() -> None:
    one, other = ("Set-Cookie", "a=1"), ("Set-Cookie", "a=2")
    found = compare(answer(b"", one, other), answer(b"", one))
    assert [str(each) for each in found] == ['cookie a count ["a=1", "a=2"] -> a=1']


def test_the_order_of_cookies_is_told() -> None:
    one, other = ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")
    found = compare(answer(b"", one, other), answer(b"", other, one))
    assert [str(each) for each in found] == ["cookie Set-Cookie order a, b -> b, a"]


def test_a_value_without_an_equals_sign_is_compared_too() -> None:
    found = compare(answer(b"", ("Set-Cookie", "abc")), answer(b"", ("Set-Cookie", "abd")))
    assert [each.kind for each in found] == ["value"]
