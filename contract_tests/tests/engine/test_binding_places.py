"""Ids are bound at their own places: these are translated and compared, everything else stays literal."""

from __future__ import annotations

import pytest

from contract_tests.parity import Bindings, Inconclusive, Ledger, Request, Response
from contract_tests.parity.binding import DeclarationError, Declared
from contract_tests.tests.engine.declared import DECLARED, bound

from .toys import answer, json_answer, request, text_answer

A, B = "a" * 24, "b" * 24
TRANSLATED = {
    "a path": (request("GET", "/user/5"), request("GET", "/user/105")),
    "zeros before an id": (request("GET", "/user/005"), request("GET", "/user/00105")),
    "a sign before an id": (request("GET", "/user/+5"), request("GET", "/user/+105")),
    "a fraction behind an id": (request("GET", "/user/5.0"), request("GET", "/user/105.0")),
    "an encoded id": (request("GET", "/user/%35"), request("GET", "/user/%31%30%35")),
    "another script's digits": (request("GET", "/user/%D9%A5"), request("GET", "/user/%D9%A1%D9%A0%D9%A5")),
    "an encoded name before an id": (request("GET", "/use%72/5"), request("GET", "/use%72/105")),
    "slashes before an id": (request("GET", "//user//5"), request("GET", "//user//105")),
    "a spelled id in a query": (request("GET", "/x?user_id=05"), request("GET", "/x?user_id=0105")),
    "a path of another kind": (request("GET", "/files/5/content"), request("GET", "/files/905/content")),
    "a query": (request("GET", "/x?user_id=5&limit=5&q=5"), request("GET", "/x?user_id=105&limit=5&q=5")),
    "a body": (
        request("POST", "/x", b'{ "user_id": 5, "age": 5,\n "name": "5", "ids": [5], "user": {"id": 5}}'),
        request("POST", "/x", b'{ "user_id": 105, "age": 5,\n "name": "5", "ids": [5], "user": {"id": 105}}'),
    ),
    "a list of ids": (request("POST", "/x", b'{"user_ids": [5, 6]}'), request("POST", "/x", b'{"user_ids": [105, 6]}')),
    "an id as a string": (request("POST", "/x", b'{"user_id": "5"}'), request("POST", "/x", b'{"user_id": "105"}')),
    "a form": (
        request("POST", "/x", b"user_id=5&age=5", Content_Type="application/x-www-form-urlencoded"),
        request("POST", "/x", b"user_id=105&age=5", Content_Type="application/x-www-form-urlencoded"),
    ),
    "a length": (
        request("POST", "/x", b'{"user_id":5}', Content_Length="13"),
        request("POST", "/x", b'{"user_id":105}', Content_Length="15"),
    ),
    "a cookie": (
        request("GET", "/x", Cookie=f"theme=dark; session={A}"),
        request("GET", "/x", Cookie=f"theme=dark; session={B}"),
    ),
    "a bearer token": (
        request("GET", "/x", Authorization=f"Bearer {A}"),
        request("GET", "/x", Authorization=f"Bearer {B}"),
    ),
    "a token in a text": (
        request("POST", "/x", b'{"t": "is %s."}' % A.encode()),
        request("POST", "/x", b'{"t": "is %s."}' % B.encode()),
    ),
    "a token in a path": (request("GET", f"/s/{A}"), request("GET", f"/s/{B}")),
}


@pytest.mark.parametrize(("sent", "to_the_port"), TRANSLATED.values(), ids=TRANSLATED)
def test_typed_places_are_translated_whole_and_everything_else_is_left(sent: Request, to_the_port: Request) -> None:
    assert bound().translate(sent) == to_the_port


UNTOUCHED = {
    "a float": request("POST", "/x", b'{"user_id": 5.0}'),
    "a part of a number": request("GET", "/user/55"),
    "text": request("POST", "/x", b"user 5 and /user/5", Content_Type="text/plain"),
    "bytes": request("POST", "/x", b"\xff\x005"),
    "odd JSON": request("POST", "/x", b'{"a" : 1.50,\t"b":"\\u00e9" , "a":1}\n'),
    "broken JSON": request("POST", "/x", b'{"user_id": 5', Content_Type="application/json"),
    "a longer token": request("GET", "/x", Cookie=f"session={A}a"),
    "odd paths": request("GET", "/x/..//5/%2e?a=%41&&b"),
}


@pytest.mark.parametrize("sent", UNTOUCHED.values(), ids=UNTOUCHED)
def test_untouched_requests_keep_their_bytes(sent: Request) -> None:
    assert bound().translate(sent) is sent


