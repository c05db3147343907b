"""Any httpx or requests suite becomes a parity suite by its transport: the original answers, differences raise."""

from __future__ import annotations

import http.cookiejar
import subprocess
import sys
import threading
from dataclasses import replace
from typing import Any

import httpx
import pytest
import requests

from contract_tests.parity import (
    DEFAULT,
    Bindings,
    Different,
    Exchange,
    Inconclusive,
    Ledger,
    Pair,
    PairAdapter,
    PairTransport,
    Request,
    Response,
)
from contract_tests.parity.declared import Declared
from contract_tests.parity.ledger import Entry, Known

from .toys import Toy, always, answer, json_answer, request

BASE = "https://testserver"


def client(original: Response, port: Response, **options: object) -> httpx.Client:
    transport = PairTransport(always(original), always(port), **options)  # type: ignore[arg-type]
    return httpx.Client(transport=transport, base_url=BASE)


def test_the_originals_response_is_given_back() -> None:
    cookies = (("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"))
    response = client(json_answer({"a": 1}, *cookies), json_answer({"a": 1}, *cookies)).get("/x")
    assert (response.status_code, response.json(), response.headers.get_list("set-cookie")) == (
        200,
        {"a": 1},
        ["a=1", "b=2"],
    )


def test_a_difference_fails_the_test_and_tells_everything() -> None:
    with pytest.raises(Different) as raised:
        client(json_answer({"price": 1}), json_answer({"price": 1.0}, status=201)).post("/item/5?q=1", json={"n": 1})
    assert isinstance(raised.value, AssertionError)
    assert raised.value.fingerprints == ("POST /item/{id} status status value", "POST /item/{id} json $.price type")
    for part in ("$.price", "original  1\n", "port      1.0\n", "POST /item/5?q=1", '{"n":1}', "answered 201", "curl "):
        assert part in str(raised.value)


FAILURES = {
    "refused": (httpx.ConnectError, requests.ConnectionError),
    "timeout": (httpx.ReadTimeout, requests.ReadTimeout),
    "reset": (httpx.ReadError, requests.ConnectionError),
    "truncated": (httpx.RemoteProtocolError, requests.exceptions.ChunkedEncodingError),
}


@pytest.mark.parametrize(("failure", "errors"), FAILURES.items(), ids=FAILURES)
def test_a_failure_of_both_is_the_clients_own_error(failure: str, errors: tuple[type[Exception], ...]) -> None:
    failed = Response(0, failure=failure)
    with pytest.raises(errors[0]):
        client(failed, failed).get("/x")
    with pytest.raises(errors[1]):
        session(always(failed), always(failed)).get(f"{BASE}/x")


def test_a_failure_of_one_is_a_difference() -> None:
    with pytest.raises(Different, match="transport failure extra"):
        client(answer(b"x"), Response(0, failure="timeout")).get("/x")


def test_collecting_goes_on_and_tells_all_at_the_end() -> None:
    transport = PairTransport(always(answer(b"a")), always(answer(b"b")), collect=True)
    collecting = httpx.Client(transport=transport, base_url=BASE)
    assert [collecting.get(path).text for path in ("/x", "/y", "/x")] == ["a", "a", "a"]
    with pytest.raises(Different) as raised:
        collecting.close()
    assert raised.value.fingerprints == ("GET /x bytes body value", "GET /y bytes body value")
    assert len(raised.value.exchanges) == 3
    assert str(raised.value).startswith("2 differences in 3 exchanges\n  GET /x bytes body value\n")
    transport.finish()


def test_collecting_does_not_replace_the_message_of_a_failed_test() -> None:
    def failing() -> None:
        with client(answer(b"a"), answer(b"b"), collect=True) as collecting:
            assert collecting.get("/x").text == "z", "the test's own message"

    def passing() -> None:
        with client(answer(b"a"), answer(b"b"), collect=True) as collecting:
            collecting.get("/x")

    with pytest.raises(AssertionError, match="the test's own message"):
        failing()
    with pytest.raises(Different):
        passing()


def test_an_accepted_difference_passes_and_is_shown() -> None:
    entry = Entry((Known("bytes", "body", "value"),), "r", "0001", "ada", operations=("GET /x",))
    seen: list[Exchange] = []
    accepting = client(answer(b"a"), answer(b"b"), accepted=Ledger([entry]), on_exchange=seen.append)
    assert accepting.get("/x").text == "a"
    assert [(str(difference.kind), by) for difference, by in seen[0].accepted] == [("value", entry)]
    with pytest.raises(Different):
        accepting.get("/y")


def test_the_operation_may_be_named_by_the_caller() -> None:
    entry = Entry((Known("bytes", "body", "value"),), "r", "0001", "ada", operations=("GET /{slug}",))
    named = client(answer(b"a"), answer(b"b"), accepted=Ledger([entry]), operation=lambda _: "GET /{slug}")
    assert named.get("/anything").text == "a"


def test_both_are_sent_the_request_whole_and_the_original_first() -> None:
    order: list[tuple[str, Request]] = []

    def target(name: str) -> Toy:
        def keep(sent: Request) -> Response:
            order.append((name, sent))
            return answer(b"")

        return Toy(keep)

    def stream() -> object:
        yield b"ab"
        yield b"c"

    streaming = httpx.Client(transport=PairTransport(target("original"), target("port")), base_url=BASE)
    streaming.post("/x", content=stream())  # type: ignore[arg-type]
    assert [name for name, _ in order] == ["original", "port"]
    assert [sent.body for _, sent in order] == [b"abc", b"abc"]


