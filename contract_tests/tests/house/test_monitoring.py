"""deploy/prometheus and deploy/grafana: a real Prometheus scrapes both apps, and has a value for each panel"""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager

import httpx
import pytest
import yaml

from contract_tests.live.servers import SERVERS, serve, sqlite_database
from contract_tests.parity.servers import Server
from contract_tests.tests.house.deployment import DEPLOY

RULES = DEPLOY / "prometheus/rules.yml"
DASHBOARD = DEPLOY / "grafana/original-and-port.json"
MISSING = "no {}: install it with `apt-get install -y --no-install-recommends prometheus`"
ALERTS = {"AppDown", "PortFailsMore", "PortRefusesMore", "PortIsSlower"}
# What Grafana puts in where everything is chosen.
VARIABLES = {"$__rate_interval": "30s", "$method": ".+", "$route": ".+", "$__range": "1h"}
ROLES = ("original", "port")
ROUTES = ("GET /healthz", "GET /user/{id}", "GET /users")
# What the rules record of each route.
SHARES, ERRORS = "method_route:http_requests_port:share5m", "app_method_route:http_errors:share5m"


def required(program):
    """The path of a program of the package prometheus; in CI it must be there."""
    found = shutil.which(program)
    if found is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(MISSING.format(program))
    return found


