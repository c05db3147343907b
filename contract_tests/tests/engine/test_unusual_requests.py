"""What is unusual in a request, and what lies in a page, a token or a stale answer, tells why two answers differ."""

from __future__ import annotations

import base64
import json
import time
from urllib.parse import quote

import pytest

from contract_tests.parity import peculiar
from contract_tests.parity.binding import Bindings
from contract_tests.parity.causes import Causes
from contract_tests.parity.compare import compare
from contract_tests.parity.exchange import Exchange
from contract_tests.parity.folding import is_one_place
from contract_tests.parity.html_parts import parts
from contract_tests.parity.messages import Request, Response
from contract_tests.parity.operations import Operation, Operations
from contract_tests.parity.samples import plausible
from contract_tests.parity.secrets import Secrets

FORM = ((b"Content-Type", b"application/x-www-form-urlencoded"),)
PAGE = b"<!doctype html><html><body><p class='a'>1 Feb</p><a href='/x'>x</a></body></html>"


def exchanged(request, original, port, operation=None):
    differences = compare(original, port)
    name = operation or f"{request.method} {request.target.decode()}"
    return Exchange(name, request, request, original, port, tuple(differences))


def causes_of(*exchanges):
    causes = Causes()
    for exchange in exchanges:
        causes.add(exchange, "a case", Secrets())
    return causes.ranked()


def answer(value, status=200, *headers):
    return Response(status, ((b"Content-Type", b"application/json"), *headers), json.dumps(value).encode())


@pytest.mark.parametrize(
    ("target", "body", "found"),
    [
        (b"/?page=1&page=2", b"", peculiar.REPEATED),
        (b"/?q=%ff", b"", peculiar.UNDECODABLE),
        (b"/?page=1.0", b"", peculiar.NUMBERS),
        (b"/?page=%2B1", b"", peculiar.NUMBERS),
        (b"/?page=1&limit=10", b"", None),
        (b"/?q=caf%C3%A9", b"", None),
        (b"/", b"a=1&a=2", peculiar.REPEATED),
        (b"/", b'{"a": 1, "a": 2}', peculiar.REPEATED),
        (b"/", b'{"a": {"b": 1}, "b": 2}', None),
    ],
)
def test_an_unusual_request_is_known(target, body, found):
    assert peculiar.of_request(Request("POST", target, FORM, body)) == found


UUID = "550e8400-e29b-41d4-a716-446655440000"
OPAQUE = [UUID, UUID.replace("-", ""), "507f1f77bcf86cd799439011", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "usr_8fJ2kQ0vXz41LmTq"]


def test_a_value_of_many_digits_is_looked_at_in_time():
    # It is no number that anyone spells: a pattern that tries each way to part the digits takes minutes.
    for text in (b"9" * 90_000, b"9" * 90_000 + b"x", b"1" * 50 + b"." + b"9" * 40 + b"x"):
        began = time.process_time()
        peculiar.of_request(Request("POST", b"/", FORM, b"a=" + text))
        assert time.process_time() - began < 1


@pytest.mark.parametrize(
    "text", ["+1", "-1.", "1.00", "1e5", "-1.5E+3", "1_000", "007", "inf", "-NaN", "9" * 16, " 12", "12 ", "1.e5"]
)
def test_a_number_in_another_spelling_is_known(text):
    assert peculiar.of_request(Request("POST", b"/", FORM, f"a={quote(text)}".encode())) is not None


@pytest.mark.parametrize("text", ["1", "0", "-5", "1.5", "1e", "e5", "12a", "1-2", "9" * 15, "2026-11-26"])
def test_a_number_in_its_plain_spelling_is_none(text):
    assert peculiar.of_request(Request("POST", b"/", FORM, f"a={text}".encode())) is None


@pytest.mark.parametrize(
    ("path", "odd"),
    [("7", False), ("x", True), ("1.0", True), ("%2B1", True), ("9" * 20, True), *((each, False) for each in OPAQUE)],
)
def test_an_unusual_value_in_a_path_is_known(path, odd):
    assert peculiar.in_path("GET /items/{id}", Request("GET", f"/items/{path}".encode()), taken=False) is odd


@pytest.mark.parametrize(
    ("path", "odd"),
    [
        ("red-shoes", False),
        ("x", False),
        ("2026-11-26", False),
        ("01", True),
        ("-1", True),
        ("1.5", True),
        ("1_0", True),
        ("%2B1", True),
        ("1%20", True),
    ],
)
def test_of_what_a_side_takes_numbers_and_escapes_alone_are_unusual(path, odd):
    assert peculiar.in_path("GET /items/{id}", Request("GET", f"/items/{path}".encode()), taken=True) is odd


