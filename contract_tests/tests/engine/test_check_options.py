"""What a check is told: options and their table, HAR, kept values, a corpus, and the entry that `parity accept` adds"""

import base64
import json

import pytest
from click.testing import CliRunner

from contract_tests.__main__ import main
from contract_tests.parity.applications import SpecError
from contract_tests.parity.cases import CaseError, as_json, case_of
from contract_tests.parity.keeping import Memory
from contract_tests.parity.ledger import Ledger
from contract_tests.parity.messages import Request, Response
from contract_tests.parity.options import Options
from contract_tests.parity.pages import Page, here
from contract_tests.parity.plan import chosen, individual
from contract_tests.parity.shrinking import shrunk
from contract_tests.parity.signing_in import carried
from contract_tests.parity.sources.recorded import recorded
from contract_tests.parity.stored import check_folder
from contract_tests.parity.watching import Watched

ORIGINAL = "contract_tests.tests.specimens.slides.original:create_app()"
PORT = "contract_tests.tests.specimens.slides.port:create_app()"


@pytest.fixture
def parity():
    def parity(*arguments):
        return CliRunner().invoke(main, [*arguments])

    return parity


def case(*steps, **members):
    return case_of({"case": "a case", "steps": list(steps), **members})


def step(method="GET", target="/", **members):
    return {"method": method, "target": target, **members}


def test_nothing_but_two_specs_finds_the_leaked_password(parity, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # Random walks come last: the written stories before them find it.
    monkeypatch.setattr("contract_tests.parity.sources.sequences._WALKS", 10)
    run = parity("check", ORIGINAL, PORT, "--sources", "sequences", "--budget", "20")
    first, fingerprint, *_ = run.output.splitlines()
    assert first == "1. GET /user/{id}: the original gives back a secret that the client sent"
    assert fingerprint.strip() == "GET /user/{id} json $.password missing"


def test_the_table_of_pyproject_gives_what_the_command_line_does_not():
    options = Options.of({"seed": 5, "budget": None, "sources": ()}, {"seed": 3, "budget": 7, "sources": ["mutated"]})
    assert (options.seed, options.budget, options.sources) == (5, 7.0, ("mutated",))


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"bugdet": 3}, "unknown key bugdet"),
        ({"budget": "3"}, "budget is a number"),
        ({"seed": True}, "seed is an integer"),
        ({"budget": float("inf")}, "budget = inf: this is no number of seconds"),
        ({"timeout": float("nan")}, "timeout = nan: this is no number of seconds, from 0.01 on"),
    ],
)
def test_a_wrong_key_of_the_table_is_a_usage_error(table, told):
    with pytest.raises(SpecError, match=told):
        Options.of({}, table)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--sources", "nonsense"], "--sources nonsense: there are all, cases"),
        (["--openapi", "nowhere.json"], "--openapi nowhere.json: No such file"),
        (["--har", "nowhere.har"], "nowhere.har: No such file"),
        (["--timeout", "nan"], "--timeout nan: this is no number of seconds"),
        (["--budget", "nan"], "--budget nan: this is no number of seconds"),
        (["--budget", "inf"], "--budget inf: this is no number of seconds"),
        (["--report", __file__], f"--report {__file__}: this is no folder"),
        (["--report", f"{__file__}/below"], f"--report {__file__}/below: Not a directory"),
        (["--report", "/proc/x"], "--report /proc/x: No such file or directory"),
        (["--corpus", __file__], f"--corpus {__file__}: this is no folder"),
        (["--corpus", f"{__file__}/below"], f"--corpus {__file__}/below: Not a directory"),
        (["--auth", "nobody"], "--auth nobody: there is no case of this name in --cases, and no file"),
    ],
)
def test_a_usage_error_is_one_line(parity, arguments, told):
    run = parity("check", ORIGINAL, PORT, *arguments)
    assert run.exit_code == 2
    assert told in run.output
    assert len(run.output.splitlines()) == 1


@pytest.mark.parametrize("specs", [(ORIGINAL.removesuffix("()"), PORT), (ORIGINAL, PORT.removesuffix("()"))])
def test_a_factory_without_its_parentheses_is_asked_for_first(parity, specs):
    run = parity("check", *specs, "--budget", "1")
    (named,) = (spec for spec in specs if not spec.endswith("()"))
    assert run.exit_code == 2
    assert run.output == f"parity: {named!r} is what makes an application, and none: did you mean {named}()?\n"


def test_an_application_beside_a_factory_wants_a_reset(parity):
    run = parity("check", "wsgiref.simple_server:demo_app", PORT, "--budget", "1")
    assert run.output == "parity: only one side is rewound before each case: give --reset-original, too\n"


