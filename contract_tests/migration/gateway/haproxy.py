"""HAProxy's configuration: a user's number decides between two backends, and the port's has the original behind it."""

from __future__ import annotations

from collections.abc import Iterator

from contract_tests.migration.gateway.tables import IDEMPOTENT, Route, Table, TableError

FILE = "gateway.haproxy.cfg"
RELOAD = (f"haproxy -c -f {FILE}", "systemctl reload haproxy")

_GLOBAL = """\
global
    log stderr format raw local0
    # An old process ends with its last request, and at the latest then.
    hard-stop-after 60s
"""
_DEFAULTS = """
defaults
    mode http
    log global
    # No path and no query: they may hold what belongs in no log.
    log-format "%[date,utime(%Y-%m-%dT%H:%M:%SZ)] %ci %HM %ST %s %Tt %[var(txn.request_id)]"
    timeout connect 2s
    timeout client 60s
    timeout server 60s
    timeout http-request 15s
    timeout http-keep-alive 60s
    # A POST that meets a closing connection is lost: each request has one of its own.
    option http-server-close
    # Where the port cannot be reached the original serves.
    option redispatch 1
    retries 3
    retry-on conn-failure empty-response
"""
_REPLACED = ("X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Real-IP", "Forwarded")


def render(table: Table) -> dict[str, str]:
    """The files of a table by their names. Raises TableError for a mirror: HAProxy has none."""
    mirrored = [route for route in table.routes if route.mirror]
    if mirrored:
        raise TableError(f"HAProxy has no mirror, and {mirrored[0]} asks for one: take nginx or Envoy")
    return {FILE: "\n".join([_global(table) + _DEFAULTS, *_frontend(table), *_backends(table)]) + "\n"}


def at_once(table: Table) -> tuple[str, ...]:
    """What the admin socket is told to move every user to the original now, without a reload; nothing without one."""
    if not table.admin_socket:
        return ()
    return (f'echo "set server gateway_port/port state maint" | socat stdio {table.admin_socket}',)


def _global(table: Table) -> str:
    socket = f"    stats socket {table.admin_socket} mode 600 level admin expose-fd listeners\n"
    return _GLOBAL + (socket if table.admin_socket else "")


def _frontend(table: Table) -> Iterator[str]:
    yield "frontend gateway"
    yield from (
        f"    {line}" for line in (*_request(table), *(_user(table) if table.is_split else ()), *_routes(table))
    )


def _request(table: Table) -> Iterator[str]:
    tls = f" ssl crt {table.tls[0]}" if table.tls else ""
    yield f"bind {table.listen}{tls}"
    yield f"http-request deny deny_status 413 if {{ req.body_size gt {table.max_body_mb << 20} }}"
    if table.hidden:
        yield f"http-request return status 404 if {{ path {' '.join(table.hidden)} }}"
    # What both apps take for an id goes on; every other request gets one.
    fit = "{ req.hdr(X-Request-ID) -m reg ^[A-Za-z0-9._-]{1,64}$ }"
    yield f"http-request set-header X-Request-ID %[uuid()] unless {fit}"
    yield "http-request set-var(txn.request_id) req.hdr(X-Request-ID)"
    yield "http-request set-header X-Forwarded-For %[src]"
    yield f"http-request set-header X-Forwarded-Proto {table.scheme}"
    yield from (f"http-request del-header {name}" for name in _REPLACED)
    # Only what may be done twice is asked again once it was sent (RFC 9110, 9.2.2).
    again = f"{{ method {' '.join(IDEMPOTENT)} }}"
    yield f"http-request disable-l7-retry unless {again}"
    # And only what was whole when it was first sent, while a body may come in a packet of its own.
    yield f"http-request wait-for-body time 60s if {again}"


def _user(table: Table) -> Iterator[str]:
    name = table.sticky.name
    if table.sticky.kind == "header":
        yield f"http-request set-var(txn.user) req.hdr({name})"
        yield "http-request set-var(txn.user) uuid() unless { var(txn.user) -m len gt 0 }"
    else:
        # Who has no number yet gets one, and keeps it. It says nothing but which users are together.
        known = f"{{ req.cook({name}) -m reg ^[0-9a-f-]{{32,36}}$ }}"
        yield f"http-request set-var(txn.user) req.cook({name}) if {known}"
        yield f"http-request set-var(txn.new_user) uuid() unless {known}"
        yield f"http-request set-var(txn.user) var(txn.new_user) unless {known}"
        attributes = "; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax" + ("; Secure" if table.tls else "")
        cookie = f'"{name}=%[var(txn.new_user)]{attributes}"'
        yield f"http-response add-header Set-Cookie {cookie} if {{ var(txn.new_user) -m found }}"
    yield "http-request set-var(txn.hundredths) var(txn.user),xxh32(1),mod(10000)"


def _routes(table: Table) -> Iterator[str]:
    """The first that fits; what no route names is the original's."""
    for route in table.routes:
        asked = _asked(route)
        if route.is_split:
            part = f"{{ var(txn.hundredths) -m int lt {int(route.share * 100)} }}"
            yield f"use_backend gateway_port if {asked} {part}"
        served = "gateway_port" if route.share == 100 else "gateway_original"
        yield f"use_backend {served} if {asked}"
    yield "default_backend gateway_original"


def _asked(route: Route) -> str:
    path = f"{{ path -m reg {route.pattern.regex()} }}"
    return f"{path} {{ method {' '.join(route.matched)} }}" if route.matched else path


def _backends(table: Table) -> Iterator[str]:
    served = "    http-response set-header X-Served-By %s"
    found = " init-addr last,libc,none"
    yield f"\nbackend gateway_original\n{served}\n    server original {table.original}{found}"
    yield f"\nbackend gateway_port\n{served}"
    if table.sticky.kind == "cookie":
        # Weight 0 keeps those who have it here, and sends new users to the original; maint moves all of them.
        yield f"    cookie {table.sticky.name}_served insert indirect nocache httponly"
    checked = " check inter 1s fall 1 rise 1 observe layer4 error-limit 1 on-error mark-down"
    yield f"    server port {table.port}{found}{' cookie port' if table.sticky.kind == 'cookie' else ''}{checked}"
    yield f"    server original {table.original}{found} backup"
