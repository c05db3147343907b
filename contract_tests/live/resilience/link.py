"""A TCP connection to a database that can be cut and mended: the outage comes without touching the database."""

from __future__ import annotations

import contextlib
import socket
import threading

BLOCK = 1 << 16


class Link:
    """Listens on a loopback port, and joins each connection with one to `target` while it is whole.

    `cut()` closes what there is and refuses what comes, `mend()` takes connections again on the same port.
    `freeze()` lets the connections stand and passes nothing on, as a network does that drops what it is given.
    """

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._listener: socket.socket | None = None
        self._joined: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._flows = threading.Event()
        self.port = 0

    def __enter__(self) -> Link:
        self.mend()
        return self

    def __exit__(self, *exc: object) -> None:
        self.cut()

    def mend(self) -> None:
        self._flows.set()
        if self._listener is not None:
            return
        listener = self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def cut(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            # A thread that waits in accept() would keep a closed listener open.
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        with self._lock:
            joined, self._joined = self._joined, set()
        for each in joined:
            _end(each)
        self._flows.set()

    def freeze(self) -> None:
        self._flows.clear()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = listener.accept()
                self._join(near)

    def _join(self, near: socket.socket) -> None:
        try:
            far = socket.create_connection(self._target)
        except OSError:
            near.close()
            return
        with self._lock:
            self._joined |= {near, far}
        for source, sink in ((near, far), (far, near)):
            threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(BLOCK):
                self._flows.wait()
                sink.sendall(data)
        _end(source)
        _end(sink)
        with self._lock:
            self._joined -= {source, sink}


def _end(connection: socket.socket) -> None:
    # shutdown() first: it wakes the thread that reads there, close() alone does not.
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
