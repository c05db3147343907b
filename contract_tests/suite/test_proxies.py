"""TRUSTED_PROXIES decides who asks and by which scheme, whatever a client writes into its headers"""

import json
import logging
from urllib.parse import urlsplit

import pytest

from contract_tests.suite.world import PEER, own_world

FORWARDED = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "http"}
# What else proxies and clients write; none of it counts.
OTHERS = {
    "Forwarded": "for=198.51.100.9;proto=ftp;host=evil.example",
    "X-Real-IP": "198.51.100.9",
    "X-Client-IP": "198.51.100.9",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Port": "9",
    "X-Forwarded-Prefix": "/evil",
    "X-Forwarded-Ssl": "on",
    "X-Forwarded-Protocol": "ssl",
    "X-Forwarded-Scheme": "https",
    "X-Url-Scheme": "https",
    "Front-End-Https": "on",
}


@pytest.fixture
def seen(caplog):
    """Client and scheme, as the last line of the access log has them."""
    caplog.set_level(logging.INFO, "access")

    def seen():
        line = json.loads([record for record in caplog.records if record.name == "access"][-1].getMessage())
        return line["client"], line["scheme"]

    return seen


# What a trusted peer forwards, and who it is then.
TOLD = [
    ("203.0.113.7", "203.0.113.7"),
    ("198.51.100.9, 203.0.113.7", "203.0.113.7"),
    ("198.51.100.9, 203.0.113.7, 127.0.0.1", "203.0.113.7"),
    ("127.0.0.1, 203.0.113.7", "203.0.113.7"),
    ("203.0.113.7:50000", "203.0.113.7"),
    ("2001:db8::7", "2001:db8::7"),
    ("2001:0DB8:0::0007", "2001:db8::7"),
    ("[2001:db8::7]:443", "2001:db8::7"),
    ("::ffff:203.0.113.7", "203.0.113.7"),
    ("rubbish, 203.0.113.7", "203.0.113.7"),
    ("203.0.113.7, rubbish", "-"),
    ("unknown", "-"),
    ("203.0.113.7; drop", "-"),
    ("", "127.0.0.1"),
    (" , ", "127.0.0.1"),
]


@pytest.mark.in_process
@pytest.mark.parametrize(("forwarded", "client"), TOLD)
def test_behind_a_trusted_proxy_the_client_is_the_rightmost_stranger(start, services, seen, forwarded, client):
    start(services).get("/", headers={"X-Forwarded-For": forwarded})
    assert seen() == (client, "https")


@pytest.mark.in_process
@pytest.mark.parametrize("repeated", [["198.51.100.9", "203.0.113.7"], ["198.51.100.9, 203.0.113.7", "127.0.0.1"]])
def test_a_repeated_header_is_one_list(start, services, seen, repeated):
    start(services).get("/", headers=[("X-Forwarded-For", each) for each in repeated])
    assert seen() == ("203.0.113.7", "https")


@pytest.mark.in_process
@pytest.mark.parametrize(
    ("forwarded", "scheme"),
    [("http", "http"), ("HTTPS", "https"), ("http, https", "https"), ("https,http", "http"), ("ftp", "https"),
     ("", "https"), ("http,", "https"), ("http;x", "https")],
)  # fmt: skip
def test_the_scheme_is_the_nearest_proxy_s_word(start, services, seen, forwarded, scheme):
    api = start(services)
    answer = api.get("/user//1", headers={"X-Forwarded-Proto": forwarded})
    assert urlsplit(answer.headers["location"]).scheme == scheme
    assert seen() == ("127.0.0.1", scheme)


@pytest.mark.in_process
@pytest.mark.parametrize("trusted", ["", "10.0.0.0/8, ::1"])
def test_whoever_is_not_trusted_is_the_client_whatever_they_say(start, seen, trusted):
    with own_world(trusted_proxies=trusted) as world:
        answer = start(world.services).get("/user//1", headers=FORWARDED)
        assert seen() == (PEER, "https")
    assert urlsplit(answer.headers["location"]).scheme == "https"


@pytest.mark.in_process
def test_a_network_of_proxies_is_trusted_as_a_whole(start, seen):
    with own_world(trusted_proxies="127.0.0.0/24,10.0.0.0/8") as world:
        start(world.services).get("/", headers={"X-Forwarded-For": "198.51.100.9, 203.0.113.7, 10.1.2.3, 10.9.9.9"})
        assert seen() == ("203.0.113.7", "https")


@pytest.mark.in_process
def test_no_other_header_counts(start, services, seen):
    answer = start(services).get("/user//1", headers=OTHERS)
    assert seen() == (PEER, "https")
    assert urlsplit(answer.headers["location"])[:3] == ("https", "testserver", "/user/1")


@pytest.mark.in_process
def test_metrics_are_closed_to_who_comes_through_a_proxy_that_nobody_trusts(start):
    """Its address is this machine's, and whoever asks is not."""
    with own_world(trusted_proxies="") as world:
        api = start(world.services)
        assert api.get("/metrics").status_code == 200
        assert api.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 404


@pytest.mark.in_process
def test_metrics_are_open_to_a_proxy_that_asks_for_itself(start):
    with own_world(trusted_proxies="127.0.0.0/24,10.0.0.0/8") as world:
        api = start(world.services)
        assert api.get("/metrics", headers={"X-Forwarded-For": "10.1.2.3"}).status_code == 200
        assert api.get("/metrics", headers={"X-Forwarded-For": "11.1.2.3"}).status_code == 404


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_forwarded_scheme_is_that_of_the_absolute_urls(api, scheme):
    answer = api.get("/user//1", headers={"X-Forwarded-Proto": scheme})
    assert urlsplit(answer.headers["location"]).scheme == scheme


@pytest.mark.parametrize("name", sorted(OTHERS))
def test_no_other_header_changes_the_absolute_urls(api, name):
    plain = api.get("/user//1").headers["location"]
    assert api.get("/user//1", headers={name: OTHERS[name]}).headers["location"] == plain
