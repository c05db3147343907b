"""The report: JSON is the truth, every form says the same, and none shows a secret or is broken by an answer"""

import json
import re
from xml.etree import ElementTree

import pytest

from contract_tests.parity import Bindings, Ledger, Pair, Response
from contract_tests.parity.causes import Causes
from contract_tests.parity.exhibits import BODY, exhibit
from contract_tests.parity.report import html, junit, sarif, text, write
from contract_tests.parity.verdict import Run
from contract_tests.tests.house.test_house import ROOT

from .reports import HOSTILE, SECRET, run_of
from .toys import always, answer, json_answer, request

FORMS = {"text": text.of, "junit": junit.of, "sarif": sarif.of, "html": html.of}


@pytest.fixture(scope="module")
def told():
    """A run of some 50 differences, as JSON has it."""
    return run_of(50).as_json()


def test_every_form_is_written_and_json_is_the_whole(tmp_path, told):
    write(told, tmp_path / "deep")
    written = sorted(path.name for path in (tmp_path / "deep").iterdir())
    assert written == ["parity-junit.xml", "report.html", "report.json", "report.sarif", "report.txt"]
    assert json.loads((tmp_path / "deep/report.json").read_text()) == json.loads(json.dumps(told))


@pytest.mark.parametrize("form", [json.dumps, *FORMS.values()], ids=["json", *FORMS])
def test_no_form_shows_a_secret(told, form):
    written = form(told)
    assert SECRET not in written
    assert "secret:1" in written


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_no_form_has_a_control_character_or_a_turn_of_direction(told, form):
    assert {char for char in form(told) if not char.isprintable()} <= {"\n", "\t"}


def test_every_key_of_the_json_stands_in_the_docs(told):
    page = (ROOT / "docs/parity.md").read_text()
    documented = set(re.findall(r"^\| `(\w+)` \|", page, re.M))
    lists = ("causes", "differences", "accepted_differences", "coverage", "exchanges")
    keys = {*told, *(key for each in lists for key in told[each][0]), *told["exchanges"][0]["original"]}
    assert keys - documented == set()


def test_every_difference_has_its_exchange_and_each_exchange_is_there_once(told):
    assert len({json.dumps(each) for each in told["exchanges"]}) == len(told["exchanges"])
    for each in (*told["causes"], *told["differences"], *told["accepted_differences"]):
        operation = next(iter(each.get("operations", {})), None) or " ".join(each["fingerprint"].split(" ")[:2])
        assert told["exchanges"][each["exchange"]]["operation"] == operation


def exhibited(original, port=None, sent=None):
    pair = Pair(always(original), always(port or answer(b"")), bindings=Bindings.none())
    return exhibit(pair.exchange(sent or request()), pair.secrets)


def test_an_exchange_is_data_with_both_answers():
    shown = exhibited(json_answer({"a": 1}, ("ETag", '"a"')), answer(b"gone", status=410))
    assert shown["request"] == {
        "method": "GET", "target": "/", "headers": [["Host", "testserver"]],
        "body": "", "body_bytes": 0, "body_is_whole": True,
    }  # fmt: skip
    assert shown["original"]["status"] == 200
    assert ["ETag", '"a"'] in shown["original"]["headers"]
    assert shown["original"]["body"] == '{"a": 1}'
    assert (shown["port"]["status"], shown["port"]["body"], shown["port"]["failure"]) == (410, "gone", None)
    assert shown["curl"].startswith("curl -i")


def test_a_large_body_is_cut_with_its_length_and_no_secret_is_cut_in_two():
    sent = request("POST", "/", b'{"password": "%s"}' % SECRET.encode())
    before = "x" * (BODY - 5)
    shown = exhibited(answer(f"{before}{SECRET}{'y' * 9000}".encode()), sent=sent)["original"]
    assert len(shown["body"]) <= BODY + 1
    assert not shown["body_is_whole"]
    assert shown["body_bytes"] == BODY - 5 + len(SECRET) + 9000
    assert SECRET[:5] not in shown["body"]


def test_a_long_token_at_the_cut_shows_nothing_of_itself():
    token = "hunter2" * 800
    sent = request("POST", "/", b'{"token": "%s"}' % token.encode())
    shown = exhibited(answer(f"{'x' * (BODY - 200)}{token}".encode()), sent=sent)["original"]
    assert "hunter" not in shown["body"]


