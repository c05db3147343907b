"""A proxy as a process of our own, over what `parity gateway` wrote; it needs no root and one folder."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import time
from collections.abc import Sequence
from pathlib import Path

from contract_tests.parity.servers import Server, ServerError

# Debian's packages; each has a service that nobody needs here.
INSTALL = {
    "nginx": "nginx is not installed; on Debian: apt-get install nginx",
    "haproxy": "HAProxy is not installed; on Debian: apt-get install haproxy",
}
# Seconds in which the processes of before a reload must have ended.
RELOADED_WITHIN = 30.0
_HEARD_WITHIN = 3.0
_PAUSE = 0.02


def find_program(kind: str) -> str | None:
    """Where the program of a proxy is; Debian has it where a user's path does not lead."""
    return shutil.which(kind, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


class Proxy:
    """nginx or HAProxy over the files of a folder, listening at a port; `reload()` reads them anew."""

    def __init__(self, kind: str, folder: Path, *, port: int) -> None:
        program = find_program(kind)
        if program is None:
            raise ServerError(INSTALL[kind])
        self.kind = kind
        self.folder = folder
        self._server = Server([program, *_arguments(kind, folder)], cwd=folder, port=port, grace=3.0)

    @property
    def port(self) -> int:
        return self._server.port

    @property
    def pid(self) -> int:
        return self._server.pid

    def reload(self) -> None:
        """Have the files read, and wait until every process of before has ended. Raises ServerError."""
        number = signal.SIGHUP if self.kind == "nginx" else signal.SIGUSR2
        before, signalled = set(children_of(self.pid)), 0.0
        deadline = time.monotonic() + RELOADED_WITHIN
        # A master of HAProxy that has only just started, or been reloaded, drops the signal while its process serves.
        while not is_caught(self.pid, number) and time.monotonic() < deadline:
            time.sleep(_PAUSE)
        while True:
            now = set(children_of(self.pid))
            if now - before and not now & before:
                return
            if time.monotonic() > deadline:
                raise ServerError(f"{self.kind} did not end its old processes:\n{self._server.log_tail()}")
            if now <= before and time.monotonic() > signalled + _HEARD_WITHIN:
                # Again, if need be: between the look at a master and the signal to it another reload may begin.
                os.kill(self.pid, number)
                signalled = time.monotonic()
            time.sleep(_PAUSE)

    def tell(self, command: str) -> str:
        """What HAProxy answers to a command at its admin socket."""
        with socket.socket(socket.AF_UNIX) as admin:
            admin.settimeout(5)
            admin.connect(str(self.folder / "admin.sock"))
            admin.sendall(f"{command}\n".encode())
            return b"".join(iter(lambda: admin.recv(1 << 16), b"")).decode()

    def log_tail(self, lines: int = 20) -> str:
        return self._server.log_tail(lines)

    def __enter__(self) -> Proxy:
        self._server.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.stop()


def children_of(pid: int) -> list[int]:
    """The processes that a process has started and that have not been reaped, as Linux tells it."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_caught(pid: int, number: signal.Signals) -> bool:
    """Whether a process has a handler for a signal by now, as Linux tells it."""
    (caught,) = re.findall(r"^SigCgt:\s*([0-9a-f]+)$", Path(f"/proc/{pid}/status").read_text(), re.M)
    return bool(int(caught, 16) >> (number - 1) & 1)


def check_configuration(kind: str, folder: Path) -> Sequence[str]:
    """The command by which a proxy says whether it understands the files of a folder. Raises ServerError."""
    program = find_program(kind)
    if program is None:
        raise ServerError(INSTALL[kind])
    return [program, "-t" if kind == "nginx" else "-c", *_arguments(kind, folder)]


def _arguments(kind: str, folder: Path) -> list[str]:
    if kind == "haproxy":
        # -W: a master that starts a new process at each SIGUSR2, and hands it the listening sockets.
        return ["-W", "-f", str(folder / "gateway.haproxy.cfg")]
    (folder / "nginx.conf").write_text(_nginx_main())
    return ["-p", str(folder), "-c", "nginx.conf", "-e", "stderr", "-g", "daemon off;"]


def _nginx_main() -> str:
    """What an operator's nginx.conf has around the gateway's file; every path is within the folder."""
    # As root its processes would be another user's, whom our folders are closed to.
    user = "user root;\n" if os.geteuid() == 0 else ""
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"    {kind}_temp_path temp-{kind};\n" for kind in kinds)
    return (
        f"{user}pid nginx.pid;\nerror_log stderr crit;\nworker_processes 1;\n"
        "events {\n    worker_connections 1024;\n}\n"
        f"http {{\n{temporary}    include gateway.nginx.conf;\n}}\n"
    )
