"""A real proxy over what `parity gateway` wrote, between a client and two apps that say what they were asked."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from click.testing import CliRunner

from contract_tests.live.cutover.proxies import INSTALL, Proxy, find_program
from contract_tests.migration.gateway.command import gateway
from contract_tests.parity.servers import READINESS, free_port


def required(kind):
    """Skip a test whose proxy is not installed; in CI it is required."""
    if find_program(kind) is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(INSTALL[kind])


@dataclass
class Asked:
    """A request as an app got it."""

    method: str
    path: str
    headers: http.client.HTTPMessage
    body: bytes


class App:
    """An app that notes what it is asked, and answers with its name after `delay` seconds; `stop()` and `start()`.

    It does not note whether it was asked for readiness.
    """

    def __init__(self, role):
        self.role, self.asked, self.delay, self.status = role, [], 0.0, 200
        self.address = ("127.0.0.1", free_port())
        self.server, self.connections = None, []

    def start(self):
        app = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # An answer leaves in one piece: the body's would wait 40 ms until nginx confirms the head's.
            wbufsize = -1

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                # A mirror of the request for readiness may come at any time, also long after its answer.
                if self.headers["User-Agent"] != READINESS:
                    app.asked.append(Asked(self.command, self.path, self.headers, body))
                time.sleep(app.delay)
                told = json.dumps({"role": app.role}).encode()
                self.send_response(app.status)
                self.send_header("X-Served-By", "the app itself")
                self.send_header("Content-Length", str(len(told)))
                self.end_headers()
                self.wfile.write(b"" if self.command == "HEAD" else told)

            def setup(self):
                super().setup()
                app.connections.append(self.connection)

            def log_message(self, *_):
                pass

        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"):
            setattr(Handler, f"do_{method}", Handler.answer)

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                """A connection that was broken off is nothing to tell."""

        self.server = Server(self.address, Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None
        while self.connections:
            with contextlib.suppress(OSError):
                self.connections.pop().shutdown(socket.SHUT_RDWR)

    def paths(self):
        return [each.path for each in self.asked]

    @property
    def name(self):
        return "{}:{}".format(*self.address)


@dataclass
class Answer:
    status: int
    served_by: str | None
    headers: http.client.HTTPMessage
    body: bytes


class Site:
    """Both apps, and a proxy before them that `configured` starts or reloads."""

    def __init__(self, kind, folder, stack):
        self.kind, self.folder, self.stack = kind, folder, stack
        self.original, self.port = App("original"), App("port")
        self.proxy, self.listen = None, free_port()

    def table(self, routes, **gateway):
        told = {"proxy": self.kind, "listen": f"127.0.0.1:{self.listen}", "admin_socket": f"{self.folder}/admin.sock"}
        told |= {"original": self.original.name, "port": self.port.name}
        lines = [f"{key} = {json.dumps(value)}" for key, value in told.items()]
        lines += [f"{key} = {value}" for key, value in gateway.items()]
        path = self.folder / "cutover.toml"
        path.write_text("\n".join(["[gateway]", *lines, routes]))
        return path

    def configured(self, routes, **gateway):
        """Write the table and the files, and have the proxy read them; it is started first where it is not."""
        self.command("write", self.table(routes, **gateway))
        if self.proxy:
            self.proxy.reload()
        else:
            self.proxy = self.stack.enter_context(Proxy(self.kind, self.folder, port=self.listen))

    def command(self, *arguments):
        ended = CliRunner().invoke(gateway, [str(each) for each in arguments])
        assert ended.exit_code == 0, ended.output
        return ended.output

    def client(self):
        client = http.client.HTTPConnection("127.0.0.1", self.listen, timeout=20)
        self.stack.callback(client.close)
        return client

    def ask(self, path="/", method="GET", headers=None, body=None, client=None):
        client = client or self.client()
        client.request(method, path, body, headers or {})
        answer = client.getresponse()
        return Answer(answer.status, answer.headers.get("X-Served-By"), answer.headers, answer.read())

    def user(self, number):
        return {"Cookie": f"gateway={number:032x}"}

    def served(self, path="/", users=range(100)):
        """Who serves each of these users."""
        client = self.client()
        return {user: self.ask(path, headers=self.user(user), client=client).served_by for user in users}


@contextmanager
def site(kind, folder, *, port_is_up=True):
    required(kind)
    with ExitStack() as stack:
        made = Site(kind, folder, stack)
        for app in (made.original, made.port):
            stack.callback(app.stop)
        made.original.start()
        if port_is_up:
            made.port.start()
        yield made


def route(path="/*", **keys):
    """A route of a table, its values as TOML has them."""
    return "\n".join(["[[routes]]", f'path = "{path}"', *(f"{key} = {value}" for key, value in keys.items())])
