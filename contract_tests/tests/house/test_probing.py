"""Probes name faults, and what none may ever cause; page, ledger and what was measured speak of the same ones"""

import socket
from collections import Counter
from contextlib import ExitStack
from types import SimpleNamespace

import pytest

from contract_tests.live.probes import page
from contract_tests.live.probes.judging import broken_promises, judge_probes, left_behind
from contract_tests.live.probes.measuring import (
    CONTROL,
    NOT_CLOSED,
    QUIRKS_STEPS,
    STEPS,
    Separation,
    changed,
    read,
    write,
)
from contract_tests.live.probes.pairs import (
    QUIRKS,
    ProbedPair,
    nothing,
    quirks_folder,
    quirks_probes,
    service_probes,
    specimen,
)  # fmt: skip
from contract_tests.live.probes.prober import Prober, Result
from contract_tests.live.probes.worlds import WORLDS, WorldError
from contract_tests.live.probes.worst import WORST, read_worst
from contract_tests.parity import Ledger, Response
from contract_tests.parity.drivers.raw import Answer, Conversation
from contract_tests.parity.probes import Probe, ProbeError
from contract_tests.parity.verdict import Run, no_verdict
from contract_tests.suite.contract import PLANTED_SECRET, open_ledger
from contract_tests.tests.children import run, run_module
from contract_tests.tests.house.test_house import ROOT

PROBES = {probe.id: probe for probe in (*service_probes(), *quirks_probes())}
ACCEPTED = [entry for entry in open_ledger().entries if entry.probes]
SEPARATIONS = read((ROOT / "contract_tests/live/probes/measured.tsv").read_text())


def test_every_probe_has_an_id_of_its_own():
    assert len(PROBES) == len(service_probes()) + len(quirks_probes())


def test_no_two_probes_of_an_area_are_the_same_bytes():
    seen = Counter((probe.area, probe.world, probe.text) for probe in PROBES.values())
    assert [key[0] for key, count in seen.items() if count > 1] == []


def test_every_world_of_a_probe_can_be_made():
    assert {probe.world for probe in service_probes()} <= WORLDS.keys()
    assert {probe.world for probe in quirks_probes()} == {"-"}


def test_every_accepted_probe_exists():
    assert {id for entry in ACCEPTED for id in entry.probes} <= PROBES.keys()


def test_no_probe_is_accepted_twice():
    named = Counter(id for entry in ACCEPTED for id in entry.probes)
    assert [id for id, count in named.items() if count > 1] == []


def test_the_page_is_what_was_measured():
    assert page.PAGE.read_text() == page.render(), "run: make wire"


def test_what_was_measured_is_of_probes_and_pieces_that_exist():
    pieces = {step.name for step in STEPS} | QUIRKS_STEPS.keys() | {NOT_CLOSED}
    assert [each for each in SEPARATIONS if each.probe not in PROBES or each.piece not in pieces] == []


def test_every_piece_closes_something():
    assert {step.name for step in STEPS} <= {each.piece for each in SEPARATIONS}


def test_nothing_is_left_that_no_piece_closes():
    assert [each.probe for each in SEPARATIONS if each.piece == NOT_CLOSED] == []


def test_the_readme_says_how_much_is_accepted():
    told = f"{len(PROBES)} raw probes, {len(ACCEPTED)} accepted classes"
    assert told in " ".join((ROOT / "README.md").read_text().split())


HURTS = read_worst(WORST.read_text())


def test_the_page_opens_with_twenty_differences_that_were_measured():
    separating = {each.probe for each in SEPARATIONS}
    assert [hurt.probe for hurt in HURTS if hurt.probe not in separating] == []
    assert len({hurt.probe for hurt in HURTS}) == len(HURTS) == 20


def test_what_closes_each_of_the_worst_is_what_was_measured():
    """A piece of our service by its homes, one that only the specimen shows by the modules of its area."""
    homes = {step.name: step.homes for step in STEPS}
    pieces = {each.probe: each.piece for each in SEPARATIONS}

    def known(probe):
        shown = [f"fastapi_app/wire/{module}.py" for module in page.SHOWN_BY.get(PROBES[probe].area, ())]
        return homes.get(pieces[probe], shown)

    assert [hurt.probe for hurt in HURTS if hurt.closed_by not in known(hurt.probe)] == []


