"""The command `parity watch`: what it reads, its verdicts and codes, and one line for all that cannot be"""

import json
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from contract_tests.__main__ import main
from contract_tests.parity import asgi
from contract_tests.parity.metrics.families import increase, routes_of
from contract_tests.parity.metrics.samples import MetricsError, Sample, read_text
from contract_tests.parity.transport import TargetTransport
from contract_tests.tests.engine.measured import drawn, text

ENOUGH = {"/users": 3000, "/user/{id}": 2000}


def exposition(role, seed=1, *, counts=ENOUGH, slow=1.0, errors=0, route=str):
    """What an app says that has served these routes; `errors` of each are 503."""
    rng, told = random.Random(seed), {}
    for path, count in counts.items():
        seconds = drawn(rng, count, median=0.004 * slow).seconds
        told["GET", route(path)] = {"200": count - errors, "503": errors}, seconds
    return text(role, told)


class Told:
    """A server whose answers are given: each in turn, and the last one for good."""

    def __init__(self, *answers, status=200):
        told, self.asked = list(answers), []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(handler):  # noqa: N805 - the server of the test is `self`
                self.asked.append(handler.path)
                body = self.answer(handler.path) or (told.pop(0) if len(told) > 1 else told[0])
                handler.send_response(status)
                handler.send_header("Content-Length", str(len(body.encode())))
                handler.end_headers()
                handler.wfile.write(body.encode())

            def log_message(*_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def answer(self, path):
        """What depends on the path; nothing here."""

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *exc):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def watch():
    """Runs the command over two servers with these answers."""
    with ExitStack() as stack:

        def watch(original, port, *options, status=200, seconds="0"):
            apps = [
                stack.enter_context(Told(*([told] if isinstance(told, str) else told), status=status))
                for told in (original, port)
            ]
            urls = ["--original", apps[0].url, "--port", apps[1].url]
            return CliRunner().invoke(main, ["watch", *urls, "--for", seconds, *options])

        yield watch


def test_two_that_are_alike(watch):
    ran = watch(exposition("original", 1), exposition("port", 2))
    assert ran.exit_code == 0, ran.output
    *table, _, line = ran.output.splitlines()
    assert [each.split()[-1] for each in table] == ["verdict", "alike", "alike"]
    assert line.startswith(
        "ALIKE OR BETTER: 2 routes (95 % confidence; 5000 requests on the original, 5000 on the port"
    )


def test_a_port_that_is_twice_as_slow_is_named_with_by_how_much(watch):
    ran = watch(exposition("original", 1), exposition("port", 2, slow=2.0))
    assert ran.exit_code == 1
    (said, *_) = [line for line in ran.output.splitlines() if line.startswith("WORSE: GET /users: ")]
    assert "p95" in said
    assert 1.8 < float(said.split(" times,")[0].rsplit(" ", 1)[1]) < 2.2
    assert 1.5 < float(said.split("at least ")[1].split()[0]) < 2.2
    assert ran.output.splitlines()[-1].startswith("WORSE: 2 of 2 routes (")


def test_the_page_shows_what_is_said_of_a_slow_port(watch):
    slow = exposition("port", 2, slow=2.0, counts={"/users": 150, "/user/{id}": 2000})
    ran = watch(exposition("original", 1), slow)
    page = (Path(__file__).parents[3] / "docs/watch.md").read_text()
    assert f"```\n{ran.output}```" in page


def test_a_port_that_fails_is_named(watch):
    ran = watch(exposition("original", 1), exposition("port", 2, errors=9))
    assert ran.exit_code == 1
    assert "WORSE: GET /users: 5xx 0.3 %, original 0 %: 0.3 % more" in ran.output