def test_no_budget_is_told_as_nothing_sent_rather_than_as_refusals(parity):
    run = parity("check", ORIGINAL, PORT, "--budget", "0", "--sources", "framework")
    assert run.exit_code == 4
    assert run.output.splitlines()[0] == "nothing was sent: the budget is 0 s"
    assert "only refused" not in run.output
    assert "INCONCLUSIVE: no case ran" in run.output


def test_a_folder_that_was_made_only_to_see_whether_it_can_be_is_gone(tmp_path):
    check_folder("--report", tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "a").mkdir()
    check_folder("--report", tmp_path / "a")
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]


def test_what_is_given_runs_alone_and_all_runs_with_it():
    assert chosen((), given=True) == ("cases", "recorded")
    assert "mutated" in chosen((), given=False)
    assert "mutated" in chosen(("all",), given=True)


def test_a_case_is_written_and_read_again():
    made = case(
        step(keep={"id": "$.id"}), step("PUT", "/a/{{id}}", json={"a": "{{id}}"}), source="mutated", cookies=True
    )
    assert case_of(as_json(made)) == made


def test_what_an_answer_held_is_used_in_its_own_type_and_spelling():
    memory = Memory()
    keep = {"id": "$.items[0].id", "at": "header Location", "last": "path Location", "csrf": "field csrf"}
    body = b'{"items": [{"id": 41}]}'
    memory.learn(Response(201, ((b"Location", b"https://testserver/a/b%20c?d"),), body), keep)
    memory.learn(Response(200, (), b'<input name="csrf" value="&lt;x">'), keep)
    memory.learn(
        Response(200, (), b'<form><input type=hidden name="csrf" value="a&amp;b"></form>'), {"csrf": keep["csrf"]}
    )
    sent = case(step("POST", "{{at}}", json={"id": "{{id}}", "text": "no {{id}}", "csrf": "{{csrf}}"})).steps[0]
    filled = memory.filled(sent)
    assert filled.target == b"/a/b%20c?d"
    assert json.loads(filled.body) == {"id": 41, "text": "no 41", "csrf": "a&b"}
    assert (b"Content-Length", b"%d" % len(filled.body)) in filled.headers
    assert memory.values["last"] == "b%20c"


def test_cookies_are_carried_on_and_deleted_and_not_sent_where_none_are_wanted():
    memory = Memory()
    memory.learn(Response(200, ((b"Set-Cookie", b"a=1; Path=/"), (b"Set-Cookie", b"b=2"))), {})
    memory.learn(Response(200, ((b"Set-Cookie", b"b=; Max-Age=0"),)), {})
    assert memory.filled(Request("GET", b"/"), cookies=True).headers == ((b"Cookie", b"a=1"),)
    assert memory.filled(Request("GET", b"/", ((b"Cookie", b""),)), cookies=True).headers == ()


def test_a_page_shows_its_forms_and_links_of_its_own_site():
    page = Page.of(
        b'<a href="/x?a=1">x</a><form method=post><select name=s><option value=""><option value=b></select></form>'
    )
    assert page.forms[0].fields[0].choices == ["", "b"]
    assert here(page.links[0], "/y/z") == "/x?a=1"
    assert here("https://example.com/", "/") is None


def test_a_token_is_found_and_carried_and_a_sign_in_that_gives_nothing_is_told():
    one = case(step())
    found = carried(one, None, [Response(200, (), b'{"data": {"access_token": "0123456789abc"}}')])
    assert found.header == (b"Authorization", b"Bearer {{signed_in_token}}")
    assert found.pointer == "$.data.access_token"
    assert found.unsigned(found.signed(one)).steps == one.steps
    with pytest.raises(CaseError, match="the original answered 401, with no cookie and no token"):
        carried(one, None, [Response(401)])
    with pytest.raises(CaseError, match="is none of cookies"):
        carried(one, "nonsense", [])


def test_of_a_har_file_the_requests_are_sent_and_tokens_are_kept(tmp_path):
    path = tmp_path / "a.har"
    token = "tok0123456789abcdefghij"
    login = {"request": {"method": "POST", "url": "https://a.example/login", "headers": [{"name": ":p", "value": "/"}],
                         "postData": {"text": base64.b64encode(b"\xff").decode(), "encoding": "base64"}},
             "response": {"content": {"text": json.dumps({"token": token})}}}  # fmt: skip
    other = {"request": {"method": "GET", "url": "https://cdn.example/x", "headers": []}}
    see = {"request": {"method": "GET", "url": "https://a.example/me?x=1", "headers": [{"name": "Authorization", "value": f"Bearer {token}"}]}}  # fmt: skip  # noqa: E501
    path.write_text(json.dumps({"log": {"entries": [login, other, see]}}))
    (made,) = recorded(path)
    assert [request.target for request in made.steps] == [b"/login", b"/me?x=1"]
    assert made.steps[0].body == b"\xff"
    assert made.steps[1].headers[1] == (b"Authorization", b"Bearer {{t1_0}}")
    assert made.kept(0) == {"t1_0": "$.token"}


