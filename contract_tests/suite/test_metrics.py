"""GET /metrics: the same names, labels and buckets from both apps, for this machine and the trusted proxies alone"""

import re
import time
from collections import Counter

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from contract_tests.parity.transport import TargetTransport
from contract_tests.suite.contract import GATE
from contract_tests.suite.world import BASE_URL

FAMILIES = {
    "http_requests": "counter",
    "http_request_seconds": "histogram",
    "http_requests_in_progress": "gauge",
}
BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, float("inf")]
ASKED = [
    ("GET", "/healthz"), ("GET", "/healthz"), ("HEAD", "/healthz"), ("GET", "/user/0"), ("GET", "/user/9"),
    ("GET", "/hunter2"), ("GET", "/user/hunter2"), ("OPTIONS", "/user/1"), ("DELETE", "/user"), ("PROPFIND", "/users"),
    ("GET", "/users?limit=0"), ("GET", "/docs/hunter2"), ("GET", "/users"),
]  # fmt: skip
COUNTED = {
    ("GET", "/healthz", "200"): 2, ("HEAD", "/healthz", "200"): 1, ("GET", "/user/{id}", "404"): 2,
    ("GET", "-", "404"): 2, ("OPTIONS", "-", "200"): 1, ("DELETE", "-", "405"): 1, ("OTHER", "-", "405"): 1,
    ("GET", "/users", "422"): 1, ("GET", "/users", "200"): 1, ("GET", "/docs/{name}", "404"): 1,
}  # fmt: skip


def scraped(api):
    return {family.name: family for family in text_string_to_metric_families(api.get("/metrics").text)}


def counts(api, name="http_requests", suffix="_total"):
    """The values of a family by their labels but `app`, without those of the scrapes themselves."""
    samples = [sample for sample in scraped(api)[name].samples if sample.name == name + suffix]
    values = {tuple(value for key, value in s.labels.items() if key != "app"): s.value for s in samples}
    assert len(values) == len(samples)
    return {labels: value for labels, value in values.items() if "/metrics" not in labels}


def added(before, after):
    return {labels: value - before.get(labels, 0) for labels, value in after.items() if value != before.get(labels, 0)}


def eventually(measure, wanted):
    """What is measured, as soon as it is what is wanted: a server may answer before it has counted."""
    deadline = time.monotonic() + 5
    while (measured := measure()) != wanted and time.monotonic() < deadline:
        time.sleep(0.01)
    return measured


def test_the_format_is_prometheus_own(connect):
    answer = connect().get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert {name: family.type for name, family in scraped(connect()).items()} == FAMILIES


def test_requests_are_counted_by_method_route_and_status(connect):
    api = connect()
    before = counts(api)
    for method, path in ASKED:
        api.request(method, path)
    assert eventually(lambda: added(before, counts(api)), COUNTED) == COUNTED
    assert "hunter2" not in api.get("/metrics").text


def test_their_seconds_fall_into_buckets(connect):
    api = connect()
    wanted = {}
    for (method, route, _), value in COUNTED.items():
        wanted[method, route] = wanted.get((method, route), 0) + value
    before, began = (
        {suffix: counts(api, "http_request_seconds", suffix) for suffix in ("_count", "_sum")},
        time.monotonic(),
    )
    for method, path in ASKED:
        api.request(method, path)
    measured = eventually(lambda: added(before["_count"], counts(api, "http_request_seconds", "_count")), wanted)
    assert measured == wanted
    seconds = added(before["_sum"], counts(api, "http_request_seconds", "_sum"))
    assert seconds.keys() == wanted.keys()
    assert 0 < sum(seconds.values()) < time.monotonic() - began


def test_the_buckets_and_labels_are_the_same(connect):
    api = connect()
    api.get("/healthz")
    eventually(lambda: ("GET", "/healthz", "200") in counts(api), wanted=True)
    families = scraped(api)
    samples = [
        s
        for s in families["http_request_seconds"].samples
        if (s.labels["method"], s.labels["route"]) == ("GET", "/healthz")
    ]
    (counted,) = {frozenset(sample.labels) for sample in families["http_requests"].samples}
    assert counted == {"app", "method", "route", "status"}
    assert {sample.name.removeprefix("http_request_seconds") for sample in samples} == {"_bucket", "_count", "_sum"}
    assert [float(sample.labels["le"]) for sample in samples if "le" in sample.labels] == BUCKETS
    assert {name for sample in samples for name in sample.labels} == {"app", "method", "route", "le"}