def test_a_measurement_is_kept_as_it_was():
    kept = [Separation("a-001", "Route", "200; kept", "422; kept")]
    assert read(write(kept)) == kept
    assert changed(kept, kept) == {}
    assert changed(kept, []) == {"a-001": ("Route", CONTROL)}
    assert changed([], kept) == {"a-001": (CONTROL, "Route")}


@pytest.fixture(scope="module")
def naive_pair():
    """The specimen's original, and its naive port in the port's place."""
    with ExitStack() as stack:
        folder, servers = stack.enter_context(quirks_folder()), {}
        original = stack.enter_context(specimen(QUIRKS["original"], folder, servers, name="original"))
        port = stack.enter_context(specimen(QUIRKS_STEPS["nothing"], folder, servers, name="port"))
        yield ProbedPair("quirks", quirks_probes(), Prober(original, port, Ledger.empty(), nothing), servers)


@pytest.mark.servers
def test_a_port_that_differs_is_told_with_the_probe_that_shows_it(naive_pair):
    separating = next(each.probe for each in SEPARATIONS if each.probe.startswith("kit-cookies"))
    run = Run({})
    (result,) = judge_probes(run, naive_pair, only=frozenset({separating}))
    assert result.differences
    assert run.outcomes == {"probes/kit-cookies": {"both": Counter(failed=1)}}
    assert run.code == 1
    for finding in run.differences.values():
        assert finding.cases == [separating]
        assert finding.fingerprint.startswith("probes/kit-cookies ")
        assert f"python -m contract_tests.live.probes {separating}" in finding.told
        assert PROBES[separating].special in finding.told


@pytest.mark.servers
def test_a_whole_area_can_be_asked_for(naive_pair):
    run = Run({})
    results = judge_probes(run, naive_pair, only=frozenset({"kit-cookies"}))
    assert {result.probe.area for result in results} == {"kit-cookies"}
    assert len(results) == sum(probe.area == "kit-cookies" for probe in quirks_probes())


SPECIAL = Probe("a-001", "a", "-", "GET / HTTP/1.1\\r\\n\\r\\n", "special")


def result(*statuses, ending="kept", failure=None):
    answers = tuple(Answer(Response(status, failure=failure)) for status in statuses)
    conversation = Conversation(answers, ending)
    return Result(SPECIAL, (), conversation, conversation)


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        (result(200), []),
        (result(200, 500), ["the original answers 500", "the port answers 500"]),
        (result(200, ending="hangs"), ["the original hangs", "the port hangs"]),
        (result(200, failure="timeout"), ["the original hangs", "the port hangs"]),
        (result(0, failure="refused"), ["the original is down", "the port is down"]),
    ],
)
def test_what_no_probe_may_cause_is_told_though_both_do_it(seen, told):
    assert list(broken_promises(seen, may_fail=False)) == told


def test_the_specimen_may_fail_on_purpose():
    assert list(broken_promises(result(500), may_fail=True)) == []


def test_a_connection_that_a_server_leaves_open_is_told(monkeypatch):
    monkeypatch.setattr("contract_tests.live.probes.judging.SETTLES", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = SimpleNamespace(port=listener.getsockname()[1], log_tail=lambda _: "")
        assert left_behind("port", server) == {}
        with socket.create_connection(listener.getsockname()), listener.accept()[0]:
            assert left_behind("port", server) == {"the port after the probes": "1 connections are left open"}


def test_a_secret_in_a_server_s_log_is_told():
    server = SimpleNamespace(port=1, log_tail=lambda _: f"Invalid method {PLANTED_SECRET!r}")
    assert list(left_behind("port", server)) == ["the port's log"]


def test_an_unknown_probe_is_a_usage_error():
    done = run(run_module, "contract_tests.live.probes", "framing-999")
    assert done.returncode == 2
    assert "framing-999 is no id and no area of a probe" in done.stderr


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (ProbeError("a.probes:2: a-001 is there twice"), 2, "parity: a.probes:2: a-001 is there twice\n"),
        (WorldError("POST /user: 503"), 4, "INCONCLUSIVE: POST /user: 503\n"),
    ],
)
def test_a_run_that_cannot_be_made_ends_in_one_line(capsys, error, code, told):
    with pytest.raises(SystemExit) as ended, no_verdict():
        raise error
    assert (ended.value.code, capsys.readouterr().err) == (code, told)
