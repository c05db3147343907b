"""The failure of a test: exchanges that differ, told in full."""

from __future__ import annotations

from .exchange import Exchange
from .secrets import Secrets
from .telling import tell, visible


class Different(AssertionError):
    """The port does not answer as the original. The message tells everything; `exchanges` holds it as values."""

    def __init__(self, *exchanges: Exchange, secrets: Secrets | None = None) -> None:
        self.exchanges = exchanges
        self.fingerprints = tuple(dict.fromkeys(print_ for each in exchanges for print_ in each.fingerprints))
        super().__init__(_message(exchanges, self.fingerprints, secrets or Secrets()))


def _message(exchanges: tuple[Exchange, ...], fingerprints: tuple[str, ...], secrets: Secrets) -> str:
    if len(exchanges) == 1:
        return tell(exchanges[0], secrets=secrets)
    # Telling learns the secrets that the list must not show.
    told = "\n\n".join([tell(exchange, secrets=secrets) for exchange in _first_of_each(exchanges)])
    listed = "\n".join(f"  {visible(secrets.hide(each))}" for each in fingerprints)
    return f"{len(fingerprints)} differences in {len(exchanges)} exchanges\n{listed}\n\n{told}"


def _first_of_each(exchanges: tuple[Exchange, ...]) -> list[Exchange]:
    """The exchanges that show a fingerprint not shown before: the rest would only repeat them."""
    seen: set[str] = set()
    first = []
    for exchange in exchanges:
        if not seen.issuperset(exchange.fingerprints):
            first.append(exchange)
            seen.update(exchange.fingerprints)
    return first
