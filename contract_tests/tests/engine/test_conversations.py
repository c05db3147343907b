"""All that comes back over one connection is heard, and compared: framing, interim answers and the end included."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from contract_tests.parity import Bindings, Difference, Request, Response
from contract_tests.parity.conversations import compare_conversations
from contract_tests.parity.drivers.raw import Answer, Conversation, converse
from contract_tests.parity.probes import Act, Send

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
ASK = b"GET / HTTP/1.1\r\n\r\n"
QUIET = 0.2


@contextmanager
def serving(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server for one connection, by its port; what answers has it, and the connection is closed behind it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                answer(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def head_of(connection: socket.socket) -> bytes:
    """The next request's head, and nothing behind it; what there is at the end of the connection."""
    data = b""
    while not data.endswith(b"\r\n\r\n") and (byte := connection.recv(1)):
        data += byte
    return data


def talk(
    answer: Callable[[socket.socket], None],
    *steps: Send | Act,
    methods: tuple[str, ...] = ("GET",),
    patience: float = 2.0,
) -> Conversation:
    with serving(answer) as port:
        return converse(port, steps or (Send(ASK),), methods, quiet=QUIET, patience=patience)


def statuses(conversation: Conversation) -> list[int]:
    return [answer.response.status for answer in conversation.answers]


def keeping(connection: socket.socket) -> None:
    while head_of(connection):
        connection.sendall(OK)


def test_a_connection_that_is_kept_answers_another_request() -> None:
    # It keeps the connection even when told that this was the last request: that takes all patience.
    conversation = talk(keeping, patience=0.6)
    assert (conversation.ending, statuses(conversation)) == ("kept", [200])


def test_a_connection_that_is_closed_does_not() -> None:
    def once(connection: socket.socket) -> None:
        head_of(connection)
        connection.sendall(OK)

    assert talk(once) == Conversation((answer(),), "closed")


@pytest.mark.parametrize("end", [b"Connection: close\r\nContent-Length: 2\r\n\r\nok", b"\r\nok"])
def test_what_says_that_it_closes_and_does_is_closed(end: bytes) -> None:
    def closing(connection: socket.socket) -> None:
        head_of(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + end)

    assert talk(closing).ending == "closed"


def test_what_says_that_it_closes_and_does_not_hangs() -> None:
    release = threading.Event()

    def lying(connection: socket.socket) -> None:
        head_of(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
        release.wait(10)

    with serving(lying) as port:
        conversation = converse(port, [Send(ASK)], ["GET"], quiet=QUIET, patience=0.5)
        release.set()
    assert conversation.ending == "hangs"


def test_a_server_that_waits_for_more_answers_once_we_close_our_side() -> None:
    def patient(connection: socket.socket) -> None:
        while connection.recv(100):
            pass
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    conversation = talk(patient, Send(b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf"))
    assert (conversation.ending, statuses(conversation)) == ("waiting", [400])


def test_a_server_that_hears_no_other_request_is_deaf() -> None:
    def deaf(connection: socket.socket) -> None:
        head_of(connection)
        connection.sendall(OK)
        while connection.recv(100):
            pass

    assert talk(deaf).ending == "deaf"


def test_pipelined_requests_have_their_answers_in_order() -> None:
    def two(connection: socket.socket) -> None:
        for status in (b"201 A", b"404 B"):
            head_of(connection)
            connection.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n")

    conversation = talk(two, Send(ASK), Act("next"), Send(ASK), methods=("GET", "GET"))
    assert statuses(conversation) == [201, 404]


def test_an_answer_that_nobody_asked_for_is_heard() -> None:
    def smuggled(connection: socket.socket) -> None:
        head_of(connection)
        connection.sendall(OK + OK)
        head_of(connection)
        connection.sendall(OK)

    conversation = talk(smuggled)
    assert (conversation.ending, len(conversation.answers)) == ("kept", 2)


def test_framing_reason_version_and_interim_answers_are_kept() -> None:
    def wordy(connection: socket.socket) -> None:
        head_of(connection)
        connection.sendall(
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 418 I'm\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        )

    (seen,) = talk(wordy).answers
    assert (seen.interim, seen.version, seen.reason, seen.framing) == ((100,), "1.0", "I'm", "chunked")


def test_a_server_that_wants_the_body_and_gets_none_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("contract_tests.parity.drivers.raw.STALLED", 0.3)

    def expecting(connection: socket.socket) -> None:
        head_of(connection)
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        while connection.recv(100):
            pass

    conversation = talk(expecting)
    assert (conversation.ending, conversation.answers[0].interim) == ("waiting", (100,))


def test_half_an_answer_is_truncated() -> None:
    def broken(connection: socket.socket) -> None:
        head_of(connection)
        connection.sendall(OK[:-1])

    (seen,) = talk(broken).answers
    assert (seen.response.failure, seen.response.body) == ("truncated", b"o")


def test_a_connection_that_we_drop_is_told_as_that() -> None:
    assert talk(lambda _: None, Send(b"GET"), Act("drop")) == Conversation((), "dropped")


def test_nobody_there_is_refused() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        conversation = converse(unused.getsockname()[1], [Send(ASK)], ["GET"])
    assert conversation.answers[0].response.failure == "refused"


def answer(status: int = 200, **changes: object) -> Answer:
    response = Response(status, ((b"Content-Length", b"2"),), b"ok")
    return replace(Answer(response, reason="OK", framing="length"), **changes)  # type: ignore[arg-type]


def differences(original: Conversation, port: Conversation) -> list[Difference]:
    requests = [Request("GET", b"/"), Request("GET", b"/second")]
    return [found for _, found in compare_conversations(requests, original, port, bindings=Bindings.none())]


SAID = Conversation((answer(),), "kept")


def test_conversations_that_are_alike_have_no_difference() -> None:
    assert differences(SAID, Conversation((answer(reason="ok"),), "kept", received=3.0)) == []


@pytest.mark.parametrize(
    ("port", "path", "told"),
    [
        (replace(SAID, ending="closed"), "connection", ("kept", "closed")),
        (replace(SAID, answers=(answer(), answer(404))), "answers", ("200", "200 404")),
        (replace(SAID, answers=()), "answers", ("200", "none")),
        (replace(SAID, answers=(answer(framing="chunked"),)), "framing", ("length", "chunked")),
        (replace(SAID, answers=(answer(interim=(100,)),)), "interim", ("none", "100")),
        (replace(SAID, answers=(answer(version="1.0"),)), "version", ("1.1", "1.0")),
        (replace(SAID, answers=(answer(reason="Fine"),)), "reason", ("ok", "fine")),
    ],
)
def test_what_a_client_sees_beside_the_answer_is_compared(port: Conversation, path: str, told: tuple[str, str]) -> None:
    (found,) = differences(SAID, port)
    assert (found.level, found.path, found.original, found.port) == ("transport", path, *told)


def test_the_names_that_a_status_has_had_are_one() -> None:
    old, new = (answer(422, reason=reason) for reason in ("Unprocessable Entity", "Unprocessable Content"))
    assert differences(Conversation((old,), "kept"), Conversation((new,), "kept")) == []


def test_each_answer_is_compared_and_told_by_its_own_request() -> None:
    other = replace(SAID, answers=(answer(), answer(404)))
    found = compare_conversations(
        [Request("GET", b"/"), Request("GET", b"/second")],
        replace(SAID, answers=(answer(), answer())),
        other,
        bindings=Bindings.none(),
    )
    assert [(operation, each.level) for operation, each in found] == [("GET /second", "status")]
