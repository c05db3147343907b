"""`parity watch --prometheus`: what is asked of it, and an answer that is none of a Prometheus"""

import json
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from click.testing import CliRunner

from contract_tests.__main__ import main
from contract_tests.parity.metrics.samples import read_text
from contract_tests.tests.engine.test_watch_command import Told, exposition


class FakePrometheus(Told):
    """Answers a query as Prometheus does: of each app the same counts, as many times as were there at that time."""

    def __init__(self, *, then, now, resets=0):
        super().__init__("")
        self.values, self.resets = {"then": then, "now": now}, resets

    def answer(self, path):
        asked = parse_qs(urlsplit(path).query)
        query, at = asked["query"][0], float(asked["time"][0])
        role = "original" if 'app="original"' in query else "port"
        found = []
        if query.startswith("sum(resets("):
            found = [{"metric": {}, "value": [at, str(self.resets if role == "port" else 0)]}]
        elif scale := self.values["then" if at < time.time() - 60 else "now"]:
            for each in read_text(exposition(role, 1 if role == "original" else 2)):
                labels = dict(each.labels) | {"__name__": each.name}
                found.append({"metric": labels, "value": [at, str(each.value * scale)]})
        return json.dumps({"status": "success", "data": {"resultType": "vector", "result": found}})


PROMETHEUS = {
    "alike": ({"then": 1, "now": 2}, 0, "ALIKE OR BETTER: 2 routes (95 % confidence; 5000 requests on the original"),
    "restarted": ({"then": 1, "now": 2, "resets": 1}, 4, "it was restarted; choose a time without that"),
    "began anew": ({"then": 2, "now": 1}, 4, "its counters began anew"),
    "younger": ({"then": 0, "now": 1}, 4, "nothing is known of it 3600 s ago; choose a shorter time"),
    "unknown": ({"then": 0, "now": 0}, 4, "nothing is told of it"),
}


@pytest.mark.parametrize(("told", "code", "said"), PROMETHEUS.values(), ids=PROMETHEUS)
def test_a_prometheus_is_asked_for_then_and_now(told, code, said):
    with FakePrometheus(**told) as prometheus:
        ran = CliRunner().invoke(main, ["watch", "--prometheus", prometheus.url, "--for", "1h"])
    assert (ran.exit_code, said in ran.output) == (code, True), ran.output


@pytest.mark.parametrize(
    "told",
    [
        *("{}", "[]", "<html>", '{"data": 1}', "[" * 100_000),
        *(
            json.dumps({"status": "success", "data": {"result": result}})
            for result in (
                [1],
                {"a": 1},
                [{"value": [1, "1"]}],
                [{"metric": {"__name__": "a_total"}}],
                [{"metric": {}, "value": [1, "1"]}],
                [{"metric": [1], "value": [1, "1"]}],
                [{"metric": {"__name__": "a_total", "route": []}, "value": [1, "1"]}],
                [{"metric": {"__name__": "a_total"}, "value": [1]}],
                [{"metric": {"__name__": "a_total"}, "value": [1, {}]}],
                [{"metric": {"__name__": "a_total"}, "values": [[1, "1"]]}],
            )
        ),
    ],
    ids=range(15),
)
def test_what_is_no_prometheus_is_told(told):
    with Told(told) as other:
        ran = CliRunner().invoke(main, ["watch", "--prometheus", other.url])
    assert (ran.exit_code, ran.stderr) == (2, f"parity: {other.url} does not answer as a Prometheus does\n")
