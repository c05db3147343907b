"""`parity globals`: its four forms, its limits and baselines, and how it ends"""

import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from contract_tests.__main__ import main
from contract_tests.migration.survey.survey import survey
from contract_tests.tests.children import run
from contract_tests.tests.house.globals_specimens import APP, DEEP, globals_of
from contract_tests.tests.house.test_house import ROOT


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
        ["broken.py"],
    ],
)
def test_a_wrong_call_is_one_clear_line_and_code_2(write, arguments):
    folder = write({"deep.py": DEEP})
    (folder / "empty").mkdir()
    (folder / "broken.py").write_text("def f(:\n")
    ran = globals_of(*arguments)
    assert ran.exit_code == 2
    (line,) = [line for line in ran.output.splitlines() if line]
    assert line.startswith("parity: ")


def read_slowly():
    """In a child: the command, as a terminal runs it; each of its processes reads one file, and waits for `go`."""
    from contract_tests.migration.survey import reading

    summarize, read = reading.summarize, []

    def wait(raw, name):
        while read and not Path("go").exists():
            Path("waits").touch()
            time.sleep(0.01)
        read.append(name)
        return summarize(raw, name)

    reading.summarize = wait
    os.setpgid(0, 0)
    Path("group").write_text(str(os.getpid()))
    main(["globals", ".", "--cache", "kept", "--jobs", "2"])


def test_ctrl_c_ends_in_one_line(write):
    filler = f"# {'x' * 110}\n" * 200
    folder = write({f"m{number}.py": f"n = {number}\n{filler}" for number in range(60)})
    with ThreadPoolExecutor(1) as waiting:
        ended = waiting.submit(run, read_slowly, cwd=folder, timeout=20)
        # One file is read, and the others are not.
        while not ended.done() and not (folder / "waits").exists():
            time.sleep(0.01)
        if not ended.done():
            os.killpg(int((folder / "group").read_text()), signal.SIGINT)
        (folder / "go").touch()
    assert (ended.result().returncode, ended.result().stderr) == (130, "interrupted\n")