def promtool(*arguments):
    command = [required("promtool"), *map(str, arguments)]
    return subprocess.run(command, cwd=RULES.parent, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.services
@pytest.mark.parametrize("what", [("config", "prometheus.yml"), ("rules", "--lint-fatal", "rules.yml")], ids=str)
def test_promtool_understands_the_files(what):
    run = promtool("check", *what)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.services
def test_the_rules_pass_their_own_tests():
    run = promtool("test", "rules", "rules.test.yml")
    assert run.returncode == 0, run.stdout + run.stderr


def test_every_alert_is_tested_both_ways():
    """Fires in one test, and stays silent in another."""
    tests = yaml.safe_load((RULES.parent / "rules.test.yml").read_text())["tests"]
    told = [each for test in tests for each in test.get("alert_rule_test", ())]
    rules = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
    assert {rule["alert"] for rule in rules if "alert" in rule} == ALERTS
    for fires in (True, False):
        assert {each["alertname"] for each in told if bool(each["exp_alerts"]) is fires} == ALERTS


def expressions():
    """(panel's title, expression, how a series is named) of the dashboard, with everything chosen."""
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel["targets"]:
            expression = target["expr"]
            for name, value in VARIABLES.items():
                expression = expression.replace(name, value)
            yield panel["title"], expression, target["legendFormat"]


def test_the_dashboard_asks_no_more_variables_than_it_has():
    told = DASHBOARD.read_text()
    known = {each["name"] for each in json.loads(told)["templating"]["list"]} | {"__rate_interval", "__all"}
    assert {name for found in re.findall(r"\$\{(\w+)\}|\$(\w+)", told) for name in found if name} <= known
    panels = json.loads(told)["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) > 8


class Prometheus:
    """A Prometheus of our own, over the files of deploy/ with the addresses of two servers."""

    def __init__(self, url):
        self.url = url
        self.api = httpx.Client(base_url=f"{url}/api/v1", trust_env=False, timeout=30)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.api.close()

    def get(self, path, **params):
        answer = self.api.get(path, params=params).json()
        assert answer["status"] == "success", (params, answer)
        return answer["data"]

    def ask(self, expression):
        """The finite values of an expression by their labels."""
        found = self.get("/query", query=expression)["result"]
        values = {tuple(sorted(each["metric"].items())): float(each["value"][1]) for each in found}
        return {labels: value for labels, value in values.items() if math.isfinite(value)}


@contextmanager
def traffic(servers):
    """Requests to both apps, until it ends."""
    stop = threading.Event()

    def ask(url):
        with httpx.Client(base_url=url, trust_env=False, timeout=30) as api:
            while not stop.wait(0.02):
                for path in ("/user/1", "/user/99", "/users", "/healthz"):
                    api.get(path)

    threads = [threading.Thread(target=ask, args=(server.url,)) for server in servers.values()]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@pytest.fixture(scope="module")
def apps(tmp_path_factory):
    """Both apps over one database with one user, under the same requests."""
    folder, person = tmp_path_factory.mktemp("apps"), {"name": "A", "email": "a@example.com", "password": "secret-1"}
    with ExitStack() as stack:
        url = sqlite_database(folder)
        servers = {
            role: stack.enter_context(serve(SERVERS[role], folder / role, database_url=url, rate_limit=""))
            for role in ROLES
        }
        assert httpx.post(f"{servers['original'].url}/user", json=person, trust_env=False).status_code == 201
        stack.enter_context(traffic(servers))
        yield servers


@pytest.fixture(scope="module")
def prometheus(apps, tmp_path_factory):
    program, folder = required("prometheus"), tmp_path_factory.mktemp("prometheus")
    told = (RULES.parent / "prometheus.yml").read_text().replace("15s", "1s")
    for address, role in (("127.0.0.1:8000", "original"), ("127.0.0.1:8001", "port")):
        assert told.count(address) == 1
        told = told.replace(address, f"127.0.0.1:{apps[role].port}")
    (folder / "prometheus.yml").write_text(told)
    shutil.copy(RULES, folder)
    command = [program, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
    command += ["--web.listen-address=127.0.0.1:{port}", "--log.level=warn"]
    with ExitStack() as stack:
        server = stack.enter_context(Server(command, ready="/-/ready"))
        asked = stack.enter_context(Prometheus(server.url))
        deadline = time.monotonic() + 60
        while len(asked.ask(SHARES)) < len(ROUTES) or len(asked.ask(ERRORS)) < 2 * len(ROUTES):
            assert time.monotonic() < deadline, server.log_tail()
            time.sleep(0.2)
        yield asked


@pytest.mark.servers
@pytest.mark.services
def test_prometheus_scrapes_both_apps_and_takes_every_rule(prometheus):
    targets = prometheus.get("/targets")["activeTargets"]
    assert {each["labels"]["job"]: (each["health"], each["lastError"]) for each in targets} == dict.fromkeys(
        ROLES, ("up", "")
    )
    rules = [rule for group in prometheus.get("/rules")["groups"] for rule in group["rules"]]
    assert [rule["name"] for rule in rules if (rule["health"], rule.get("lastError")) != ("ok", None)] == []
    assert {rule["name"] for rule in rules if rule["type"] == "alerting"} == ALERTS
    # Each app names itself, and no target was given the name over again.
    assert prometheus.ask("count by (job, app) (http_requests_total)").keys() == {
        (("app", role), ("job", role)) for role in ROLES
    }
    assert prometheus.ask('count({exported_app=~".+"})') == {}


@pytest.mark.servers
@pytest.mark.services
@pytest.mark.parametrize(("title", "expression", "legend"), list(expressions()), ids=lambda value: value[:30])
def test_each_expression_of_the_dashboard_has_a_value(prometheus, title, expression, legend):
    found = prometheus.ask(expression)
    assert found, f"{title}: {expression}"
    names = set(re.findall(r"\{\{(\w+)\}\}", legend))
    assert all(names <= dict(labels).keys() for labels in found), found
    if "app" in names:
        assert {dict(labels)["app"] for labels in found} == set(ROLES), title


@pytest.mark.servers
@pytest.mark.services
def test_each_variable_of_the_dashboard_has_values(prometheus):
    for variable in json.loads(DASHBOARD.read_text())["templating"]["list"]:
        if variable["type"] == "query":
            series, label = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["definition"]).groups()
            assert prometheus.get(f"/label/{label}/values", **{"match[]": series.replace("$method", ".+")})


def await_known(prometheus, ago):
    """Wait until Prometheus knows what every route of both apps had counted so long ago."""
    known, deadline = f"count by (app) (http_request_seconds_count{{method='GET'}} offset {ago})", time.monotonic() + 60
    while len(told := prometheus.ask(known)) < len(ROLES) or min(told.values()) < len(ROUTES):
        assert time.monotonic() < deadline, told
        time.sleep(0.2)


WATCH = [sys.executable, "-m", "contract_tests", "watch"]
WIDE = ("--errors-within", "40", "--refusals-within", "60", "--slower-within", "30", "--quantile", "0.5")


def watched(*arguments):
    return subprocess.run([*WATCH, *arguments], capture_output=True, text=True, check=False, timeout=100)


@pytest.mark.servers
@pytest.mark.services
def test_a_watch_of_prometheus_sees_what_both_apps_counted(prometheus):
    # It asks for what was counted up to 3 s ago, and each app was first scraped at a moment of its own.
    await_known(prometheus, "5s")
    ran = watched("--prometheus", prometheus.url, "--for", "3s", "--json", *WIDE)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    told = json.loads(ran.stdout)
    assert {each["route"] for each in told["routes"]} == set(ROUTES)
    assert all(min(each["requests"].values()) > 10 for each in told["routes"])


@pytest.mark.servers
def test_a_watch_of_two_servers_sees_what_both_counted(apps):
    ran = watched("--original", apps["original"].url, "--port", apps["port"].url, "--for", "3s", *WIDE)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.splitlines()[-1].startswith("ALIKE OR BETTER: 3 routes (95 % confidence; ")
    assert tuple(line.split("  ")[0] for line in ran.stdout.splitlines()[1:4]) == ROUTES
    for page in ("cutover.md", "watch.md"):
        assert shown_by(page) == [shape(line) for line in ran.stdout.splitlines()], page


def shape(line):
    """A line without its numbers and widths."""
    return re.sub(r"\d+(\.\d+)?(e-\d+)?", "#", " ".join(line.split())).replace("# s /", "# ms /")


def shown_by(page):
    """What a page shows below the command."""
    text = (DEPLOY.parent / "docs" / page).read_text()
    (told,) = re.findall(r"^\$ parity watch --original .*\n```\n\n```\n(.*?)```", text, re.M | re.S)
    return [shape(line) for line in told.splitlines()]


@pytest.mark.servers
def test_the_wrong_way_round_is_told(apps):
    ran = watched("--original", apps["port"].url, "--port", apps["original"].url, "--for", "0")
    assert ran.returncode == 2
    assert ran.stderr.strip().endswith("these are the metrics of the port (label app), not of the original")
