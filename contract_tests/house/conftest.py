"""Servers that tests of the house need: required in CI, elsewhere their tests are skipped with how to start one."""

import os

import pytest
import redis

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
