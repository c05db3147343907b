"""What a client sent comes back in no problem, and goes into no log"""

import json
import logging
from urllib.parse import quote

import pytest

from contract_tests.suite.contract import PLANTED_SECRET

SECRET = PLANTED_SECRET
LONG = SECRET * 200
VALUES = [SECRET, LONG, SECRET + "@" + SECRET, f"{SECRET}\x00", [SECRET], {SECRET: SECRET}, None]
HEADERS = {
    "Authorization": f"Bearer {SECRET}",
    "Proxy-Authorization": f"Basic {SECRET}",
    "Cookie": f"session={SECRET}; {SECRET}=1",
    "X-Api-Key": SECRET,
    # No id: one that is fit comes back by contract, and is logged.
    "X-Request-ID": f"{SECRET} {SECRET}",
    "X-Forwarded-For": SECRET,
    "X-Forwarded-Proto": SECRET,
    "Referer": f"https://testserver/{SECRET}",
}


def document(api):
    return api.get("/openapi.json").json()


def fields_of(spec, operation):
    """The names of an operation's body fields."""
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    return spec["components"]["schemas"][schema["$ref"].rpartition("/")[2]]["properties"]


def requests(spec):
    """A secret in each place that each operation reads, and in some that it does not."""
    for path, item in spec["paths"].items():
        for method, operation in item.items():
            url = path.replace("{id}", SECRET).replace("{name}", SECRET).replace("{key}", SECRET)
            yield method, url, {}
            yield method, f"{url}?{SECRET}={SECRET}", {}
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "query":
                    yield method, f"{url}?{parameter['name']}={quote(SECRET)}", {}
            if "application/json" in operation.get("requestBody", {}).get("content", {}):
                yield from bodies(method, url, list(fields_of(spec, operation)))


def bodies(method, url, fields):
    valid = {field: "ada@example.com" if field == "email" else "valid" for field in fields}
    for field in fields:
        for value in VALUES:
            yield method, url, {"json": valid | {field: value}}
    yield method, url, {"json": {SECRET: SECRET}}
    yield method, url, {"json": SECRET}
    yield method, url, {"content": f'{{"{SECRET}', "headers": {"Content-Type": "application/json"}}
    yield method, url, {"content": SECRET, "headers": {"Content-Type": f"text/{SECRET}"}}
    yield method, url, {"content": json.dumps(SECRET * 100_000), "headers": {"Content-Type": "application/json"}}


@pytest.mark.empty_world
def test_a_secret_comes_back_in_no_problem_and_no_log_line(api, caplog, capfd):
    caplog.set_level(logging.INFO)
    refused = 0
    for method, url, arguments in requests(document(api)):
        headers = HEADERS | arguments.pop("headers", {})
        answer = api.request(method, url, headers=headers, **arguments)
        told = answer.text + repr(answer.headers)
        if answer.status_code >= 400:
            refused += 1
            assert SECRET not in told, (method, url[:40])
            assert answer.headers["content-type"] == "application/problem+json"
    assert refused > 30
    lines = [record.getMessage() for record in caplog.records if not record.name.startswith("httpx")]
    assert not [line for line in lines if SECRET in line]
    assert SECRET not in "".join(capfd.readouterr())


def test_a_password_comes_back_nowhere(api, person, ada):
    start = api.post("/user", json=person("Sam")).json()["id"]
    created = api.post("/user", json=ada | {"password": SECRET})
    assert created.status_code == 201
    shown = [created, api.get(created.headers["location"]), api.get(f"/users?after={start}")]
    assert not [answer.url for answer in shown if SECRET in answer.text or "argon2" in answer.text]
