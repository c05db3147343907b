"""What nginx and HAProxy do with what `parity gateway` wrote: who serves, what goes on, what a dead port does"""

import http.client
import re
import socket
import subprocess
import threading
import time
from contextlib import contextmanager, suppress

import pytest

from contract_tests.live.cutover.proxies import check_configuration
from contract_tests.tests.house.gateways import route, site

pytestmark = pytest.mark.services
KINDS = ("nginx", "haproxy")
ORIGINAL, PORT = '"original"', '"port"'


def split(port):
    return f"{{ original = {100 - port:g}, port = {port:g} }}"


@pytest.fixture(params=KINDS)
def here(request, tmp_path):
    with site(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def nginx(tmp_path):
    with site("nginx", tmp_path) as made:
        yield made


@pytest.fixture
def haproxy(tmp_path):
    with site("haproxy", tmp_path) as made:
        yield made


def test_each_route_is_served_by_whom_the_table_names(here):
    routes = [
        route("/*", serve=ORIGINAL),
        route("/user/{id}", serve=PORT, methods='["GET"]'),
        route("/user/me", serve=ORIGINAL),
        route("/files/*", serve=PORT),
        route("/a.b", serve=PORT),
    ]
    here.configured("\n".join(routes))
    asked = {
        ("GET", "/"): "original",
        ("GET", "/user/1"): "port",
        ("HEAD", "/user/1"): "port",
        ("GET", "/user/1?x=/user/me"): "port",
        ("PUT", "/user/1"): "original",
        ("GET", "/user/me"): "original",
        ("GET", "/user/1/more"): "original",
        ("GET", "/user/"): "original",
        ("GET", "/files/"): "port",
        ("GET", "/files/1/content"): "port",
        ("GET", "/files"): "original",
        ("GET", "/a.b"): "port",
        ("GET", "/axb"): "original",
    }
    assert {each: here.ask(each[1], each[0]).served_by for each in asked} == asked


def test_what_no_route_names_is_the_original_s(here):
    here.configured(route("/users", serve=PORT))
    assert (here.ask("/users").served_by, here.ask("/else").served_by) == ("port", "original")


def test_a_path_reaches_the_app_as_it_was_sent(here):
    here.configured(route(serve=PORT))
    for path in ("/a%2Fb//c/../d?q=%20&q=2", "/%7Eada"):
        here.ask(path)
        assert here.port.paths()[-1] == path


@pytest.mark.parametrize("percent", [0, 0.5, 10, 99.99, 100])
def test_a_share_is_about_what_the_table_says(here, percent):
    """nginx refuses 0 %: its line is left out."""
    here.configured(route(serve=split(percent)))
    users = list(here.served(users=range(400)).values())
    assert set(users) <= {"original", "port"}
    assert abs(users.count("port") - 4 * percent) <= 4.5 * (4 * percent * (1 - percent / 100)) ** 0.5 + (
        0 if percent in (0, 100) else 1
    )


def test_a_user_stays_and_is_not_moved_back_by_a_larger_share(here):
    here.configured(route(serve=split(20)))
    at_20 = here.served()
    assert here.served() == at_20
    here.configured(route(serve=split(60)))
    at_60 = here.served()
    moved = [user for user in at_20 if at_20[user] != at_60[user]]
    assert moved
    assert {at_20[user] for user in moved} == {"original"}


def test_a_new_user_is_given_a_number_once_and_stays_by_it(here):
    here.configured(route(serve=split(50)))
    for _ in range(6):
        first = here.ask()
        (cookie,) = [each for each in first.headers.get_all("Set-Cookie") if each.startswith("gateway=")]
        assert re.fullmatch(r"gateway=[0-9a-f-]{32,36}; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax", cookie)
        again = here.ask(headers={"Cookie": cookie.partition(";")[0]})
        assert again.served_by == first.served_by
        assert not [each for each in again.headers.get_all("Set-Cookie") or [] if each.startswith("gateway=")]


def test_a_cookie_that_is_no_number_is_replaced(here):
    here.configured(route(serve=split(50)))
    answer = here.ask(headers={"Cookie": 'gateway=x"; Domain=example'})
    assert any(re.match(r"gateway=[0-9a-f-]{32,36};", each) for each in answer.headers.get_all("Set-Cookie"))


def test_where_nothing_is_split_nobody_is_given_a_cookie(here):
    here.configured(route(serve=ORIGINAL))
    assert here.ask().headers.get_all("Set-Cookie") is None


def test_a_header_keeps_a_user_too(here):
    here.configured(route(serve=split(50)), sticky='{ header = "X-User" }')
    met = {user: {here.ask(headers={"X-User": user}).served_by for _ in range(3)} for user in map(str, range(20))}
    assert all(len(apps) == 1 for apps in met.values())
    assert {app for apps in met.values() for app in apps} == {"original", "port"}
    assert here.ask().headers.get_all("Set-Cookie") is None


FORGED = dict.fromkeys(
    ("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Real-IP", "Forwarded"),
    "forged",
)


def test_what_a_client_says_of_itself_is_replaced_as_in_deploy(here):
    """The headers of deploy/nginx.conf, by test_proxy.py."""
    here.configured(route(serve=PORT))
    here.ask(headers={**FORGED, "X-Forwarded-Proto": "gopher", "Host": "shop.example"})
    (asked,) = here.port.asked
    assert asked.headers.get_all("X-Forwarded-For") == ["127.0.0.1"]
    assert asked.headers.get_all("X-Forwarded-Proto") == ["http"]
    assert asked.headers["Host"] == "shop.example"
    assert "forged" not in asked.headers.values()


def test_a_request_id_goes_on_or_is_made(here):
    here.configured(route(serve=PORT))
    for given in ("4bf92f35-77b3.4da6_A3CE", "x" * 64):
        here.ask(headers={"X-Request-ID": given})
        assert here.port.asked[-1].headers.get_all("X-Request-ID") == [given]
    for unfit in ("a b", "x" * 65, ""):
        here.ask(headers={"X-Request-ID": unfit})
        (made,) = here.port.asked[-1].headers.get_all("X-Request-ID")
        assert re.fullmatch(r"[0-9a-f-]{32,36}", made)


def test_what_the_app_says_of_who_served_is_not_believed(here):
    here.configured(route(serve=PORT))
    assert here.ask().headers.get_all("X-Served-By") == ["port"]


def test_a_hidden_path_and_a_body_that_is_too_large_come_to_nobody(here):
    here.configured(route(serve=PORT), hidden='["/metrics"]', max_body_mb=1)
    assert here.ask("/metrics").status == 404
    # Refused by what its head says: a client that went on sending might find the connection closed.
    assert here.ask("/", "POST", headers={"Content-Length": str((1 << 20) + 1)}).status == 413
    assert here.port.asked == here.original.asked == []
    assert here.ask("/", "POST", body=b"x" * (1 << 20)).status == 200


@pytest.mark.parametrize("kind", KINDS)
def test_a_proxy_starts_without_the_port_and_the_original_serves(kind, tmp_path):
    with site(kind, tmp_path, port_is_up=False) as here:
        here.configured(route(serve=PORT))
        for method in ("GET", "PUT", "DELETE", "POST"):
            answer = here.ask("/x", method, body=b"{}")
            assert (answer.status, answer.served_by) == (200, "original"), method
        assert [asked.method for asked in here.original.asked] == ["GET", "PUT", "DELETE", "POST"]
        assert here.original.asked[-1].body == b"{}"


def test_a_port_that_dies_is_replaced_and_serves_again_when_it_is_back(here):
    here.configured(route(serve=PORT))
    assert here.ask().served_by == "port"
    here.port.stop()
    assert [here.ask().served_by for _ in range(5)] == ["original"] * 5
    here.port.start()
    await_served(here, "port")


def await_served(here, role):
    # A proxy looks by itself, every second or so, whether a server is back.
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if here.ask().served_by == role:
            return
        time.sleep(0.05)
    pytest.fail(f"the {role} never served again")


@pytest.mark.parametrize(("method", "status"), [("POST", 502), ("PATCH", 502), ("GET", 200), ("PUT", 200)])
def test_what_may_not_be_done_twice_is_not_asked_again_once_it_was_sent(here, method, status):
    """A request whose connection breaks off may have been done: only an idempotent one is asked of the original
    (RFC 9110, 9.2.2)."""
    here.configured(route(serve=PORT))
    here.port.stop()
    with dying(here.port.address):
        assert here.ask("/x", method, body=b"{}").status == status
    assert here.original.paths() == (["/x"] if status == 200 else [])


def test_a_body_that_comes_after_its_head_is_asked_again_too(here):
    """HAProxy asks again only what it had whole when it first sent it, so it waits for a body before."""
    here.configured(route(serve=PORT))
    here.port.stop()
    with dying(here.port.address), socket.create_connection(("127.0.0.1", here.listen), timeout=20) as client:
        client.sendall(b"PUT /x HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 2\r\nConnection: close\r\n\r\n")
        time.sleep(0.2)
        client.sendall(b"{}")
        told = client.recv(1 << 16)
    assert told.startswith(b"HTTP/1.1 200 "), told
    assert here.original.paths() == ["/x"]


def taken(connection):
    """Read a request with its body `{}` to its end: what is left unread makes the end a reset, which HAProxy tells."""
    heard = b""
    while not heard.endswith(b"{}"):
        more = connection.recv(1 << 16)
        if not more:
            return False
        heard += more
    return True


@contextmanager
def dying(address):
    """A port that takes one request, and is gone before it answers."""
    listener = socket.create_server(address)
    listener.settimeout(20)

    def take():
        while True:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(20)
                # A check of HAProxy's connects and says nothing.
                with suppress(ConnectionError):
                    if taken(connection):
                        listener.close()
                        return

    thread = threading.Thread(target=take)
    thread.start()
    yield
    thread.join()


def test_an_error_of_the_proxy_is_not_said_to_be_an_app_s(here):
    here.configured(route(serve=PORT))
    here.port.stop()
    here.original.stop()
    answer = here.ask()
    assert answer.status in (502, 503)
    assert answer.served_by in (None, "gateway")


def test_after_a_rollback_s_reload_nobody_meets_the_port(here):
    here.configured(route(serve=PORT))
    kept = here.client()
    assert here.ask(client=kept).served_by == "port"
    here.command("rollback", here.folder / "cutover.toml")
    here.proxy.reload()
    kept.close()
    before = len(here.port.asked)
    assert set(here.served().values()) == {"original"}
    assert len(here.port.asked) == before


@pytest.mark.parametrize("kind", KINDS)
def test_a_proxy_understands_every_kind_of_table(kind, tmp_path):
    with site(kind, tmp_path) as here:
        routes = [route("/*", serve=split(33.33)), route("/{a}/b/*", serve=PORT, methods='["POST", "PATCH"]')]
        if kind == "nginx":
            routes += [route("/m", serve=ORIGINAL, mirror="0.01"), route("/m/{x}", serve=ORIGINAL, mirror=100)]
        here.command("write", here.table("\n".join(routes), hidden='["/metrics", "/x"]', logs=f'"{tmp_path}"'))
        told = subprocess.run(check_configuration(kind, tmp_path), capture_output=True, text=True, check=False)
        assert told.returncode == 0, told.stderr
        assert "warn" not in told.stderr.lower()


def test_over_tls_the_cookie_is_secure_and_the_scheme_is_told(here):
    import ssl

    import trustme

    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    # HAProxy looks for the key beside the certificate, under this name.
    certificate.cert_chain_pems[0].write_to_path(here.folder / "tls.crt")
    certificate.private_key_pem.write_to_path(here.folder / "tls.crt.key")
    files = f'{{ certificate = "{here.folder}/tls.crt", key = "{here.folder}/tls.crt.key" }}'
    here.configured(route(serve=split(50)))
    here.configured(route(serve=split(50)), tls=files)
    context = ssl.create_default_context()
    authority.configure_trust(context)
    client = http.client.HTTPSConnection("localhost", here.listen, timeout=20, context=context)
    here.stack.callback(client.close)
    answer = here.ask(client=client)
    assert answer.headers["Set-Cookie"].endswith("; Secure")
    assert (here.original.asked + here.port.asked)[0].headers["X-Forwarded-Proto"] == "https"
