"""A server that we start is one process group: it answers before it is used, and ends with whoever started it."""

from __future__ import annotations

import atexit
import contextlib
import errno
import os
import random
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from types import FrameType

from contract_tests.parity.drivers.http import http
from contract_tests.parity.messages import Request

# Below 32768 the system gives no port to outgoing connections by itself.
_PORTS = range(20000, 32768)
_IN_USE = "address already in use"
# The User-Agent of the requests that ask a server whether it answers yet: whoever counts requests leaves them out.
READINESS = "parity-readiness"
_ATTEMPTS = 3
_PAUSE = 0.02

_running: set[Server] = set()
# The names of ports, as many as this process was given of late.
_reserved: dict[int, socket.socket] = {}
_reserving = threading.Lock()
_KEPT = 128


class ServerError(RuntimeError):
    """A server did not start; the message has its exit code and the end of its log."""


class Server:
    """A command that serves HTTP on a free loopback port, which replaces `{port}` in its arguments.

    `env` is added to the environment. `ready` is a path that must answer 2xx before the server counts as
    started; without it any response to `GET /` will do. `timeout` (to start) and `grace` (to end) are in
    seconds. `port` is for a server that comes back where it was; without it any free one will do. Entering the
    context starts it, leaving it ends its whole process group, as do the end of this interpreter and a SIGTERM to
    it. Raises ServerError where it does not start.
    """

    def __init__(
        self,
        command: str | Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | os.PathLike[str] | None = None,
        ready: str | None = None,
        timeout: float = 30.0,
        grace: float = 5.0,
        port: int = 0,
    ) -> None:
        self._command = shlex.split(command) if isinstance(command, str) else list(command)
        self._env = {**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})}
        self._cwd = cwd
        self._ready = ready
        self._timeout = timeout
        self._grace = grace
        self._process: subprocess.Popen[bytes] | None = None
        self._log = b""
        self._log_file: int | None = None
        self._owner = 0
        self._fixed_port = port
        self._held = 0
        self.port = port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The number of the process that was started, and of its group; 0 while none is."""
        return self._process.pid if self._process is not None else 0

    def exit_code(self, *, within: float) -> int | None:
        """How it ended, negative for a signal; None where it still runs after so many seconds."""
        _await_exit(self.pid, within)
        return _exit_code(self.pid)

    def start(self) -> None:
        """Start the command and wait until it answers; on another port if this one was taken in between."""
        if self._process is not None:
            raise ServerError(f"{shlex.join(self._command)} is started already")
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                self._launch()
                self._await_answer()
            except BaseException as error:
                self.stop()
                if not isinstance(error, ServerError) or attempt == _ATTEMPTS or _IN_USE not in str(error).lower():
                    raise
            else:
                return

    def stop(self) -> None:
        """End the process group: SIGTERM, and SIGKILL for what is left after the grace. A second call does nothing."""
        if self._owner != os.getpid():
            return  # a fork of the interpreter that started it has nothing to end
        process, self._process = self._process, None
        _running.discard(self)
        if process is None:
            self._let_go()
            return
        try:
            _signal_group(process.pid, signal.SIGTERM)
            _await_exit(process.pid, self._grace)
        finally:
            _signal_group(process.pid, signal.SIGKILL)
            process.wait()
            self._keep_log()
            self._let_go()

    def log_tail(self, lines: int = 20) -> str:
        """The last lines of what the server wrote, also after its end."""
        log = self._log if self._log_file is None else os.pread(self._log_file, os.fstat(self._log_file).st_size, 0)
        return "\n".join(log.decode("utf-8", "replace").splitlines()[-lines:])

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def _launch(self) -> None:
        self.port = self._fixed_port or free_port()
        self._held = 0 if self._fixed_port else self.port
        command = [argument.replace("{port}", str(self.port)) for argument in self._command]
        with tempfile.TemporaryFile(prefix="parity-server-") as log:
            self._log_file = os.dup(log.fileno())
            self._owner = os.getpid()
            _end_with_us(self)
            try:
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=self._env,
                    cwd=self._cwd,
                    start_new_session=True,
                )
            except OSError as error:
                self._keep_log()
                raise ServerError(f"cannot start {shlex.join(command)}: {error}") from error

    def _await_answer(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + self._timeout
        while not self._answers(deadline - time.monotonic()):
            code = _exit_code(self._process.pid)
            if code is not None:
                raise self._error(f"ended with exit code {code} before it answered")
            if time.monotonic() > deadline:
                raise self._error(f"did not answer on port {self.port} within {self._timeout:g} s (exit code: none)")
            time.sleep(_PAUSE)

    def _answers(self, seconds: float) -> bool:
        path = (self._ready or "/").encode("ascii")
        with http(self.url, timeout=max(seconds, 0.1)) as target:
            headers = ((b"User-Agent", READINESS.encode("ascii")), (b"Connection", b"close"))
            response = target.send(Request("GET", path, headers))
        return 200 <= response.status < 300 if self._ready else response.status > 0

    def _error(self, what: str) -> ServerError:
        tail = self.log_tail() or "(nothing)"
        return ServerError(f"{shlex.join(self._command)} {what}; the last it wrote:\n{tail}")

    def _let_go(self) -> None:
        """Leave the port's name to others, once: by a second time another server may hold it."""
        held, self._held = self._held, 0
        if held:
            _release(held)

    def _keep_log(self) -> None:
        self._log = self.log_tail(1000).encode()
        if self._log_file is not None:
            os.close(self._log_file)
            self._log_file = None


def free_port() -> int:
    """A loopback port that no one listens on, and that no other process is given by this function meanwhile."""
    while True:
        port = random.choice(_PORTS)
        with socket.socket() as probe:
            try:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                    raise
                continue
            if _reserve(port):
                return port


def _reserve(port: int) -> bool:
    """Hold a port's name until this process ends or has been given many more; False where another holds it.

    Between the choice and the server's own bind() lies a second, in which another server could take the port, and
    would then be the one that answers. Linux alone has names that no file stands for; elsewhere that is a risk left.
    """
    if sys.platform != "linux":
        return True
    name = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        name.bind(f"\0flask-fastapi-parity:{port}")
    except OSError as error:
        name.close()
        # Where no such name is to be had at all, the risk is left as elsewhere.
        return error.errno != errno.EADDRINUSE
    with _reserving:
        _reserved[port] = name
        oldest = next(iter(_reserved)) if len(_reserved) > _KEPT else None
    if oldest is not None:
        _release(oldest)
    return True


def _release(port: int) -> None:
    with _reserving:
        name = _reserved.pop(port, None)
    if name is not None:
        name.close()


def _exit_code(pid: int) -> int | None:
    """The exit code, negative for a signal; None while it runs. It stays a zombie, so that its number stays its own."""
    result = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    if result is None:
        return None
    return result.si_status if result.si_code == os.CLD_EXITED else -result.si_status


def _await_exit(pid: int, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while _exit_code(pid) is None and time.monotonic() < deadline:
        time.sleep(_PAUSE)


def _signal_group(pid: int, number: signal.Signals) -> None:
    # The group may hold nothing but zombies, which some systems refuse to signal.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _end_with_us(server: Server) -> None:
    _running.add(server)
    default = signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    if default and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _end_all_and_us)


@atexit.register
def _end_all() -> None:
    for server in list(_running):
        server.stop()
    for port in list(_reserved):
        _release(port)


def _end_all_and_us(number: int, frame: FrameType | None) -> None:
    # Ended by the signal, as without this handler: whoever waits for us sees the same.
    try:
        _end_all()
    finally:
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
