"""Fixtures and command-line options: which apps are under contract, and the clients that speak to them."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from contract_tests.parity import Different, Target
from contract_tests.parity.drivers import LifespanError
from contract_tests.parity.ledger import LedgerError
from contract_tests.parity.servers import ServerError
from contract_tests.parity.specs import SpecError, can_reset
from contract_tests.parity.transport import TargetTransport
from contract_tests.suite.contract import CONTRACT, GATE, Contract, Observed, open_contract
from contract_tests.suite.gate import IN_PROCESS, ON_SERVERS, Gate
from contract_tests.suite.visitors import Visitor, credentials
from contract_tests.suite.world import BASE_URL, SignInProvider, World, own_world
from shared_core.services import Services

HERE = Path(__file__).parent
SUITE = HERE / "suite"
SPEC = HERE.parent / "shared_core" / "openapi.json"
ROLES = ("original", "port")

# What makes a run a part of the suite only, and the modules of which a run against servers leaves all tests out.
PARTIAL = pytest.StashKey[list[str]]()
LEFT_OUT = pytest.StashKey[set[Path]]()
# The tags of operations that no test could ask.
UNASKED = pytest.StashKey[frozenset[str]]()
# How many tests of these markers `make test` leaves out.
BY_MAKE_SERVERS = ("servers", "services")
LEFT_TO_SERVERS = pytest.StashKey[int]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("contract", "the apps under contract")
    for role in ROLES:
        group.addoption(
            f"--{role}",
            metavar="SPEC",
            help=f"the {role}: module:attribute, module:factory(), a URL, or a command containing {{port}}",
        )
        group.addoption(
            f"--reset-{role}",
            metavar="CMD",
            help=f"rewinds the {role}'s world before each test: a command, or package.module:callable",
        )
    group.addoption("--database-url", metavar="URL", help="a PostgreSQL server for the worlds of our own two apps")
    group.addoption("--session-store", metavar="URL", help="a Redis for the sessions of our own two apps")
    group.addoption(
        "--provider",
        choices=["python", "node"],
        default="python",
        help="where our own two apps sign in: a provider in Python, or npm's oidc-provider",
    )
    group.addoption(
        "--fresh-apps", action="store_true", help="make both apps anew for each test, instead of rewinding them"
    )
    group.addoption(
        "--pairs-only",
        action="store_true",
        help="run a test that has a client of either app, and one of both, with that of both alone",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[GATE] = Gate(json.loads(SPEC.read_bytes()))
    config.stash[PARTIAL] = []
    config.stash[LEFT_OUT] = set()
    config.stash[UNASKED] = frozenset()
    config.stash[LEFT_TO_SERVERS] = 0


@pytest.fixture(scope="session")
def contract(pytestconfig: pytest.Config) -> Iterator[Contract]:
    """The two targets of this run. One that does not import or start fails the run; it is never skipped."""
    given = pytestconfig.stash.get(CONTRACT, None)
    if given is not None:
        yield given
        return
    option = pytestconfig.getoption
    with ExitStack() as stack:
        try:
            opened = stack.enter_context(
                open_contract(
                    original=option("--original"),
                    port=option("--port"),
                    reset_original=option("--reset-original"),
                    reset_port=option("--reset-port"),
                    fresh=option("--fresh-apps"),
                    database=option("--database-url"),
                    session_store=option("--session-store"),
                    sign_in_at=stack.enter_context(node_provider()) if option("--provider") == "node" else None,
                )
            )
        except (SpecError, ServerError, LedgerError, LifespanError) as error:
            pytest.exit(str(error), returncode=pytest.ExitCode.INTERRUPTED)
        yield opened


@pytest.fixture(params=["original", "port", "both"])
def api(request: pytest.FixtureRequest, contract: Contract, pytestconfig: pytest.Config) -> Iterator[httpx.Client]:
    """A client of one target, or of both: then each exchange is compared, and the original's answer comes back."""
    gate = pytestconfig.stash[GATE]
    if request.param == "both":
        contract.reset(*ROLES)
        transport: httpx.BaseTransport = contract.pair(gate)
    else:
        contract.reset(request.param)
        transport = TargetTransport(contract.observed(request.param, gate))
    with httpx.Client(transport=transport, base_url=BASE_URL, trust_env=False) as client:
        yield client


@pytest.fixture(params=["original", "port"])
def role(request: pytest.FixtureRequest) -> str:
    """Which app: for tests that have no legitimate pair answer, such as races and planted failures."""
    return str(request.param)


