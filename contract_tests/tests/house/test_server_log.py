"""What gunicorn logs by itself has no part of a request in it"""

import logging

import pytest

from contract_tests.suite import targets
from contract_tests.suite.world import own_world

SECRET = "hunter2-s3cret"


@pytest.fixture
def log(caplog, monkeypatch):
    """gunicorn's own log, with an original built beside it and nothing left of those before it."""
    logger = logging.getLogger("gunicorn.error")
    monkeypatch.setattr(logger, "filters", [])
    with own_world() as world, targets.open_target("original", world), caplog.at_level(logging.DEBUG, logger.name):
        yield logger


@pytest.mark.parametrize(
    "told",
    [
        f"Invalid request from ip=127.0.0.1: Invalid HTTP method: '{SECRET}'",
        f'Invalid request from ip=127.0.0.1: Invalid HTTP Header: "it\'s {SECRET}"',
        f"Invalid request from ip=127.0.0.1: Obsolete line folding is unacceptable: '{SECRET}'\n{SECRET}",
    ],
)
def test_a_refusal_is_told_without_what_it_quotes(log, caplog, told):
    log.warning(told)
    assert SECRET not in caplog.text
    assert "Invalid request from ip=127.0.0.1: " in caplog.text
    assert "(not shown)" in caplog.text


def test_a_failure_is_told_by_its_type(log, caplog):
    try:
        raise RuntimeError(SECRET)
    except RuntimeError:
        log.exception("Error handling request %s %s", "GET", f"/?token={SECRET}")
    assert SECRET not in caplog.text
    assert "Error handling request: RuntimeError" in caplog.text


def test_other_lines_are_left_as_they_are(log, caplog):
    log.info("Booting worker with pid: %s", 7)
    assert "Booting worker with pid: 7" in caplog.text
