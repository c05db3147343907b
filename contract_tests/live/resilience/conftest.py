"""Fixtures: the databases that a server may stand on."""

import os
from contextlib import contextmanager

import pytest

from contract_tests.live.servers import START_POSTGRESQL, has_postgresql, postgresql_database, sqlite_database


@contextmanager
def _on(kind, folder):
    if kind == "sqlite":
        yield sqlite_database(folder)
        return
    # Required in CI, skipped elsewhere where no server answers.
    if not has_postgresql():
        if os.environ.get("CI") != "true":
            pytest.skip(START_POSTGRESQL)
        pytest.fail(START_POSTGRESQL)
    with postgresql_database() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request, tmp_path):
    """A migrated database of the test's own, once of each kind."""
    with _on(request.param, tmp_path) as url:
        yield url


@pytest.fixture
def postgresql_url(tmp_path):
    """A migrated database of the test's own on PostgreSQL."""
    with _on("postgresql", tmp_path) as url:
        yield url
