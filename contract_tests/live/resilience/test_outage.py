"""What the apps live through: a disk that is full, a database that goes away; problems meanwhile, then service again"""

import resource

import sqlalchemy as sa

from contract_tests.live.resilience.burst import send, send_at_once
from contract_tests.live.resilience.link import Link
from contract_tests.live.resilience.operations import someone
from contract_tests.live.resilience.processes import group_of
from contract_tests.live.resilience.wire import request
from contract_tests.live.servers import command_of, serve, sqlite_database

BUSY = b"The database cannot answer just now; try again soon."
ROOM = 64 << 10
AT_ONCE = 32


def register(server, number):
    return send(server.port, request("POST", "/user", body=someone(number)))


def limit_files(server, size):
    """No process of a server can make a file longer than so many bytes: EFBIG, as ENOSPC on a full disk."""
    for pid in group_of(server.pid):
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))


def test_a_full_disk_is_a_problem_for_who_writes_until_there_is_room(role, tmp_path):
    url = sqlite_database(tmp_path)
    with serve(command_of(role), tmp_path, database_url=url) as server:
        assert register(server, 0).status == 201
        wal = tmp_path / "service.sqlite3-wal"
        limit_files(server, wal.stat().st_size + ROOM)
        answers = [register(server, number) for number in range(1, 60)]
        assert {answer.status for answer in answers} == {201, 503}
        refused = [answer for answer in answers if answer.status == 503]
        assert all(answer.is_problem and BUSY in answer.body for answer in refused)
        # Who reads is served, and what was acknowledged is there.
        stored = [send(server.port, request("GET", f"/user/{id}")).status for id in (1, answers.index(refused[0]))]
        assert stored == [200, 200]
        limit_files(server, resource.RLIM_INFINITY)
        assert register(server, 60).status == 201


def test_a_database_that_goes_away_is_a_problem_until_it_is_back(role, tmp_path, postgresql_url):
    """Its connections are cut, in the pool and in flight; nothing is started anew."""
    address = sa.make_url(postgresql_url)
    with Link((address.host, address.port)) as link:
        url = address.set(host="127.0.0.1", port=link.port).render_as_string(hide_password=False)
        with serve(command_of(role), tmp_path, database_url=url) as server:
            gets = [request("GET", "/user/1")] * AT_ONCE
            assert register(server, 0).status == 201
            assert send_at_once(server.port, gets).faults(200) == []
            link.cut()
            for _ in range(2):
                burst = send_at_once(server.port, gets)
                assert burst.statuses == {503: AT_ONCE}
                assert all(answer.is_problem and BUSY in answer.body for answer in burst.answers)
            assert send(server.port, request("GET", "/healthz")).status == 200
            assert send(server.port, request("GET", "/readyz")).status == 503
            link.mend()
            assert send_at_once(server.port, gets).statuses == {200: AT_ONCE}
            assert register(server, 1).status == 201


def test_connections_that_died_unnoticed_cost_no_more_than_a_problem(role, tmp_path, postgresql_url):
    """Cut and mended while nobody asked: the pool still holds the dead ones."""
    address = sa.make_url(postgresql_url)
    with Link((address.host, address.port)) as link:
        url = address.set(host="127.0.0.1", port=link.port).render_as_string(hide_password=False)
        with serve(command_of(role), tmp_path, database_url=url) as server:
            assert register(server, 0).status == 201
            gets = [request("GET", "/user/1")] * AT_ONCE
            assert send_at_once(server.port, gets).faults(200) == []
            link.cut()
            link.mend()
            assert send_at_once(server.port, gets).faults(200) == []
            assert send_at_once(server.port, gets).statuses == {200: AT_ONCE}
