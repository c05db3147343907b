"""Envoy's configuration (1.36 or newer): a bootstrap, and the routes, which Envoy reads anew when they change."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from contract_tests.migration.gateway.tables import HUNDRED, Route, Table

FILE, ROUTES = "gateway.envoy.yaml", "gateway.envoy-routes.yaml"
RELOAD = (f"envoy --mode validate -c {FILE}", f"(nothing: a running Envoy sees that {ROUTES} has changed)")
_TYPES = "type.googleapis.com/envoy."
_PIECES = "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_PROTOCOLS = "extensions.upstreams.http.v3.HttpProtocolOptions"
_REMOVED = ["x-forwarded-host", "x-forwarded-port", "x-forwarded-prefix", "x-real-ip", "forwarded"]
_ROUTES_IN_A_FILE = {"resource_api_version": "V3", "path_config_source": {"path": ROUTES}}

Shape = dict[str, Any]


def render(table: Table) -> dict[str, str]:
    """The files of a table by their names: JSON, which is YAML that may have a comment above it."""
    return {FILE: _yaml(_bootstrap(table)), ROUTES: _yaml({"resources": [_route_table(table)]})}


def _yaml(value: Shape) -> str:
    return json.dumps(value, indent=2) + "\n"


def _typed(name: str, /, **fields: Any) -> Shape:
    return {"@type": _TYPES + name, **fields}


def _bootstrap(table: Table) -> Shape:
    mirrors = any(route.mirror for route in table.routes)
    clusters = [_cluster("gateway_original", [[("original", table.original)]])]
    clusters.append(_cluster("gateway_port", [[("port", table.port)], [("original", table.original)]]))
    if mirrors:
        clusters.append(_cluster("gateway_mirror", [[("port", table.port)]]))
    return {
        "static_resources": {
            "listeners": [{"name": "gateway", "address": _address(table.listen), "filter_chains": [_chain(table)]}],
            "clusters": clusters,
        }
    }


def _chain(table: Table) -> Shape:
    chain: Shape = {
        "filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": _manager(table)}]
    }
    if table.tls:
        certificate, key = ({"filename": each} for each in table.tls)
        context = {"tls_certificates": [{"certificate_chain": certificate, "private_key": key}]}
        typed = _typed("extensions.transport_sockets.tls.v3.DownstreamTlsContext", common_tls_context=context)
        chain["transport_socket"] = {"name": "envoy.transport_sockets.tls", "typed_config": typed}
    return chain


def _manager(table: Table) -> Shape:
    router = _typed("extensions.filters.http.router.v3.Router", suppress_envoy_headers=True)
    buffer = _typed("extensions.filters.http.buffer.v3.Buffer", max_request_bytes=table.max_body_mb << 20)
    return _typed(
        _PIECES,
        stat_prefix="gateway",
        # The client is who is connected, whatever it says of itself.
        use_remote_address=True,
        preserve_external_request_id=True,
        server_header_transformation="PASS_THROUGH",
        access_log=[_log()],
        rds={"route_config_name": "gateway", "config_source": _ROUTES_IN_A_FILE},
        http_filters=[
            {"name": "envoy.filters.http.buffer", "typed_config": buffer},
            {"name": "envoy.filters.http.router", "typed_config": router},
        ],
    )


def _log() -> Shape:
    # No path and no query: they may hold what belongs in no log.
    line = "%START_TIME% %REQ(:METHOD)% %RESPONSE_CODE% %RESP(X-SERVED-BY)% %DURATION% %REQ(X-REQUEST-ID)%\n"
    form = {"text_format_source": {"inline_string": line}}
    return {
        "name": "envoy.access_loggers.stdout",
        "typed_config": _typed("extensions.access_loggers.stream.v3.StdoutAccessLog", log_format=form),
    }


def _route_table(table: Table) -> Shape:
    hidden = [{"match": {"path": path}, "direct_response": {"status": 404}} for path in table.hidden]
    routes = [_route(each, table) for route in table.routes for each in _by_mirror(route)]
    rest = {"match": {"prefix": "/"}, "route": _action("gateway_original")}
    return _typed(
        "config.route.v3.RouteConfiguration",
        name="gateway",
        virtual_hosts=[{"name": "gateway", "domains": ["*"], "routes": [*hidden, *routes, rest]}],
        request_headers_to_remove=_REMOVED,
        request_headers_to_add=[
            _header("X-Forwarded-For", "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"),
            _header("X-Forwarded-Proto", table.scheme),
        ],
        # Which of its addresses a cluster took, known by what stands beside that address.
        response_headers_to_add=[_header("X-Served-By", '%UPSTREAM_METADATA(["gateway", "served_by"])%')],
    )


def _by_mirror(route: Route) -> list[Route]:
    """Envoy mirrors by route and not by method: what is not to be mirrored is a route of its own, after the other."""
    if not route.mirror or set(route.mirrored) == set(route.matched):
        return [route]
    return [replace(route, methods=route.mirrored), replace(route, mirror=Decimal(0))]


def _header(key: str, value: str) -> Shape:
    return {"header": {"key": key, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}


def _route(route: Route, table: Table) -> Shape:
    match: Shape = {"safe_regex": {"regex": route.pattern.regex()}}
    if route.matched:
        methods = {"string_match": {"safe_regex": {"regex": "|".join(route.matched)}}}
        match["headers"] = [{"name": ":method", **methods}]
    action = _split(route, table) if route.is_split else _action(f"gateway_{'port' if route.share else 'original'}")
    if route.mirror:
        action["request_mirror_policies"] = [_mirror(route)]
    return {"match": match, "route": action}


def _action(cluster: str) -> Shape:
    return {"cluster": cluster, "timeout": "60s", "retry_policy": _retries()}


def _split(route: Route, table: Table) -> Shape:
    shares = {"gateway_port": route.share, "gateway_original": HUNDRED - route.share}
    clusters = [{"name": name, "weight": int(share * 100)} for name, share in shares.items()]
    return {
        "weighted_clusters": {"clusters": clusters, "use_hash_policy": True},
        "hash_policy": [_hashed(table)],
        "timeout": "60s",
        "retry_policy": _retries(),
    }


def _hashed(table: Table) -> Shape:
    """What a user is known by; Envoy makes the cookie for who has none."""
    if table.sticky.kind == "header":
        return {"header": {"header_name": table.sticky.name}}
    attributes = [{"name": "SameSite", "value": "Lax"}, {"name": "HttpOnly"}]
    secure = [{"name": "Secure"}] if table.tls else []
    return {"cookie": {"name": table.sticky.name, "ttl": "2592000s", "path": "/", "attributes": attributes + secure}}


def _mirror(route: Route) -> Shape:
    hundredths = {"numerator": int(route.mirror * 100), "denominator": "TEN_THOUSAND"}
    return {
        "cluster": "gateway_mirror",
        # Without a fraction everything is mirrored; with it the share can be changed while Envoy runs.
        "runtime_fraction": {"default_value": hundredths, "runtime_key": "gateway.mirror"},
        "disable_shadow_host_suffix_append": True,
    }


def _retries() -> Shape:
    """Where no connection is made another address is tried: of the port's cluster that is the original."""
    priorities = _typed("extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig", update_frequency=1)
    return {
        "retry_on": "connect-failure",
        "num_retries": 1,
        "retry_priority": {"name": "envoy.retry_priorities.previous_priorities", "typed_config": priorities},
    }


