"""What `parity routes` shows beside the routes: decisions, the last report, Flask's own HEAD; and how it fails"""

import json

import pytest

from contract_tests.tests.house.desk import GUARDED, NEW, OLD, routes_of, rows


def test_a_decision_stands_for_a_port_and_goes_stale(pair, here):
    old = OLD + "\n@app.get('/old')\ndef old():\n    return ''\n"
    (here / "pyproject.toml").write_text(
        '[[tool.parity.routes]]\nroute = "GET /old"\nreason = "nobody calls it"\nowner = "team"\n'
    )
    data = pair(old, NEW)
    assert (data["fails"], data["missing"]) == ([], [])
    assert rows(data)["GET /old"]["decision"] == {"reason": "nobody calls it", "owner": "team"}
    assert "decided: nobody calls it (team)" in routes_of("old.py", "new.py").stdout
    assert pair(OLD, NEW)["fails"] == ["a decision names GET /old, which the original does not have"]
    assert pair(old, NEW + NEW.replace("/a", "/old").replace("app = FastAPI()", ""))["fails"] == [
        "a decision says that GET /old has no port, and it has one"
    ]


def test_a_decision_may_move_a_route_or_drop_a_guard(pair, here):
    (here / "decided.toml").write_text(
        '[[routes]]\nroute = "GET /a"\nreason = "versioned"\nowner = "team"\n'
        'moved_to = "GET /v2/a"\nguard = "dropped"\n'
    )
    data = pair(GUARDED, NEW.replace("/a", "/v2/a"), "--decisions", "decided.toml")
    assert data["fails"] == []
    assert data["routes"][0]["port"]["route"] == "GET /v2/a"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('[[routes]]\nroute = "GET /a"\nowner = "x"\n', "reason is missing"),
        ('[[routes]]\nroute = "GET /a"\nreason = "r"\nowner = "x"\nwhy = "y"\n', "unknown key why"),
        ("routes = 3\n", "routes is a list"),
        ("[[routes]\n", "decided.toml"),
    ],
)
def test_a_decision_that_cannot_be_read_is_told(pair, here, text, reason):
    (here / "decided.toml").write_text(text)
    (here / "old.py").write_text("from flask import Flask\n" + OLD)
    result = routes_of("old.py", "old.py", "--decisions", "decided.toml")
    assert (result.exit_code, reason in result.stderr) == (2, True), result.stderr
    assert len(result.stderr.splitlines()) == 1


DIFFERS = {"fingerprint": "GET /a/{id} json $.x missing"}
COVERAGE = [
    {"operation": "GET /a/7", "status": 200, "count": 3},
    {"operation": "GET /a/{id}", "status": 404, "count": 1},
    {"operation": "POST /a/7", "status": 201, "count": 9},
]


@pytest.mark.parametrize(
    ("report", "cases", "statuses", "alike"),
    [
        ({}, None, {}, None),
        ({"coverage": []}, 0, {}, None),
        ({"coverage": COVERAGE}, 4, {"200": 3, "404": 1}, True),
        ({"coverage": COVERAGE, "differences": [DIFFERS]}, 4, {"200": 3, "404": 1}, False),
        ({"differences": [DIFFERS]}, None, {}, False),
    ],
)  # fmt: skip
def test_the_last_report_tells_cases_statuses_and_whether_alike(pair, here, report, cases, statuses, alike):
    (here / "report.json").write_text(json.dumps(report))
    old, new = OLD.replace("/a", "/a/<int:id>"), NEW.replace("/a", "/a/{number}")
    (row,) = pair(old, new, "--report", "report.json")["routes"]
    assert (row["cases"], row["statuses"], row["alike"]) == (cases, statuses, alike)


def test_the_report_of_the_last_run_is_found(pair, here):
    pair(OLD, NEW)
    (here / "pyproject.toml").write_text('[tool.parity]\nreport = "out/last"\n')
    assert routes_of("old.py", "new.py").stderr == ""
    (here / "out/last").mkdir(parents=True)
    row = {"operation": "GET /a", "status": 200, "count": 3, "media_type": "", "source": "cases", "levels_masked": []}
    (here / "out/last/report.json").write_text(json.dumps({"causes": [], "coverage": [row]}))
    found = routes_of("old.py", "new.py")
    assert found.stderr == "last report: out/last/report.json\n"
    assert "GET /a  3 (200)  /a " in found.stdout


def test_head_is_told_where_only_flask_answers_it(pair):
    pair(OLD, NEW)
    assert "HEAD: 1 of 1 ported GET routes answer it in Flask alone" in routes_of("old.py", "new.py").stdout
    pair(OLD, "from fastapi_app import wire\n" + NEW + "\nwire.Routing.install(app)\n")
    assert "HEAD" not in routes_of("old.py", "new.py").stdout


def test_markdown_has_a_row_a_route_and_the_finding_above(pair, here):
    pair(GUARDED, NEW)
    text = routes_of("old.py", "new.py", "--format", "markdown").stdout
    assert text.startswith(
        "**Guarded in the original, and by nothing in the port:**\n\n- GET /a: decorator login_required"
    )
    assert "| `GET /a` | ? | /a | 0 | - | yes | ? |" in text


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["nowhere", "new.py"], "nowhere: no such file or folder"),
        (["nowhere:app", "new.py"], "No module named 'nowhere'"),
        (["old:missing", "new.py"], "has no attribute 'missing'"),
        (["old.py", "old.py"], "old.py: no route of FastAPI there"),
        (["old.py", "new.py", "--report", "none.json"], "none.json: No such file"),
        (["old.py", "new.py", "--report", "new.py"], "this is no report"),
        (["old.py", "new.py", "--nope"], "No such option"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(pair, arguments, reason):
    pair(OLD, NEW)
    result = routes_of(*arguments)
    assert (result.exit_code, reason in result.stderr) == (2, True), result.stderr
    assert len(result.stderr.splitlines()) == 1
