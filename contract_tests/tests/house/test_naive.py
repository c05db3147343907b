"""The naive port differs where docs and tests say it does, and each piece closes its own difference"""

import asyncio

import httpx
import pytest

from contract_tests.live.probes.specimens import naive
from contract_tests.parity import Pair
from contract_tests.parity.causes import Causes
from contract_tests.parity.secrets import Secrets
from contract_tests.parity.transport import TargetTransport, request_of
from contract_tests.suite.world import BASE_URL, PEER, own_world
from contract_tests.tests.house import naive_cases
from contract_tests.tests.house.naive_cases import ALL, BROKEN, KNOWN, ON_SERVERS, SIGNED_UP, Browser, before
from contract_tests.tests.house.test_house import ROOT


@pytest.fixture(scope="module")
def opened():
    with naive_cases.opened() as target:
        yield target


@pytest.fixture
def exchange(opened):
    """Sends a case's request to the original and to the naive port with these pieces, for one who is signed in."""

    def send(case, pieces):
        pair = Pair(Browser(opened(**case.settings)), Browser(opened(pieces, **case.settings)))
        for method, target, sent in (*SIGNED_UP, (case.method, case.target, case.sent)):
            url = httpx.URL(BASE_URL, raw_path=target.encode())
            last = pair.exchange(request_of(httpx.Request(method, url, **sent)))
        return last

    return send


@pytest.fixture(scope="module")
def exchanges():
    """What came of the exchanges of this module, by the case and the pieces."""
    return {}


@pytest.fixture
def known(exchange, exchanges):
    """As `exchange`, and the same exchange is made once."""

    def send(case, pieces):
        key = (id(case), pieces)
        if key not in exchanges:
            exchanges[key] = exchange(case, pieces)
        return exchanges[key]

    return send


@pytest.fixture
def client(opened):
    """Gives clients of the naive port with these pieces."""
    return lambda pieces: httpx.Client(transport=TargetTransport(opened(pieces)), base_url=BASE_URL)


def told(exchange):
    return {f"{found.level} {found.path} {found.kind}" for found in exchange.differences}


@pytest.mark.parametrize("case", KNOWN.values(), ids=KNOWN)
def test_a_known_difference_is_there(known, case):
    assert case.found <= told(known(case, frozenset()))


@pytest.mark.parametrize("case", KNOWN.values(), ids=KNOWN)
def test_a_known_difference_is_closed_by_its_piece(known, case):
    assert told(known(case, before(case.piece))) & case.found
    assert not told(known(case, before(case.piece) | {case.piece})) & case.found


@pytest.mark.parametrize("case", KNOWN.values(), ids=KNOWN)
def test_with_all_pieces_nothing_differs(known, case):
    assert known(case, ALL).differences == ()


# The pieces of the wire kit by which a team closes what a step closes here, as the engine may name them.
NAMED = {
    "error problems": {"Handlers", "Pages"},
    "convertors": {"register"},
    "Routing": {"Routing"},
    "Route": {"JSONRoute", "QueryRoute", "Lenient"},
    "BodyLimit": {"BodyLimit"},
    "sessions": {"set_cookie"},
    "cross-site": {"BeforeRequest"},
    "outputs": {"redirect", "FlaskJSON"},
    "files": {"send_file"},
    # Its document is written with other spaces, too.
    "docs": {"FlaskJSON"},
}
# They are this service's own, and no piece of the kit has them.
UNNAMED = {"cors", "rate limit", "request ids and access log", "proxies"}


def named_pieces(case, exchange):
    """What the engine says of the causes that show a known difference."""
    causes = Causes()
    causes.add(exchange, "a case", Secrets())
    shown = {found.fingerprint(exchange.operation) for found in exchange.differences if place(found) in case.found}
    fitting = [cause for cause in causes.ranked() if shown & cause.fingerprints.keys()]
    return {cause.closes.names.partition(":")[2] for cause in fitting if cause.closes}


def place(found):
    return f"{found.level} {found.path} {found.kind}"


@pytest.mark.parametrize("case", KNOWN.values(), ids=KNOWN)
def test_the_engine_names_no_piece_but_one_that_closes_a_known_difference(known, case):
    assert named_pieces(case, known(case, frozenset())) <= NAMED.get(case.piece, set())
    assert NAMED.keys() | UNNAMED >= {case.piece}


# A negative id is an error of another body in the naive port, and a rule of the service's own is no one else's.
NOT_TOLD = {"a negative id is looked for", "an empty name is taken", "5.0 is a number of users"}
NOT_TOLD |= {"a time is written as pydantic writes it", "the document is FastAPI's own"}


@pytest.mark.parametrize("name", [name for name in KNOWN if name not in NOT_TOLD and KNOWN[name].piece in NAMED])
def test_the_engine_names_the_piece_that_closes_a_known_difference(known, name):
    assert named_pieces(KNOWN[name], known(KNOWN[name], frozenset()))


# What a server does before an app is asked is seen over sockets alone: the probes see it (docs/wire.md).
OVER_SOCKETS = {"DrainBody", "RefuseHeads"}


def test_every_piece_closes_something():
    assert ALL - {case.piece for case in KNOWN.values()} == ON_SERVERS


def test_a_head_as_no_server_would_take_it_is_refused_by_its_piece(client):
    """In process no gunicorn refuses it for the original."""
    large = {"X-Large": "x" * 8190}
    assert client(before("RefuseHeads")).get("/", headers=large).status_code == 200
    assert client(before("RefuseHeads") | {"RefuseHeads"}).get("/", headers=large).status_code == 431


def test_an_answer_waits_for_the_body_where_its_piece_is_in():
    """In process no connection shows it."""
    for pieces, unread in ((before("DrainBody"), 2), (before("DrainBody") | {"DrainBody"}, 0)):
        with own_world() as world:
            assert unread_at_the_answer(naive.create_app(world.services, pieces=pieces)) == unread


def unread_at_the_answer(app):
    """How many parts of a body that nobody asked for are still to be read when its answer begins."""
    parts, unread = [True, False], []
    headers = [(b"content-length", b"2")]
    scope = {"type": "http", "http_version": "1.1", "scheme": "https", "method": "POST", "path": "/nowhere"}
    scope |= {"raw_path": b"/nowhere", "query_string": b"", "headers": headers, "client": (PEER, 1)}

    async def receive():
        return {"type": "http.request", "body": b"x", "more_body": parts.pop(0)}

    async def send(_):
        unread.append(len(parts))

    asyncio.run(app(scope, receive, send))
    return unread[0]


def test_the_naive_422_gives_the_password_back(known):
    case = KNOWN["a 422 echoes the password"]
    assert b"hunter2" in known(case, frozenset()).port.body
    assert b"hunter2" not in known(case, frozenset({case.piece})).port.body


@pytest.mark.parametrize(("broken", "case"), BROKEN.values(), ids=BROKEN)
def test_a_failure_differs_until_its_piece_is_in(exchange, monkeypatch, broken, case):
    monkeypatch.setattr(broken, lambda *_, **__: 1 / 0)
    test_a_known_difference_is_there(exchange, case)
    test_a_known_difference_is_closed_by_its_piece(exchange, case)
    test_with_all_pieces_nothing_differs(exchange, case)


def test_a_piece_by_another_name_is_refused():
    with own_world() as world, pytest.raises(ValueError, match="no such pieces: Routes"):
        naive.create_app(world.services, pieces=frozenset({"Routes"}))


def test_each_step_says_where_its_piece_lives():
    assert not [place for step in naive.STEPS for place in step.homes if not (ROOT / place).exists()]
