"""Servers that tests of the house need: required in CI, elsewhere their tests are skipped with how to start one."""

import os
import re

import pytest
import redis

from contract_tests.tests.children import run, run_tests

REDIS = "redis://127.0.0.1:6379/0"
START_REDIS = (
    "no Redis on 127.0.0.1:6379; to start one: docker run --rm -p 127.0.0.1:6379:6379 redis,"
    " or redis-server --port 6379 --save ''"
)


@pytest.fixture(scope="session")
def redis_url():
    try:
        redis.Redis.from_url(REDIS, socket_connect_timeout=2).ping()
    except redis.RedisError:
        if os.environ.get("CI") != "true":
            pytest.skip(START_REDIS)
        pytest.fail(START_REDIS)
    return REDIS


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Writes files by their paths, in the folder where the command is run."""
    monkeypatch.chdir(tmp_path)

    def write(files):
        for path, text in files.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text)
        return tmp_path

    return write


def suite_passes(names, *options):
    """How many tests of these modules of the suite pass with these options: all must, and none be skipped."""
    modules = [f"contract_tests/suite/test_{name}.py" for name in names]
    ended = run(run_tests, *options, *modules, timeout=110)
    assert ended.returncode == 0, ended.stdout[-3000:]
    assert "skipped" not in ended.stdout
    return int(re.search(r"(\d+) passed", ended.stdout)[1])
