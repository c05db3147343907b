"""What several modules of the house need: files of code in a folder, no garbage, and servers.

A server is required in CI; elsewhere its tests are skipped with how to start one.
"""

import gc
import os
import re
import sys

import pytest
import redis

from contract_tests.tests.children import run, run_tests
from contract_tests.tests.house.desk import told

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


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The folder where the command is run; what a test imports from it is forgotten."""
    monkeypatch.chdir(tmp_path)
    before, path = set(sys.modules), list(sys.path)
    yield tmp_path
    sys.path[:] = path
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in ("desk", "desk_port", "flask_login", "old", "new"):
            del sys.modules[name]


@pytest.fixture
def pair(here):
    """Writes an original and a port of one module each, and gives what is said of them."""

    def pair(original, port, *options):
        (here / "old.py").write_text("from flask import Flask, abort, g, redirect, request, session\n" + original)
        (here / "new.py").write_text("from fastapi import APIRouter, Depends, FastAPI, HTTPException\n" + port)
        return told("old.py", "new.py", *options)

    return pair


@pytest.fixture
def _no_garbage_of_other_tests():
    """To collect what a whole test run has made takes longer than a request may."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def suite_passes(names, *options):
    """How many tests of these modules of the suite pass with these options: all must, and none be skipped."""
    modules = [f"contract_tests/suite/test_{name}.py" for name in names]
    ended = run(run_tests, *options, *modules, timeout=110)
    assert ended.returncode == 0, ended.stdout[-3000:]
    assert "skipped" not in ended.stdout
    return int(re.search(r"(\d+) passed", ended.stdout)[1])