def test_too_little_traffic_says_how_much_more_would_tell(watch):
    ran = watch(exposition("original", 1), exposition("port", 2, counts={"/users": 40}))
    assert ran.exit_code == 4
    assert "too little traffic: GET /users: 5xx 0 %, original 0 %; about 560 more requests on the port" in ran.output
    assert "served by the original alone, not judged: GET /user/{id}" in ran.output
    assert ran.output.splitlines()[-1].startswith("INCONCLUSIVE: too little traffic to tell on 1 of 1 route (")


def test_only_what_was_counted_in_between_is_judged(watch):
    """A port that failed before, and does not now, is alike."""
    before = exposition("port", 2, errors=900)
    after = exposition("port", 2, errors=900).splitlines()
    more = exposition("port", 3).splitlines()
    summed = [sum_of(*pair) for pair in zip(after, more, strict=True)]
    ran = watch(["", exposition("original", 1)], [before, "\n".join(summed)], seconds="0.1s")
    assert ran.exit_code == 0, ran.output
    assert ran.output.splitlines()[-1].endswith("5000 on the port in 0.1 s)")


def sum_of(one, other):
    key, value = one.rsplit(" ", 1)
    return one if one.startswith("#") else f"{key} {float(value) + float(other.rsplit(' ', 1)[1])}"


def test_one_route_or_one_kind_can_be_asked_for(watch):
    told = exposition("original", 1), exposition("port", 2, errors=9)
    assert watch(*told, "--without", "5xx").exit_code == 0
    ran = watch(*told, "--route", "GET /users", "--without", "5xx")
    assert "GET /user/{id}" not in ran.output
    ran = watch(*told, "--route", "/nowhere")
    assert ran.exit_code == 4
    assert "INCONCLUSIVE: /nowhere had no requests on both apps" in ran.output
    assert watch(*told, "--leave-out", "/users", "--leave-out", "/user/{id}").exit_code == 4


def test_the_scrapes_themselves_are_not_judged(watch):
    """Wherever they are: each app has answered one, which says nothing."""
    told = [exposition(role, counts=ENOUGH | {"/hidden/counts": 1, "/metrics": 2}) for role in ("original", "port")]
    with Told(told[0]) as one, Told(told[1]) as two:
        urls = ["--original", f"{one.url}/hidden/counts", "--port", f"{two.url}/hidden/counts"]
        ran = CliRunner().invoke(main, ["watch", *urls, "--for", "0"])
    assert ran.exit_code == 0
    assert one.asked == two.asked == ["/hidden/counts"]
    assert not [line for line in ran.output.splitlines() if "counts" in line or "metrics" in line]


def test_json_has_it_all(watch):
    ran = watch(exposition("original", 1), exposition("port", 2, slow=2.0), "--json")
    told = json.loads(ran.output)
    assert (ran.exit_code, told["code"]) == (1, 1)
    by_kind = {each["kind"]: each for each in told["routes"][0]["judged"]}
    assert by_kind["latency"]["verdict"] == "worse"
    assert by_kind["latency"]["chance"] < 1e-6
    assert by_kind["5xx"]["verdict"] == "alike"


def test_routes_are_one_however_a_framework_writes_them(watch):
    flask = exposition("original", 1, route=lambda path: path.replace("{id}", "<int:user_id>"))
    ran = watch(flask, exposition("port", 2))
    assert ran.exit_code == 0
    assert "GET /user/<int:user_id>" in ran.output


GOOD = exposition("original", 1, counts={"/users": 10})
UNFIT = {
    "html": ("<html>", 2, "line 1 is no sample of metrics"),
    "nothing": ("", 4, "nothing is told of it"),
    "no routes": ("up 1\n", 2, "no histogram with a route is there"),
    "bucket": (GOOD.replace('le="+Inf"', 'le="x"'), 2, "ends at 'x' (label le), which is no number"),
    "no bucket": (GOOD.replace('le="+Inf"', 'le="NaN"'), 2, "ends at 'NaN' (label le), which is no number"),
    "of the other": (exposition("port", 1), 2, "these are the metrics of the port (label app), not of the original"),
}


