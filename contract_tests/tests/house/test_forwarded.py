"""The decision on who asks, as a function: whatever the headers hold"""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_core.http.forwarded import UNKNOWN, Client, Proxies, parse_address

NONE = Proxies()
LOCAL = Proxies.parse("127.0.0.1, 10.0.0.0/8, ::1, 2001:db8:1::/48")


def client(peer="127.0.0.1", scheme="http", *, proxies=LOCAL, forwarded_for=None, forwarded_proto=None):
    return proxies.client(peer, scheme, forwarded_for=forwarded_for, forwarded_proto=forwarded_proto)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("203.0.113.7:80", "203.0.113.7"),
        ("::1", "::1"),
        ("[::1]", "::1"),
        ("[::1]:65535", "::1"),
        ("2001:DB8::0:1", "2001:db8::1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("[::ffff:10.0.0.1]:1", "10.0.0.1"),
    ],
)
def test_an_address_is_read_with_its_port_or_without(text, address):
    assert str(parse_address(text)) == address


@pytest.mark.parametrize(
    "text",
    [
        "", "-", "unknown", "_hidden", "localhost", "testclient", "10.0.0", "10.0.0.256", "010.0.0.1", "0x7f.1", "1",
        "10.0.0.1:", "10.0.0.1:x", "10.0.0.1:123456", "10.0.0.1:\u0663", "[::1", "::1]", "[::1]x", "[::1]:",
        "[10.0.0.1]x:1",
        "fe80::1%eth0", "fe80::1%", "[fe80::1%25eth0]", "10.0.0.1/8", "1.2.3.4 5.6.7.8",
        "\u0661.2.3.4", '"[::1]"', "::1::",
        "for=10.0.0.1", "unix:", "10.0.0.1\n", "127.0.0.1\x00",
    ],
)  # fmt: skip
def test_anything_else_is_no_address(text):
    assert parse_address(text) is None


@pytest.mark.parametrize("peer", ["203.0.113.7", "::ffff:203.0.113.7", "[2001:db8::7]"])
@pytest.mark.parametrize("forwarded_for", ["198.51.100.9", "127.0.0.1", "rubbish", "", None])
def test_a_peer_that_is_not_trusted_is_the_client(peer, forwarded_for):
    seen = client(peer, forwarded_for=forwarded_for, forwarded_proto="https")
    assert seen == Client(str(parse_address(peer)), "http", direct=forwarded_for is None)


@pytest.mark.parametrize("peer", ["", "-", "unix:", "testclient"])
def test_a_peer_without_an_address_is_trusted_by_nobody(peer):
    """A socket in the file system has none."""
    assert client(peer, forwarded_for="198.51.100.9", forwarded_proto="https") == Client(UNKNOWN, "http")


@pytest.mark.parametrize(
    ("forwarded_for", "address"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("198.51.100.9,203.0.113.7,10.0.0.1,2001:db8:1::5,::1", "203.0.113.7"),
        ("::ffff:203.0.113.7 , 10.0.0.1", "203.0.113.7"),
        ("10.0.0.2, 10.0.0.1", "10.0.0.2"),
        (",, 203.0.113.7 ,\t,10.0.0.1,", "203.0.113.7"),
        ("198.51.100.9, unknown, 10.0.0.1", UNKNOWN),
        ("198.51.100.9 203.0.113.7", UNKNOWN),
    ],
)
def test_the_client_is_the_rightmost_address_that_is_not_trusted(forwarded_for, address):
    assert client(forwarded_for=forwarded_for).address == address


@given(st.text(max_size=60), st.text(max_size=20))
def test_whatever_is_forwarded_an_address_or_nothing_comes_of_it(forwarded_for, forwarded_proto):
    seen = client(forwarded_for=forwarded_for, forwarded_proto=forwarded_proto)
    assert seen.scheme in {"http", "https"}
    assert seen.address == UNKNOWN or str(ip_address(seen.address)) == seen.address


ADDRESSES = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str)


@given(st.lists(st.one_of(ADDRESSES, st.text(max_size=20))), st.ip_addresses(v=4, network="203.0.113.0/24"))
def test_nothing_to_the_left_of_a_stranger_counts(left, stranger):
    assert client(forwarded_for=",".join([*left, str(stranger), "10.0.0.1"])).address == str(stranger)


@pytest.mark.parametrize(
    ("address", "direct", "near"),
    [
        ("127.0.0.1", True, True),
        ("127.9.9.9", True, True),
        ("::1", True, True),
        ("10.1.2.3", True, True),
        ("203.0.113.7", True, False),
        ("127.0.0.1", False, False),
        ("10.1.2.3", False, False),
        (UNKNOWN, True, False),
    ],
)
def test_near_is_this_machine_and_the_proxies_themselves(address, direct, near):
    assert LOCAL.is_near(Client(address, "http", direct)) is near


def test_without_proxies_only_this_machine_is_near():
    assert NONE.is_near(Client("127.0.0.1", "http"))
    assert not NONE.is_near(Client("10.1.2.3", "http"))


@pytest.mark.parametrize("text", ["10.0.0.1/8", "*", "localhost", "10.0.0.0/33", "unix:", "10.0.0.1;::1", "0.0.0.0/x"])
def test_what_is_no_network_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        Proxies.parse(text)
