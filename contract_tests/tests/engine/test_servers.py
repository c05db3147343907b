"""A server that we start answers before it is used, and nothing of it is left when we are done."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract_tests.parity import servers
from contract_tests.parity.drivers import http
from contract_tests.parity.messages import Request
from contract_tests.parity.servers import Server, ServerError

# A server in few lines and with few imports: each test starts at least one interpreter.
SERVER = """
import os, signal, socket, sys
port = int(sys.argv[1])
print("line 1", "listening on", port, os.environ.get("WORLD"), flush=True)
listener = socket.create_server(("127.0.0.1", port))
while True:
    sock, _ = listener.accept()
    with sock:
        path = sock.recv(65536).split(b" ")[1]
        status = b"503 Not Yet" if path == b"/never" else b"200 OK"
        body = b"%d" % os.getpid()
        sock.sendall(b"HTTP/1.1 " + status + b"\\r\\nContent-Length: %d\\r\\n\\r\\n%s" % (len(body), body))
"""

PYTHON = [sys.executable, "-S", "-E", "-c"]

pytestmark = pytest.mark.servers


def command(source: str = SERVER) -> list[str]:
    return [*PYTHON, source, "{port}"]


def pid_of(server: Server) -> int:
    with http(server.url) as target:
        return int(target.send(Request("GET", b"/")).body)


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie that no one has reaped yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)
    assert not servers._running


def test_a_server_answers_while_it_is_used_and_is_gone_afterwards() -> None:
    with Server(command()) as server:
        pid = pid_of(server)
        assert alive(pid)
    assert not alive(pid)
    with http(server.url) as target:
        assert target.send(Request("GET", b"/")).failure == "refused"


def test_its_port_is_below_the_ports_of_outgoing_connections() -> None:
    ports = {servers.free_port() for _ in range(200)}
    assert max(ports) < 32768
    assert len(ports) > 100


def test_a_port_that_is_taken_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.create_server(("127.0.0.1", 0)) as other:
        free = other.getsockname()[1]
        choices = iter([taken.getsockname()[1], free])
        other.close()
        monkeypatch.setattr("random.choice", lambda _: next(choices))
        assert servers.free_port() == free


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing holds a port before a server listens there")
def test_a_port_that_another_process_was_given_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens there yet: whoever was given it is starting a server."""
    source = "from contract_tests.parity.servers import free_port; print(free_port(), flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", source], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        given = int(other.stdout.readline())
        free = servers.free_port()
        servers._release(free)
        choices = iter([given, free])
        monkeypatch.setattr("random.choice", lambda _: next(choices))
        assert servers.free_port() == free
        other.communicate("\n")
    choices = iter([given])
    assert servers.free_port() == given


def test_a_port_that_is_taken_in_between_is_left_for_another(tmp_path: Path) -> None:
    taken = f"""
import pathlib, sys
if not pathlib.Path({str(tmp_path / "port")!r}).exists():
    pathlib.Path({str(tmp_path / "port")!r}).write_text(sys.argv[1])
    raise OSError("[Errno 98] Address already in use")
"""
    with Server(command(taken + SERVER)) as server:
        assert server.port != int((tmp_path / "port").read_text())
        assert alive(pid_of(server))


def test_a_port_that_is_always_taken_is_an_error() -> None:
    with pytest.raises(ServerError, match="already in use"):
        Server(command("raise OSError('[Errno 98] Address already in use')")).start()


def test_a_server_may_come_back_on_the_port_it_had() -> None:
    with Server(command()) as server:
        os.kill(server.pid, signal.SIGKILL)
        assert server.exit_code(within=10) == -signal.SIGKILL
        with Server(command(), port=server.port) as again:
            assert again.port == server.port
            assert pid_of(again) == again.pid


def test_a_server_that_runs_has_no_exit_code_and_one_that_ended_no_number() -> None:
    with Server(command()) as server:
        assert server.exit_code(within=0) is None
    assert server.pid == 0


def test_a_command_may_be_one_string() -> None:
    source = SERVER.replace('"', "'").replace("\\r", "\\\\r").replace("\\n", "\\\\n")
    words = f'{sys.executable} -S -E -c "{source}" {{port}}'
    with Server(words) as server:
        assert alive(pid_of(server))


def test_the_environment_is_added_to() -> None:
    with Server(command(), env={"WORLD": "apart"}) as server:
        assert "apart" in server.log_tail()


def test_the_log_is_there_while_it_runs_and_afterwards() -> None:
    with Server(command()) as server:
        assert server.log_tail() == f"line 1 listening on {server.port} None"
    assert server.log_tail().startswith("line 1")


def test_no_file_descriptor_is_left() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    with Server(command()):
        pass
    with pytest.raises(ServerError):
        Server(["/no/such/command", "{port}"]).start()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_command_that_ends_is_an_error_with_its_code_and_the_end_of_its_log() -> None:
    source = "import sys\nfor n in range(30): print('line', n)\nsys.exit(7)"
    with pytest.raises(ServerError) as raised:
        Server(command(source)).start()
    message = str(raised.value)
    assert "exit code 7" in message
    assert message.splitlines()[-20:] == [f"line {n}" for n in range(10, 30)]


