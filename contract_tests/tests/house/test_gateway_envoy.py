"""Envoy's configuration, which no Envoy reads here: held to golden files, and to the fields that its API has

Neither Envoy nor its schema can be had where these tests run. FIELDS was written down from Envoy's API v3
(1.36): the fields of each message that we write, with their kinds. A field that is none, one in the wrong message, a
duration like `200ms`, or a cluster that nobody defines is found; what Envoy makes of it is not.
"""

import re

import pytest
import yaml

from contract_tests.migration.gateway import envoy
from contract_tests.migration.gateway.files import MARKER
from contract_tests.migration.gateway.tables import read_table
from contract_tests.tests.house.test_house import ROOT

GOLDEN = ROOT / "contract_tests/tests/specimens/gateway"
TABLE = (GOLDEN / "cutover.toml").read_text()

TEXT, FLAG, WHOLE, SECONDS = "text", "flag", "whole", "seconds"
# A message's fields: a kind, another message's name, or [name] for a list of them.
FIELDS = {
    "Bootstrap": {"static_resources": "StaticResources"},
    "StaticResources": {"listeners": ["Listener"], "clusters": ["Cluster"]},
    "Listener": {"name": TEXT, "address": "Address", "filter_chains": ["FilterChain"]},
    "FilterChain": {"filters": ["Extension"], "transport_socket": "Extension"},
    "Extension": {"name": TEXT, "typed_config": "Any"},
    "Address": {"socket_address": "SocketAddress"},
    "SocketAddress": {"address": TEXT, "port_value": WHOLE},
    "HttpConnectionManager": {
        "stat_prefix": TEXT, "use_remote_address": FLAG, "preserve_external_request_id": FLAG,
        "server_header_transformation": {"OVERWRITE", "APPEND_IF_ABSENT", "PASS_THROUGH"},
        "access_log": ["Extension"], "rds": "Rds", "http_filters": ["Extension"],
    },
    "Rds": {"route_config_name": TEXT, "config_source": "ConfigSource"},
    "ConfigSource": {"path_config_source": "PathConfigSource", "resource_api_version": {"V3"}},
    "PathConfigSource": {"path": TEXT},
    "StdoutAccessLog": {"log_format": "SubstitutionFormatString"},
    "SubstitutionFormatString": {"text_format_source": "DataSource"},
    "DataSource": {"inline_string": TEXT, "filename": TEXT},
    "Buffer": {"max_request_bytes": WHOLE},
    "Router": {"suppress_envoy_headers": FLAG},
    "DownstreamTlsContext": {"common_tls_context": "CommonTlsContext"},
    "CommonTlsContext": {"tls_certificates": ["TlsCertificate"]},
    "TlsCertificate": {"certificate_chain": "DataSource", "private_key": "DataSource"},
    "Cluster": {
        "name": TEXT, "type": {"STATIC", "STRICT_DNS", "LOGICAL_DNS"}, "connect_timeout": SECONDS,
        "load_assignment": "ClusterLoadAssignment", "typed_extension_protocol_options": "Protocols",
        "health_checks": ["HealthCheck"], "common_lb_config": "CommonLbConfig",
    },
    "Protocols": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": "Any"},
    "HttpProtocolOptions": {"common_http_protocol_options": "CommonHttp", "explicit_http_config": "ExplicitHttp"},
    "CommonHttp": {"idle_timeout": SECONDS},
    "ExplicitHttp": {"http_protocol_options": "Nothing"},
    "Nothing": {},
    "ClusterLoadAssignment": {"cluster_name": TEXT, "endpoints": ["LocalityLbEndpoints"]},
    "LocalityLbEndpoints": {"priority": WHOLE, "lb_endpoints": ["LbEndpoint"]},
    "LbEndpoint": {"endpoint": "Endpoint", "metadata": "Metadata"},
    "Endpoint": {"address": "Address"},
    "Metadata": {"filter_metadata": "FilterMetadata"},
    "FilterMetadata": {"gateway": "Ours"},
    "Ours": {"served_by": TEXT},
    "HealthCheck": {
        "timeout": SECONDS, "interval": SECONDS, "unhealthy_threshold": WHOLE, "healthy_threshold": WHOLE,
        "tcp_health_check": "Nothing",
    },
    "CommonLbConfig": {"healthy_panic_threshold": "Percent"},
    "Percent": {"value": WHOLE},
    "DiscoveryResponse": {"version_info": TEXT, "resources": ["Any"]},
    "RouteConfiguration": {
        "name": TEXT, "virtual_hosts": ["VirtualHost"], "request_headers_to_remove": [TEXT],
        "request_headers_to_add": ["HeaderValueOption"], "response_headers_to_add": ["HeaderValueOption"],
    },
    "VirtualHost": {"name": TEXT, "domains": [TEXT], "routes": ["Route"]},
    "HeaderValueOption": {
        "header": "HeaderValue",
        "append_action": {"APPEND_IF_EXISTS_OR_ADD", "ADD_IF_ABSENT", "OVERWRITE_IF_EXISTS_OR_ADD"},
    },
    "HeaderValue": {"key": TEXT, "value": TEXT},
    "Route": {"match": "RouteMatch", "route": "RouteAction", "direct_response": "DirectResponse"},
    "RouteMatch": {"prefix": TEXT, "path": TEXT, "safe_regex": "Regex", "headers": ["HeaderMatcher"]},
    "Regex": {"regex": TEXT},
    "HeaderMatcher": {"name": TEXT, "string_match": "StringMatcher"},
    "StringMatcher": {"exact": TEXT, "safe_regex": "Regex"},
    "DirectResponse": {"status": WHOLE},
    "RouteAction": {
        "cluster": TEXT, "weighted_clusters": "WeightedCluster", "timeout": SECONDS, "retry_policy": "RetryPolicy",
        "request_mirror_policies": ["MirrorPolicy"], "hash_policy": ["HashPolicy"],
    },
    "WeightedCluster": {"clusters": ["ClusterWeight"], "use_hash_policy": FLAG},
    "ClusterWeight": {"name": TEXT, "weight": WHOLE},
    "HashPolicy": {"cookie": "HashCookie", "header": "HashHeader"},
    "HashCookie": {"name": TEXT, "ttl": SECONDS, "path": TEXT, "attributes": ["CookieAttribute"]},
    "CookieAttribute": {"name": TEXT, "value": TEXT},
    "HashHeader": {"header_name": TEXT},
    "MirrorPolicy": {
        "cluster": TEXT, "runtime_fraction": "RuntimeFraction", "disable_shadow_host_suffix_append": FLAG,
    },
    "RuntimeFraction": {"default_value": "Fraction", "runtime_key": TEXT},
    "Fraction": {"numerator": WHOLE, "denominator": {"HUNDRED", "TEN_THOUSAND", "MILLION"}},
    "RetryPolicy": {"retry_on": TEXT, "num_retries": WHOLE, "retry_priority": "Extension"},
    "PreviousPrioritiesConfig": {"update_frequency": WHOLE},
}  # fmt: skip
# Of these a message has exactly one.
CHOICES = {
    "Route": {"route", "direct_response"},
    "RouteMatch": {"prefix", "path", "safe_regex"},
    "RouteAction": {"cluster", "weighted_clusters"},
    "HashPolicy": {"cookie", "header"},
}
SHAPES = {
    TEXT: lambda value: isinstance(value, str) and value != "",
    FLAG: lambda value: isinstance(value, bool),
    WHOLE: lambda value: type(value) is int and value >= 0,
    SECONDS: lambda value: isinstance(value, str) and re.fullmatch(r"\d+(\.\d+)?s", value),
}