def test_bytes_that_are_no_text_and_a_lone_surrogate_can_be_written(tmp_path):
    run = Run({"original": "a", "port": "b"}, noun="case")
    pair = Pair(always(answer(b"\xff\x00\xfe")), always(json_answer({"a": "\ud800"})), bindings=Bindings.none())
    run.found(pair.exchange(request()), "a case", pair.secrets)
    write(run.as_json(), tmp_path)
    exchange = json.loads((tmp_path / "report.json").read_text())["exchanges"][0]
    assert exchange["original"]["body"] == "\\xff\x00\\xfe"


def test_a_failure_and_an_exception_are_told():
    shown = exhibited(Response(0, failure="timeout"), Response(500, exception=KeyError("a")))
    assert (shown["original"]["failure"], shown["port"]["raised"]) == ("timeout", "KeyError")


def test_the_text_has_the_causes_by_number_and_the_verdict_last(told):
    lines = text.of(told).splitlines()
    numbers = [int(found[1]) for line in lines if (found := re.match(r"(\d+)\. ", line))]
    assert numbers == list(range(1, len(told["causes"]) + 1))
    assert lines[-1] == text.visible(told["verdict"])
    assert "DIFFERENT: " in lines[-1]


def test_the_text_of_a_cause_says_how_far_it_goes_and_what_closes_it():
    causes = Causes()
    for at in range(6):
        head = request("HEAD", f"/thing{at}")
        pair = Pair(always(answer(b"")), always(answer(b"", ("Allow", "GET"), status=405)), bindings=Bindings.none())
        causes.add(pair.exchange(head, origin="http://localhost"), f"case {at}", pair.secrets)
    (cause,) = causes.ranked()
    assert list(text.told(cause.as_json(), 1)) == [
        "1. HEAD is 405 in the port, and not in the original",
        "     HEAD /thing0 status status value",
        "     original  200",
        "     port      405",
        "     in        case 0, case 1, case 2 and 3 more",
        "     curl -i --path-as-is --head http://localhost/thing0",
        "     also in   HEAD /thing1, HEAD /thing2, HEAD /thing3 and 2 more",
        "     counts    6 differences of this cause",
        "     with it   6 differences that follow",
        "     closed by fastapi_app.wire.routing.Routing: Routing.install(app) (docs/wire.md#routing)",
    ]


def test_junit_counts_causes_as_failures_and_what_is_accepted_as_skipped(told):
    suite = ElementTree.fromstring(junit.of(told)).find("testsuite")
    assert int(suite.get("failures")) == len(told["causes"]) == len(suite.findall("testcase/failure"))
    assert int(suite.get("skipped")) == len(told["accepted_differences"]) == 1
    assert int(suite.get("tests")) == len(suite.findall("testcase"))
    every = " ".join(failure.text for failure in suite.findall("testcase/failure"))
    for difference in told["differences"]:
        assert junit.plain(difference["fingerprint"]) in every


def test_junit_lets_an_operation_pass_that_is_alike_and_a_target_that_is_down_err():
    run = Run({"original": "a", "port": "b"}, noun="case")
    pair = Pair(always(answer(b"")), always(answer(b"")), bindings=Bindings.none())
    run.saw(pair.exchange(request("GET", "/fine")), "cases")
    run.down.append("the port is down (refused) in a case")
    suite = ElementTree.fromstring(junit.of(run.as_json())).find("testsuite")
    assert [case.get("name") for case in suite.findall("testcase")] == [
        "GET /fine",
        "the port is down (refused) in a case",
    ]
    assert (suite.get("errors"), suite.get("failures")) == ("1", "0")


def test_sarif_has_a_result_for_each_cause_and_the_ledgers_word(told):
    log = json.loads(sarif.of(told))
    (run,) = log["runs"]
    assert log["version"] == "2.1.0"
    rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert {result["ruleId"] for result in run["results"]} == rules
    new = [result for result in run["results"] if "suppressions" not in result]
    (accepted,) = (result for result in run["results"] if "suppressions" in result)
    assert len(new) == len(told["causes"])
    assert {result["level"] for result in run["results"]} <= {"error", "warning", "note"}
    assert all(place["logicalLocations"][0]["fullyQualifiedName"] for result in new for place in result["locations"])
    assert accepted["suppressions"][0]["justification"] == "each side has its own clock </script> (decision 0007, ada)"
    assert run["invocations"] == [{"executionSuccessful": True, "exitCode": 1}]


