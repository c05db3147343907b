"""THREADS means the same for both apps: how many requests are handled at once"""

import asyncio
import os
import re

from anyio.to_thread import current_default_thread_limiter

from contract_tests.suite import targets
from contract_tests.suite.world import own_world
from contract_tests.tests.children import run, run_module
from contract_tests.tests.house.test_house import ROOT


def test_the_port_s_lifespan_sets_the_thread_limiter_to_threads():
    async def tokens(app):
        async with app.router.lifespan_context(app):
            return current_default_thread_limiter().total_tokens

    with own_world(threads=5) as world:
        assert asyncio.run(tokens(targets.make_port(world.services))) == 5


def test_the_original_s_server_is_told_the_same_setting(tmp_path):
    (tmp_path / ".env").write_text("THREADS=5\n")
    env = {name: value for name, value in os.environ.items() if name != "THREADS"}
    told = run(run_module, "shared_core.settings", "threads", cwd=tmp_path, env=env)
    assert told.returncode == 0, told.stderr
    assert told.stdout == "5\n"
    recipe = re.search(r"^flask:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.M)[1]
    assert "-m shared_core.settings threads" in recipe
    assert "--threads $$threads" in recipe