@pytest.mark.parametrize("text", ["{", "{}", '{"log": {"entries": []}}', '{"log": {"entries": [{"request": {}}]}}'])
def test_what_is_no_har_is_told(tmp_path, text):
    path = tmp_path / "a.har"
    path.write_text(text)
    with pytest.raises(CaseError, match=r"a\.har"):
        recorded(path)


def test_the_smallest_case_has_what_the_difference_needs_and_no_more():
    whole = case(
        step(target="/before"), step("POST", "/a?b=1&c=2", json={"x": 1, "y": {"z": 2, "w": 3}}, headers=[["X-A", "b"]])
    )

    def shows(candidate):
        return b'"z": 2' in candidate.steps[-1].body and b"c=2" in candidate.steps[-1].target

    small = shrunk(whole, shows, until=float("inf"))
    assert [(request.target, request.body) for request in small.steps] == [(b"/a?c=2", b'{"y": {"z": 2}}')]
    assert not any(name == b"X-A" for name, _ in small.steps[0].headers)


def test_where_nothing_is_rewound_each_case_has_words_of_its_own():
    made = case(step("POST", "/a", json={"name": "paritya", "other": "parityab"}))
    changed = individual(made, 12).steps[0]
    assert json.loads(changed.body) == {"name": "paritya12", "other": "parityab"}
    assert (b"Content-Length", b"%d" % len(changed.body)) in changed.headers


class Hanging:
    """A target that spins for ever, unless it is a new one."""

    made = 0
    app = None

    def __init__(self):
        Hanging.made += 1
        self.name = f"target {Hanging.made}"

    def send(self, request):
        while request.target == b"/spin":
            pass
        return Response(200)

    def reset(self):
        pass

    close = reset

    def __enter__(self):
        return self


def test_a_target_that_hangs_is_abandoned_and_made_anew():
    Hanging.made = 0
    with Watched(Hanging, 0.05) as target:
        assert target.send(Request("GET", b"/spin")).failure == "timeout"
        assert target.send(Request("GET", b"/")).status == 200
    assert Hanging.made == 2


@pytest.fixture
def report(tmp_path):
    """A report of two differences and some noise."""
    differences = [
        {"fingerprint": "GET /a json $.a b.c value", "original": '"1"', "port": '"2"'},
        {"fingerprint": "GET /b header X-Key value", "original": "<secret:1>", "port": "x"},
    ]
    noise = ["GET /c json $.at value"]
    (tmp_path / "report.json").write_text(json.dumps({"differences": differences, "noise": noise}))
    return tmp_path


WHO = ["--reason", "why: it is so", "--owner", "ada", "--decision", "0001"]


def test_accepting_adds_an_entry_and_leaves_the_rest_as_it_is(parity, report):
    ledger = report / "ledger.toml"
    ledger.write_text("# ours")
    run = parity("accept-difference", "1", "--report", str(report), "--ledger", str(ledger), "--exact", *WHO)
    assert run.exit_code == 0, run.output
    assert ledger.read_text().startswith("# ours\n")
    run = parity("accept-difference", "3", "--report", str(report), "--ledger", str(ledger), "--class", "time", *WHO)
    assert run.exit_code == 0, run.output
    exact, time = Ledger.load(ledger).entries
    assert str(exact) == "GET /a json $.a b.c value (decision 0001, ada)"
    assert exact.differences[0].port == '"2"'
    assert time.sources == ("recorded",)


def test_what_is_not_given_is_asked_for_and_what_is_wrong_is_not_added(parity, report, monkeypatch):
    monkeypatch.setattr("contract_tests.parity.acceptance.on_terminal", lambda: True)
    ledger = report / "ledger.toml"
    arguments = ["accept-difference", "GET /b header X-Key value", "--report", str(report), "--ledger", str(ledger)]
    asked = CliRunner().invoke(main, arguments, input="why\nnone\nada\n")
    assert asked.exit_code == 2
    assert "decision 'none' is no number of four digits" in asked.output
    assert not ledger.exists()
    assert parity(*arguments, "--exact", *WHO).exit_code == 2
    assert parity("accept-difference", "9", "--report", str(report), "--ledger", str(ledger)).exit_code == 2
    assert (
        "2. GET /b header X-Key value"
        in parity("accept-difference", "--report", str(report), "--ledger", str(ledger)).output
    )