def test_the_page_holds_nothing_that_an_answer_could_end_or_begin(told):
    page = html.of(told)
    assert page.count("<script") == 2
    assert page.count("</script>") == 2
    assert "<img" not in page
    data = re.search(r'<script type="application/json" id="run">(.*?)</script>', page, re.S)[1]
    assert not set("<>&") & set(data)
    assert json.loads(data) == json.loads(json.dumps(told))
    assert HOSTILE in json.loads(data)["exchanges"][0]["original"]["body"] or "\\u0000" in data


def test_the_page_names_no_address_of_any_network(told):
    page = html.of(told)
    outside = re.sub(r'<script type="application/json".*?</script>', "", page, flags=re.S)
    assert re.findall(r"(?:https?:)?//[\w.]", re.sub(r"(?m)^\s*//.*$", "", outside)) == []
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    assert re.fullmatch(r"default-src 'none'; style-src 'sha256-\S+'; script-src 'sha256-\S+'", policy)


def test_coverage_counts_what_was_reached_and_names_what_is_masked(told):
    rows = told["coverage"]
    first = next(row for row in rows if row["operation"] == "GET /thing0/x")
    assert first == {
        "operation": "GET /thing0/x", "status": 200, "media_type": "application/json", "source": "cases", "count": 1,
        "levels_masked": ["header"],
    }  # fmt: skip
    one, other = run_of(10), run_of(10)
    one.add(other)
    assert {row["count"] for row in one.as_json()["coverage"]} == {2}


def test_the_verdict_counts_causes_and_differences():
    run = Run({"original": "a", "port": "b"}, noun="case")
    pair = Pair(always(answer(b"")), always(answer(b"", status=404)), bindings=Bindings.none())
    run.count("cases", "both", "failed")
    run.found(pair.exchange(request()), "a case", pair.secrets)
    assert run.line().startswith("DIFFERENT: 1 cause of 1 new difference (1 case in")


LEDGER = """
[[accepted]]
operations = ["GET /item/{id}"]
level = "status"
path = "status"
kind = "value"
original = "404"
port = "410"
follows = true
reason = "the port knows what is gone"
decision = "0007"
owner = "ada"
"""


def accepted(ledger, original, port, sent=None):
    pair = Pair(always(original), always(port), accepted=Ledger.loads(ledger), bindings=Bindings.none())
    exchange = pair.exchange(sent or request("GET", "/item/5"))
    return [str(each.level) for each in exchange.differences], [each.level for each, _ in exchange.accepted]


def test_an_entry_that_follows_accepts_what_follows_and_only_in_that_exchange():
    gone = json_answer({"error": "gone"}, status=404), answer(b"gone", status=410)
    assert accepted(LEDGER, *gone) == ([], ["status", "media-type", "json"])
    assert accepted(LEDGER.replace("follows = true", ""), *gone) == (["media-type", "json"], ["status"])
    other = json_answer({"error": "gone"}), answer(b"gone")
    assert accepted(LEDGER, *other) == (["media-type", "json"], [])


def test_an_entry_that_follows_does_not_accept_a_secret_that_is_shown():
    sent = request("GET", f"/item/5?token={SECRET}")
    new, _ = accepted(
        LEDGER, json_answer({"error": "gone"}, status=404), json_answer({"echo": SECRET}, status=410), sent
    )
    assert new == ["json"]


def test_an_entry_that_follows_does_not_lend_that_to_another_entry():
    text = LEDGER.replace('level = "status"\npath = "status"', 'level = "header"\npath = "X-App"')
    text = text.replace('original = "404"\nport = "410"\n', "")
    alone = text.replace('level = "header"\npath = "X-App"', 'level = "media-type"\npath = "Content-Type"')
    alone = alone.replace("follows = true\n", "")
    answers = json_answer({"a": 1}, ("X-App", "1")), answer(b"a", ("Content-Type", "text/plain"), ("X-App", "2"))
    assert accepted(text + alone, *answers) == (["json"], ["media-type", "header"])