def test_a_request_is_in_progress_until_it_is_answered(connect):
    """The scrape sees itself, and nothing is left of what went before."""
    api = connect()
    for method, path in ASKED:
        api.request(method, path)
    assert eventually(lambda: counts(api, "http_requests_in_progress", ""), {(): 1}) == {(): 1}


def test_each_names_itself_in_every_series(connect, role):
    api = connect()
    for method, path in ASKED:
        api.request(method, path)
    eventually(lambda: counts(api, "http_requests_in_progress", ""), {(): 1})
    names = Counter(sample.labels.get("app") for family in scraped(api).values() for sample in family.samples)
    assert set(names) == {role}


def test_but_for_the_name_both_tell_the_same(contract, pytestconfig):
    """Each line of one text is a line of the other one: comments, names, labels, and what was counted."""
    told = {}
    for role in ("original", "port"):
        contract.reset(role)
        target = contract.observed(role, pytestconfig.stash[GATE])
        with httpx.Client(transport=TargetTransport(target), base_url=BASE_URL, trust_env=False) as api:
            told[role] = told_of_asked(api, role)
    assert told["original"] == told["port"]
    assert len(told["original"]) == 6 + len(COUNTED) + (len(BUCKETS) + 2) * len(SECONDS_OF) + 1


SECONDS_OF = sorted({(method, route) for method, route, _ in COUNTED})


def told_of_asked(api, role):
    """The text's lines about ASKED and its comments, each with what was added to it; None for seconds.

    The name of the app alone is replaced, and only where it is the app's own.
    """
    before, told = lines(api, role), {}
    for method, path in ASKED:
        api.request(method, path)
    deadline = time.monotonic() + 5
    while not is_settled(before, told := lines(api, role)) and time.monotonic() < deadline:
        time.sleep(0.01)  # a server may answer before it has counted
    found = requests(added(before, told))
    for key, value in told.items():
        if any(f'method="{method}",route="{route}"' in key for method, route in SECONDS_OF):
            if "_seconds_count" in key:
                found[key] = value - before.get(key, 0)
            elif "_seconds_" in key:
                found[key] = None
        elif key.startswith(("#", "http_requests_in_progress")):
            found[key] = value
    return found


def is_settled(before, told):
    """Whether all that was asked is counted, and only the scrape itself is in progress."""
    grown = added(before, told)
    counted = [sum(value for key, value in grown.items() if name in key) for name in ("_total", "_seconds_count")]
    return (*counted, told["http_requests_in_progress{}"]) == (len(ASKED), len(ASKED), 1)


def requests(told):
    return {key: value for key, value in told.items() if key.startswith("http_requests_total")}


def lines(api, role):
    """The values of a text's lines by all that stands before them, without those of the scrapes themselves."""
    told = [line for line in api.get("/metrics").text.splitlines() if "/metrics" not in line]
    told = [f"{line} 0" if line.startswith("#") else line for line in told]
    named = (re.sub(f'^(\\w+{{)app="{role}",?', r"\1", line).rsplit(" ", 1) for line in told)
    return {key: float(value) for key, value in named}


def test_nothing_is_told_of_the_process_or_of_counters_births(connect):
    assert not re.search(r"^(process_|python_)|_created", connect().get("/metrics").text, re.M)


def test_a_stranger_sees_nothing_there(api):
    """As if there were no such path, and no header or method tells otherwise."""
    stranger = {"X-Forwarded-For": "203.0.113.7"}
    refused = api.get("/metrics", headers=stranger)
    nothing = api.get("/nope", headers=stranger)
    assert refused.status_code == 404
    assert refused.content == nothing.content
    assert refused.headers["content-type"] == nothing.headers["content-type"]


@pytest.mark.parametrize(
    "forged", ["127.0.0.1, 203.0.113.7", "::1,203.0.113.7", "unknown", "localhost", "203.0.113.7,,"]
)
def test_a_stranger_who_names_this_machine_sees_nothing_either(api, forged):
    assert api.get("/metrics", headers={"X-Forwarded-For": forged}).status_code == 404


@pytest.mark.parametrize("repeated", [["127.0.0.1", "203.0.113.7"], ["203.0.113.7", "127.0.0.1"]])
def test_a_stranger_s_repeated_header_is_one_list(api, repeated):
    assert api.get("/metrics", headers=[("X-Forwarded-For", each) for each in repeated]).status_code == 404


@pytest.mark.parametrize("near", ["127.0.0.1", "127.8.9.1", "::1", "[::1]:50000", "::ffff:127.0.0.1", ""])
def test_this_machine_and_the_proxies_see_them(connect, near):
    assert connect().get("/metrics", headers={"X-Forwarded-For": near}).status_code == 200
