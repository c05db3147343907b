"""What the sign-in provider answers ends: an answer too long in bytes or in seconds is an outage, told in one line"""

from __future__ import annotations

import gzip
import json
import logging
import random
import socket
import ssl
import threading
import time
import tracemalloc
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import trustme

from contract_tests.suite.provider import Provider
from shared_core.errors import Unavailable
from shared_core.signin import SignIn
from shared_core.signin.connections import MOST_BYTES

CALLBACK = "https://testserver/signin/callback"
NOW = datetime(2026, 1, 2, tzinfo=UTC)
DISCOVERY = "/tenant/.well-known/openid-configuration"
SECRET = "hunter2-s3cret"
# Long for a test that waits it out, and far less than any of these answers would take.
TIMEOUT = 0.5

Answering = Callable[[socket.socket], None]


@pytest.fixture(scope="module")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    with Provider(CALLBACK, folder=tmp_path_factory.mktemp("provider")) as provider:
        yield provider


@pytest.fixture
def provider(_running: Provider) -> Provider:
    _running.reset()
    _running.expires_in = 3600
    return _running


@contextmanager
def service(authority: str, ca_file: Path, *, timeout: float = 5.0) -> Iterator[SignIn]:
    built = SignIn(
        client_id=Provider.client_id,
        client_secret=Provider.client_secret,
        authority=authority,
        redirect_uri=CALLBACK,
        signed_out_uri="https://testserver/",
        clock=lambda: datetime.now(UTC),
        ca_file=str(ca_file),
        timeout=timeout,
    )
    try:
        yield built
    finally:
        built.close()


@contextmanager
def answering(folder: Path, answer: Answering) -> Iterator[tuple[str, Path]]:
    """A server that answers each request by `answer`, as a provider's authority and its certificates."""
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    authority.issue_cert("localhost").configure_cert(context)
    with listening() as listener:
        threading.Thread(target=serve, args=(listener, context, answer), daemon=True).start()
        yield f"https://localhost:{listener.getsockname()[1]}/tenant", folder / "ca.pem"


@contextmanager
def listening() -> Iterator[socket.socket]:
    """A listener below the ports that the system gives to outgoing connections by itself."""
    listener = socket.socket()
    for port in random.sample(range(20000, 32768), 20):
        with suppress(OSError):
            listener.bind(("127.0.0.1", port))
            break
    listener.listen()
    try:
        yield listener
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def serve(listener: socket.socket, context: ssl.SSLContext, answer: Answering) -> None:
    with suppress(OSError):
        while True:
            plain, _ = listener.accept()
            with suppress(OSError), context.wrap_socket(plain, server_side=True) as connection:
                connection.recv(65536)
                answer(connection)


def head(*fields: str) -> bytes:
    return "\r\n".join(["HTTP/1.1 200 OK", "Content-Type: application/json", *fields, "", ""]).encode()


def drip(connection: socket.socket, again: bytes, *, first: bytes = b"") -> None:
    """What comes again and again for a minute, never long enough apart for a timeout of its own."""
    connection.sendall(first)
    until = time.monotonic() + 60
    while time.monotonic() < until:
        connection.sendall(again)
        time.sleep(TIMEOUT / 10)


@cache
def bomb(*, twice: bool = False) -> bytes:
    """32 MiB of JSON in some 32 kB, or fewer."""
    return gzip.compress(bomb() if twice else b'{"issuer": "' + b"x" * (32 << 20) + b'"}')


TRICKLING: dict[str, Answering] = {
    "a status line": lambda connection: drip(connection, b"0", first=b"HTTP/1.1 200 O"),
    "header fields": lambda connection: drip(connection, b"A: b\r\n", first=head().removesuffix(b"\r\n")),
    "one header field": lambda connection: drip(connection, b"x", first=head().removesuffix(b"\r\n") + b"A: "),
    "a body of a known length": lambda connection: drip(connection, b"x", first=head("Content-Length: 999999") + b'{"'),
    "a body until the end": lambda connection: drip(connection, b" ", first=head("Connection: close") + b"{}"),
    "chunks": lambda connection: drip(connection, b"1\r\nx\r\n", first=head("Transfer-Encoding: chunked")),
    "the length of a chunk": lambda connection: drip(connection, b"0", first=head("Transfer-Encoding: chunked")),
    "nothing more": lambda connection: drip(connection, b""),
}


