"""Lanes of a live run: each gives its value, and none outlives the command that waits for it"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from contract_tests.live.lanes import LaneError, LanesInterrupted, run_lanes
from contract_tests.parity.servers import ServerError

ROOT = Path(__file__).parents[3]
# Runs two lanes that tell their process ids and then wait for ever.
WAITING = """
import os, time
from contract_tests.live.lanes import LanesInterrupted, run_lanes

def wait(said):
    try:
        said.line(str(os.getpid()))
        time.sleep(60)
    except KeyboardInterrupt:
        return "interrupted"

class Heard:
    def line(self, text):
        print(text, flush=True)

try:
    run_lanes({"a": wait, "b": wait}, lambda name: Heard())
except LanesInterrupted as interrupted:
    print(interrupted.values, flush=True)
"""


class Heard:
    """Keeps what a lane said."""

    def __init__(self):
        self.said = []

    def line(self, text):
        self.said.append(text)

    def total(self, count):
        self.said.append(count)

    def advance(self, doing, count=1):
        self.said.append((doing, count))


def runs(pid):
    """Whether a process that is no child of ours still runs."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def await_end(*pids, seconds=10.0):
    deadline = time.monotonic() + seconds
    while any(map(runs, pids)) and time.monotonic() < deadline:
        time.sleep(0.01)
    return [pid for pid in pids if runs(pid)]


@pytest.mark.parametrize("forked", [True, False])
def test_each_lane_gives_its_value_and_says_what_it_is_at(forked):
    heard = {"a": Heard(), "b": Heard()}

    def work(said):
        said.total(2)
        said.line("begun")
        said.advance("first", 2)
        return os.getpid()

    values = run_lanes({"a": work, "b": work}, heard.__getitem__, forked=forked)
    assert heard["a"].said == heard["b"].said == [2, "begun", ("first", 2)]
    assert len({*values.values(), os.getpid()}) == (3 if forked else 1)


def test_an_error_of_the_project_s_own_ends_the_other_lanes_and_is_raised_as_it_was():
    pids = Heard()

    def fails(_):
        raise ServerError("no database today")

    def waits(said):
        said.line(str(os.getpid()))
        time.sleep(60)

    with pytest.raises(ServerError, match=r"^no database today$"):
        run_lanes({"waits": waits, "fails": fails}, lambda _: pids)
    assert await_end(*map(int, pids.said)) == []


def test_another_error_is_told_in_one_line_with_its_place():
    def fails(_):
        return {}["nothing"]

    with pytest.raises(LaneError) as raised:
        run_lanes({"fails": fails, "ends": lambda _: 1}, lambda _: Heard())
    assert str(raised.value).startswith("KeyError: 'nothing' (")
    assert "test_lanes.py:" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_lane_that_dies_is_named_with_its_exit_code():
    with pytest.raises(LaneError, match=r"^the lane dies died \(exit code 7\)$"):
        run_lanes({"dies": lambda _: os._exit(7), "ends": lambda _: 1}, lambda _: Heard())


def test_an_interrupt_reaches_each_lane_once_and_their_values_are_kept():
    before = signal.getsignal(signal.SIGINT)

    def counts(said):
        interrupts = 0
        for _ in range(2):
            try:
                if not interrupts:
                    said.line("ready")
                time.sleep(30 if not interrupts else 0.3)
            except KeyboardInterrupt:
                interrupts += 1
        return interrupts

    class Interrupts(Heard):
        def line(self, text):
            super().line(text)
            if len(heard.said) == 2:
                os.kill(os.getpid(), signal.SIGINT)

    heard = Interrupts()
    with pytest.raises(LanesInterrupted) as interrupted:
        run_lanes({"a": counts, "b": counts}, lambda _: heard)
    assert interrupted.value.values == {"a": 1, "b": 1}
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_lane_outlives_its_command(number):
    with subprocess.Popen([sys.executable, "-c", WAITING], cwd=ROOT, stdout=subprocess.PIPE, text=True) as command:
        pids = [int(command.stdout.readline()) for _ in range(2)]
        command.send_signal(number)
        told, _ = command.communicate(timeout=30)
    assert await_end(*pids) == []
    if number == signal.SIGINT:
        assert (command.returncode, told) == (0, "{'a': 'interrupted', 'b': 'interrupted'}\n")
    else:
        assert command.returncode == -number
