"""The known traps of moving traffic, each as it was measured: what is written walks into none of them"""

import subprocess
import threading
import time
from contextlib import contextmanager

import pytest

from contract_tests.live.cutover import proxies
from contract_tests.live.cutover.proxies import check_configuration
from contract_tests.migration.gateway import nginx as written
from contract_tests.tests.house.gateways import route, site

pytestmark = pytest.mark.services
ORIGINAL, PORT = '"original"', '"port"'
HALF = "{ original = 50, port = 50 }"


@pytest.fixture
def nginx(tmp_path):
    with site("nginx", tmp_path) as made:
        yield made


@pytest.fixture
def haproxy(tmp_path):
    with site("haproxy", tmp_path) as made:
        yield made


def configured_otherwise(here, old, new, routes, **gateway):
    """As the command writes it, but for one text: what the trap is without its cure."""
    path = here.folder / written.FILE
    here.command("write", here.table(routes, **gateway))
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    here.proxy.reload()


def await_mirrored(here, number):
    """Wait until the port got so many; a mirror is slower than the answer."""
    deadline = time.monotonic() + 20
    while len(here.port.asked) < number and time.monotonic() < deadline:
        time.sleep(0.02)
    return here.port.asked


def test_split_clients_refuses_0_percent(nginx):
    """And takes what we write for it."""
    share = "{ original = 99.99, port = 0.01 }"
    nginx.command("write", nginx.table(route(serve=share)))
    path = nginx.folder / written.FILE
    path.write_text(path.read_text().replace("0.01% gateway_port", "0% gateway_port"))
    assert "invalid percent value" in checked("nginx", nginx.folder).stderr
    nginx.command("write", nginx.table(route(serve="{ original = 100, port = 0 }")))
    told = (nginx.folder / written.FILE).read_text()
    assert "split_clients" not in told
    assert checked("nginx", nginx.folder).returncode == 0


def checked(kind, folder):
    return subprocess.run(check_configuration(kind, folder), capture_output=True, text=True, check=False)


HEADERS = {"X-Request-ID": "mine", "Cookie": "session=1", "X-Custom": "kept"}


def test_a_mirrored_request_has_every_header_that_the_primary_has(nginx):
    """One proxy_set_header in the mirror's location would lose those that it inherits: Host, X-Request-ID, all."""
    nginx.configured(route(serve=ORIGINAL, mirror=100, mirror_is_safe="true"))
    for method in ("GET", "POST"):
        answer = nginx.ask("/x?y=%20", method, headers={**HEADERS, "Host": "shop.example"}, body=b'{"a": 1}')
        assert answer.served_by == "original"
    # The second request's mirror may overtake the first's.
    mirrored = sorted(await_mirrored(nginx, 2), key=lambda each: each.method)
    for got, primary in zip(mirrored, nginx.original.asked, strict=True):
        assert (got.method, got.path, got.body) == (primary.method, primary.path, primary.body)
        assert sorted(got.headers.items()) == sorted(primary.headers.items())
        assert (got.headers["Host"], got.headers["X-Request-ID"]) == ("shop.example", "mine")


def test_without_all_of_them_the_mirror_has_another_host(nginx):
    nginx.configured(route(serve=ORIGINAL))
    repeated = "\n".join(f"        {line}" for line in written._HEADERS)
    routes = route(serve=ORIGINAL, mirror=100)
    configured_otherwise(
        nginx, f"{repeated}\n        proxy_pass", '        proxy_set_header X-Mirror "1";\n        proxy_pass', routes
    )
    nginx.ask(headers={**HEADERS, "Host": "shop.example"})
    (got,) = await_mirrored(nginx, 1)
    assert got.headers["Host"] == "gateway_mirror"
    assert got.headers["X-Forwarded-For"] is None


def two_in_a_row(here):
    """The seconds that two requests of one client take while the port is slow."""
    here.port.delay = 2.0
    client, began = here.client(), time.monotonic()
    assert here.ask(client=client).status == here.ask("/next", client=client).status == 200
    return time.monotonic() - began


def test_a_slow_mirror_does_not_hold_up_the_client_s_next_request(nginx):
    nginx.configured(route(serve=ORIGINAL, mirror=100))
    assert two_in_a_row(nginx) < 1.5


def test_with_a_kept_connection_it_would(nginx):
    nginx.configured(route(serve=ORIGINAL))
    configured_otherwise(nginx, "keepalive_timeout 0;", "", route(serve=ORIGINAL, mirror=100))
    assert two_in_a_row(nginx) > 1.8


def test_a_dead_mirror_costs_nothing(nginx):
    nginx.configured(route(serve=ORIGINAL, mirror=100))
    nginx.port.stop()
    answers = [nginx.ask() for _ in range(5)]
    assert {(answer.status, answer.served_by) for answer in answers} == {(200, "original")}
    # And nothing went to the original a second time in its place.
    assert len(nginx.original.asked) == 5