def test_exchanges_do_not_overlap() -> None:
    inside = threading.Semaphore(1)

    def alone(sent: Request) -> Response:
        assert inside.acquire(blocking=False), "two requests at once"
        inside.release()
        return answer(sent.target)

    pair = Pair(Toy(alone), Toy(alone))
    failed: list[object] = []

    def run(number: int) -> None:
        for _ in range(30):
            failed.extend(pair.exchange(request("GET", f"/{number}")).differences)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_one_target_twice_is_no_pair() -> None:
    toy = always(answer(b""))
    with pytest.raises(ValueError, match="the original and the port are one target"):
        Pair(toy, toy)


def test_resetting_a_pair_rewinds_both_worlds_and_forgets_all_partners() -> None:
    original, port = (always(answer(b"", ("Set-Cookie", f"s={letter * 24}"))) for letter in "ab")
    pair = Pair(original, port)
    assert pair.exchange(request("GET", "/")).differences == ()
    cookie = request("GET", "/", Cookie=f"s={'a' * 24}")
    assert pair.exchange(cookie).port_request != cookie
    pair.reset()
    assert (original.resets, port.resets) == (1, 1)
    assert pair.bindings.translate(cookie) == cookie


def test_a_pair_needs_neither_httpx_nor_requests_nor_a_framework() -> None:
    code = (
        "import sys; from contract_tests.parity import Pair, compare, Ledger, Bindings, Different;"
        "names = {name.partition('.')[0] for name in sys.modules};"
        "print(sorted(names & {'httpx', 'requests', 'flask', 'werkzeug', 'fastapi', 'starlette', 'pytest'}))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


def test_every_public_name_is_there() -> None:
    import contract_tests.parity as parity

    assert [name for name in parity.__all__ if not hasattr(parity, name)] == []
    with pytest.raises(AttributeError, match="no attribute 'left'"):
        _ = parity.left


def session(original: Toy, port: Toy, **options: Any) -> requests.Session:
    made = requests.Session()
    made.mount(BASE, PairAdapter(original, port, **options))
    return made


def test_a_suite_of_requests_becomes_a_parity_suite_too() -> None:
    cookies = (("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2; Path=/"))
    original, port = (always(json_answer({"a": 1}, *cookies)) for _ in range(2))
    made = session(original, port)
    response = made.post(f"{BASE}/x?q=%C3%A9", json={"n": 1}, headers={"X-A": "1"})
    assert (response.status_code, response.json(), response.reason) == (200, {"a": 1}, "OK")
    assert {cookie.name for cookie in made.cookies} == {"a", "b"}
    assert isinstance(made.cookies, http.cookiejar.CookieJar)
    sent = port.sent[0]
    assert (sent.method, sent.target, sent.body) == ("POST", b"/x?q=%C3%A9", b'{"n": 1}')
    headers = {name.lower(): value for name, value in sent.headers}
    assert (headers[b"host"], headers[b"x-a"], headers[b"content-length"]) == (b"testserver", b"1", b"8")
    made.get(f"{BASE}/y")
    assert b"a=1; b=2" in dict(port.sent[1].headers).values()
    assert port.sent == original.sent


def test_a_difference_reaches_a_suite_of_requests() -> None:
    with pytest.raises(Different):
        session(always(answer(b"a")), always(answer(b"b"))).get(f"{BASE}/x")
    collecting = session(always(answer(b"a")), always(answer(b"b")), collect=True)
    assert collecting.get(f"{BASE}/x").text == "a"
    with pytest.raises(Different):
        collecting.close()


def test_bodies_of_every_sort_are_read_whole_by_the_adapter() -> None:
    original, port = always(answer(b"")), always(answer(b""))
    made = session(original, port)
    made.post(f"{BASE}/x", data=iter([b"a", b"b"]))
    made.post(f"{BASE}/x", files={"f": b"content"})
    made.post(f"{BASE}/x", data="é")
    assert port.sent[0].body == b"ab"
    assert b"content" in port.sent[1].body
    assert port.sent[2].body == "é".encode()
    assert all(b"transfer-encoding" not in {name.lower() for name, _ in sent.headers} for sent in port.sent)


def test_no_bindings_in_a_pair_bind_nothing() -> None:
    original, port = (always(answer(b"", ("Set-Cookie", f"s={letter * 24}"))) for letter in "ab")
    found = Pair(original, port, bindings=Bindings.none()).exchange(request("GET", "/")).differences
    assert [each.path for each in found] == ["s.value"]


def test_the_clients_take_rules() -> None:
    ours, theirs = answer(b"", ("X-Time", "1")), answer(b"", ("X-Time", "2"))
    rules = replace(DEFAULT, uncompared=DEFAULT.uncompared | {"x-time"})
    client(ours, theirs, rules=rules).get("/x")
    session(always(ours), always(theirs), rules=rules).get(f"{BASE}/x")
    with pytest.raises(Different, match="X-Time"):
        client(ours, theirs).get("/x")


def test_an_inconclusive_translation_tells_no_secret() -> None:
    bindings = Bindings(Declared.of({"paths": ["/a/{user_id}/{key}", "/a/{x}/{y}"]}))
    pair = Pair(*(always(json_answer({"id": number}, status=201)) for number in (5, 7)), bindings=bindings)
    pair.exchange(request("POST", "/user"))
    with pytest.raises(Inconclusive) as raised:
        pair.exchange(request("GET", "/a/5/hunter2-secret", Authorization="Bearer hunter2-secret"))
    assert "hunter2" not in str(raised.value)