def _cluster(name: str, priorities: Sequence[Sequence[tuple[str, str]]]) -> Shape:
    # Idle for less than any server allows: a POST that meets a closing connection is lost.
    options = _typed(
        _PROTOCOLS,
        common_http_protocol_options={"idle_timeout": "1s"},
        explicit_http_config={"http_protocol_options": {}},
    )
    endpoints = [
        {"priority": number, "lb_endpoints": [_endpoint(*each) for each in group]}
        for number, group in enumerate(priorities)
    ]
    checks = {
        "tcp_health_check": {},
        "timeout": "1s",
        "interval": "1s",
        "unhealthy_threshold": 1,
        "healthy_threshold": 1,
    }
    return {
        "name": name,
        "type": "STRICT_DNS",
        "connect_timeout": "2s",
        "load_assignment": {"cluster_name": name, "endpoints": endpoints},
        "typed_extension_protocol_options": {_TYPES.partition("/")[2] + _PROTOCOLS: options},
        **(
            {"health_checks": [checks], "common_lb_config": {"healthy_panic_threshold": {}}}
            if len(priorities) > 1
            else {}
        ),
    }


def _endpoint(role: str, address: str) -> Shape:
    known = {"filter_metadata": {"gateway": {"served_by": role}}}
    return {"endpoint": {"address": _address(address)}, "metadata": known}


def _address(address: str) -> Shape:
    host, _, port = address.rpartition(":")
    return {"socket_address": {"address": host.strip("[]"), "port_value": int(port)}}
