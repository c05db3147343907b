"""The watchdog in a process of its own: a log tells each stall once, and a suspended process did not stall"""

import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from contract_tests.parity.servers import Server
from contract_tests.tests.house.test_house import ROOT
from contract_tests.tests.house.test_stalls import BLOCK, THRESHOLD


@pytest.mark.servers
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_server_s_log_tells_each_stall_once(loop, tmp_path):
    (tmp_path / "served.py").write_text(
        "from contract_tests.migration.stalls import watched\n"
        "from contract_tests.tests.specimens import async_forms\n"
        f"app = watched(async_forms.problem({BLOCK}))\n"
    )
    command = [sys.executable, "-m", "uvicorn", "--app-dir", str(tmp_path), "--loop", loop, "--port", "{port}"]
    with Server([*command, "--no-access-log", "served:app"], ready="/docs", cwd=ROOT) as server:
        with ThreadPoolExecutor(10) as pool, httpx.Client(base_url=server.url, trust_env=False, timeout=30) as api:
            path = "/?token=mine"
            assert {answer.status_code for answer in pool.map(api.get, [path] * 10)} == {200}
        server.stop()
        log = server.log_tail(1000)
    assert len(re.findall(r"^stall: 0\.\d+ s in GET root, at \S+async_forms\.py:\d+ in problem", log, re.M)) == 10
    assert log.count("time.sleep(seconds)") == 10
    assert "token" not in log


SUSPENDED = f"""
import asyncio, sys, time
from contract_tests.migration.stalls import watched

async def app(scope, receive, send):
    print("running", flush=True)
    while time.monotonic() < scope["until"]:
        time.sleep(0.03)
        await asyncio.sleep(0)

asyncio.run(watched(app, threshold={THRESHOLD})({{"type": "http", "until": time.monotonic() + 1.5}}, None, None))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="the system cannot suspend a process")
def test_a_suspended_process_is_no_stall():
    command = [sys.executable, "-c", SUSPENDED]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "running\n"
        for _ in range(2):
            time.sleep(0.1)
            os.kill(process.pid, signal.SIGSTOP)
            time.sleep(0.4)
            os.kill(process.pid, signal.SIGCONT)
        assert process.stderr.read() == ""
    assert process.returncode == 0