def test_an_ambiguous_translation_is_inconclusive_and_never_guessed() -> None:
    twice = Declared.of({"paths": ["/user/{id}", "/user/{file_id}"]})
    with pytest.raises(Inconclusive, match="in more than one way: /user/105, /user/905"):
        bound(twice).translate(request("GET", "/user/5"))


def test_a_reference_to_an_id_that_was_never_born_is_a_difference() -> None:
    learned = Bindings(DECLARED).learn(
        request("GET", "/files"), json_answer([{"id": 1, "owner": 3}]), json_answer([{"id": 1, "owner": 4}])
    )
    assert [(each.path, each.kind, each.original) for each in learned.differences] == [
        ("$[0].owner", "binding", "3, never seen at its own place")
    ]


def test_only_bound_leaves_may_differ_in_bytes() -> None:
    bindings = bound()
    ours, theirs = answer(b'{"id": 5}', ("Content-Type", "application/json")), answer(b'{"id":105}')
    learned = bindings.learn(request("GET", "/user/5"), ours, theirs)
    assert (learned.port.body, learned.port.header("Content-Length"), learned.differences) == (b'{"id":5}', b"8", ())


@pytest.mark.parametrize("text", [r"\u00e9 /user/%d", "é /user/%d", "é \\n /user/%d", r"\u00e9\ud800 /user/%d"])
def test_a_string_around_a_bound_id_keeps_its_spelling(text: str) -> None:
    ours, theirs = (text_answer(f'{{"see": "{text}"}}' % number) for number in (5, 105))
    learned = bound().learn(request(), ours, theirs)
    assert (learned.port, learned.differences) == (ours, ())


def test_a_text_template_and_a_text_body_refer() -> None:
    bindings = bound()
    page = request("GET", "/page")
    ours, theirs = (
        answer(b"<a href='/user/5'>Stored as file 5</a>"),
        answer(b"<a href='/user/105'>Stored as file 905</a>"),
    )
    assert bindings.learn(page, ours, theirs).port.body == ours.body
    wrong = bindings.learn(page, ours, answer(b"<a href='/user/106'>Stored as file 905</a>"))
    assert [(each.level, each.path, each.kind) for each in wrong.differences] == [("bytes", "body", "binding")]


def test_an_etag_that_is_opaque_is_born_and_then_holds() -> None:
    def tagged(tag: str) -> Response:
        return answer(b"x", ("ETag", f'"{tag}"'))

    bindings, read = Bindings(), request("GET", "/f")
    assert bindings.learn(read, tagged(A), tagged(B)).port == tagged(A)
    assert bindings.translate(request("GET", "/f", If_None_Match=f'"{A}"')).headers[-1][1] == f'"{B}"'.encode()
    assert [each.kind for each in bindings.learn(read, tagged(A), tagged("c" * 24)).differences] == ["binding"]
    assert bindings.learn(read, tagged("short-1"), tagged("short-2")).port == tagged("short-2")


def test_a_cookie_of_another_length_or_without_20_characters_is_not_opaque() -> None:
    for ours, theirs in (("a" * 24, "b" * 25), ("a" * 19, "b" * 19)):
        responses = [answer(b"", ("Set-Cookie", f"s={value}")) for value in (ours, theirs)]
        assert Bindings().learn(request(), *responses).port is not responses[0]
        assert Bindings().learn(request(), *responses).port.headers == responses[1].headers


def test_a_token_that_goes_with_two_on_the_other_side_is_a_difference() -> None:
    bindings = bound()
    again = [answer(b"", ("Set-Cookie", f"csrf={value}")) for value in (A, "c" * 24)]
    assert [str(each) for each in bindings.learn(request(), *again).differences] == [
        f"cookie csrf.value binding {A}, which the port calls {B} -> {'c' * 24}, unknown to the original"
    ]


def test_the_length_of_a_head_may_differ_by_the_width_of_its_ids() -> None:
    ours, theirs = (Response(200, ((b"Content-Length", length),)) for length in (b"20", b"24"))
    assert bound().learn(request("HEAD", "/user/5"), ours, theirs).port == ours
    other = Response(200, ((b"Content-Length", b"25"),))
    assert bound().learn(request("HEAD", "/user/5"), ours, other).port == other


def test_the_length_of_a_head_may_differ_by_the_width_of_the_ids_of_a_list() -> None:
    bindings = Bindings()
    bindings.learn(request("POST", "/notes"), json_answer({"id": 5}, status=201), json_answer({"id": 7005}, status=201))
    ours = Response(200, ((b"Content-Length", b"1040"),))
    for length, alike in ((1040 + 3 * 14, True), (1040 + 3 * 14 + 1, False), (1040 - 3, False), (1040 * 2, False)):
        theirs = Response(200, ((b"Content-Length", str(length).encode()),))
        assert (bindings.learn(request("HEAD", "/notes"), ours, theirs).port == ours) is alike, length


