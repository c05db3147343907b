"""One run of a team's suite under pytest: which app it asks, which other one is asked, too, and what was found."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import wraps
from pathlib import Path
from typing import Any

from contract_tests.parity.applications import SpecError, called, find, kind_of
from contract_tests.parity.binding import Bindings, Declared
from contract_tests.parity.different import Different
from contract_tests.parity.drivers import framing
from contract_tests.parity.exchange import Exchange
from contract_tests.parity.ledger import Ledger
from contract_tests.parity.messages import Target
from contract_tests.parity.specs import can_reset, resolve, same_target
from contract_tests.parity.strength.fault import Broken, Fault

from .mirror import Mirror, within

# Where the clients of this process call an app: module, class, method. A suite that lacks one does not use it.
CALLS = (
    ("werkzeug.test", "Client", "run_wsgi_app"),
    ("flask.testing", "FlaskClient", "session_transaction"),
    ("httpx", "WSGITransport", "handle_request"),
    ("httpx", "ASGITransport", "handle_async_request"),
    ("starlette.testclient", "_TestClientTransport", "handle_request"),
)


class Suite:
    """The two SPECs of a run, the targets they name, and the suite's own app in its role.

    `reset` says when the other app is rewound: before each "test", with each new "app" object of the suite's, or
    "never". Raises SpecError, LedgerError and OSError for what cannot be used.
    """

    def __init__(
        self,
        original: str,
        port: str,
        *,
        resets: dict[str, str | None],
        ledger: Path | None = None,
        collect: bool = False,
        reset: str = "test",
        sessions_shared: bool = False,
        broken: str | None = None,
    ) -> None:
        same_target(original, port)
        self._fault = _fault(broken) if broken else None
        self.specs = {"original": original, "port": port}
        self.ledger = Ledger.load(ledger) if ledger else Ledger.empty()
        self.collect, self.when, self.sessions_shared = collect, reset, sessions_shared
        self.exchanges = 0
        self.accepted: dict[str, int] = {}
        self.fingerprints: dict[str, int] = {}
        self.different: list[Exchange] = []
        self._resets = resets
        self._made = ExitStack()
        self._mirrors: dict[str, Mirror] = {}
        self._app: Any = None
        self._stale = False
        self._patched: list[tuple[Any, str, Any]] = []
        self._examples = {role: _example(spec) for role, spec in self.specs.items()}

    def patch(self) -> None:
        """Let what the suite has imported ask both apps, whenever it was made."""
        for module, name, method in CALLS:
            owner = getattr(sys.modules.get(module), name, None)
            if owner is not None and not any((owner, method) == done[:2] for done in self._patched):
                call = getattr(owner, method)
                self._patched.append((owner, method, call))
                setattr(owner, method, _PATCHES[method](self, call))

    def close(self) -> None:
        """Give the clients back as they were, and end what this run started."""
        for owner, method, call in reversed(self._patched):
            setattr(owner, method, call)
        self._patched.clear()
        self._made.close()

    def begin_test(self) -> None:
        self.patch()
        self.different.clear()
        self._stale |= self.when == "test"

    def untold(self) -> Different | None:
        """What of the current test differed, as its failure."""
        found, self.different = self.different, []
        return Different(*found, secrets=self._secrets()) if found else None

    def mirror(self, app: Any) -> Mirror | None:
        """The mirror for an app that the suite asks, its other side rewound if that is due; None for a third app,
        and for what an app asks itself."""
        role = None if within() else self._role(app)
        if role is None:
            return None
        if role not in self._mirrors:
            self._mirrors[role] = self._made_mirror(role, app)
        elif self._stale or (self.when != "never" and app is not self._app):
            # A new app of the suite's is a new world.
            self._rewind(role)
        self._app, self._stale = app, False
        return self._mirrors[role]

    def _role(self, app: Any) -> str | None:
        """The suite's own app is what a SPEC names, or of the kind of what it names here, the original first."""
        kind = kind_of(app)
        named = next((role for role, example in self._examples.items() if example is app), None)
        return named or next(
            (role for role, example in self._examples.items() if kind and kind_of(example) == kind), None
        )

    def _made_mirror(self, role: str, app: Any) -> Mirror:
        other = "port" if role == "original" else "original"
        target: Target = self._made.enter_context(resolve(self.specs[other], reset=self._resets[other]))
        if self._fault is not None:
            target = Broken(target, self._fault)
        # Its own app's world is the suite's to make: nobody knows which ids it begins with.
        return Mirror(
            target,
            name=framing.name_of(app),
            role=role,
            collect=True,
            accepted=self.ledger,
            bindings=Bindings(Declared.of(self.ledger.bind)),
            on_exchange=self._saw,
        )

    def _rewind(self, role: str) -> None:
        other = "port" if role == "original" else "original"
        if can_reset(self.specs[other], reset=self._resets[other]):
            self._mirrors[role].pair.reset()

    def _saw(self, exchange: Exchange) -> None:
        self.exchanges += 1
        for _, entry in exchange.accepted:
            self.accepted[str(entry)] = self.accepted.get(str(entry), 0) + 1
        for fingerprint in exchange.fingerprints:
            self.fingerprints[fingerprint] = self.fingerprints.get(fingerprint, 0) + 1
        if exchange.differences:
            self.different.append(exchange)
            if not self.collect:
                raise Different(exchange, secrets=self._secrets())

    def _secrets(self) -> Any:
        return next(iter(self._mirrors.values())).pair.secrets