@pytest.fixture
def target(role: str, contract: Contract, pytestconfig: pytest.Config) -> Target:
    """One target, rewound."""
    contract.reset(role)
    return contract.observed(role, pytestconfig.stash[GATE])


@pytest.fixture
def connect(target: Target) -> Iterator[Callable[[], httpx.Client]]:
    """Makes clients of one target, each with its own connection and cookies."""
    clients: list[httpx.Client] = []

    def connect() -> httpx.Client:
        clients.append(httpx.Client(transport=TargetTransport(target), base_url=BASE_URL, trust_env=False))
        return clients[-1]

    yield connect
    for client in clients:
        client.close()


PAIRINGS = [(here, there) for here in ROLES for there in ROLES]


@pytest.fixture(params=PAIRINGS, ids=["-then-".join(pairing) for pairing in PAIRINGS])
def visitor(request: pytest.FixtureRequest, contract: Contract, pytestconfig: pytest.Config) -> Callable[[], Visitor]:
    """Makes visitors who begin on one app and go on with the other, or with the same one."""
    for target in contract.shared.values():
        target.reset()
    gate = pytestconfig.stash[GATE]
    here, there = (Observed(role, contract.shared[role], gate, contract.sent) for role in request.param)
    return lambda: Visitor(here, there)


@pytest.fixture
def services() -> Iterator[Services]:
    """Services of a world of one's own, to replace parts of; nobody waits long for its connection."""
    with own_world(pool_timeout=0.05) as world:
        yield world.services


@pytest.fixture
def start(role: str, contract: Contract, pytestconfig: pytest.Config) -> Iterator[Callable[[Services], httpx.Client]]:
    """Starts an app of its own over the given Services, in process, and gives a client of it."""
    from contract_tests.suite.targets import open_target

    with ExitStack() as stack:

        def start(services: Services) -> httpx.Client:
            app = stack.enter_context(open_target(role, World(services)))
            transport = TargetTransport(Observed(role, app, pytestconfig.stash[GATE], contract.sent))
            return stack.enter_context(httpx.Client(transport=transport, base_url=BASE_URL, trust_env=False))

        yield start


@pytest.fixture
def person(contract: Contract) -> Callable[..., dict[str, str]]:
    """Makes people who register; their emails are new to a world that cannot be rewound, too."""
    new = "" if contract.rewinds else "." + secrets.token_hex(6)

    def person(name: str = "Ada", **fields: Any) -> dict[str, Any]:
        return {"name": name, "email": f"{name.lower()}{new}@example.com", "password": "test", **fields}

    return person


@pytest.fixture
def ada(person: Callable[..., dict[str, str]]) -> dict[str, str]:
    return person("Ada")


def node_provider() -> AbstractContextManager[SignInProvider]:
    from contract_tests.suite.node_provider import NodeProvider

    return NodeProvider(f"{BASE_URL}/signin/callback")


@pytest.fixture
def provider(contract: Contract) -> SignInProvider:
    """Where both apps sign in."""
    assert contract.provider is not None
    return contract.provider


@pytest.fixture
def sign_up() -> Callable[..., Any]:
    """Registers a person and signs them in at a client; gives who they are, with their id."""

    def sign_up(api: httpx.Client, person: dict[str, Any]) -> dict[str, Any]:
        created = api.post("/user", json=person)
        assert created.status_code == 201, created.text
        assert api.post("/session", json=credentials(person)).status_code == 200
        return {"id": created.json()["id"], "name": person["name"], "email": person["email"]}

    return sign_up


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what a run against servers cannot judge; the verdict counts it."""
    if config.getoption("--pairs-only"):
        # Each app answers in [both] what it answers alone: no part of the contract is left out.
        config.hook.pytest_deselected(items=[item for item in items if _is_single(item)])
        items[:] = [item for item in items if not _is_single(item)]
    if not _outside(config):
        return
    given = config.stash.get(CONTRACT, None)
    specs = {config.getoption(f"--{role}"): config.getoption(f"--reset-{role}") for role in ROLES}
    rewinds = (
        given.rewinds if given is not None else all(_rewinds(spec, reset) for spec, reset in specs.items() if spec)
    )
    unfit = {"in_process"} if rewinds else {"in_process", "empty_world"}
    if given is None or given.provider is None:
        unfit |= {"provider", "shared"}
    left_out = [item for item in items if any(item.get_closest_marker(name) for name in unfit)]
    items[:] = [item for item in items if item not in left_out]
    if left_out:
        config.hook.pytest_deselected(items=left_out)


def _is_single(item: pytest.Item) -> bool:
    """Whether a test has a client of one app that could be one of both."""
    callspec = getattr(item, "callspec", None)
    return callspec is not None and callspec.params.get("api") in ROLES


def _outside(config: pytest.Config) -> bool:
    """Whether the targets are others than our own two in process."""
    return config.stash.get(CONTRACT, None) is not None or any(config.getoption(f"--{role}") for role in ROLES)


def _rewinds(spec: str, reset: str | None) -> bool:
    try:
        return can_reset(spec, reset=reset)
    except SpecError:
        return False  # the contract fixture tells it


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """A difference is told by its own message; the way through the client's code would only hide it."""
    report = yield
    if report.failed and call.excinfo is not None and isinstance(call.excinfo.value, Different):
        report.longrepr = f"{item.nodeid}\n\n{call.excinfo.value}"
    elif report.failed and (given := item.config.stash.get(CONTRACT, None)):
        # The report of a run against servers goes to others: what a test sent stays out of it.
        report.longrepr = given.without_secrets(report.longreprtext)
    return report