def test_opaque_bindings_leave_integers_and_etags_literal() -> None:
    bindings = Bindings.opaque()
    ours, theirs = json_answer({"id": 5}, ("ETag", f'"{A}"')), json_answer({"id": 6}, ("ETag", f'"{B}"'))
    assert bindings.learn(request("POST", "/user"), ours, theirs).port == theirs
    state = [answer(b"", ("Location", f"https://id/?state={value}&a=1"), status=302) for value in (A, B)]
    assert bindings.learn(request("GET", "/login"), *state).port == state[0]
    assert bindings.translate(request("GET", f"/cb?state={A}")).target == f"/cb?state={B}".encode()


def test_no_bindings_bind_nothing() -> None:
    responses = [answer(b"", ("Set-Cookie", f"session={value}")) for value in (A, B)]
    bindings = Bindings.none()
    assert bindings.learn(request(), *responses).port is responses[1]
    sent = request("GET", "/x", Cookie=f"session={A}")
    assert bindings.translate(sent) is sent


def test_emptied_databases_forget_all_partners() -> None:
    bindings = bound()
    bindings.clear()
    assert bindings.translate(request("GET", "/user/5")).target == b"/user/5"


def test_operations_are_named_by_their_templates() -> None:
    names = [
        Bindings(DECLARED).operation(request("GET", path)) for path in ("/user/5?x=1", "/files/9/content", "/a/7/b")
    ]
    assert names == ["GET /user/{id}", "GET /files/{id}/content", "GET /a/{id}/b"]


def test_the_ledgers_table_declares_bindings_and_unknown_keys_are_named() -> None:
    ledger = Ledger.loads('[bind]\npaths = ["/u/{user_id}"]\nunordered = ["user"]\n')
    assert Declared.of(ledger.bind).typed("/u/5") == [{2: "user"}]
    with pytest.raises(DeclarationError, match="unknown key path"):
        Declared.of({"path": []})
    with pytest.raises(DeclarationError, match="paths is a list of texts"):
        Declared.of({"paths": "/u"})


def tokens(*pairs: tuple[str, str]) -> tuple[Bindings, list[str]]:
    """Bindings that have met these cookies, and the kinds of what was wrong with them."""
    bindings, found = Bindings(), []
    for pair in pairs:
        responses = [answer(b"", ("Set-Cookie", f"s={value}")) for value in pair]
        found += [each.kind for each in bindings.learn(request(), *responses).differences]
    return bindings, found


def test_a_token_of_digits_alone_is_a_token_and_no_integer() -> None:
    bindings, found = tokens(("1" * 20, "a1" * 10), ("b2" * 10, "2" * 20))
    assert found == []
    assert bindings.translate(request(Cookie=f"s={'1' * 20}")).headers[-1][1] == b"s=" + b"a1" * 10


def test_tokens_of_digits_have_no_order() -> None:
    assert tokens(("1" * 20, "9" * 20), ("2" * 20, "8" * 20))[1] == []


def test_the_stranger_for_a_token_of_digits_is_as_long_as_the_token() -> None:
    bindings, _ = tokens(("1" * 20, "2" * 20))
    sent = bindings.translate(request(Cookie=f"s={'2' * 20}")).headers[-1][1]
    assert len(sent) == len("s=") + 20
    assert sent not in (b"s=" + b"1" * 20, b"s=" + b"2" * 20)


def test_an_integer_of_any_length_keeps_its_order() -> None:
    bindings = Bindings()
    found = []
    for ours, theirs in (("1" * 5000, "7" * 5000), ("2" * 5000, "3" * 4999)):
        responses = [text_answer(f'{{"id": {number}}}', status=201) for number in (ours, theirs)]
        found.append([each.kind for each in bindings.learn(request("POST", "/user"), *responses).differences])
    assert found == [[], ["binding"]]


@pytest.mark.parametrize("length", ["9" * 5000, "0" * 5000 + "5"])
def test_the_length_of_a_head_may_have_any_number_of_digits(length: str) -> None:
    ours, theirs = (Response(200, ((b"Content-Length", value.encode()),)) for value in ("20", length))
    assert bound().learn(request("HEAD", "/user/5"), ours, theirs).port == theirs


def test_what_only_sounds_like_json_is_text() -> None:
    script = "application/jsonp"
    ours, theirs = (answer(f'"{value}"'.encode(), ("Content-Type", script)) for value in (A, "x"))
    assert bound().learn(request(), ours, theirs).differences == ()
    sent = Request("POST", b"/x", ((b"Content-Type", script.encode()),), b'"' + A.encode() + b'"')
    assert bound().translate(sent).body == f'"{B}"'.encode()
