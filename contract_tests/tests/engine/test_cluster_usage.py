"""`parity check --cluster`: what cannot be divided is refused in one line, and Dask is imported for nothing else"""

import concurrent.futures
import contextlib
import pickle
import subprocess
import sys
import tempfile
import traceback

import pytest
from click.testing import CliRunner

from contract_tests.__main__ import main
from contract_tests.parity.cases import Case
from contract_tests.parity.cluster import clusters, gathering
from contract_tests.parity.cluster.raised import Raised
from contract_tests.parity.cluster.shards import Part, Setting, Sides, Told
from contract_tests.parity.messages import Request
from contract_tests.parity.specs import SpecError
from contract_tests.tests.house.test_house import ROOT

PAIR = ("contract_tests.tests.engine.restless:original()", "contract_tests.tests.engine.restless:port()")


@pytest.fixture
def cases(tmp_path):
    path = tmp_path / "cases.jsonl"
    path.write_text('{"case": "one", "steps": [{"method": "GET", "target": "/items"}]}')
    return str(path)


def refused(*words):
    run = CliRunner().invoke(main, ["check", *words])
    assert run.exit_code == 2
    assert run.output.count("\n") == 1, run.output
    return run.output


@pytest.mark.parametrize("told", ["local:0", "local:x", "local:257", "here", "http://127.0.0.1:1", "tcp://nowhere"])
def test_what_is_no_cluster_is_refused(cases, told):
    assert f"--cluster '{told}' is none of local, local:N" in refused(*PAIR, "--cases", cases, "--cluster", told)


def test_only_stored_cases_are_divided(cases):
    assert "give --cases or --har" in refused(*PAIR, "--cluster", "local")
    made = refused(*PAIR, "--cases", cases, "--sources", "all", "--cluster", "local")
    assert "runs cases that are stored: not those of --sources all" in made
    databases = ["--database-original", "sqlite:///a", "--database-port", "sqlite:///b"]
    assert "compares no databases" in refused(*PAIR, "--cases", cases, "--cluster", "local", *databases)


