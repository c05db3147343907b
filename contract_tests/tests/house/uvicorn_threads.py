"""uvicorn in a thread, with our protocol class or its own, and a client that reads what a socket shows."""

import asyncio
import socket
import threading
from contextlib import contextmanager
from http.client import HTTPResponse

import pytest
import uvicorn

OURS = "fastapi_app.wire.protocol:GunicornHttp"
LOOPS = ["asyncio", "uvloop"]
MEBIBYTE = 1 << 20
# Limits for hangs; uvicorn's own class hangs on some rows, and is not waited for.
PATIENCE = {OURS: 20.0, "httptools": 1.0}


class App:
    """Tells what it was asked; `gone` is set where an app hears that its client has gone."""

    def __init__(self):
        self.asked = []
        self.protocols = set()
        self.entered, self.gone = threading.Event(), threading.Event()

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return
        path = scope["path"]
        self.asked.append(path)
        body, whole = b"", path in ("/unread", "/forever")
        while not whole:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.gone.set()
                break
            body += message["body"]
            whole = not message["more_body"]
        if path == "/silent" and not whole:
            return
        while path == "/half" and not self.is_half_closed(scope["client"]):  # noqa: ASYNC110 - only uvicorn knows when
            await asyncio.sleep(0)
        names = ",".join(name.decode() for name, _ in scope["headers"] if name != b"host")
        told = f"{scope['method']} {path} {len(body)} [{names}]".encode()
        lengths = [] if path in ("/stream", "/forever") else [(b"content-length", b"%d" % len(told))]
        await send({"type": "http.response.start", "status": 200 if whole else 400, "headers": lengths})
        if path == "/forever":
            await self.send_for_ever(receive, send)
        if path == "/stream":
            await send({"type": "http.response.body", "body": told, "more_body": True})
            told = b"!"
        await send({"type": "http.response.body", "body": told})

    def is_half_closed(self, client):
        """The server has seen the end of what the client sends: ours keeps the connection, uvicorn's closes it."""
        mine = [each for each in self.protocols if each.client == client]
        return all(getattr(each, "is_half_closed", False) or each.transport.is_closing() for each in mine)

    async def send_for_ever(self, receive, send):
        gone = asyncio.ensure_future(self.hear(receive))
        while not gone.done():
            await send({"type": "http.response.body", "body": bytes(65536), "more_body": True})
            self.entered.set()
            await asyncio.sleep(0)

    async def hear(self, receive):
        while (await receive())["type"] != "http.disconnect":
            pass
        self.gone.set()


class Served:
    """uvicorn in a thread."""

    def __init__(self, http, loop, **options):
        self.app, self.http = App(), http
        config = uvicorn.Config(
            self.app, port=0, http=http, loop=loop, lifespan="off", log_config=None, access_log=False, **options
        )
        self.server = uvicorn.Server(config)
        self.app.protocols = self.server.server_state.connections
        self.thread = threading.Thread(target=self.server.run)

    @property
    def address(self):
        return self.server.servers[0].sockets[0].getsockname()

    def __enter__(self):
        started = threading.Event()
        startup = self.server.startup

        async def told(sockets=None):
            await startup(sockets)
            started.set()

        self.server.startup = told
        self.thread.start()
        assert started.wait(20)
        return self

    def __exit__(self, *_):
        self.server.should_exit = True
        self.thread.join(20)
        assert not self.thread.is_alive()

    @contextmanager
    def client(self):
        with socket.create_connection(self.address, timeout=PATIENCE[self.http]) as client:
            yield client

    def talk(self, *packets, shut=False):
        """What comes until the connection ends, as (version, status, type, body); None where it does not end."""
        with self.client() as client:
            answers = []
            try:
                for packet in packets:
                    client.sendall(packet)
                if shut:
                    client.shutdown(socket.SHUT_WR)
                with client.makefile("rb") as file:
                    while file.peek(1):
                        answers.append(answer(file))
            except (TimeoutError, ConnectionError):
                return None
            return answers


def answer(file):
    response = HTTPResponse(Opened(file), method="GET")
    response.begin()
    while response.status == 100:
        response = HTTPResponse(Opened(file), method="GET")
        response.begin()
    return response.version, response.status, response.getheader("content-type"), response.read().decode()


class Opened:
    """http.client closes the file that it reads; there may be more answers in it."""

    def __init__(self, file):
        self.file = file

    def makefile(self, *_):
        return self

    def __getattr__(self, name):
        return getattr(self.file, name)

    def close(self):
        pass


@pytest.fixture(scope="module", params=LOOPS)
def ours(request):
    # A connection that is kept by mistake is not closed by this timer.
    with Served(OURS, request.param, timeout_keep_alive=60) as served:
        yield served


@pytest.fixture(scope="module")
def own():
    with Served("httptools", "asyncio") as served:
        yield served


def head(target, *fields, version="1.1"):
    lines = [f"{target} HTTP/{version}", "Host: x", *fields, "", ""]
    return "\r\n".join(lines).encode("latin-1")


def page(reason, told):
    return f"""<html>
  <head>
    <title>{reason}</title>
  </head>
  <body>
    <h1><p>{reason}</p></h1>
    {told}
  </body>
</html>
"""


def refused(status, reason, told):
    return (11, status, "text/html", page(reason, told))


def ok(told, version=11):
    return (version, 200, None, told)


def no_line(line):
    return refused(
        400, "Bad Request", f"Invalid Request Line &#x27;Invalid HTTP request line: &#x27;{line}&#x27;&#x27;"
    )


def no_field(name):
    return refused(400, "Bad Request", f"Invalid HTTP header name: &#x27;{name}&#x27;")


CHUNKED = "Transfer-Encoding: chunked"
LAST = head("GET /last", "Connection: close")
LAST_ANSWER = ok("GET /last 0 [connection]")
BROKEN_OFF = (11, 400, None, "POST /p 3 [content-length]")
UPGRADE = ("Connection: Upgrade", "Upgrade: zqx")
LARGE = b"x" * 3 * MEBIBYTE
