"""Raw bytes that no client library sends, for two servers: this repository's live run has them, a check not yet."""

from __future__ import annotations

from contract_tests.parity.known import Cases, Known
from contract_tests.parity.plan import SourceLeftOutError


def wire(known: Known) -> Cases:
    """Raises SourceLeftOutError: a case is a request that can be read, and these are bytes that may not be."""
    raise SourceLeftOutError("raw bytes are sent by `python -m contract_tests.live` alone so far")
