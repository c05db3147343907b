"""What a page of another site makes a visitor's browser send changes nothing"""

import json
from pathlib import Path

import pytest

from contract_tests.suite.test_methods import NOBODY

SPEC = json.loads((Path(__file__).parents[2] / "shared_core/openapi.json").read_bytes())
UNSAFE = [
    (method.upper(), path.replace("{id}", "1").replace("{key}", "colour"))
    for path, item in SPEC["paths"].items()
    for method in item
    if method in {"post", "put", "patch", "delete"}
]
REFUSED = {
    "type": "about:blank",
    "title": "Forbidden",
    "status": 403,
    "detail": "Requests from other sites' pages may change nothing here.",
}
HERE = "https://testserver"


@pytest.mark.parametrize(("method", "path"), [*UNSAFE, ("POST", "/nowhere"), ("POST", "/healthz"), ("PROPFIND", "/")])
def test_no_operation_is_done_for_another_site(api, method, path):
    refused = api.request(method, path, headers={"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"})
    assert refused.status_code == 403
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json() == REFUSED


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 204),
        ({"Sec-Fetch-Site": "same-origin"}, 204),
        ({"Sec-Fetch-Site": "none"}, 204),
        ({"Sec-Fetch-Site": "same-origin", "Origin": HERE}, 204),
        ({"Origin": HERE}, 204),
        ({"Origin": "HTTPS://TESTSERVER"}, 204),
        ({"Origin": "https://testserver:443"}, 204),
        ({"Sec-Fetch-Site": "cross-site", "Origin": HERE}, 204),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "SAME-ORIGIN"}, 403),
        ({"Sec-Fetch-Site": ""}, 403),
        ({"Sec-Fetch-Site": "same-site", "Origin": "https://other.testserver"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://testserver"}, 403),
        ({"Origin": "https://testserver:8443"}, 403),
        ({"Origin": "https://testserver.evil.example"}, 403),
        ({"Origin": "https://testserver@evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ""}, 403),
        ({"Origin": "testserver"}, 403),
        ({"Origin": "https://testserver:port"}, 403),
        ({"Origin": "https://[::1"}, 403),
        ([("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Site", "cross-site")], 403),
        ([("Origin", HERE), ("Origin", "https://evil.example")], 403),
        ([("Origin", "https://evil.example"), ("Origin", HERE)], 403),
        ({"Origin": "https://evil.example", "Host": "evil.example"}, 403),
        ({"Origin": "https://evil.example", "X-Forwarded-Host": "evil.example"}, 403),
    ],
)
def test_where_a_request_comes_from_is_told_by_the_browser(api, headers, status):
    assert api.delete("/session", headers=headers).status_code == status


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_reading_is_free_to_every_site(api, method):
    answer = api.request(method, NOBODY, headers={"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"})
    assert answer.status_code == 200


def test_a_request_of_another_site_leaves_its_victim_signed_in(api, ada, sign_up):
    me = sign_up(api, ada)
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    for method, path in [("DELETE", "/session"), ("DELETE", "/sessions"), ("POST", "/signout")]:
        refused = api.request(method, path, headers=headers)
        assert refused.status_code == 403
        assert "set-cookie" not in refused.headers
    assert api.get("/whoami").json() == me
