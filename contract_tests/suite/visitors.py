"""Who comes to the apps under contract: a browser that meets both, and what a person signs in with."""

from __future__ import annotations

from typing import Any

import httpx

from contract_tests.parity import Target
from contract_tests.parity.transport import TargetTransport
from contract_tests.suite.world import BASE_URL


class Visitor:
    """One browser that meets two apps, `here` and `there`, over one database and one session store."""

    def __init__(self, here: Target, there: Target) -> None:
        self._transports = TargetTransport(here), TargetTransport(there)
        self._client = httpx.Client(transport=self._transports[0], base_url=BASE_URL, trust_env=False)

    @property
    def here(self) -> httpx.Client:
        return self._at(0)

    @property
    def there(self) -> httpx.Client:
        return self._at(1)

    def _at(self, which: int) -> httpx.Client:
        self._client._transport = self._transports[which]
        return self._client


def credentials(person: dict[str, Any]) -> dict[str, Any]:
    """What a person signs in with."""
    return {"email": person["email"], "password": person["password"]}