def faults(value, kind, place=""):
    """What Envoy's API does not have, by its place."""
    if isinstance(kind, list):
        if not isinstance(value, list):
            return [f"{place} is no list"]
        return [fault for number, each in enumerate(value) for fault in faults(each, kind[0], f"{place}[{number}]")]
    if isinstance(kind, set):
        return [] if value in kind else [f"{place} is {value!r}"]
    if kind in SHAPES:
        return [] if SHAPES[kind](value) else [f"{place} is {value!r}"]
    if not isinstance(value, dict):
        return [f"{place} is no message"]
    if kind == "Any":
        value = dict(value)
        prefix, _, name = value.pop("@type").rpartition(".")
        if not re.fullmatch(r"type\.googleapis\.com/envoy\.[a-z0-9_.]+\.v3", prefix) or name not in FIELDS:
            return [f"{place} is of the unknown type {name}"]
        kind = name
    found = [f"{place}.{key} is no field of {kind}" for key in value.keys() - FIELDS[kind].keys()]
    if kind in CHOICES and len(CHOICES[kind] & value.keys()) != 1:
        found.append(f"{place} has not one of {', '.join(sorted(CHOICES[kind]))}")
    known = FIELDS[kind].items()
    return found + [
        fault for key, each in known if key in value for fault in faults(value[key], each, f"{place}.{key}")
    ]


