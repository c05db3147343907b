"""One request and what both targets made of it is a value: reports and commands consume it and know no engine."""

from __future__ import annotations

from dataclasses import dataclass

from .difference import Difference
from .ledger import Entry
from .messages import Request, Response
from .secrets import Secrets
from .telling import tell, visible


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request sent to both targets.

    `port_request` is what the port was sent: the request in the port's own ids. `differences` are
    those that no entry of the ledger accepts, `accepted` those that one does, with the entry.
    `origin` is the scheme and authority that the request was meant for.
    """

    operation: str
    request: Request
    port_request: Request
    original: Response
    port: Response
    differences: tuple[Difference, ...] = ()
    accepted: tuple[tuple[Difference, Entry], ...] = ()
    origin: str = ""

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """The fingerprints of the differences that are not accepted, each once and in order."""
        return tuple(dict.fromkeys(difference.fingerprint(self.operation) for difference in self.differences))


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
