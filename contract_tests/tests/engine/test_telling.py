"""A difference is told so that a person sees it at once, and no secret of a request is told at all."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Callable
from dataclasses import replace

import pytest

from contract_tests.parity import Bindings, Different, Exchange, Ledger, Pair, Request, Response
from contract_tests.parity.ledger import Entry, Known
from contract_tests.parity.secrets import Secrets, is_secret
from contract_tests.parity.telling import curl, headline, tell

from .toys import always, answer, json_answer, request


def exchanged(sent: Request, original: Response, port: Response, *accepted: Entry) -> Exchange:
    pair = Pair(always(original), always(port), accepted=Ledger(accepted), bindings=Bindings.none())
    return pair.exchange(sent, origin="https://shop.example")


def test_the_telling_reads_as_a_report() -> None:
    entry = Entry((Known("header", "ETag", "missing"),), "r", "0007", "ada", operations=("POST /item/{id}",))
    sent = request("POST", "/item/5?page=2", b'{"name": "Ada"}', Content_Type="application/json")
    exchange = exchanged(
        sent, json_answer({"price": 1}, ("ETag", '"a"')), json_answer({"price": 1.0}, status=201), entry
    )
    assert tell(exchange) == "\n".join(
        [
            "POST /item/{id}: the port differs from the original in 2 places",
            "",
            "  status status value",
            "    original  200",
            "    port      201",
            "  json $.price type",
            "    original  1",
            "    port      1.0",
            "",
            "the request",
            "  POST /item/5?page=2",
            "  Host: testserver",
            "  Content-Type: application/json",
            "",
            '  {"name": "Ada"}',
            "",
            "the original answered 200",
            "  Content-Type: application/json",
            '  ETag: "a"',
            "  Content-Length: 12",
            "",
            '  {"price": 1}',
            "",
            "the port answered 201",
            "  Content-Type: application/json",
            "  Content-Length: 14",
            "",
            '  {"price": 1.0}',
            "",
            "accepted",
            '  header ETag missing "a" -> (absent) (decision 0007, ada)',
            "",
            "to ask again",
            "  curl -i --path-as-is -X POST -H 'Content-Type: application/json' --data-binary '{\"name\": \"Ada\"}'"
            " 'https://shop.example/item/5?page=2'",
        ]
    )


SECRET = "correct horse/é&<1>"
REQUESTS = {
    "a JSON password": request("POST", "/x", b'{"password": "correct horse/\\u00e9&<1>"}'),
    "a nested secret": request("POST", "/x", '{"tokens": 1, "client_secret": ["correct horse/é&<1>"]}'.encode()),
    "a camel-case secret": request("POST", "/x", '{"newPassword": "correct horse/é&<1>"}'.encode()),
    "a broken body": request("POST", "/x", '{"password": "correct horse/é&<1>'.encode()),
    "a form": request("POST", "/x", b"user=a&password=correct+horse%2F%C3%A9%26%3C1%3E"),
    "a query": request("GET", "/x?a=1&code=correct%20horse%2F%C3%A9%26%3C1%3E"),
    "a cookie": request("GET", "/x", Cookie="theme=dark1; s=correct horse/é&<1>"),
    "a bearer token": request("GET", "/x", Authorization="Bearer correct horse/é&<1>"),
    "Basic credentials": request(
        "GET", "/x", Authorization="Basic " + base64.b64encode(f"ada:{SECRET}".encode()).decode()
    ),
    "a proxy's credentials": request("GET", "/x", Proxy_Authorization="Token correct horse/é&<1>"),
    "an API key": request("GET", "/x", X_Api_Key="correct horse/é&<1>"),
    "a part of a form with files": request(
        "POST",
        "/x",
        'a\r\nContent-Disposition: form-data; name="password"\r\n\r\ncorrect horse/é&<1>\r\n--a--'.encode(),
    ),
}
LEAKS = {
    "a JSON body": json_answer({"echo": SECRET}),
    "a text": answer(f"no user has {SECRET}!".encode()),
    "a page": answer(b"<p>correct horse/\xc3\xa9&amp;&lt;1&gt;</p>"),
    "a redirect": answer(b"", ("Location", "/x?p=correct%20horse%2F%C3%A9%26%3C1%3E"), status=302),
    "a header": answer(b"", ("X-Debug", SECRET)),
}


@pytest.mark.parametrize("leak", LEAKS.values(), ids=LEAKS)
@pytest.mark.parametrize("sent", REQUESTS.values(), ids=REQUESTS)
def test_a_secret_is_hidden_in_the_request_and_wherever_it_leaks(sent: Request, leak: Response) -> None:
    told = str(Different(exchanged(sent, answer(b"fine"), leak)))
    for part in ("correct", "horse", "Y29ycmVjdCBob3JzZ"):
        assert part not in told, told
    assert told.count("<secret:") >= 2


def test_equal_secrets_have_the_same_number_and_others_another() -> None:
    sent = request("POST", "/x", b'{"password": "hunter2222", "token": "abcdefghij"}', Cookie="s=hunter2222")
    told = tell(exchanged(sent, json_answer({"p": "hunter2222"}), json_answer({"p": "abcdefghij"})))
    assert '{"password": "<secret:1>", "token": "<secret:2>"}' in told
    assert 'original  "<secret:1>"\n    port      "<secret:2>"' in told
    assert "Cookie: s=<secret:1>" in told


def test_a_secret_met_in_an_earlier_exchange_is_known_later() -> None:
    pair = Pair(always(json_answer({"a": 1})), always(json_answer({"password": "hunter2222", "a": 1})))
    pair.exchange(request("POST", "/user", b'{"password": "hunter2222"}'))
    told = tell(pair.exchange(request("GET", "/user/5")), secrets=pair.secrets)
    assert "hunter2222" not in told
    assert '"<secret:1>"' in told


def test_a_cookies_value_is_hidden_in_its_difference() -> None:
    told = tell(exchanged(request(), answer(b"", ("Set-Cookie", "s=a1")), answer(b"", ("Set-Cookie", "s=b2; Path=/"))))
    assert "original  <secret:1>\n    port      <secret:2>" in told
    assert "Set-Cookie: s=<secret:2>; Path=/" in told
    whole = tell(exchanged(request(), answer(b"", ("Set-Cookie", "s=a1")), answer(b"")))
    assert "original  s=<secret:1>\n    port      (absent)" in whole


def test_short_secrets_do_not_swallow_the_report() -> None:
    sent = request("POST", "/x", b'{"password": "a", "pin": "1234", "token": ""}')
    told = tell(exchanged(sent, json_answer({"a": 12345, "pin": 1234}), json_answer({"a": 1})))
    assert '{"password": "<secret:1>", "pin": "<secret:2>", "token": ""}' in told
    assert "12345" in told
    assert '"a"' in told


def test_an_excerpt_that_cuts_a_secret_in_two_tells_neither_half() -> None:
    sent = request("POST", "/x", b'{"password": "hunter2hunter2hunter2"}')
    body = b"hunter2hunter2hunter2" + b"." * 10
    told = tell(exchanged(sent, answer(body + b"x"), answer(body + b"y")))
    assert "unter2" not in told


def test_a_responses_error_code_is_no_secret_and_its_token_is() -> None:
    told = tell(exchanged(request(), json_answer({"code": "not_found", "access_token": "t0ps3cret"}), answer(b"")))
    assert "not_found" in told
    assert "t0ps3cret" not in told


def test_what_is_secret_by_name() -> None:
    secret = "password passwd newPassword api_key X-Api-Key apiKey client_secret refresh_token X-CSRF-Token code otp"
    plain = "name zip_code tokens token_type key page passenger status_code X-Request-Id"
    assert [name for name in secret.split() if not is_secret(name)] == []
    assert [name for name in plain.split() if is_secret(name)] == []


def test_control_characters_and_terminal_escapes_are_visible() -> None:
    sent = request("POST", "/x", b"\x1b[2Jgone\x00\r\n\tnext\xe2\x80\xae", X_A="\x1b]0;title\x07")
    told = tell(exchanged(sent, json_answer({"a": "x"}), answer(b'{"a": "\xc2\x9b31m"}')))
    assert all(char.isprintable() or char in "\n\t" for char in told)
    assert r"\x1b[2Jgone\x00\r" in told
    assert r"\u202e" in told


def test_long_values_are_cut_with_their_length() -> None:
    told = tell(exchanged(request(), json_answer({"a": "x" * 9000}), json_answer({"a": "y" * 9000})))
    assert len(told) < 8000
    assert f"{'x' * 399}… (9002 characters)" in told


def test_many_alike_are_told_by_the_first_and_a_count() -> None:
    told = tell(exchanged(request(), json_answer([{"p": 1}] * 50), json_answer([{"p": 1.0}] * 50)))
    assert told.count("    original") == 5
    assert "  and 45 more of json $[*].p type" in told


def test_bytes_that_are_no_text_are_described() -> None:
    assert "(4 bytes that are no text: '\\xff\\x00\\x01z')" in tell(
        exchanged(request(), answer(b"\xff\x00\x01z"), answer(b""))
    )


def test_an_unhandled_exception_is_told_with_its_place() -> None:
    def fails() -> None:
        raise KeyError("name")

    try:
        fails()
    except KeyError as error:
        failed = Response(500, exception=error)
    told = tell(exchanged(request(), answer(b""), failed))
    assert "the port answered 500, raised KeyError at " in told
    assert f"{__file__}:" in told
    assert " in fails: 'name'" in told


def test_a_failure_is_told_in_place_of_a_status() -> None:
    failed = Response(200, body=b"ha", failure="truncated")
    told = tell(exchanged(request(), answer(b"half"), failed))
    assert "the port failed: truncated after the status 200" in told


@pytest.mark.parametrize("body", ['it\'s "quoted" $HOME `id` \\ !', "two\nlines\x1b", "é\ttab"])
def test_the_curl_line_is_quoted_for_a_shell(body: str) -> None:
    line = curl(request("PUT", "/x?a=1&b='2'", body.encode(), X_A="a b"), origin="http://h:1", secrets=Secrets())
    ran = subprocess.run(
        ["bash", "-c", line.replace("curl", "printf '%s\\0'", 1)], capture_output=True, check=True
    ).stdout.decode()
    words = ran.split("\0")[1:-1]
    assert words == ["--path-as-is", "-X", "PUT", "-H", "X-A: a b", "--data-binary", body, "http://h:1/x?a=1&b='2'"]


def test_what_the_port_was_sent_is_told_where_ids_differ() -> None:
    original, port = (always(answer(b"", ("Set-Cookie", f"s={letter * 24}"))) for letter in "ab")
    pair = Pair(original, port)
    pair.exchange(request("GET", "/"))
    told = tell(pair.exchange(request("GET", "/", Cookie=f"s={'a' * 24}")))
    assert "the port was sent, with its own ids" in told


KEY = "hunter2-secret"


@pytest.mark.parametrize("sent", [
    request("POST", "/x", b'{"password": "hunter2-secret"}'),
    request("GET", "/reset/hunter2-secret", Authorization="Bearer hunter2-secret"),
])  # fmt: skip
def test_a_secret_that_is_a_name_is_hidden_in_every_path_and_fingerprint(sent: Request) -> None:
    original, port = json_answer({KEY: [1] * 9, "a": 1}, (KEY, "1")), json_answer({KEY: [1.0] * 9}, (KEY, "2"))
    entry = Entry((Known("json", "$.a", "missing"),), "r", "0007", "ada", operations=(f"{sent.method} /x",))
    renamed = json_answer({"a": 1})
    exchanges = [exchanged(sent, original, port, entry), exchanged(sent, original, renamed)]
    for told in (*map(str, map(Different, exchanges)), str(Different(*exchanges)), *map(tell, exchanges)):
        assert "hunter2" not in told, told
    secrets = Secrets()
    secrets.learn(sent)
    assert "hunter2" not in headline(exchanges[0], secrets=secrets)


def test_a_secret_that_is_a_name_is_hidden_in_what_is_accepted() -> None:
    entry = Entry((Known("json", f"$.{KEY}", "value"),), "r", "0007", "ada", operations=("POST /x",))
    sent = request("POST", "/x", b'{"password": "hunter2-secret"}')
    told = tell(exchanged(sent, json_answer({KEY: 1}), json_answer({KEY: 2}), entry))
    assert "accepted" in told
    assert "hunter2" not in told


def test_a_token_in_a_link_within_a_response_is_hidden() -> None:
    link = {"link": "https://shop.example/reset?x=1&token=hunter2-in-a-link"}
    told = tell(exchanged(request(), json_answer(link), json_answer(link | {"more": 1})))
    assert "hunter2" not in told
    assert "/reset?x=1&token=<secret:1>" in told


def test_a_long_body_is_told_by_its_length_in_the_line_that_asks_again() -> None:
    line = curl(request("POST", "/x", b"a" * 1_000_000), origin="http://localhost", secrets=Secrets())
    assert line.endswith("--data-binary @body http://localhost/x  # body: 1000000 bytes")


def test_a_path_of_many_digits_is_sorted_and_told() -> None:
    told = tell(exchanged(request(), json_answer({"1" * 5000: 1, "b": 1}), json_answer({"1" * 5000: 2, "b": 2})))
    assert "$.b" in told


ADVERSARIAL = {
    "no equals sign": lambda size: b"a" * size,
    "quotes": lambda size: b'"a' * (size // 2),
    "spaces after a name": lambda size: (b'"a"' + b" " * 97) * (size // 100),
    "backslashes": lambda size: b'"password":"' + b"\\" * size,
    "escaped quotes in a text that does not end": lambda size: b'{"a":"' + b'\\"' * (size // 2),
    "names that begin and do not end": lambda size: b'name="' * (size // 6),
    "parts without a body": lambda size: b'name="x"\r\n' * (size // 10),
    "a part that does not end": lambda size: b'name="x"\r\n\r\n' + b"\r\n-" * (size // 3),
    "brackets": lambda size: b"[" * size,
}


@pytest.mark.parametrize("body", ADVERSARIAL.values(), ids=ADVERSARIAL)
def test_a_large_body_of_any_shape_is_searched_to_its_end(body: Callable[[int], bytes]) -> None:
    """What takes sixteen times as long for four times as much does not end here: a hang is all that is limited."""
    secrets = Secrets()
    secrets.learn(replace(request("POST", "/x", body(300_000)), headers=((b"X-Api-Key", b"hunter2-in-a-header"),)))
    assert secrets.hide("hunter2-in-a-header") == "<secret:1>"


def test_a_long_secret_is_hidden_in_a_cut_text_at_once() -> None:
    secrets = Secrets()
    secrets.mark("x" * 400_000)
    assert secrets.hide("a\u2026" + "x" * 48) == "a\u2026<secret:1>"


@pytest.mark.parametrize("credentials", [b"\xe9\xe9\xe9\xe9", b"/w==", b"YTpi\xff"])
def test_basic_credentials_that_are_none_are_told_of_all_the_same(credentials: bytes) -> None:
    secrets = Secrets()
    secrets.learn(Request("GET", b"/", ((b"Authorization", b"Basic " + credentials),)))
    assert credentials.decode("latin-1") not in secrets.header(
        "Authorization", f"Basic {credentials.decode('latin-1')}"
    )


@pytest.mark.parametrize(
    ("password", "text", "given_away"),
    [
        ("wrong", "wrong name or password", False),
        ("wrong", '"wrong"', True),
        ("wrong", '{"input": {"password": "wrong"}}', True),
        ("wrong", "<p>wrong</p>", True),
        ("hunter2-s3cret", "your password hunter2-s3cret is set", True),
        ("Lovelace-1815", "Lovelace-1815", True),
    ],
)
def test_a_plain_word_is_a_secret_that_is_given_away_only_as_a_whole_value(password, text, given_away) -> None:
    secrets = Secrets()
    secrets.learn(Request("POST", b"/login", (), json.dumps({"name": "ada", "password": password}).encode()))
    hidden = secrets.body(text, of_request=False)
    assert password not in hidden
    assert secrets.tells_sent(hidden) is given_away


@pytest.mark.parametrize("name", ["csrf_token", "password"])
@pytest.mark.parametrize("sent_before", [False, True])
def test_a_hidden_field_is_open_but_for_a_password_and_what_was_sent_before(name, sent_before) -> None:
    secrets, value = Secrets(), "s3cret-value-1815"
    sent = Request("POST", b"/", (), json.dumps({"token": value}).encode())
    page = Response(200, (), f'<input value="{value}" name="{name}" type="hidden">'.encode())
    if sent_before:
        secrets.learn(sent)
    secrets.learn_page(page)
    secrets.learn(sent)
    given_away = secrets.tells_sent(secrets.hide(value))
    assert given_away is (sent_before or name == "password")


def test_one_strange_secret_leaves_the_others_known() -> None:
    secrets = Secrets()
    secrets.learn(Request("POST", b"/", (), b'{"password": "\\ud800 and more"}'))
    secrets.learn(Request("POST", b"/", (), b'{"password": "topsecretvalue"}'))
    assert "topsecretvalue" not in secrets.hide("it is topsecretvalue")


def test_a_line_for_a_way_of_writing_hides_what_curl_hides() -> None:
    headers = ((b"Authorization", b"Bearer tok-1234567"), (b"Cookie", b"sid=abc"), (b"X-Api-Key", b"k9z"))
    request = Request("GET", b"/a?token=t0ken-in-query", headers, spelling="lines-by-lf")
    line = curl(request, origin="http://127.0.0.1:8000", secrets=Secrets())
    assert not [each for each in ("tok-1234567", "abc", "k9z", "t0ken") if each in line], line
    assert "Authorization: Bearer <secret:" in line


def test_a_secret_across_the_cut_of_a_long_line_is_hidden_whole() -> None:
    secret = "q" + "z9" * 30
    body = json.dumps({"pad": "p" * 7890, "password": secret}).encode()
    line = curl(Request("POST", b"/", (), body, "chunked"), origin="http://127.0.0.1:8000", secrets=Secrets())
    assert "z9z9" not in line