def test_a_command_that_a_signal_ends_has_a_negative_code() -> None:
    with pytest.raises(ServerError, match="exit code -9"):
        Server(command("import os; os.kill(os.getpid(), 9)")).start()


def test_a_server_that_does_not_answer_in_time_is_an_error_and_is_ended(tmp_path: Path) -> None:
    source = f"import os, signal; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); signal.pause()"
    with pytest.raises(ServerError, match=r"did not answer on port \d+ within 1 s"):
        Server(command(source), timeout=1).start()
    assert not alive(int((tmp_path / "pid").read_text()))


def test_a_listener_that_is_silent_is_no_server() -> None:
    source = "import socket, sys, signal; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); signal.pause()"
    with pytest.raises(ServerError, match="did not answer"):
        Server(command(source), timeout=0.5).start()


def test_the_readiness_path_must_succeed() -> None:
    with Server(command(), ready="/health") as server:
        assert alive(pid_of(server))
    with pytest.raises(ServerError, match="did not answer"):
        Server(command(), ready="/never", timeout=0.5).start()


def test_a_request_for_readiness_says_what_it_is() -> None:
    """Who counts requests, behind a proxy or in a log, leaves it out."""
    told = SERVER.replace(
        'path = sock.recv(65536).split(b" ")[1]', "print(head := sock.recv(65536), flush=True); path = head[4:5]"
    )
    with Server(command(told)) as server:
        assert f"User-Agent: {servers.READINESS}" in server.log_tail()


def test_a_command_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(ServerError, match="cannot start"):
        Server(["/no/such/command", "{port}"]).start()


def test_a_server_is_not_started_twice() -> None:
    with Server(command()) as server, pytest.raises(ServerError, match="is started already"):
        server.start()


def test_stop_may_be_called_twice_and_without_a_start() -> None:
    server = Server(command())
    server.stop()
    server.start()
    server.stop()
    server.stop()


def test_an_exception_ends_the_server() -> None:
    pids: list[int] = []

    def use() -> None:
        with Server(command()) as server:
            pids.append(pid_of(server))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        use()
    assert not alive(pids[0])


def test_an_interrupt_during_the_start_ends_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(command())

    def interrupted(*_: object) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(Server, "_answers", interrupted)
    with pytest.raises(KeyboardInterrupt):
        server.start()
    assert server._process is None


STUBBORN = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"

PARENT = """
import os
heard, ready = os.pipe()
if os.fork() == 0:
    import signal
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.write(ready, b"x")
    while True:
        signal.pause()
os.read(heard, 1)
"""


@pytest.mark.parametrize("source", [STUBBORN + SERVER, PARENT + SERVER], ids=["stubborn", "stubborn child"])
def test_what_does_not_end_by_itself_is_killed(source: str) -> None:
    server = Server(command(source), grace=0.1)
    server.start()
    members = group_of(pid_of(server))
    server.stop()
    assert members
    assert all(ends(pid) for pid in members)


def ends(pid: int) -> bool:
    """Wait for the end of a process that is not ours to reap."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], 10)[0])
    finally:
        os.close(descriptor)


def group_of(pid: int) -> list[int]:
    group = os.getpgid(pid)
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and in_group(entry, group)]


def in_group(entry: Path, group: int) -> bool:
    try:
        return os.getpgid(int(entry.name)) == group
    except ProcessLookupError:
        return False


def test_a_server_has_a_process_group_of_its_own() -> None:
    with Server(command()) as server:
        assert os.getpgid(pid_of(server)) != os.getpgid(0)


STARTER = f"""
import os, signal, sys
from contract_tests.parity.servers import Server
server = Server([*{PYTHON!r}, {SERVER!r}, "{{port}}"])
server.start()
print(server._process.pid, flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def starter() -> Iterator[subprocess.Popen[str]]:
    """Another interpreter that has started a server and does not stop it."""
    with subprocess.Popen(
        [sys.executable, "-c", STARTER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.kill()


def started(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


def test_the_end_of_the_interpreter_ends_the_server(starter: subprocess.Popen[str]) -> None:
    pid = started(starter)
    assert alive(pid)
    starter.communicate("\n", timeout=30)
    assert not alive(pid)


def test_a_sigterm_to_the_interpreter_ends_the_server_and_then_the_interpreter(
    starter: subprocess.Popen[str],
) -> None:
    pid = started(starter)
    starter.send_signal(signal.SIGTERM)
    assert starter.wait(30) == -signal.SIGTERM
    assert not alive(pid)


def test_a_fork_of_the_interpreter_leaves_the_server_alone() -> None:
    with Server(command()) as server:
        pid = pid_of(server)
        with pytest.MonkeyPatch.context() as fork:
            fork.setattr(os, "getpid", lambda: -1)
            server.stop()
        assert alive(pid)
    assert not alive(pid)


def test_a_handler_for_sigterm_that_is_set_already_stays() -> None:
    def mine(*_: object) -> None:
        return None

    signal.signal(signal.SIGTERM, mine)
    with Server(command()):
        assert signal.getsignal(signal.SIGTERM) is mine


def test_a_server_may_be_started_from_another_thread() -> None:
    pids: list[int] = []

    def use() -> None:
        with Server(command()) as server:
            pids.append(pid_of(server))

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    assert not alive(pids[0])