def test_a_name_in_a_path_is_usual():
    assert not peculiar.in_path("GET /files/{name}", Request("GET", b"/files/rules"), taken=False)


@pytest.mark.parametrize("value", [*OPAQUE, "red-shoes", "7"])
def test_four_defects_behind_ids_of_one_form_are_four_causes(value):
    seen = [
        ("GET /items/{id}", answer({"price": 10}), answer({"price": 11})),
        ("GET /users/{id}", answer({"mail": "a"}), answer({"mail": None})),
        ("DELETE /orders/{id}", answer({}, 404), answer({})),
        ("GET /teams/{id}", answer({}), answer({}, 404)),
    ]
    found = causes_of(*(
        exchanged(Request(operation.split()[0], operation.split()[1].replace("{id}", value).encode()), *both, operation)
        for operation, *both in seen
    ))  # fmt: skip
    assert sorted(cause.reason.name for cause in found) == ["status", "status", "type", "value"]


def test_what_the_port_alone_finds_is_a_matter_of_a_path_s_form_unless_usual_values_find_it_too():
    missing, shown = answer({}, 404), answer({"a": 1})
    odd = exchanged(Request("GET", b"/a/1.0"), missing, shown, "GET /a/{id}")
    assert causes_of(odd)[0].title == "GET /a/{id}: a path whose value does not fit: 404 becomes 200"
    usual = exchanged(Request("GET", b"/a/2"), missing, shown, "GET /a/{id}")
    assert [cause.title for cause in causes_of(odd, usual)] == ["GET /a/{id}: 404 becomes 200"]


def test_who_is_sent_to_sign_in_first_was_not_asked_for_a_value():
    sign_in = Response(303, ((b"Location", b"/login?next=%2Fa%2Fabc%2Fedit"),))
    found = causes_of(exchanged(Request("GET", b"/a/abc/edit"), answer({}, 404), sign_in, "GET /a/{id}/edit"))
    assert found[0].reason.name == "path-value"


def test_a_value_that_does_not_fit_is_told_so():
    refused, found = answer({}, 404), answer({"detail": [{"loc": ["path", "id"]}]}, 422)
    one, other = (
        exchanged(Request("GET", f"/{each}/x".encode()), refused, found, f"GET /{each}/{{id}}") for each in "ab"
    )
    assert [cause.title for cause in causes_of(one, other)] == ["a path whose value does not fit: 404 becomes 422"]


def test_all_that_a_repeated_parameter_changes_is_one_cause():
    ours, theirs = ({"page": page, "items": [{"id": page, "name": f"n{page}"}]} for page in (1, 2))
    [cause] = causes_of(exchanged(Request("GET", b"/?page=1&page=2"), answer(ours), answer(theirs), "GET /"))
    assert cause.reason.name == "input"


def test_what_differs_for_usual_requests_too_is_not_laid_to_unusual_ones():
    ours, theirs = answer({"n": 5}), answer({"n": 6})
    usual, unusual = (exchanged(Request("GET", target), ours, theirs, "GET /") for target in (b"/", b"/?a=1&a=2"))
    assert [cause.reason.name for cause in causes_of(usual, unusual)] == ["value"]


def test_a_preflight_without_any_rules_is_like_any_options():
    asked = Request("OPTIONS", b"/a", ((b"Access-Control-Request-Method", b"GET"),))
    both = [
        exchanged(request, answer({}), answer({}, 405), "OPTIONS /a") for request in (Request("OPTIONS", b"/a"), asked)
    ]
    assert [cause.reason.name for cause in causes_of(*both)] == ["options"]


def test_each_place_of_a_page_is_told():
    port = PAGE.replace(b"1 Feb", b"01 Feb").replace(b"/x", b"https://localhost/x").replace(b"'a'", b"'b'")
    assert [part.place for part in parts(PAGE, port)] == ["p@class", "text of p", "a@href"]
    types = ((b"Content-Type", b"text/html"),)
    found = causes_of(exchanged(Request("GET", b"/"), Response(200, types, PAGE), Response(200, types, port)))
    assert {cause.reason.name for cause in found} == {"markup", "text-writing", "markup-links"}


def test_another_page_is_told_by_its_bytes_alone():
    one, other = (b"<html>%s</html>" % b"".join(b"<x%d>%s</x%d>" % (n, text, n) for n in range(20)) for text in (b"a", b"b"))  # fmt: skip  # noqa: E501
    assert parts(one, other) == ()


