"""An end in the middle of work: SIGTERM loses no request in flight, kill -9 no write that was acknowledged"""

import os
import signal
from contextlib import ExitStack, closing, contextmanager

import sqlalchemy as sa

from contract_tests.live.resilience.burst import SILENCE
from contract_tests.live.resilience.operations import someone
from contract_tests.live.resilience.processes import await_children, await_log, children_of, refuses
from contract_tests.live.resilience.upload import Upload
from contract_tests.live.resilience.writers import Writers
from contract_tests.live.servers import command_of, connected, serve, sqlite_database
from shared_core.tables import users

# gunicorn's own end; uvicorn ends by the very signal, which a shell calls 143.
EXIT_CODES = {"original": 0, "port": -signal.SIGTERM}
STOPPING = {"original": "Handling signal: term", "port": "Shutting down"}
WAITING, SENDING = 6, 6


@contextmanager
def write_lock(url):
    """Nobody writes to this SQLite database meanwhile."""
    with connected(url) as db:
        db.execute(sa.insert(users).values(_row("lock@example.com")))
        yield
        db.rollback()


def _row(email):
    created_at = sa.func.now()
    return {"name": "x", "email": email, "email_key": email, "password_hash": "", "created_at": created_at}


def sigterm_in_flight(server, url, *, stopping=""):
    """End a server while some requests wait for the database and some still send their body: what each was answered."""
    with ExitStack() as stack:
        with write_lock(url):
            uploads = [
                stack.enter_context(closing(Upload(server.port, "/user", someone(number))))
                for number in range(WAITING + SENDING)
            ]
            for upload in uploads:
                upload.await_continue()
            for upload in uploads[:WAITING]:
                upload.finish()
            os.kill(server.pid, signal.SIGTERM)
            await_log(server, stopping)
            for upload in uploads[WAITING:]:
                upload.finish()
        return [upload.answer().status for upload in uploads]


def test_sigterm_loses_no_request_in_flight(role, tmp_path):
    url = sqlite_database(tmp_path)
    with serve(command_of(role), tmp_path, database_url=url) as server:
        statuses = sigterm_in_flight(server, url, stopping=STOPPING[role])
        code = server.exit_code(within=SILENCE)
        assert refuses(server.port)
    assert statuses == [201] * (WAITING + SENDING)
    assert code == EXIT_CODES[role]
    with connected(url) as db:
        assert db.scalar(sa.select(sa.func.count()).select_from(users)) == len(statuses)


def test_the_check_catches_a_server_that_drops_what_is_in_flight(tmp_path):
    """Flask's own development server ends at once."""
    url = sqlite_database(tmp_path)
    with serve("flask --app flask_app:create_app run --port {port}", tmp_path, database_url=url) as server:
        assert 201 not in sigterm_in_flight(server, url)


def lost(writers, url):
    """What was acknowledged and is not in the database."""
    with connected(url) as db:
        stored = {tuple(row) for row in db.execute(sa.select(users.c.id, users.c.email))}
    return set(writers.acknowledged.items()) - stored


def test_kill_9_of_a_worker_loses_no_acknowledged_write_of_the_original(tmp_path, database_url):
    with serve(command_of("original", workers=2), tmp_path, database_url=database_url) as server:
        await_children(server.pid, 2)
        writers = Writers(server.port)
        with writers.writing():
            for _ in range(3):
                writers.await_more(40)
                victim = children_of(server.pid)[0]
                os.kill(victim, signal.SIGKILL)
                await_children(server.pid, 2, without=victim)
            writers.await_more(40)
    assert lost(writers, database_url) == set()
    assert writers.others <= {503}


def test_kill_9_loses_no_acknowledged_write_of_the_port(tmp_path, database_url):
    told = {"database_url": database_url}
    with serve(command_of("port"), tmp_path, **told) as server:
        writers = Writers(server.port)
        with writers.writing():
            writers.await_more(40)
            os.kill(server.pid, signal.SIGKILL)
            assert server.exit_code(within=SILENCE) == -signal.SIGKILL
            # On the same port and database, as a supervisor would.
            with serve(command_of("port"), tmp_path, port=server.port, **told):
                writers.await_more(40)
                seen = writers.broken
            assert seen >= 1
    assert lost(writers, database_url) == set()
    assert writers.others <= {503}


def test_a_lost_write_would_be_found(tmp_path):
    """The check itself: an acknowledgement of what is not stored is a loss."""
    writers = Writers(0)
    writers.acknowledged[1] = "nobody@example.com"
    assert lost(writers, sqlite_database(tmp_path)) == {(1, "nobody@example.com")}
