"""Who asks, and by which scheme, where proxies stand in between: TRUSTED_PROXIES alone decides it, for both apps."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Self

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# In place of an address: nobody knows it.
UNKNOWN = "-"
SCHEMES = frozenset({"http", "https"})


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks: an address in its canonical form or UNKNOWN, and the scheme that they use.

    `direct` is False where a peer that is not trusted says that it forwards: its address is known, and is not that of
    whoever asks.
    """

    address: str
    scheme: str
    direct: bool = True


@dataclass(frozen=True, slots=True)
class Proxies:
    """The networks whose word on others' addresses is taken."""

    networks: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Addresses and networks between commas, as in `10.0.0.0/8, ::1`. Raises ValueError."""
        return cls(tuple(ip_network(part) for item in text.split(",") if (part := item.strip())))

    def trusts(self, address: str) -> bool:
        """Whether an address is one of theirs."""
        parsed = parse_address(address)
        return parsed is not None and self.holds(parsed)

    def holds(self, address: Address) -> bool:
        return any(address in network for network in self.networks)

    def is_near(self, client: Client) -> bool:
        """Whether someone on this very machine asks, or one of the proxies, and nobody through them."""
        address = parse_address(client.address)
        return client.direct and address is not None and (address.is_loopback or self.holds(address))

    def client(self, peer: str, scheme: str, *, forwarded_for: str | None, forwarded_proto: str | None) -> Client:
        """Who asks, by the connection's own address and scheme and what X-Forwarded-For and -Proto say.

        A header field that was repeated is given joined by commas. A peer that is not trusted is the client, whatever
        it says. Otherwise it is the rightmost address that is not trusted: each proxy adds at the right whom it met,
        and all to the left of a stranger is the stranger's own word. What is no address ends the search: then nobody
        knows who asks. The scheme is the nearest proxy's word, the rightmost.
        """
        address = parse_address(peer)
        if address is None:
            return Client(UNKNOWN, scheme)
        if not self.holds(address):
            return Client(str(address), scheme, direct=forwarded_for is None)
        told = (forwarded_proto or "").rpartition(",")[2].strip(" \t").lower()
        return Client(self._rightmost(forwarded_for or "", address), told if told in SCHEMES else scheme)

    def _rightmost(self, forwarded_for: str, nearest: Address) -> str:
        rest = forwarded_for
        while rest and self.holds(nearest):
            rest, _, entry = rest.rpartition(",")
            # RFC 9110 section 5.6.1.2: empty members of a list do not count.
            if entry := entry.strip(" \t"):
                address = parse_address(entry)
                if address is None:
                    return UNKNOWN
                nearest = address
        return str(nearest)


# The same few peers ask again and again, and to parse an address costs more than all else that is done with it.
@lru_cache(maxsize=256)
def parse_address(text: str) -> Address | None:
    """An IP address, with its port or without; None for anything else. An IPv4 address within IPv6 is the IPv4 one."""
    if text.startswith("["):
        text, closed, port = text[1:].partition("]")
        if not closed or not _is_port(port.removeprefix(":"), optional=not port):
            return None
    elif text.count(":") == 1:
        text, _, port = text.partition(":")
        if not _is_port(port):
            return None
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv4Address):
        return address
    # A zone is a name of the peer's own machine, and may be any text.
    return None if address.scope_id is not None else address.ipv4_mapped or address


def _is_port(text: str, *, optional: bool = False) -> bool:
    return optional or (text.isascii() and text.isdigit() and len(text) <= 5)