def table(word, rows, more=b""):
    cells = b"".join(b"<tr><td>%s %d</td></tr>" % (word, n) for n in range(rows))
    return b"<html><body><table>%s</table>%s</body></html>" % (cells, more)


@pytest.mark.parametrize(
    ("original", "port"),
    [(table(b"a", 600), table(b"b", 600, b"<p>x</p>")), (b"<html>" + b"<!--" * 40_000, b"<html>" + b"<!-- " * 39_000)],
    ids=["cells", "comments that do not end"],
)
def test_large_pages_are_compared_in_time(original, port):
    began = time.process_time()
    assert parts(original, port) == ()
    assert time.process_time() - began < 2


def test_one_place_of_a_large_page_is_told_whatever_its_size():
    [part] = parts(table(b"a", 600), table(b"a", 600, b"<p>x</p>"))
    assert (part.place, part.kind) == ("<p>", "extra")
    [part] = parts(b"<html><!-- never ends <p>a</p>", b"<html><!-- never ends <p>b</p>")
    assert part.kind == "value"


def test_a_token_in_a_hidden_field_is_bound():
    one, other = ("<html><input type='hidden' name='csrf' value='%s'></html>" % (letter * 32) for letter in "ab")
    types = ((b"Content-Type", b"text/html"),)
    bindings = Bindings.opaque()
    original, port = (Response(200, types, text.encode()) for text in (one, other))
    assert bindings.learn(Request("GET", b"/"), original, port).port.body == original.body


def jwt(**claims):
    parts_ = [{"alg": "HS256"}, claims]
    made = [base64.urlsafe_b64encode(json.dumps(each).encode()).decode().rstrip("=") for each in parts_]
    return ".".join([*made, "signature" + str(claims.get("exp", ""))])


def test_two_tokens_of_one_second_may_be_one_text_on_one_side():
    bindings = Bindings.opaque()
    pairs = [(100, 100), (100, 101)]
    for ours, theirs in pairs:
        original, port = (answer({"access_token": jwt(sub="7", exp=when)}) for when in (ours, theirs))
        learned = bindings.learn(Request("POST", b"/login"), original, port)
        assert learned.differences == ()
        assert learned.port.body == original.body


def test_tokens_that_claim_otherwise_are_no_partners():
    bindings = Bindings.opaque()
    one, two, three = jwt(sub="7", exp=1), jwt(sub="8", exp=1), jwt(sub="9", exp=1)
    request = Request("POST", b"/login")
    bindings.learn(request, answer({"access_token": one}), answer({"access_token": two}))
    assert bindings.learn(request, answer({"access_token": one}), answer({"access_token": three})).differences


def test_what_is_shown_as_before_a_write_is_one_cause():
    old, new = {"name": "old", "note": "old note"}, {"name": "new", "note": "new note"}
    get, patch = Request("GET", b"/a/1"), Request("PATCH", b"/a/1")
    before = exchanged(get, answer(old), answer(old))
    found = causes_of(before, exchanged(patch, answer(new), answer(new)), exchanged(get, answer(new), answer(old)))
    assert [cause.reason.name for cause in found] == ["stale"]


def test_another_form_and_a_list_that_has_grown_are_not_stale():
    times = {"at": "2026-01-01T00:00:00Z"}, {"at": "2026-01-01T00:00:00"}
    get, patch, post = (Request(method, b"/a/1") for method in ("GET", "PATCH", "POST"))
    ours, theirs = map(answer, times)
    found = causes_of(exchanged(get, ours, theirs), exchanged(patch, ours, theirs), exchanged(get, ours, theirs))
    assert [cause.reason.name for cause in found] == ["format"]
    lists = [[{"id": 2}], [{"id": 1}]]
    first = exchanged(get, answer(lists[1]), answer(lists[1]))
    grown = causes_of(first, exchanged(post, answer({}), answer({})), exchanged(get, *map(answer, lists)))
    assert [cause.reason.name for cause in grown] == ["elements"]


@pytest.mark.parametrize(
    ("original", "port", "one"),
    [("/a?b=/c", "http://h/a?b=%2Fc", True), ("/a", "/b", False), ("", "", False), ("/a", "//h/a", True)],
)
def test_two_ways_to_write_one_place(original, port, one):
    assert is_one_place(original, port) is one


def test_a_port_that_redirects_where_a_request_says_is_a_security_matter():
    request = Request("POST", b"/login?next=https://evil.example/", ((b"Host", b"localhost"),))
    ours, theirs = (Response(303, ((b"Location", place),)) for place in (b"/", b"https://evil.example/"))
    assert causes_of(exchanged(request, ours, theirs, "POST /login"))[0].reason.name == "open-redirect"