def test_without_the_extra_one_line_says_which_it_is(cases, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert "pip install 'flask-fastapi-parity[cluster]'" in refused(*PAIR, "--cases", cases, "--cluster", "local")


def test_a_scheduler_that_does_not_answer_is_told_in_time(cases, monkeypatch):
    pytest.importorskip("distributed", reason="the extra cluster is not installed")
    monkeypatch.setattr(clusters, "_ANSWER", 0.5)
    told = refused(*PAIR, "--cases", cases, "--cluster", "tcp://127.0.0.1:1")
    assert "--cluster tcp://127.0.0.1:1: no scheduler answers within 0.5 s" in told


def test_a_cluster_that_does_not_start_is_told_in_one_line(cases, monkeypatch):
    pytest.importorskip("distributed", reason="the extra cluster is not installed")
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    told = refused(*PAIR, "--cases", cases, "--cluster", "local:1")
    assert "--cluster local:1: it cannot be started: FileNotFoundError: " in told


def test_dask_is_imported_for_nothing_else(cases):
    code = (
        "import sys; from click.testing import CliRunner; from contract_tests.__main__ import main\n"
        f"run = CliRunner().invoke(main, ['check', *{PAIR!r}, '--cases', {cases!r}])\n"
        "assert run.exit_code == 0, run.output\n"
        "sys.exit(bool({'dask', 'distributed', 'tblib'} & set(sys.modules)))\n"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


class Processes:
    """A cluster without Dask. A shard with a case named `kills` ends each worker that runs it."""

    workers = 2

    def __init__(self, *, apart=False):
        self.is_apart = apart
        self.shards = []

    def submit(self, _function, payload):
        _, cases, _ = pickle.loads(payload)
        self.shards.append([case.name for case in cases])
        return Future(cases)

    def result(self, future):
        return future.result()

    def died(self, error):
        return isinstance(error, ChildProcessError)


class Future:
    def __init__(self, cases):
        self.cases = cases

    def result(self):
        if any(case.name == "kills" for case in self.cases):
            raise ChildProcessError
        return Part(("original", "port"), tuple(Told((), ()) for _ in self.cases), ())


def sides(original, port, *, rewinds=True):
    return Sides(original, port, rewinds, anew=False, timeout=1)


def case(name, size=0):
    return Case(name, (Request("POST", b"/", (), b"x" * size),))


URL, FACTORY = ("http://127.0.0.1:8000", "sh empty.sh"), ("shop:create_app()", None)


@pytest.mark.parametrize(
    ("original", "port"),
    [
        (FACTORY, URL),
        (("serve --port {port}", "sh empty.sh"), FACTORY),
        (("shop:app", "shop:empty"), FACTORY),
    ],
)
def test_workers_on_one_machine_do_not_rewind_one_server_under_each_other(original, port):
    with pytest.raises(SpecError, match=r"would rewind .* under each other: write {worker} where"):
        gathering._demand_own(sides(original, port), Processes())
    # Where each has a machine of its own, what is named by loopback is its own, too.
    gathering._demand_own(sides(original, port), Processes(apart=True))


def test_what_names_its_worker_is_its_own():
    own = ("serve --data /tmp/{worker} --port {port}", "sh empty.sh /tmp/{worker}")
    gathering._demand_own(sides(own, FACTORY), Processes())


def test_cases_that_depend_on_those_before_them_are_not_divided():
    with pytest.raises(SpecError, match="each case builds on the one before"):
        gathering._demand_own(sides(("http://a:1", None), ("http://b:1", None), rewinds=False), Processes(apart=True))


def test_a_case_that_no_worker_outlives_is_told_and_the_others_of_its_shard_are_not_lost():
    cluster, cases = Processes(), [case(name) for name in ("a", "kills", "b", "c")]
    shards = gathering.Shards(cluster, Setting("run", sides(FACTORY, FACTORY), {}), cases)
    shards._waiting.append(cases)
    shards._ahead()
    told = {each.name: shards.told(each, control=False, sign_in=None) for each in cases}
    assert [name for name, each in told.items() if each.stop] == ["kills"]
    assert told["kills"].stop.message == "each worker that ran it died"
    assert cluster.shards == [["a", "kills", "b", "c"], ["a"], ["kills"], ["b"], ["c"]]


def test_shards_keep_the_order_and_are_bounded_in_number_and_in_bytes():
    cases = [case(str(number)) for number in range(10)]
    assert [[each.name for each in shard] for shard in gathering._divided(cases, 4)] == [
        ["0", "1", "2", "3"],
        ["4", "5", "6", "7"],
        ["8", "9"],
    ]
    large = [case(str(number), 900_000) for number in range(5)]
    assert [len(shard) for shard in gathering._divided(large, 500)] == [2, 2, 1]


def test_only_a_few_shards_are_on_their_way_at_once():
    cluster, cases = Processes(), [case(str(number)) for number in range(100)]
    shards = gathering.Shards(cluster, Setting("run", sides(FACTORY, FACTORY), {}), cases)
    shards.begin(cases, None)
    assert len(cluster.shards) == 6
    for each in cases:
        shards.told(each, control=False, sign_in=None)
    assert [name for shard in cluster.shards for name in shard] == [each.name for each in cases]


class Client:
    """A client of Dask's, as far as it is asked whether a worker is left."""

    status = "running"

    def __init__(self, *workers):
        self.workers = list(workers)

    def scheduler_info(self, *, n_workers):
        assert n_workers == 1
        return {"workers": self.workers.pop() if len(self.workers) > 1 else self.workers[0]}


class Awaited:
    """A future that raises, one after the other, and then has a result."""

    def __init__(self, *errors, status="pending"):
        self.errors, self.status = list(errors), status

    def done(self):
        return self.status == "error"

    def result(self, *, timeout):
        if self.errors:
            raise self.errors.pop(0)
        return timeout


def test_a_cluster_without_a_worker_is_given_up_and_one_that_comes_back_is_not(monkeypatch):
    monkeypatch.setattr(clusters, "_GONE", 0.0)
    cluster = clusters.Cluster(Client({}), ("here",))
    with pytest.raises(clusters.LostError, match="has had no worker for 0 s"):
        cluster.result(Awaited(*[TimeoutError()] * 9))
    cluster = clusters.Cluster(Client({"a": 1}), ("here",))
    assert cluster.result(Awaited(*[TimeoutError()] * 9)) == clusters._PAUSE


@pytest.mark.parametrize("error", [concurrent.futures.CancelledError("scheduler-connection-lost"), OSError("gone")])
def test_a_scheduler_that_goes_away_is_told_and_an_error_of_a_call_is_its_own(error):
    cluster = clusters.Cluster(Client({"a": 1}), ("here",))
    with pytest.raises(clusters.LostError, match="the cluster is lost: "):
        cluster.result(Awaited(error))
    with pytest.raises(type(error)):
        cluster.result(Awaited(error, status="error"))


def test_what_was_known_before_the_cluster_was_lost_is_reported(cases, monkeypatch):
    class Lost(Processes):
        client = None

        def result(self, _):
            raise clusters.LostError("the cluster is lost: it is gone")

        def everywhere(self, *_):
            pass

    monkeypatch.setattr(gathering, "opened", lambda _: contextlib.nullcontext(Lost()))
    run = CliRunner().invoke(main, ["check", *PAIR, "--cases", cases, "--cluster", "local"])
    assert run.exit_code == 4
    assert run.output.startswith("INCONCLUSIVE: the cluster is lost: it is gone")


def test_a_worker_s_profiler_is_ended_since_it_may_stop_the_worker():
    pytest.importorskip("distributed", reason="the extra cluster is not installed")
    stopped = []

    class Worker:
        periodic_callbacks = {"profile": Callback(stopped), "heartbeat": Callback(stopped)}  # noqa: RUF012 - as Dask has it

    clusters._unprofiled().setup(Worker)
    assert len(stopped) == 1
    assert list(Worker.periodic_callbacks) == ["heartbeat"]


class Callback:
    def __init__(self, stopped):
        self.stopped = stopped

    def stop(self):
        self.stopped.append(self)


def test_an_exception_is_told_in_another_process_as_where_it_was_raised():
    pytest.importorskip("tblib", reason="the extra cluster is not installed")

    class OddError(Exception):
        """Its class is known here alone."""

    try:
        raise OddError("it broke")
    except OddError as error:
        told = pickle.loads(pickle.dumps(Raised.of(error))).error()
        [frame] = traceback.extract_tb(error.__traceback__)
    assert (type(told).__qualname__, str(told)) == (OddError.__qualname__, "it broke")
    last = traceback.extract_tb(told.__traceback__)[-1]
    assert (last.filename, last.lineno, last.name) == (frame.filename, frame.lineno, frame.name)
    assert Raised.of(None) is None