def written(text=TABLE):
    return {name: yaml.safe_load(each) for name, each in envoy.render(read_table(text, name="cutover.toml")).items()}


@pytest.mark.parametrize("name", [envoy.FILE, envoy.ROUTES])
def test_envoy_gets_what_the_golden_file_has(name):
    """To make it anew: parity gateway write contract_tests/tests/specimens/gateway/cutover.toml, and read the diff."""
    text = envoy.render(read_table(TABLE, name="cutover.toml"))[name]
    assert f"{MARKER}\n{text}" == (GOLDEN / name).read_text()


TABLES = [
    TABLE,
    TABLE.replace('sticky = { cookie = "gateway" }', 'sticky = { header = "X-User" }'),
    TABLE.replace("sticky", 'tls = { certificate = "a.crt", key = "a.key" }\nsticky'),
]


@pytest.mark.parametrize("text", TABLES, ids=["cookie", "header", "tls"])
def test_every_field_is_one_that_envoy_has(text):
    files = written(text)
    assert faults(files[envoy.FILE], "Bootstrap") == []
    assert faults(files[envoy.ROUTES], "DiscoveryResponse") == []


def test_every_cluster_that_a_route_names_is_defined():
    files = written()
    defined = {each["name"] for each in files[envoy.FILE]["static_resources"]["clusters"]}
    named = set(re.findall(r"'(gateway_\w+)'", str(files[envoy.ROUTES])))
    assert named == defined == {"gateway_original", "gateway_port", "gateway_mirror"}


@pytest.mark.parametrize(
    ("break_it", "told"),
    [
        (lambda action: action.update(timeout="200ms"), "is '200ms'"),
        (lambda action: action.update(mirror={}), "mirror is no field of RouteAction"),
        (lambda action: action.update(weighted_clusters={}), "has not one of cluster, weighted_clusters"),
        (lambda action: action["retry_policy"].update(num_retries="1"), "num_retries is '1'"),
        (
            lambda action: action["retry_policy"]["retry_priority"]["typed_config"].update({"@type": "x"}),
            "unknown type",
        ),
    ],
)
def test_the_check_itself_finds_what_envoy_would_refuse(break_it, told):
    routes = written()[envoy.ROUTES]
    break_it(routes["resources"][0]["virtual_hosts"][0]["routes"][-1]["route"])
    (fault,) = faults(routes, "DiscoveryResponse")
    assert told in fault


def test_a_mirror_has_a_fraction_and_the_client_s_host():
    """Without a fraction everything is mirrored, and without the flag Host gets `-shadow`."""
    policies = [policy for each in routes() for policy in each.get("route", {}).get("request_mirror_policies", [])]
    fractions = [policy["runtime_fraction"]["default_value"] for policy in policies]
    assert fractions == [{"numerator": number, "denominator": "TEN_THOUSAND"} for number in (10000, 2550)]
    assert all(policy["disable_shadow_host_suffix_append"] is True for policy in policies)


def routes():
    return written()[envoy.ROUTES]["resources"][0]["virtual_hosts"][0]["routes"]


def test_only_what_changes_nothing_is_mirrored():
    """Envoy mirrors by route: what is not mirrored is a second route, by every other method."""
    mirrored, others = [each for each in routes() if "/files" in str(each["match"])]
    assert mirrored["match"]["headers"] == [
        {"name": ":method", "string_match": {"safe_regex": {"regex": "GET|HEAD|OPTIONS"}}}
    ]
    assert "request_mirror_policies" in mirrored["route"]
    assert "headers" not in others["match"]
    assert "request_mirror_policies" not in others["route"]
