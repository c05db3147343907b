"""The two targets of a run, and what is noted of their outcomes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from contract_tests.parity import Bindings, Exchange, Ledger, PairTransport, Target
from contract_tests.parity.declared import Declared
from contract_tests.parity.messages import Request, Response
from contract_tests.parity.secrets import Secrets
from contract_tests.parity.specs import can_reset, resolve, same_target
from contract_tests.suite import targets
from contract_tests.suite.gate import Gate
from contract_tests.suite.world import SignInProvider, World, on_postgresql, on_store, own_world, provider

HERE = Path(__file__).parents[1]
LEDGER = HERE / "accepted_differences.toml"
DECISIONS = HERE.parent / "docs" / "decisions"

# What test_secrets.py plants everywhere; a server's log is searched for it.
PLANTED_SECRET = "hunter2-s3cret"

GATE = pytest.StashKey[Gate]()


class Observed:
    """A target whose outcomes go by the gate. Closing it leaves the target open: the run owns that."""

    def __init__(self, role: str, target: Target, gate: Gate, sent: list[Request]) -> None:
        self.role = role
        self.target = target
        self.gate = gate
        self.sent = sent

    @property
    def name(self) -> str:
        return self.target.name

    def send(self, request: Request) -> Response:
        self.sent.append(request)
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
    """Original and port, open.

    `bound`: whether each makes its own ids, so that they are bound and not compared literally.
    `rewinds`: whether reset() takes both back to an empty world. `on_exchange` sees every exchange of the pair.
    `sent` are the requests since the last reset. `provider` is where both sign in, and `shared` both apps again, over
    one database and one session store; there are none where the targets are not our own.
    """

    original: Target
    port: Target
    ledger: Ledger
    bound: bool
    rewinds: bool
    provider: SignInProvider | None = None
    shared: Mapping[str, Target] = field(default_factory=dict)
    on_exchange: Callable[[Exchange], object] | None = None
    sent: list[Request] = field(default_factory=list)
    secrets: Secrets = field(default_factory=Secrets)
    _bindings: Bindings | None = None

    def target(self, role: str) -> Target:
        return self.original if role == "original" else self.port

    def observed(self, role: str, gate: Gate) -> Observed:
        """The target of a role, with its outcomes noted."""
        return Observed(role, self.target(role), gate, self.sent)

    def without_secrets(self, told: str) -> str:
        """What a failed assertion tells, without the secrets that its test sent."""
        for request in self.sent:
            self.secrets.learn(request)
        return self.secrets.body(told, of_request=True)

    def reset(self, *roles: str) -> None:
        self.sent.clear()
        for role in roles:
            self.target(role).reset()
        if self.rewinds:
            self._bindings = None

    def pair(self, gate: Gate) -> PairTransport:
        """A transport that sends each request to both and compares; each is still seen by the gate."""
        return PairTransport(
            self.observed("original", gate),
            self.observed("port", gate),
            accepted=self.ledger,
            bindings=self.bindings(),
            operation=gate.name_of,
            on_exchange=self.on_exchange,
        )

    def bindings(self) -> Bindings:
        """What is known of which ids are partners: it lives as long as the two worlds do."""
        if self._bindings is None:
            declared = Declared.of(self.ledger.bind)
            self._bindings = Bindings(declared) if self.bound else Bindings.opaque(declared)
        return self._bindings


def open_ledger() -> Ledger:
    """The accepted differences. Raises LedgerError."""
    return Ledger.load(LEDGER, decisions=DECISIONS)


@contextmanager
def open_contract(
    *,
    original: str | None = None,
    port: str | None = None,
    reset_original: str | None = None,
    reset_port: str | None = None,
    fresh: bool = False,
    database: str | None = None,
    session_store: str | None = None,
    sign_in_at: SignInProvider | None = None,
) -> Iterator[Contract]:
    """Open the targets that two SPECs name; without a SPEC, our own app of that role in process.

    `fresh` makes our own anew at each reset; `database` is a PostgreSQL server for their worlds, `session_store` a
    Redis, `sign_in_at` a provider other than the usual one. Raises SpecError.
    """
    specs = {"original": (original, reset_original), "port": (port, reset_port)}
    if original and port:
        same_target(original, port)
    with ExitStack() as stack:
        opened = {}
        ours = not original and not port
        provided = (sign_in_at or provider()) if ours else None
        told = provided.settings() if provided else {}

        def world() -> AbstractContextManager[World]:
            changes = {**told, **on_store(session_store)}
            return on_postgresql(database, **changes) if database else own_world(**changes)

        for role, (spec, reset) in specs.items():
            own = targets.SPECS[role] if fresh else None
            if spec or own:
                target = resolve(spec or own or "", reset=reset)
            else:
                target = targets.open_target(role, stack.enter_context(world()))
            opened[role] = stack.enter_context(target)
        shared = {}
        if ours:
            both = stack.enter_context(world())
            shared = {role: stack.enter_context(targets.open_target(role, both)) for role in specs}
        yield Contract(
            original=opened["original"],
            port=opened["port"],
            ledger=open_ledger(),
            bound=any(spec is not None and not can_reset(spec) for spec, _ in specs.values()),
            provider=provided,
            shared=shared,
            rewinds=all(spec is None or can_reset(spec, reset=reset) for spec, reset in specs.values()),
        )


CONTRACT = pytest.StashKey[Contract]()
