"""`parity check --cluster`: many processes, and the verdict and the report of one"""

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner

from contract_tests.__main__ import main
from contract_tests.tests.engine import restless
from contract_tests.tests.house.test_house import ROOT

psutil = pytest.importorskip("psutil", reason="the extra cluster is not installed")
pytestmark = pytest.mark.servers

PAIR = ("contract_tests.tests.engine.restless:original()", "contract_tests.tests.engine.restless:port()")
CAUSES = ROOT / "contract_tests/tests/specimens/causes"


@pytest.fixture(scope="module")
def cluster():
    """The address of a cluster of two workers, and the numbers of its processes."""
    from contract_tests.parity.cluster.clusters import opened

    before = dict(os.environ)
    with opened("local:2") as found:
        assert set(found.client.run(has_profiler).values()) == {False}
        yield found.client.scheduler.address, [child.pid for child in psutil.Process().children(recursive=True)]
    assert dict(os.environ) == before


def has_profiler(dask_worker):
    return "profile" in dask_worker.periodic_callbacks


@pytest.fixture
def parity(tmp_path):
    """Runs the command; gives its code and its report, without the times."""

    def parity(*words, folder="report"):
        run = CliRunner().invoke(main, ["check", *words, "--report", str(tmp_path / folder)])
        assert run.exception is None or isinstance(run.exception, SystemExit), run.output
        return run.exit_code, timeless(tmp_path / folder / "report.json")

    return parity


