"""nginx's configuration, for its `http` block: by maps over the raw path, so that each request is decided once."""

from __future__ import annotations

import re
from collections.abc import Iterator

from contract_tests.migration.gateway.tables import HUNDRED, Route, Table, TableError

FILE = "gateway.nginx.conf"
RELOAD = ("nginx -t", "nginx -s reload")
_NUMERIC = re.compile(r"(?:[0-9.]+|\[.*\]):[0-9]+")

# All of them, in every location that sets one: it would lose those of its server (measured).
_HEADERS = """\
proxy_set_header Connection "";
proxy_set_header Host $host;
proxy_set_header X-Request-ID $gateway_request_id;
proxy_set_header X-Forwarded-For $remote_addr;
proxy_set_header X-Forwarded-Proto $scheme;
proxy_set_header X-Forwarded-Host "";
proxy_set_header X-Forwarded-Port "";
proxy_set_header X-Forwarded-Prefix "";
proxy_set_header X-Real-IP "";
proxy_set_header Forwarded "";
""".splitlines()

_EVERYTHING = "^/.*$"
_MIRRORED = """\
mirror /gateway-mirror;
# The next request on a connection would wait for this one's mirror (measured): there is none.
keepalive_timeout 0;
""".splitlines()
_MIRROR = (
    """\
internal;
# `mirror $variable;` would mirror nothing, and say so nowhere (measured): sampled here, by method and share.
if ($gateway_mirrors = "") {
    return 204;
}
proxy_next_upstream off;
""".splitlines()
    + _HEADERS
)


def render(table: Table) -> dict[str, str]:
    """The files of a table by their names. Raises TableError."""
    for name in (table.original, table.port):
        if not _NUMERIC.fullmatch(name):
            raise TableError(f"nginx does not start while the name in {name} is unknown: give an IP address")
    parts = [_request(table), *_sticky(table), *_routes(table), *_upstreams(table), *_served_by(table), *_server(table)]
    return {FILE: "\n".join(parts) + "\n"}


def _request(table: Table) -> str:
    log = "$time_iso8601 $remote_addr $request_method $status $gateway_served_by $upstream_status $request_time"
    return f"""\
# No path and no query: they may hold what belongs in no log.
log_format gateway '{log} $gateway_request_id';

# The path as it was sent, of the client's request also within a mirror.
map $request_uri $gateway_path {{
    default "";
    "~^(?<gateway_raw>[^?]*)" $gateway_raw;
}}

# What both apps take for an id goes on; every other request gets one. A mirrored request has the same.
map $http_x_request_id $gateway_request_id {{
    default $request_id;
    "~^[A-Za-z0-9._-]{{1,64}}$" $http_x_request_id;
}}
"""


def _sticky(table: Table) -> Iterator[str]:
    name = table.sticky.name
    if not table.is_split:
        return
    if table.sticky.kind == "header":
        variable = f"$http_{name.lower().replace('-', '_')}"
        yield f'map {variable} $gateway_user {{\n    default {variable};\n    "" $request_id;\n}}\n'
        return
    attributes = "; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax" + ("; Secure" if table.tls else "")
    yield f"""\
# Who has no number yet gets one, and keeps it. It says nothing but which users are together.
map $cookie_{name} $gateway_user {{
    default $request_id;
    "~^[0-9a-f-]{{32,36}}$" $cookie_{name};
}}
map $cookie_{name} $gateway_new_user {{
    default "{name}=$request_id{attributes}";
    "~^[0-9a-f-]{{32,36}}$" "";
}}
"""


def _routes(table: Table) -> Iterator[str]:
    rows = [
        f'    "~^{_methods(route.matched)} {route.pattern.regex()[1:]}" {number};' for number, route in _numbered(table)
    ]
    yield "# The first that fits.\n" + _map('"$request_method $gateway_path"', "$gateway_route", "0", rows)
    for number, route in _numbered(table):
        if route.is_split:
            # A share of 0 % is refused by nginx: its line is left out, as the share of 100 % needs none.
            yield _split(
                "$gateway_user", f"$gateway_share_{number}", f"{route.share}% gateway_port", "gateway_original"
            )
        if 0 < route.mirror < HUNDRED:
            yield _split("$request_id", f"$gateway_sample_{number}", f"{route.mirror}% 1", '""')
    mirrors = [
        f'    "~^{number} {_methods(route.mirrored)}$" {_sample(number, route)};'
        for number, route in _numbered(table)
        if route.mirror
    ]
    if mirrors:
        yield _map('"$gateway_route $request_method"', "$gateway_mirrors", '""', mirrors)
    served = [f"    {number} {_pool(number, route)};" for number, route in _numbered(table) if route.share]
    yield "# What no route names is the original's.\n" + _map(
        "$gateway_route", "$gateway_pool", "gateway_original", served
    )