def _fault(name: str) -> Fault:
    from contract_tests.parity.strength.known import FAULTS

    found = next((fault for fault in FAULTS if fault.name == name), None)
    if found is None:
        raise SpecError(f"--parity-break {name!r} is no known fault: {', '.join(fault.name for fault in FAULTS)}")
    return found


def _example(spec: str) -> Any:
    """An app as a SPEC names it in this process; None for a server."""
    if "{port}" in spec or spec.lower().startswith(("http://", "https://")):
        return None
    found = find(spec.removesuffix("()"))
    return called(found, spec) if spec.endswith("()") else found


def _werkzeug(suite: Suite, call: Callable[..., Any]) -> Callable[..., Any]:
    from .in_werkzeug import run_mirrored

    @wraps(call)
    def run_wsgi_app(client: Any, environ: Any, buffered: bool = False) -> Any:
        mirror = suite.mirror(client.application)
        if mirror is None:
            return call(client, environ, buffered)
        return run_mirrored(client, mirror, environ, buffered=buffered)

    return run_wsgi_app


def _session(suite: Suite, call: Callable[..., Any]) -> Callable[..., Any]:
    from .in_werkzeug import refuse_unshared

    @wraps(call)
    def session_transaction(client: Any, *args: Any, **kwargs: Any) -> Any:
        if suite.mirror(client.application) is not None:
            refuse_unshared(client.application, shared=suite.sessions_shared)
        return call(client, *args, **kwargs)

    return session_transaction


def _httpx(suite: Suite, call: Callable[..., Any]) -> Callable[..., Any]:
    from .in_httpx import handled

    @wraps(call)
    def handle_request(transport: Any, request: Any) -> Any:
        mirror = suite.mirror(transport.app) if request.url.scheme in ("http", "https") else None
        return call(transport, request) if mirror is None else handled(call, transport, request, mirror)

    return handle_request


def _httpx_async(suite: Suite, call: Callable[..., Any]) -> Callable[..., Any]:
    from .in_httpx import handled_async

    @wraps(call)
    async def handle_async_request(transport: Any, request: Any) -> Any:
        mirror = suite.mirror(transport.app)
        return await (call(transport, request) if mirror is None else handled_async(call, transport, request, mirror))

    return handle_async_request


_PATCHES: dict[str, Callable[[Suite, Callable[..., Any]], Callable[..., Any]]] = {
    "run_wsgi_app": _werkzeug,
    "session_transaction": _session,
    "handle_request": _httpx,
    "handle_async_request": _httpx_async,
}