def pytest_deselected(items: list[pytest.Item]) -> None:
    for item in items:
        if item.config.getoption("--pairs-only") and _is_single(item):
            continue
        if "not servers" in item.config.option.markexpr and any(map(item.get_closest_marker, BY_MAKE_SERVERS)):
            item.config.stash[LEFT_TO_SERVERS] += 1
        if _outside(item.config) and any(map(item.get_closest_marker, ("in_process", "provider", "shared"))):
            item.config.stash[LEFT_OUT].add(item.path)
            item.config.stash[UNASKED] |= {"signin"} if item.get_closest_marker("provider") else set()
        elif SUITE in item.path.parents:
            item.config.stash[PARTIAL].append(item.nodeid)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Note what makes this run partial: the gate speaks only of a whole one."""
    left_out: set[Path] = session.config.stash[LEFT_OUT]
    collected = {item.path for item in session.items} | left_out
    missing = [path.name for path in sorted(SUITE.glob("test_*.py")) if path not in collected]
    partial = session.config.stash[PARTIAL]
    partial += missing + [argument for argument in session.config.args if "::" in argument]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Hold what was seen against the document; a worker hands its part to the controller."""
    config = session.config
    gate = config.stash[GATE]
    if hasattr(config, "workeroutput"):
        config.workeroutput["gate"] = [sorted(gate.seen), sorted(gate.faults), config.stash[PARTIAL]]
        config.workeroutput["left_to_servers"] = config.stash[LEFT_TO_SERVERS]
        return
    stopped = (
        session.shouldstop or session.shouldfail or exitstatus not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
    )
    if not config.stash[PARTIAL] and not stopped and not config.getoption("collectonly"):
        shared = IN_PROCESS if not _outside(config) else ON_SERVERS
        gate.faults.update(gate.unseen(ROLES, shared=shared, without=config.stash[UNASKED]))
    if gate.faults:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    faults = sorted(config.stash[GATE].faults)
    if faults:
        terminalreporter.section("the gate: the OpenAPI document against what was seen", red=True, bold=True)
        for fault in faults:
            terminalreporter.write_line(fault)
    if left_out := config.stash[LEFT_TO_SERVERS]:
        told = "tests that start servers, or need PostgreSQL, Redis, Node.js, a proxy or a browser"
        terminalreporter.write_line(f"left out: {left_out} {told}; to run them: make servers")


class WorkerResults:
    """Gathers the workers' parts where pytest-xdist runs the tests."""

    def pytest_testnodedown(self, node: Any, error: object) -> None:  # noqa: ARG002
        seen, faults, partial = getattr(node, "workeroutput", {}).get("gate", ([], [], ["a worker died"]))
        gate: Gate = node.config.stash[GATE]
        gate.seen.update((role, operation, status) for role, operation, status in seen)
        gate.faults.update(faults)
        node.config.stash[PARTIAL].extend(partial)
        # Each worker has collected, and left out, the same.
        node.config.stash[LEFT_TO_SERVERS] = getattr(node, "workeroutput", {}).get("left_to_servers", 0)


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    if session.config.pluginmanager.hasplugin("dsession"):
        session.config.pluginmanager.register(WorkerResults())