class Noted(logging.Handler):
    """The name of each record's logger, by the thread that wrote it."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.names: defaultdict[int | None, list[str]] = defaultdict(list)

    def emit(self, record: logging.LogRecord) -> None:
        self.names[record.thread].append(record.name)


@pytest.fixture(scope="module")
def given_up(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Future[tuple[float, list[str]]]]:
    """How many seconds it took to give up each answer of TRICKLING, and who told it. They are waited for at once."""
    noted = Noted()

    def give_up(folder: Path, answer: Answering) -> tuple[float, list[str]]:
        with answering(folder, answer) as (authority, ca_file), service(authority, ca_file, timeout=TIMEOUT) as sign_in:
            began = time.monotonic()
            with pytest.raises(Unavailable):
                sign_in.begin({}, now=NOW)
            return time.monotonic() - began, noted.names.pop(threading.get_ident(), [])

    folders = [tmp_path_factory.mktemp("provider") for _ in TRICKLING]
    logging.getLogger().addHandler(noted)
    try:
        with ThreadPoolExecutor(len(TRICKLING)) as pool:
            found = [pool.submit(give_up, *each) for each in zip(folders, TRICKLING.values(), strict=True)]
    finally:
        logging.getLogger().removeHandler(noted)
    return dict(zip(TRICKLING, found, strict=True))


@pytest.mark.parametrize("answer", TRICKLING)
def test_an_answer_that_trickles_is_given_up_in_time(given_up, answer):
    seconds, told_by = given_up[answer].result()
    assert seconds < TIMEOUT * 8  # at most twice, and a machine that is busy
    assert told_by == ["service"]


LONG: dict[str, bytes] = {
    "told": head(f"Content-Length: {64 << 20}") + b"{",
    "until the end": head("Connection: close"),
    "in chunks": head("Transfer-Encoding: chunked"),
    "a bomb": head("Content-Encoding: gzip", f"Content-Length: {len(bomb())}") + bomb(),
    "a bomb in a bomb": head("Content-Encoding: gzip, gzip", f"Content-Length: {len(bomb(twice=True))}")
    + bomb(twice=True),
}


@pytest.mark.parametrize("first", LONG.values(), ids=LONG)
def test_an_answer_that_is_too_long_is_read_no_further(tmp_path, caplog, first):
    again = b"4000\r\n" + b"x" * 0x4000 + b"\r\n" if b"chunked" in first else b"x" * 0x4000
    sent = []

    def answer(connection: socket.socket) -> None:
        connection.sendall(first)
        while b"gzip" not in first and len(sent) < 4096:
            connection.sendall(again)
            sent.append(len(again))

    with answering(tmp_path, answer) as (authority, ca_file), service(authority, ca_file) as sign_in:
        with suppress(Unavailable):  # what is imported on the way is no answer's memory
            sign_in.begin({}, now=NOW)
        caplog.clear()
        tracemalloc.start()
        with pytest.raises(Unavailable):
            sign_in.begin({}, now=NOW)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 8 * MOST_BYTES
    assert sum(sent) < 32 * MOST_BYTES  # twice what the buffers of both ends hold
    assert [record.getMessage() for record in caplog.records] == ["the sign-in provider cannot be used: AnswerTooLarge"]


def signed_in(sign_in: SignIn, provider: Provider) -> dict[str, Any]:
    session: dict[str, Any] = {}
    back = urlsplit(provider.answer(sign_in.begin(session, now=NOW)))
    sign_in.finish(session, parse_qsl(back.query), now=NOW)
    return session


@pytest.mark.parametrize("path", [DISCOVERY, "/tenant/keys", "/tenant/token", "/tenant/userinfo"])
@pytest.mark.parametrize("status", [200, 400])
def test_no_answer_of_the_provider_may_be_too_long(provider, caplog, path, status):
    caplog.set_level(logging.DEBUG)
    told = json.dumps({"error": "invalid_grant", "access_token": SECRET, "keys": [], "filler": "x" * MOST_BYTES})
    with service(provider.authority, provider.ca_file) as known:
        session = signed_in(known, provider)
    with service(provider.authority, provider.ca_file) as sign_in, provider.answering(path, status, told):
        caplog.clear()
        with pytest.raises(Unavailable):
            sign_in.profile(session, now=NOW) if path.endswith("userinfo") else signed_in(sign_in, provider)
    assert SECRET not in caplog.text
    lines = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert lines == ["the sign-in provider cannot be used: AnswerTooLarge"]


@pytest.mark.parametrize(("over", "answered"), [(0, True), (1, False)])
def test_the_limit_is_one_mebibyte(provider, over, answered):
    described = json.dumps(provider._metadata())
    described += " " * (MOST_BYTES - len(described) + over)
    with service(provider.authority, provider.ca_file) as sign_in, provider.answering(DISCOVERY, 200, described):
        if answered:
            assert sign_in.begin({}, now=NOW).startswith(provider.authority)
        else:
            with pytest.raises(Unavailable):
                sign_in.begin({}, now=NOW)


def test_a_connection_whose_answer_was_read_serves_the_next_request(tmp_path):
    heads = []

    def answer(connection: socket.socket) -> None:
        for _ in range(2):
            connection.sendall(head("Content-Length: 2") + b"{}")
            heads.append(connection.recv(65536))

    with answering(tmp_path, answer) as (authority, ca_file), service(authority, ca_file) as sign_in:
        for _ in range(2):  # a description that says nothing is asked for again
            with pytest.raises(Unavailable):
                sign_in.begin({}, now=NOW)
    assert heads[0].startswith(b"GET ")
