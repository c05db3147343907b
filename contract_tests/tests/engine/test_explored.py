"""What the live run asks of our own two apps by the engine's sources: a fault is told, and so is too little asked"""

import pytest

from contract_tests.live import explored
from contract_tests.parity.verdict import DIFFERENT, INCONCLUSIVE
from contract_tests.suite import targets

CASES = 60


class Unheard:
    """Nobody waits."""

    def line(self, text):
        pass

    def total(self, count):
        pass

    def advance(self, doing, count=1):
        pass


class Created:
    """The port behind a fault: what was made is 200."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        async def sent(message):
            await send(message | {"status": 200} if message.get("status") == 201 else message)

        await self.app(scope, receive, sent)


@pytest.fixture
def no_floors(monkeypatch):
    monkeypatch.setattr(explored, "FLOORS", dict.fromkeys(explored.FLOORS, 0))


@pytest.mark.usefixtures("no_floors")
def test_what_the_engine_finds_on_our_own_pair_is_told(monkeypatch):
    def faulty(services):
        app = targets.make_port(services)
        stack = app.build_middleware_stack()
        app.build_middleware_stack = lambda: Created(stack)
        return app

    monkeypatch.setitem(targets.MAKERS, "port", faulty)
    run = explored.explore(Unheard(), cases=CASES).run
    assert run.code == DIFFERENT
    assert any(found.startswith("POST /user status status value") for found in run.differences), run.differences
    assert not run.interrupted


@pytest.mark.usefixtures("no_floors")
def test_our_own_pair_is_alike_but_for_what_metrics_tell():
    run = explored.explore(Unheard(), cases=CASES).run
    assert not run.differences
    assert run.tests >= CASES
    assert set(run.outcomes) <= {f"explored/{source}" for source in ("cases", *explored.FLOORS)}


def test_an_operation_that_too_little_was_asked_of_is_told(monkeypatch):
    """A source that found nothing to send would leave a run green."""
    monkeypatch.setattr(explored, "FLOORS", {"framework": 10_000, "sequences": 0, "generated": 0, "mutated": 0})
    run = explored.explore(Unheard(), cases=1, seconds=1).run
    assert run.code == INCONCLUSIVE
    assert any(line.startswith("GET /users: ") and line.endswith("is below 10000") for line in run.unseen)
