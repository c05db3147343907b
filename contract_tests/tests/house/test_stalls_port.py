"""Our port does not hold up its loop, whatever is asked of it"""

import re
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from contract_tests.migration.stalls import watch
from contract_tests.parity import asgi
from contract_tests.parity.transport import TargetTransport
from contract_tests.suite import targets
from contract_tests.suite.world import own_world
from contract_tests.tests.house.test_stalls import THRESHOLD, told


@pytest.mark.usefixtures("_no_garbage_of_other_tests")
def test_our_port_does_not_stall_under_load():
    """Every GET route, unknown paths and the sign-in, 20 at a time."""
    ada = {"name": "Ada", "email": "ada@example.com", "password": "test"}
    with own_world() as world:
        port = targets.make_port(world.services)
        reads = [re.sub(r"\{\w+\}", "1", path) for path, item in port.openapi()["paths"].items() if "get" in item]
        assert {"/", "/users", "/user/1", "/readyz", "/whoami", "/session/data/1"} <= set(reads)
        with (
            watch(port, threshold=THRESHOLD) as stalls,
            asgi(stalls.app) as target,
            ThreadPoolExecutor(20) as pool,
            httpx.Client(transport=TargetTransport(target), base_url="https://testserver") as api,
        ):
            assert api.post("/user", json=ada).status_code == 201
            asked = [pool.submit(api.get, path) for path in [*reads, "/nope"] * 5]
            asked += [pool.submit(api.post, "/session", json=ada) for _ in range(20)]
            assert {answer.result().status_code for answer in asked} <= {200, 303, 400, 401, 404, 422, 429, 501}
    assert not stalls, told(stalls)