def test_what_lies_behind_an_open_door_follows_from_it():
    refused = answer({"error": "no"}, 403)
    door = exchanged(Request("PATCH", b"/p/1"), refused, answer({}), "PATCH /p/{id}")
    behind = exchanged(Request("PATCH", b"/p/9"), refused, answer({"error": "none"}, 404), "PATCH /p/{id}")
    assert [cause.reason.name for cause in causes_of(door, behind)] == ["guard"]


def test_an_escaped_letter_is_that_letter():
    operations = Operations([Operation("GET", "/entries", frozenset({"original"}))])
    assert operations.template("/%65ntries") == "/entries"
    assert operations.template("/%2Fentries") is None


def test_a_limit_that_a_document_writes_as_a_float_makes_no_float():
    assert repr(plausible("quantity", {"type": "integer", "minimum": 1.0})) == "2"


def test_a_scheme_alone_is_no_secret():
    secrets = Secrets()
    secrets.learn(Request("GET", b"/", ((b"Authorization", b"Bearer"),)))
    assert secrets.hide("Bearer") == "Bearer"


def test_what_was_sent_in_the_open_is_given_away_by_nobody():
    secrets = Secrets()
    secrets.learn(Request("POST", b"/", FORM, b"name=paritya&pin=paritya"))
    secrets.learn(Request("POST", b"/", FORM, b"pin=Correct-horse"))
    assert not secrets.tells_sent(secrets.hide("paritya"))
    assert secrets.tells_sent(secrets.hide("Correct-horse"))


def test_a_page_s_own_hidden_token_is_given_away_by_nobody():
    secrets = Secrets()
    token = "t" * 30
    secrets.learn_page(Response(200, (), f'<input type="hidden" name="csrf_token" value="{token}">'.encode()))
    secrets.learn(Request("POST", b"/", FORM, f"csrf_token={token}".encode()))
    assert not secrets.tells_sent(secrets.hide(token))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        # Written was the name: the number differs before and after.
        (({"name": "a", "n": 5}, {"name": "a", "n": 60}), ({"name": "b", "n": 5}, {"name": "b", "n": 60}), ["value"]),
        (({"name": "a"}, {"name": "a"}), ({"name": "b"}, {"name": "a"}), ["stale"]),
        (({"name": "a"}, {"name": "x"}), ({"name": "b"}, {"name": "x"}), ["stale", "value"]),
    ],
    ids=["a constant difference", "stale", "both"],
)
def test_stale_is_only_what_the_original_has_changed(before, after, expected):
    get, put = Request("GET", b"/x/1"), Request("PUT", b"/x/1")
    found = causes_of(
        exchanged(get, *map(answer, before)),
        exchanged(put, answer({}), answer({})),
        exchanged(get, *map(answer, after)),
    )
    assert sorted(cause.reason.name for cause in found) == expected


def spelled(spelling, *answers, method="GET"):
    request = Request(method, b"/a", spelling=spelling)
    return exchanged(request, *answers, f"{method} /a ({spelling})")


def test_a_way_to_write_a_request_is_one_cause_whatever_it_is_answered():
    ways = spelled("two-hosts", answer({}, 400), answer({})), spelled("two-hosts", answer({}, 400), answer({}, 401))
    assert len(causes_of(*ways)) == 1
    other = spelled("http-2.0", answer({}, 400), answer({}))
    assert len(causes_of(*ways, other)) == 2


@pytest.mark.parametrize(
    "answers", [(answer({"n": 1}), answer({"n": 2})), (answer([{"id": 1}]), answer([])), (answer({}), answer({}, 404))]
)
def test_what_usual_requests_show_too_is_no_matter_of_how_they_are_written(answers):
    usual = exchanged(Request("GET", b"/a"), *answers)
    titles = [cause.title for cause in causes_of(usual, spelled("http-1.0", *answers), spelled("close", *answers))]
    assert len(titles) == 1
    assert "a request" not in titles[0]


def test_what_becomes_of_a_connection_is_told_after_what_is_answered():
    kept, closed = (Response(200, (), b"", connection=each) for each in ("kept", "closed"))
    causes = causes_of(spelled("close", kept, closed), exchanged(Request("GET", b"/b"), answer({"n": 1}), answer({})))
    assert [cause.level for cause in causes] == ["json", "transport"]


def test_a_method_that_nobody_knows_is_one_cause_on_all_routes():
    asked = [exchanged(Request("PARITY", path), answer({}, 405), answer({}, 400)) for path in (b"/a", b"/b")]
    assert [cause.title for cause in causes_of(*asked)] == ["a method that nobody knows: 405 becomes 400"]
