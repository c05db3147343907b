"""Which tests `make test` leaves out is told by markers, and no test can forget its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NoReturn
from unittest import mock

import pytest

from contract_tests.parity.servers import Server


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "redis_url" in getattr(item, "fixturenames", ()) or item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.services)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """A test without the marker starts no server, nor does a fixture that it alone asks for."""
    if any(map(item.get_closest_marker, ("servers", "services"))):
        return (yield)
    with mock.patch.object(Server, "start", refuse):
        return (yield)


def refuse(_: Server) -> NoReturn:
    pytest.fail("a test that starts a server needs @pytest.mark.servers")
