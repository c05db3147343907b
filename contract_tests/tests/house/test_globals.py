"""Every use of Flask's globals is found by resolving names, and nothing else is; the way from each route is told"""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner

from contract_tests.__main__ import main
from contract_tests.migration.survey.survey import survey
from contract_tests.tests.house.globals_specimens import write_specimens
from contract_tests.tests.house.test_house import ROOT

SAMPLES = ROOT / "contract_tests/tests/specimens/globals/checked.tsv"
DEEP = """
from flask import request

def tag():
    return request.args.get("tag", "unidentified")
"""
APP = """
from flask import Flask
from deep import tag
app = Flask(__name__)

@app.get("/tag")
def show():
    return tag()
"""


@pytest.fixture(scope="module")
def specimens(tmp_path_factory):
    """The labels, and what is found in each labelled tree."""
    folder = tmp_path_factory.mktemp("specimens")
    names, labels = write_specimens(folder)
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield labels, {name: survey([folder / name], jobs=1) for name in names}
    finally:
        os.chdir(before)


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Writes files by their paths, in the folder where the command is run."""
    monkeypatch.chdir(tmp_path)

    def write(files):
        for path, text in files.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text)
        return tmp_path

    return write


def globals_of(*arguments):
    return CliRunner().invoke(main, ["globals", "--no-cache", "--jobs", "1", *map(str, arguments)])


def found(data):
    return [(use["what"], use["place"]) for use in data["uses"]]


def told(use):
    default = f" = {use['default']}" if use["default"] is not None else ""
    return f"{use['place']} {use['access']} {use['what']}{default}"


def test_every_labelled_use_is_found_and_nothing_else(specimens):
    """Precision and recall of 1 on the labelled trees."""
    labels, found = specimens
    uses = Counter((use["path"], use["line"], told(use)) for data in found.values() for use in data["uses"])
    assert labels.hits.total() >= 200
    assert uses - labels.hits == Counter(), "found, and not labelled"
    assert labels.hits - uses == Counter(), "labelled, and not found"


def test_what_needs_the_context_is_found_in_a_class_of_its_own(specimens):
    labels, found = specimens
    needs = Counter(
        (n["path"], n["line"], f"{n['place']} {n['name']}") for data in found.values() for n in data["needs_context"]
    )
    assert labels.context.total() >= 13
    assert needs == labels.context


def test_files_that_are_no_python_are_told_and_the_rest_goes_on(specimens):
    unreadable = specimens[1]["odd"]["unreadable"]
    assert [(each["path"], each["line"]) for each in unreadable] == [
        ("odd/odd/broken.py", 2),
        ("odd/odd/lying.py", 2),
        ("odd/odd/python2.py", 2),
    ]


def test_a_column_counts_characters(specimens):
    (use,) = [use for use in specimens[1]["odd"]["uses"] if use["path"].endswith("latin.py")]
    assert (use["line"], use["column"], use["key"]) == (6, 25, "größe")


def ways(data, function):
    names = [each["name"] for each in data["functions"]]
    return {
        (data["entries"][way["entry"]]["name"], *(names[call] for call in way["calls"][:-1]))
        for way in data["ways"][function]
    }


def test_the_way_from_each_entry_to_a_deep_use_is_told(specimens):
    shop = specimens[1]["shop"]
    assert ways(shop, "shop.pricing.currency") == {
        ("GET,POST /orders/", "shop.orders.orders", "shop.pricing.total"),
        ("GET /orders/<int:id>", "shop.orders.order", "shop.pricing.total"),
        ("POST /admin/items", "shop.admin.views.Items.post"),
        ("command purge", "shop.admin.views.purge"),
    }
    assert ways(shop, "shop.pricing.discount") == {
        ("GET /orders/<int:id>", "shop.orders.order", "shop.services.Basket.__init__")
    }
    assert ways(shop, "shop.services.tags.first") == {("GET,POST /orders/", "shop.orders.orders", "shop.services.tags")}


def test_a_way_leads_through_decorators_and_methods(specimens):
    shop = specimens[1]["shop"]
    assert ways(shop, "shop.admin.views.role.decorate.guarded") == {("GET /admin/users", "shop.admin.views.users")}
    assert ways(shop, "shop.admin.views.Items._filtered") == {("GET /admin/items", "shop.admin.views.Items.get")}
    assert ways(shop, "shop.admin.views.public.wrapper") == {
        ("GET /admin/items", "shop.admin.views.Items.get"),
        ("POST /admin/items", "shop.admin.views.Items.post"),
    }


def test_a_way_leads_to_the_methods_that_override_one(specimens):
    assert ways(specimens[1]["shop"], "shop.overrides.Below._own") == {
        ("GET /run", "shop.overrides.run", "shop.overrides.Base.run")
    }


def test_routes_have_the_prefixes_of_their_blueprints(specimens):
    names = {entry["name"] for entry in specimens[1]["shop"]["entries"] if entry["kind"] == "view"}
    assert names == {
        "GET /",
        "GET,POST /orders/",
        "GET /orders/<int:id>",
        "POST /orders/<int:id>/pay",
        "GET /orders/plain",
        "GET /admin/users",
        "GET /admin/items",
        "POST /admin/items",
        "GET /admin/old",
        "GET /run",
        "GET ? (first)",
        "GET ? (second)",
    }


@pytest.mark.parametrize(
    ("read", "parameter"),
    [
        ("request.args.get('tag', 'unidentified')", 'tag: str = "unidentified"'),
        ("request.args['tag']", "tag: str"),
        ("request.args.get('tag')", "tag: str | None = None"),
        ("request.args.get('page', 1, type=int)", "page: int = 1"),
        ("int(request.form['age'])", "age: int"),
        ("request.args.getlist('tag')", "tag: list[str]"),
        ("request.headers['X-Request-ID']", "x_request_id: str"),
        ("request.cookies.get('class')", "class_: str | None = None"),
        ("request.files['picture']", "picture: FileStorage"),
        ("request.get_json()", "body: Any"),
        ("request.get_json()['name']", "name: Any"),
        ("request.method", "method: str"),
        ("request.args", "args: Mapping[str, str]"),
        ("f(request)", "request: Request"),
        ("g.user", "user: Any"),
        ("g.get('user')", "user: Any = None"),
        ("session['id']", "id: Any"),
        ("session.pop('id')", "session: MutableMapping[str, Any]"),
        ("current_app.config['MAX']", "max: Any"),
        ("current_app.logger.info('x')", "logger: logging.Logger"),
        ("f(current_app)", "app: Flask"),
        ("setattr(g, 'user', 1)", "-> user"),
    ],
)
def test_the_parameter_that_would_carry_a_deep_use(write, read, parameter):
    write({"deep.py": f"from flask import current_app, g, request, session\ndef deep(f):\n    return {read}\n"})
    (use,) = survey([write({})], jobs=1)["uses"]
    assert use["parameter"] == parameter


def test_what_is_read_of_a_value_later_is_told_with_it(write):
    text = (
        "from flask import request\ndef f():\n    data = request.get_json()\n    return data['name'], data.get('age')\n"
    )
    (use,) = survey([write({"app.py": text})], jobs=1)["uses"]
    assert use["then"] == ["data['name']", "data.get()"]


def test_calls_that_are_not_resolved_are_listed_with_what_they_may_be(write):
    unknown = "def view(thing):\n    thing.tag()\n    thing.other()\n    thing.append(1)\n"
    data = survey([write({"deep.py": DEEP, "unknown.py": unknown})], jobs=1)
    assert [(each["name"], each["line"], each["may_be"]) for each in data["unresolved"]["listed"]] == [
        ("tag", 2, ["deep.tag"])
    ]
    assert (data["unresolved"]["leads_to_no_use"], data["unresolved"]["builtin_methods"]) == (1, 1)


def test_nothing_of_the_code_is_run(write):
    folder = write({"app.py": "import sys\nfrom flask import g\nsys.exit(9)\ng.x\n"})
    assert found(survey([folder], jobs=1)) == [("g.x", "import")]
    assert "app" not in sys.modules


def test_a_file_is_read_once_also_where_links_lead_in_circles(write):
    folder = write({"app/deep.py": DEEP})
    (folder / "app/again").symlink_to(folder / "app")
    (folder / "app/copy.py").symlink_to(folder / "app/deep.py")
    (folder / "app/nowhere.py").symlink_to(folder / "missing.py")
    assert [use["path"] for use in survey([folder], jobs=1)["uses"]] == ["app/deep.py"]


@pytest.mark.parametrize("glob", ["tests", "tests/*", "tests/deep.py", "d??p.py", "tests/"])
def test_what_is_excluded_is_not_read(write, glob):
    write({"tests/deep.py": DEEP, "app.py": "from flask import g\ng.x\n"})
    data = json.loads(globals_of(".", "--exclude", glob, "--format", "json").output)
    assert [use["path"] for use in data["uses"]] == ["app.py"]


def test_two_processes_find_what_one_finds(write):
    filler = "x = [1]\n" * 60_000
    folder = write({"deep.py": DEEP + filler, "app.py": APP + filler, "broken.py": "def :"})
    assert survey([folder], jobs=2) == survey([folder], jobs=1)


# The cache


def test_a_second_run_says_the_same_and_reads_nothing_anew(write, tmp_path, monkeypatch):
    from contract_tests.migration.survey import reading

    folder, kept = write({"app/deep.py": DEEP, "app/app.py": APP}) / "app", tmp_path / "kept"
    first = survey([folder], cache=kept, jobs=1)
    monkeypatch.setattr(reading, "summarize", lambda _, name: pytest.fail(f"{name} is read again"))
    assert survey([folder], cache=kept, jobs=1) == first


def test_only_what_has_changed_is_read_anew(write, tmp_path, monkeypatch):
    from contract_tests.migration.survey import reading

    folder, kept, read = write({"app/deep.py": DEEP, "app/app.py": APP}) / "app", tmp_path / "kept", []
    survey([folder], cache=kept, jobs=1)
    summarize = reading.summarize
    monkeypatch.setattr(reading, "summarize", lambda raw, name: read.append(name) or summarize(raw, name))
    write({"app/app.py": APP + "\n@app.get('/again')\ndef again():\n    return tag()\n"})
    data = survey([folder], cache=kept, jobs=1)
    assert read == ["app/app.py"]
    assert {entry for entry, *_ in ways(data, "deep.tag")} == {"GET /tag", "GET /again"}


@pytest.mark.parametrize("rubbish", [b"", b"\xff\x00", b"[]", b'{"key": "x", "kept": {}}', b"[" * 100_000])
def test_a_cache_that_is_broken_is_as_if_it_were_not_there(write, tmp_path, rubbish):
    folder, kept = write({"app/deep.py": DEEP}) / "app", tmp_path / "kept"
    first = survey([folder], cache=kept, jobs=1)
    files = list(kept.rglob("*.json"))
    assert len(files) == 2
    for path in files:
        path.write_bytes(rubbish)
    assert survey([folder], cache=kept, jobs=1) == first


def test_a_cache_that_cannot_be_written_is_none(write, tmp_path):
    (tmp_path / "kept").write_text("a file")
    assert found(survey([write({"app/deep.py": DEEP}) / "app"], cache=tmp_path / "kept", jobs=1))


# The command


def test_the_table_is_plain_text_where_no_terminal_reads_it(write):
    write({"deep.py": DEEP, "app.py": APP})
    ran = globals_of(".")
    assert ran.exit_code == 0
    assert "\x1b" not in ran.output
    lines = ran.output.splitlines()
    assert lines[1].split("  ") == [
        "deep.py:5:12", "deep", "read request.args['tag'] = 'unidentified'", 'tag: str = "unidentified"'
    ]  # fmt: skip
    assert lines[2] == "    GET /tag: app.show -> deep.tag"
    assert "1 use of Flask's globals in 1 of 2 files (request 1): deep 1" in lines


def test_the_tree_has_each_route_with_what_it_reads(write):
    write({"deep.py": DEEP, "app.py": APP})
    assert globals_of(".", "--format", "tree").output.splitlines()[:3] == [
        "GET /tag  app.py:7",
        "    app.show -> deep.tag",
        "        read request.args['tag'] = 'unidentified'  deep.py:5  carried by tag: str = \"unidentified\"",
    ]


def test_the_json_has_the_keys_that_the_docs_name(write):
    write({"deep.py": DEEP, "app.py": APP})
    data = json.loads(globals_of(".", "--format", "json").output)
    page = (ROOT / "docs/globals.md").read_text()
    keys = {key for value in (data, data["uses"][0], data["entries"][0], data["unresolved"]) for key in value}
    assert {key for key in keys if f"`{key}`" not in page} == set()


def test_sarif_has_the_structure_of_its_standard(write):
    """SARIF 2.1.0: what section 3 says of a run, its rules, results, locations and code flows."""
    write({"a b/deep.py": DEEP, "app.py": APP.replace("deep import", "deep import"), "broken.py": "def :"})
    sarif = json.loads(globals_of(".", "--format", "sarif").output)
    assert (sarif["version"], sarif["$schema"]) == ("2.1.0", "https://json.schemastore.org/sarif-2.1.0.json")
    (run,) = sarif["runs"]
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("none", "note", "warning", "error")
        assert result["message"]["text"]
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"] == "a%20b/deep.py"
        assert place["region"] == {"startLine": 5, "startColumn": 12}
        assert len(result["partialFingerprints"]["parityGlobals/v1"]) == 16
    (note,) = run["invocations"][0]["toolExecutionNotifications"]
    assert note["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "broken.py"


def test_sarif_shows_the_way_as_a_code_flow(write):
    write({"deep.py": DEEP, "app.py": APP})
    (result,) = json.loads(globals_of(".", "--format", "sarif").output)["runs"][0]["results"]
    steps = [each["location"] for each in result["codeFlows"][0]["threadFlows"][0]["locations"]]
    assert [step["message"]["text"] for step in steps] == ["GET /tag", "app.show", "deep.tag", "request.args['tag']"]
    assert steps[2]["physicalLocation"] == {"artifactLocation": {"uri": "deep.py"}, "region": {"startLine": 4}}


def test_out_writes_a_file_and_says_nothing_here(write):
    folder = write({"deep.py": DEEP})
    ran = globals_of(".", "--format", "json", "--out", "found.json")
    assert (ran.exit_code, ran.output) == (0, "")
    assert len(json.loads((folder / "found.json").read_text())["uses"]) == 1


@pytest.mark.parametrize(("limit", "code"), [(0, 1), (1, 0)])
def test_fail_over_fails_only_over_the_limit(write, limit, code):
    write({"deep.py": DEEP})
    ran = globals_of(".", "--fail-over", limit)
    assert ran.exit_code == code
    assert ("1 uses, and no more than 0 are allowed" in ran.output) == bool(code)


def test_against_a_baseline_lines_may_move_and_numbers_may_only_fall(write):
    write({"deep.py": DEEP + "\ndef more():\n    return request.path\n"})
    assert globals_of(".", "--write-baseline", "base.json").exit_code == 0
    write({"deep.py": "\n\n# moved\n" + DEEP + "\ndef more():\n    return request.path\n"})
    same = globals_of(".", "--baseline", "base.json")
    assert (same.exit_code, "new:" in same.output) == (0, False)
    write({"deep.py": DEEP})
    fewer = globals_of(".", "--baseline", "base.json")
    assert fewer.exit_code == 0
    assert "1 uses, and 2 in the baseline: keep the lower number with --write-baseline" in fewer.output
    write({"deep.py": DEEP + "\ndef more():\n    return request.path, request.url\n"})
    risen = globals_of(".", "--baseline", "base.json")
    assert risen.exit_code == 1
    assert "new: deep.py:8:26 read request.url" in risen.output
    assert "request: 3 uses, and 2 in the baseline" in risen.output


def test_a_fingerprint_stays_the_same_when_lines_move(write):
    before = survey([write({"deep.py": DEEP})], jobs=1)["uses"]
    after = survey([write({"deep.py": "# moved\n" + DEEP})], jobs=1)["uses"]
    assert [use["line"] for use in after] == [use["line"] + 1 for use in before]
    assert [use["fingerprint"] for use in after] == [use["fingerprint"] for use in before]


def test_one_proxy_may_not_rise_while_another_falls(write):
    write({"a.py": "from flask import g, session\ndef f():\n    return g.a, g.b\n"})
    globals_of(".", "--write-baseline", "base.json")
    write({"a.py": "from flask import g, session\ndef f():\n    return session['a']\n"})
    ran = globals_of(".", "--baseline", "base.json")
    assert ran.exit_code == 1
    assert "session: 1 uses, and 0 in the baseline" in ran.output


@pytest.mark.parametrize(
    "arguments",
    [
        ["missing"],
        [],
        [".", "--format", "xml"],
        [".", "--fail-over", "-1"],
        [".", "--baseline", "missing.json"],
        [".", "--baseline", "deep.py"],
        [".", "--out", "missing/file"],
        [".", "--nonsense"],
        ["empty"],
    ],
)
def test_a_wrong_call_is_one_clear_line_and_code_2(write, arguments):
    (write({"deep.py": DEEP}) / "empty").mkdir()
    ran = globals_of(*arguments)
    assert ran.exit_code == 2
    (line,) = [line for line in ran.output.splitlines() if line]
    assert line.startswith("Error: ")


def test_ctrl_c_ends_in_one_line(write):
    filler = "x = [1, 2, 3, y(4), z.a.b.c(5)]\n" * 2_000
    folder = write({f"m{number}.py": f"n = {number}\n{filler}" for number in range(60)})
    command = [sys.executable, "-m", "contract_tests", "globals", ".", "--cache", "kept", "--jobs", "2"]
    with subprocess.Popen(
        command, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        # The first summary is kept, and most are not.
        while process.poll() is None and not list((folder / "kept").rglob("*.json")):
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=100)
    assert (process.returncode, said) == (130, "interrupted\n")


# What was read by hand


def test_the_samples_that_were_read_are_as_the_docs_say():
    """Each project's 50 uses and 50 near misses, and how many of them the tool told rightly."""
    with SAMPLES.open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    drawn = Counter((row["round"], row["project"], row["drawn from"]) for row in rows)
    right = Counter(
        (row["round"], row["project"], row["drawn from"])
        for row in rows
        if row["verdict"] == {"hit": "use", "near miss": "none"}[row["drawn from"]]
    )
    assert set(drawn.values()) == {50}
    page = (ROOT / "docs/globals.md").read_text()
    for when, project in {(row["round"], row["project"]) for row in rows}:
        hits, misses = right[when, project, "hit"], right[when, project, "near miss"]
        assert f"| {when} | {project} | {hits} of 50 | {misses} of 50 |" in page
