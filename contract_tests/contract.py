"""The two targets of a run, and what is noted of their outcomes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from contract_tests.gate import Gate
from contract_tests.parity import Bindings, Ledger, PairTransport, Target
from contract_tests.parity.messages import Request, Response

HERE = Path(__file__).parent
LEDGER = HERE / "accepted_differences.toml"
DECISIONS = HERE.parent / "docs" / "decisions"


class Observed:
    """A target whose outcomes go by the gate. Closing it leaves the target open: the run owns that."""

    def __init__(self, role: str, target: Target, gate: Gate) -> None:
        self.role = role
        self.target = target
        self.gate = gate

    @property
    def name(self) -> str:
        return self.target.name

    def send(self, request: Request) -> Response:
        response = self.target.send(request)
        self.gate.observe(self.role, request, response)
        return response

    def reset(self) -> None:
        self.target.reset()

    def close(self) -> None:
        pass

    def __enter__(self) -> Observed:
        return self

    def __exit__(self, *exc: object) -> None:
        pass


@dataclass(slots=True)
class Contract:
    """Original and port, open. `rewinds`: whether reset() takes both back to an empty world."""

    original: Target
    port: Target
    ledger: Ledger
    bindings: Bindings
    rewinds: bool

    def target(self, role: str) -> Target:
        return self.original if role == "original" else self.port

    def reset(self, *roles: str) -> None:
        for role in roles:
            self.target(role).reset()

    def pair(self, gate: Gate) -> PairTransport:
        """A transport that sends each request to both and compares; each is still seen by the gate."""
        return PairTransport(
            Observed("original", self.original, gate),
            Observed("port", self.port, gate),
            accepted=self.ledger,
            bindings=self.bindings,
            operation=gate.name_of,
        )


@contextmanager
def open_contract(
    *,
    original: str | None = None,
    port: str | None = None,
    reset_original: str | None = None,
    reset_port: str | None = None,
    fresh: bool = False,
) -> Iterator[Contract]:
    """Open the targets that two SPECs name; without a SPEC, our own app of that role in process. Raises SpecError."""
    from contract_tests import targets
    from contract_tests.parity.specs import resolve, same_target

    ledger = Ledger.load(LEDGER, decisions=DECISIONS)
    with ExitStack() as stack:
        opened: list[Target] = []
        for role, spec, reset in (("original", original, reset_original), ("port", port, reset_port)):
            own = getattr(targets, role.upper()) if fresh else None
            target = resolve(spec or own, reset=reset) if spec or own else targets.open_target(role)
            opened.append(stack.enter_context(target))
        if original and port:
            same_target(*opened)
        deterministic = not original and not port
        yield Contract(
            original=opened[0],
            port=opened[1],
            ledger=ledger,
            bindings=Bindings.opaque() if deterministic else Bindings(),
            rewinds=deterministic or bool(reset_original and reset_port),
        )