def _pool(number: int, route: Route) -> str:
    return f"$gateway_share_{number}" if route.is_split else "gateway_port"


def _sample(number: int, route: Route) -> str:
    return f"$gateway_sample_{number}" if route.mirror < HUNDRED else "1"


def _map(source: str, variable: str, default: str, rows: list[str]) -> str:
    return "\n".join([f"map {source} {variable} {{", f"    default {default};", *rows, "}", ""])


def _split(source: str, variable: str, share: str, rest: str) -> str:
    return f"split_clients {source} {variable} {{\n    {share};\n    * {rest};\n}}\n"


def _methods(methods: tuple[str, ...]) -> str:
    return f"(?:{'|'.join(methods)})" if methods else "[A-Z]+"


def _upstreams(table: Table) -> Iterator[str]:
    # Idle for less than any server allows: a POST that meets a closing connection is lost.
    idle = "    keepalive 32;\n    keepalive_timeout 1s;\n"
    yield f"upstream gateway_original {{\n    server {table.original} max_fails=0;\n{idle}}}\n"
    yield f"""\
# Where the port cannot be reached the original serves.
upstream gateway_port {{
    server {table.port} max_fails=1 fail_timeout=2s;
    server {table.original} backup max_fails=0;
{idle}}}
"""
    if any(route.mirror for route in table.routes):
        yield f"# A mirror goes to the port alone.\nupstream gateway_mirror {{\n    server {table.port};\n}}\n"


def _served_by(table: Table) -> Iterator[str]:
    """The last address that was tried answered, if a header came from it."""
    rows = [f'    "~{_exact(getattr(table, name))}[|](?:.*[ ,:])?[0-9.]+$" {name};' for name in ("original", "port")]
    yield _map('"$upstream_addr|$upstream_header_time"', "$gateway_served_by", "gateway", rows)


def _exact(address: str) -> str:
    return "(?:^|[ ,])" + re.sub(r"[.\[\]]", r"[\g<0>]", address)


def _server(table: Table) -> Iterator[str]:
    yield "server {"
    yield from (f"    {line}" for line in _settings(table))
    for path in table.hidden:
        yield f"\n    location = {path} {{\n        return 404;\n    }}"
    mirrored = dict.fromkeys(route.pattern.regex() for route in table.routes if route.mirror)
    places = [f'~ "{regex}"' for regex in mirrored if regex != _EVERYTHING]
    for place in places:
        yield _location(place, _MIRRORED)
    yield _location("/", _MIRRORED if _EVERYTHING in mirrored else [])
    if mirrored:
        yield _location("= /gateway-mirror", _MIRROR, to="gateway_mirror$request_uri")
    yield "}"


def _settings(table: Table) -> Iterator[str]:
    yield f"listen {table.listen}{' ssl' if table.tls else ''};"
    if table.tls:
        yield from (f"ssl_certificate {table.tls[0]};", f"ssl_certificate_key {table.tls[1]};")
        yield "ssl_protocols TLSv1.2 TLSv1.3;"
    yield from ("server_tokens off;", "merge_slashes off;", "gzip off;")
    yield from (f"client_max_body_size {table.max_body_mb}m;", "large_client_header_buffers 4 4k;")
    if table.logs:
        # From crit on: at the level below, a line about an app that is down holds the whole request line.
        yield f"access_log {table.logs}/gateway.access.log gateway;"
        yield f"error_log {table.logs}/gateway.error.log crit;"
    else:
        yield "access_log off;"
    yield "proxy_http_version 1.1;"
    yield from _HEADERS
    yield from ("proxy_redirect off;", "proxy_connect_timeout 2s;", "proxy_read_timeout 60s;")
    # nginx asks again only what was not sent yet, or is idempotent (RFC 9110, 9.2.2).
    yield from ("proxy_next_upstream error timeout;", "proxy_next_upstream_tries 2;")
    yield from ("proxy_hide_header X-Served-By;", "add_header X-Served-By $gateway_served_by always;")
    if table.is_split and table.sticky.kind == "cookie":
        yield "add_header Set-Cookie $gateway_new_user always;"


def _location(place: str, lines: list[str], *, to: str = "$gateway_pool") -> str:
    return "\n".join([f"\n    location {place} {{", *_indented([*lines, f"proxy_pass http://{to};"]), "    }"])


def _indented(lines: list[str]) -> list[str]:
    return [f"        {line}" for line in lines]


def _numbered(table: Table) -> list[tuple[int, Route]]:
    return list(enumerate(table.routes, 1))
