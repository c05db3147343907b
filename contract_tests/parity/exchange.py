"""One request and what both targets made of it is a value: reports and commands consume it and know no engine."""

from __future__ import annotations

from dataclasses import dataclass

from .difference import Difference
from .ledger import Entry
from .messages import Request, Response


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request sent to both targets.

    `port_request` is what the port was sent: the request in the port's own ids. `differences` are
    those that no entry of the ledger accepts, `accepted` those that one does, with the entry.
    `times` are those that two clocks told, and that are alike as times.
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
    times: tuple[Difference, ...] = ()

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """The fingerprints of the differences that are not accepted, each once and in order."""
        return tuple(dict.fromkeys(difference.fingerprint(self.operation) for difference in self.differences))