def test_a_mirror_takes_its_share(nginx):
    nginx.configured(route(serve=ORIGINAL, mirror=50))
    for _ in range(200):
        nginx.ask()
    time.sleep(0.3)
    assert 60 < len(nginx.port.asked) < 140
    assert len(nginx.original.asked) == 200


def test_a_mirror_named_by_a_variable_mirrors_nothing_and_nginx_is_content(nginx):
    nginx.configured(route(serve=ORIGINAL))
    variable = 'set $there /gateway-mirror;\n        mirror "$there";'
    configured_otherwise(nginx, "mirror /gateway-mirror;", variable, route(serve=ORIGINAL, mirror=100))
    assert nginx.ask().served_by == "original"
    time.sleep(0.3)
    assert nginx.port.asked == []


def test_a_large_body_is_mirrored_whole_and_the_limit_is_the_table_s(nginx):
    nginx.configured(route(serve=ORIGINAL, mirror=100, mirror_is_safe="true"), max_body_mb=3)
    body = bytes(range(256)) * (1 << 13)
    assert nginx.ask("/", "PUT", body=body).status == 200
    (got,) = await_mirrored(nginx, 1)
    assert got.body == body == nginx.original.asked[0].body
    assert nginx.ask("/", "PUT", body=body * 2).status == 413


def test_only_what_changes_nothing_is_mirrored_unless_it_is_declared(nginx):
    nginx.configured(route(serve=ORIGINAL, mirror=100))
    for method in ("POST", "PUT", "DELETE", "GET", "HEAD"):
        nginx.ask(method=method)
    await_mirrored(nginx, 2)
    time.sleep(0.2)
    assert sorted(each.method for each in nginx.port.asked) == ["GET", "HEAD"]


def test_only_the_routes_that_say_so_are_mirrored(nginx):
    routes = [route(serve=ORIGINAL), route("/a/{x}", serve=ORIGINAL, mirror=100, methods='["GET"]')]
    nginx.configured("\n".join([*routes, route("/a/me", serve=ORIGINAL)]))
    for path in ("/", "/a/me", "/a/1/b", "/a/1"):
        nginx.ask(path)
    nginx.ask("/gateway-mirror")
    await_mirrored(nginx, 1)
    time.sleep(0.2)
    assert nginx.port.paths() == ["/a/1"]


# HAProxy.


@contextmanager
def two_users(here):
    """Of the users whom the table gives to the port, one who was there before, and one who comes now."""
    here.configured(route(serve=HALF))
    there = [user for user, role in here.served(users=range(40)).items() if role == "port"]
    before, now = here.user(there[0]), here.user(there[1])
    (cookie,) = [each for each in here.ask(headers=before).headers.get_all("Set-Cookie") if "gateway_served" in each]
    yield {"Cookie": f"{before['Cookie']}; {cookie.partition(';')[0]}"}, now


def test_weight_0_keeps_those_who_are_there_and_sends_new_users_to_the_original(haproxy):
    """A drain, not a rollback."""
    with two_users(haproxy) as (before, now):
        haproxy.proxy.tell("set server gateway_port/port weight 0")
        assert [haproxy.ask(headers=each).served_by for each in (before, now)] == ["port", "original"]


def test_maint_moves_everyone_at_once_without_a_reload(haproxy):
    with two_users(haproxy) as (before, now):
        haproxy.proxy.tell("set server gateway_port/port state maint")
        assert [haproxy.ask(headers=each).served_by for each in (before, now)] == ["original", "original"]
        assert set(haproxy.served(users=range(20)).values()) == {"original"}
        haproxy.proxy.tell("set server gateway_port/port state ready")
        assert haproxy.ask(headers=before).served_by == "port"


def test_the_command_that_the_rollback_tells_is_the_one_that_moves_everyone(haproxy):
    haproxy.configured(route(serve=PORT))
    told = haproxy.command("rollback", haproxy.folder / "cutover.toml")
    assert f'echo "set server gateway_port/port state maint" | socat stdio {haproxy.folder}/admin.sock' in told


def test_a_reload_right_after_the_start_is_heard_at_once(haproxy, monkeypatch):
    """HAProxy's master drops the signal until it has its handlers, and its process serves before that."""
    monkeypatch.setattr(proxies, "_HEARD_WITHIN", 60.0)
    for served in (PORT, ORIGINAL, PORT):
        haproxy.configured(route(serve=served))
    assert haproxy.ask().served_by == "port"


def test_requests_under_way_are_finished_across_a_reload(haproxy):
    haproxy.configured(route(serve=PORT))
    haproxy.port.delay = 1.0
    answers = []
    slow = threading.Thread(target=lambda: answers.append(haproxy.ask("/slow")))
    slow.start()
    await_mirrored(haproxy, 1)
    haproxy.command("rollback", haproxy.folder / "cutover.toml")
    haproxy.proxy.reload()
    slow.join()
    assert [(answer.status, answer.served_by) for answer in answers] == [(200, "port")]
    assert haproxy.ask().served_by == "original"