def timeless(report):
    """The report without its times; what Flask writes in the order of a set (Allow) is sorted."""
    text = re.sub(r" in \d+ s", " in 0 s", report.read_text())
    text = re.sub(r'"seconds": [\d.]+', '"seconds": 0', text)
    text = re.sub(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT", "(a date)", text)
    return re.sub(r'"[A-Z]+(?:, [A-Z]+)+"', lambda found: ", ".join(sorted(found[0].strip('"').split(", "))), text)


@pytest.fixture
def corpus(tmp_path):
    path = tmp_path / "cases.jsonl"
    path.write_text(restless.cases(60))
    return str(path)


def test_the_report_is_the_one_of_a_single_process(parity, cluster, corpus):
    alone = parity(*PAIR, "--cases", corpus)
    assert parity(*PAIR, "--cases", corpus, "--cluster", cluster[0], folder="cluster") == alone
    code, report = alone
    told = json.loads(report)
    assert (code, told["cases"], told["down"]) == (1, 60, [])
    assert "<secret:2>" in report
    assert "<secret:1>" not in report
    assert "POST /items json $.id value" in report
    assert any(exchange["port"]["raised"] == "ValueError" for exchange in told["exchanges"])


def test_a_ledger_a_sign_in_and_pages_with_cookies_are_as_in_a_single_process(parity, cluster, tmp_path):
    here = "contract_tests.tests.specimens"
    for name in ("shop", "pages"):
        pair = [f"{here}.causes.{name}_{side}:create_app()" for side in ("original", "port")]
        words = [*pair, "--cases", str(CAUSES / f"{name}.jsonl")]
        alone = parity(*words)
        assert parity(*words, "--cluster", cluster[0], folder="cluster") == alone
    ledger = tmp_path / "ledger.toml"
    ledger.write_text(
        '[[accepted]]\noperations = ["GET /items"]\nlevel = "json"\npath = "$.never"\nkind = "missing"\n'
        'reason = "a reason"\ndecision = "0001"\nowner = "me"\n'
    )
    kept, signin = tmp_path / "corpus", tmp_path / "signin.jsonl"
    kept.mkdir()
    line = {"case": "kept", "source": "mutated", "signed_in": True, "steps": [{"method": "GET", "target": "/mine"}]}
    (kept / "one.jsonl").write_text(json.dumps(line))
    sent = {"method": "POST", "target": "/login", "json": {"name": "ada", "password": "lovelace-1815"}}
    signin.write_text(json.dumps({"case": "ada", "steps": [sent]}))
    words = [*PAIR, "--cases", str(signin), "--auth", "ada", "--corpus", str(kept), "--ledger", str(ledger)]
    alone = parity(*words)
    assert parity(*words, "--cluster", cluster[0], folder="cluster") == alone
    assert "stale" in alone[1]
    assert "GET /mine json $.mine type" in alone[1]


def test_requests_in_ways_of_their_own_are_sent_to_servers_from_here_too(parity, cluster, tmp_path):
    """Each worker starts both servers: their addresses are all that may be another in the report."""
    here, run = "contract_tests.tests.specimens.slides", f"env WORKER={{worker}} {sys.executable} -m"
    gunicorn = f"{run} gunicorn {here}.original:create_app() --no-control-socket --bind 127.0.0.1:{{port}}"
    uvicorn = f"{run} uvicorn {here}.port:create_app --factory --no-access-log --port {{port}}"
    corpus = tmp_path / "cases.jsonl"
    ways = ("close", "http-1.0", "two-hosts", "chunked", "lines-by-lf", "http-2.0")
    steps = [{"method": "GET", "target": "/user/1", **({} if way == "chunked" else {"spelling": way})} for way in ways]
    corpus.write_text("\n".join(json.dumps({"case": f"case {at}", "steps": [step]}) for at, step in enumerate(steps)))
    words = [gunicorn, uvicorn, "--cases", str(corpus), "--reset-original", "true", "--reset-port", "true"]
    reports = [parity(*words), parity(*words, "--cluster", cluster[0], folder="cluster")]
    told = [json.loads(re.sub(r"127\.0\.0\.1:\d+", "(address)", report)) for _, report in reports]
    keys = ("causes", "left_out", "cases", "down", "told", "coverage")
    alone, elsewhere = ({key: each[key] for key in keys} for each in told)
    assert elsewhere == alone
    assert (told[0]["cases"], told[0]["left_out"], told[0]["down"]) == (6, {}, [])
    assert any("(http-2.0)" in each["fingerprint"] for each in told[1]["differences"])


def test_an_original_that_differs_from_itself_is_noise_here_too(parity, cluster, tmp_path):
    cases = tmp_path / "cases.jsonl"
    cases.write_text('{"case": "one", "steps": [{"method": "GET", "target": "/files/a?tag=b"}]}')
    pair = [f"contract_tests.tests.specimens.slides.{side}:create_app()" for side in ("original", "port")]
    words = [*pair, "--cases", str(cases)]
    alone, elsewhere = parity(*words), parity(*words, "--cluster", cluster[0], folder="cluster")
    assert (alone[0], elsewhere[0]) == (4, 4)
    noise = json.loads(alone[1])["noise"]
    assert json.loads(elsewhere[1])["noise"] == noise
    assert noise


def test_an_app_that_does_not_start_is_told_in_one_line(cluster, corpus):
    broken = "contract_tests.tests.specimens.broken:create_app()"
    run = CliRunner().invoke(main, ["check", broken, PAIR[1], "--cases", corpus, "--cluster", cluster[0]])
    assert run.exit_code == 2
    assert run.output.count("\n") == 1


def test_it_listens_on_loopback_alone_and_below_the_ports_of_the_system(cluster):
    processes = [psutil.Process(), *map(psutil.Process, cluster[1])]
    heard = {each.laddr for process in processes for each in process.net_connections("inet") if each.status == "LISTEN"}
    assert len(heard) >= 6
    assert {ip for ip, _ in heard} == {"127.0.0.1"}
    assert max(port for _, port in heard) < 32768


def test_a_worker_that_dies_loses_nothing_and_nothing_is_counted_twice(parity, tmp_path, monkeypatch):
    """Its user's configuration of Dask, which would end each worker, is not read."""
    configuration = tmp_path / "dask.yaml"
    configuration.write_text("distributed:\n  worker:\n    preload: [no_such_module]\n")
    monkeypatch.setenv("DASK_CONFIG", str(configuration))
    monkeypatch.setenv("DASK_DISTRIBUTED__NANNY__PRELOAD", '["no_such_module"]')
    marker, corpus = tmp_path / "died", tmp_path / "cases.jsonl"
    monkeypatch.setenv(restless.MARKER, str(marker))
    corpus.write_text(restless.cases(40, dying=17))
    elsewhere = parity(*PAIR, "--cases", str(corpus), "--cluster", "local:2", folder="cluster")
    assert int(marker.read_text()) != os.getpid()
    assert parity(*PAIR, "--cases", str(corpus)) == elsewhere
    assert json.loads(elsewhere[1])["cases"] == 40


def test_ctrl_c_leaves_a_report_and_ends_the_cluster(tmp_path):
    corpus, report = tmp_path / "cases.jsonl", tmp_path / "report"
    steps = [{"method": "GET", "target": "/wait"}] * 5
    corpus.write_text("\n".join(json.dumps({"case": f"{at}", "steps": steps}) for at in range(200)))
    words = ["check", *PAIR, "--cases", str(corpus), "--cluster", "local:1", "--report", str(report)]
    process = subprocess.Popen(
        [sys.executable, "-m", "contract_tests", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "RESTLESS_MARK": str(tmp_path / "asked")},
        start_new_session=True,
    )
    try:
        # A worker is at its first case.
        awaited((tmp_path / "asked").exists)
        children = psutil.Process(process.pid).children(recursive=True)
        assert children
        # As a terminal does: to all of its processes.
        os.killpg(process.pid, signal.SIGINT)
        output, errors = process.communicate(timeout=30)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 130
    assert output.splitlines()[-1].startswith("INTERRUPTED")
    assert errors == ""
    assert json.loads((report / "report.json").read_text())["code"] == 130
    assert awaited(lambda: not any(child.is_running() for child in children))


def test_a_server_ends_with_the_worker_that_is_killed(tmp_path):
    """The worker starts it, and ends itself by its own number."""
    told = tmp_path / "server"
    server = f"import os, pathlib, time; pathlib.Path({str(told)!r}).write_text(str(os.getpid())); time.sleep(60)"
    worker = f"""
import os, pathlib, shlex, signal, subprocess, sys, time
from contract_tests.parity.cluster.ward import warded
command = shlex.split(warded(shlex.join([sys.executable, "-c", {server!r}])))
subprocess.Popen(command, start_new_session=True)
while not pathlib.Path({str(told)!r}).exists():
    time.sleep(0.05)
os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", worker], cwd=ROOT, check=False, timeout=30)
    number = int(awaited(lambda: told.exists() and told.read_text()))
    assert awaited(lambda: not psutil.pid_exists(number) or psutil.Process(number).status() == psutil.STATUS_ZOMBIE)


def awaited(found, seconds=20):
    """What a function gives when it gives something; the test fails where it does not in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if value := found():
            return value
        time.sleep(0.05)
    raise AssertionError("it did not come")
