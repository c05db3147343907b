"""No handler on the loop calls what blocks, at any depth: found in the source alone, and absent from our port"""

import re
from pathlib import Path

import pytest

from contract_tests.migration.blocking import Place, check
from contract_tests.tests.children import run, run_module
from contract_tests.tests.house.test_house import ROOT

BLOCKED = ROOT / "contract_tests/tests/specimens/blocked"


def marked(word):
    """Every place that a comment marks, with what it names."""
    found = set()
    for path in BLOCKED.glob("*.py"):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if match := re.search(rf"# {word}(?:: ([^#]+))?", line):
                place = Place(str(path.relative_to(ROOT)), number)
                found |= {(place, name) for name in (match[1] or "").strip().split(", ")}
    return found


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Writes modules, by their names."""
    monkeypatch.chdir(tmp_path)

    def write(**modules):
        for name, text in modules.items():
            path = tmp_path / f"{name.replace('__', '/')}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return write


def command(*arguments, cwd=ROOT):
    env = {"PYTHONPATH": str(ROOT)}
    return run(run_module, "contract_tests.migration.blocking", *map(str, arguments), cwd=cwd, env=env)


def test_all_that_is_planted_is_found_and_nothing_else(monkeypatch):
    monkeypatch.chdir(ROOT)
    planted, innocent = marked("planted"), marked("innocent")
    assert len(planted) >= 45
    assert len(innocent) >= 30
    report = check([BLOCKED])
    found = {(finding.chain[-1][0], finding.call) for finding in report.findings}
    assert not report.unreadable
    assert planted - found == set()
    assert found - planted == set()


def test_the_way_to_a_call_is_told_from_the_handler_on(monkeypatch):
    monkeypatch.chdir(ROOT)
    [finding] = [each for each in check([BLOCKED]).findings if each.handler == "deep" and each.call == "time.sleep"]
    assert (finding.kind, finding.why) == ("handler", "sleeps")
    assert [name for _, name in finding.chain] == ["one", "two", "three", "time.sleep"]
    assert [Path(place.file).name for place, _ in finding.chain] == [
        "app.py",
        "services.py",
        "services.py",
        "services.py",
    ]


def test_a_comment_without_a_reason_accepts_nothing(monkeypatch):
    monkeypatch.chdir(ROOT)
    [finding] = [each for each in check([BLOCKED]).findings if each.handler == "accepted"]
    assert "gives no reason" in str(finding)


def test_a_call_on_the_way_can_be_accepted_as_the_last_can(write):
    folder = write(
        app="import time\ndef slow(): time.sleep(1)\n\n@app.get('/')\nasync def root():\n    slow()  # blocks: rarely\n"
    )
    assert not check([folder]).findings


def test_our_port_does_not_block():
    report = check([ROOT / "fastapi_app", ROOT / "shared_core"])
    assert not report.findings, "\n".join(map(str, report.findings))
    assert not report.unreadable
    assert report.handlers >= 20


def test_the_talk_s_problem_is_found_and_its_other_forms_are_not():
    [finding] = check([ROOT / "contract_tests/tests/specimens/async_forms.py"]).findings
    assert (finding.handler, finding.call) == ("problem.root", "time.sleep")


def test_packages_without_init_and_flat_scripts_are_followed(write):
    folder = write(
        backend__app__main="from app.routes import users\nfrom fastapi import FastAPI\n",
        backend__app__routes__users="from app.core.db import load\n\n@router.get('/')\nasync def show():\n    load()\n",
        backend__app__core__db="import helper\nfrom time import *\ndef load():\n    sleep(1)\n",
    )
    [finding] = check([folder / "backend"]).findings
    assert [name for _, name in finding.chain] == ["load", "time.sleep"]


def test_a_module_with_a_library_s_name_is_not_that_library(write):
    folder = write(
        app__redis="import redis\n\ndef connect():\n    return redis.Redis()\n",
        app__main="from .redis import connect\n\n@app.get('/')\nasync def root():\n    connect().get('a')\n",
        app____init__="",
    )
    [finding] = check([folder / "app"]).findings
    assert finding.call == "redis.Redis.get"


def test_the_command_says_what_it_finds_and_exits_by_it(write):
    folder = write(
        bad="import time\n\n@app.get('/')\nasync def root():\n    time.sleep(1)\n",
        good="import time\n\n@app.get('/')\ndef root():\n    time.sleep(1)\n",
        broken="def broken(:\n",
    )
    bad, good = command("bad.py", cwd=folder), command("good.py", cwd=folder)
    assert (bad.returncode, good.returncode) == (1, 0)
    assert bad.stdout == (
        "bad.py:4: root (handler) blocks: time.sleep sleeps\n    bad.py:5 calls time.sleep\n\n"
        "1 blocking call, reached from 1 of the 1 functions that the loop runs\n"
    )
    assert good.stdout == "0 blocking calls, reached from 0 of the 0 functions that the loop runs\n"
    both = command(".", cwd=folder)
    assert both.returncode == 2
    assert "bad.py:4: root" in both.stdout
    assert both.stderr.startswith("broken.py:1: no Python: ")


def test_a_call_that_many_handlers_reach_is_told_once(write):
    handlers = "".join(f"@app.get('/{n}')\nasync def root_{n}():\n    slow()\n\n" for n in range(8))
    folder = write(app=f"import time\n\n{handlers}\ndef slow():\n    time.sleep(1)\n")
    told = command("app.py", cwd=folder).stdout
    assert told.count("calls time.sleep") == 1
    assert "reached from 7 more: root_1, root_2, root_3, root_4, root_5, ...\n" in told
    assert "1 blocking call, reached from 8 of the 8 functions" in told


@pytest.mark.parametrize(
    ("arguments", "says"),
    [((), "usage: "), (("--what",), "usage: "), (("absent.py",), "absent.py: No such file or directory")],
)
def test_wrong_use_is_told(arguments, says):
    run = command(*arguments)
    assert run.returncode == 2
    assert says in run.stderr


def test_what_is_no_text_is_told_and_does_not_stop_the_rest(write):
    folder = write(bad="import time\n\n@app.get('/')\nasync def root():\n    time.sleep(1)\n")
    (folder / "binary.py").write_bytes(b"\x00\xff")
    (folder / "deep.py").write_text("(" * 5000)
    (folder / "dangling.py").symlink_to("nowhere")
    report = check([folder])
    assert len(report.findings) == 1
    assert {each.where.partition(":")[0] for each in report.unreadable} == {"binary.py", "deep.py", "dangling.py"}