@pytest.mark.parametrize(("told", "code", "said"), UNFIT.values(), ids=UNFIT)
def test_what_is_no_use_is_told_in_one_line(watch, told, code, said):
    ran = watch(told, exposition("port", 2))
    assert (ran.exit_code, said in ran.stderr, len(ran.stderr.splitlines())) == (code, True, 1), ran.stderr
    assert ran.stdout == ""


@pytest.mark.parametrize(("status", "code"), [(404, 2), (401, 2), (302, 2), (503, 4)])
def test_an_answer_that_is_no_200_is_told(watch, status, code):
    ran = watch(GOOD, GOOD, status=status)
    assert ran.exit_code == code
    assert f"/metrics answered {status}" in ran.stderr


def test_an_app_that_was_restarted_meanwhile_is_inconclusive(watch):
    later = exposition("port", 2, counts={"/users": 5, "/user/{id}": 5})
    ran = watch([exposition("original", 1)], [exposition("port", 2), later], seconds="0.1")
    assert ran.exit_code == 4
    assert "began anew" in ran.stderr


USAGE = {
    "neither": ([], "name both apps by --original URL and --port URL"),
    "one for both": (["--original", "http://a/x", "--port", "http://a/x"], "named for both"),
    "no address": (["--original", "user:hunter2@host", "--port", "http://a"], "an address begins with http://"),
    "empty label": (["--original", "http://ada:hunter2@a..b/", "--port", "http://a"], "names a host"),
    "no Punycode": (["--original", "http://xn--/", "--port", "http://a"], "names a host"),
    "long label": (["--original", f"http://{'a' * 64}.example/", "--port", "http://a"], "names a host"),
    "long label of Prometheus": (["--prometheus", f"http://{'a' * 64}"], "names a host"),
    "no time": (["--for", "soon"], "'soon' is no time"),
    "same series": (["--prometheus", "http://a", "--original", 'a="1"', "--port", 'a="1"'], "the same series"),
    "no labels": (["--prometheus", "http://a", "--original", "http://b", "--port", 'a="1"'], "does not choose series"),
    "nothing left": (
        [
            "--original",
            "http://a",
            "--port",
            "http://b",
            *("--without", "5xx", "--without", "4xx", "--without", "latency"),
        ],
        "leaves nothing to judge by",
    ),
}


@pytest.mark.parametrize(("arguments", "said"), USAGE.values(), ids=USAGE)
def test_usage_is_told_before_anything_is_asked(arguments, said):
    ran = CliRunner().invoke(main, ["watch", *arguments])
    assert (ran.exit_code, said in ran.stderr) == (2, True), ran.stderr
    assert "hunter2" not in ran.output


def test_nobody_there_is_inconclusive_and_no_password_is_shown():
    unused = ["--original", "http://ada:hunter2@127.0.0.1:9/metrics?token=hunter2", "--port", "http://127.0.0.1:9"]
    ran = CliRunner().invoke(main, ["watch", *unused])
    assert ran.exit_code == 4
    assert ran.stderr == "INCONCLUSIVE: http://127.0.0.1:9/metrics does not answer: ConnectError\n"


def test_instances_of_one_app_are_added_up():
    with (
        Told(exposition("original", 1)) as one,
        Told(exposition("original", 4)) as two,
        Told(exposition("port")) as port,
    ):
        urls = ["--original", one.url, "--original", two.url, "--port", port.url]
        ran = CliRunner().invoke(main, ["watch", *urls, "--for", "0", "--json"])
    assert {each["route"]: each["requests"]["original"] for each in json.loads(ran.stdout)["routes"]} == {
        "GET /users": 6000,
        "GET /user/{id}": 4000,
    }


def test_ctrl_c_ends_it_with_130_and_no_traceback():
    with Told(GOOD) as one, Told(exposition("port")) as two:
        urls = ["--original", one.url, "--port", two.url]
        command = [sys.executable, "-m", "contract_tests", "watch", *urls, "--for", "60"]
        running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        while not two.asked:
            assert running.poll() is None
            time.sleep(0.02)
        time.sleep(0.2)
        running.send_signal(signal.SIGINT)
        told = running.communicate(timeout=30)
    assert (running.returncode, *told) == (130, "", "INTERRUPTED\n")


def test_a_text_is_read_as_prometheus_writes_it():
    told = read_text(
        '# HELP a b\n\na{x="\\"\\\\\\n,}",y="2",} 1.5 1700000000\nb +Inf\nc_bucket{le="1"} 2 # {t="z"} 0.5\n'
    )
    assert told == [
        Sample("a", (("x", '"\\\n,}'), ("y", "2")), 1.5),
        Sample("b", (), float("inf")),
        Sample("c_bucket", (("le", "1"),), 2.0),
    ]


@pytest.mark.parametrize("line", ["<html>", "a", "a{x=1} 2", "a{} x", 'a{x="1"y} 2'])
def test_a_line_that_is_no_sample_is_named(line):
    with pytest.raises(MetricsError, match=r"^line 2 is no sample"):
        read_text(f"ok 1\n{line}\n")


def test_a_series_that_is_gone_has_begun_anew():
    with pytest.raises(MetricsError, match="anew"):
        increase(read_text('a_total{instance="1"} 3'), read_text('a_total{instance="2"} 3'))


# The usual exporters, as they are.


def test_prometheus_flask_exporter_is_known():
    from flask import Flask
    from prometheus_client import CollectorRegistry, generate_latest
    from prometheus_flask_exporter import PrometheusMetrics

    app, registry = Flask(__name__), CollectorRegistry()
    PrometheusMetrics(app, registry=registry, group_by="url_rule")
    app.add_url_rule("/user/<int:id>", "user", lambda **named: ("", 200 if named["id"] else 404))
    for id in (1, 2, 0):
        app.test_client().get(f"/user/{id}")
    (route,) = routes_of(read_text(generate_latest(registry).decode()), "original").values()
    assert (route.name, route.requests, route.statuses) == ("GET /user/<int:id>", 3, {"2xx": 2, "4xx": 1})
    assert route.seconds.count == 3


def test_starlette_exporter_is_known():
    from starlette.applications import Starlette
    from starlette.responses import Response
    from starlette_exporter import PrometheusMiddleware, handle_metrics

    app = Starlette()
    app.add_middleware(PrometheusMiddleware, group_paths=True)
    app.add_route("/user/{id}", lambda request: Response(status_code=503 if request.path_params["id"] == "0" else 200))
    app.add_route("/metrics", handle_metrics)
    with asgi(app) as target, httpx.Client(transport=TargetTransport(target), base_url="https://x") as client:
        for id in (1, 2, 0):
            client.get(f"/user/{id}")
        told = client.get("/metrics").text
    route = routes_of(read_text(told), "port")["GET /user/{}"]
    assert (route.requests, route.statuses, route.seconds.count) == (3, {"2xx": 2, "5xx": 1}, 3)


def test_several_histograms_are_chosen_from(watch):
    told = exposition("original") + exposition("original").replace("http_request_seconds", "queue_seconds")
    ran = watch(told, exposition("port"))
    assert ran.exit_code == 2
    assert "choose by --latency: http_request_seconds, queue_seconds" in ran.stderr
    assert watch(told, exposition("port"), "--latency", "http_request_seconds").exit_code == 0
    assert "--latency names no histogram" in watch(told, told, "--latency", "nothing").stderr


def test_milliseconds_are_seconds():
    text = exposition("port", counts={"/users": 100}).replace(
        "http_request_seconds", "http_request_duration_milliseconds"
    )
    route = routes_of(read_text(text), "port")["GET /users"]
    seconds = routes_of(read_text(exposition("port", counts={"/users": 100})), "port")["GET /users"].seconds
    assert route.seconds.quantile(0.95) == pytest.approx(seconds.quantile(0.95) / 1000)
