"""Redirects in Werkzeug's own form, and the URLs that Flask's url_for() builds."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import SplitResult, quote, urlencode, urlsplit, urlunsplit

from fastapi import Request
from fastapi.routing import iter_route_contexts
from starlette.convertors import Convertor, StringConvertor
from starlette.responses import HTMLResponse, Response
from starlette.routing import PARAM_FORMAT_REGEX, NoMatchFound
from starlette.types import ASGIApp, Receive, Scope, Send

from .fields import field
from .markup import escaped


def redirect(location: str, code: int = 302) -> Response:
    """Flask's redirect(): 302, the location as it is given but in ASCII, and a small page.

    RedirectResponse is 307, which has a form sent once more, empty, and escapes other characters. Take any of the codes
    301, 302, 303, 305, 307, 308. Raises ValueError for a location with a line break. Drop the page once no one sees it;
    keep the code.
    """
    if "\n" in location or "\r" in location:
        raise ValueError("a header's value has no line breaks")
    return moved(location, in_ascii(location), code)


def canonical(scope: Scope, path: str) -> Response:
    """Werkzeug's 308 to the canonical path: an absolute URL, the query kept, a small HTML page."""
    below = f"{scope.get('root_path', '')}{quote(path, safe=PATH_SAFE)}".lstrip("/")
    query = scope["query_string"].decode("utf-8", "replace")
    shown = f"{scope['scheme']}://{host_of(scope)}/{below}" + (f"?{query}" if query else "")
    return moved(shown, in_ascii(shown), 308)


def moved(shown: str, location: str, code: int) -> Response:
    """The response to be redirected by, with the page that Werkzeug shows meanwhile."""
    link = escaped(shown)
    page = (
        "<!doctype html>\n<html lang=en>\n<title>Redirecting...</title>\n<h1>Redirecting...</h1>\n"
        "<p>You should be redirected automatically to the target URL: "
        f'<a href="{link}">{link}</a>. If not, click the link.\n'
    )
    return HTMLResponse(page, code, headers={"Location": location})


def url_for(
    request: Request,
    name: str,
    /,
    *,
    _external: bool | None = None,
    _scheme: str | None = None,
    _anchor: str | None = None,
    **values: Any,
) -> str:
    """Flask's url_for(): the path of a route by its name, below the root path; other values become the query.

    request.url_for() is absolute, with the Host header of the request in it, and refuses values that the path has not;
    app.url_path_for() leaves out the root path. `_external` makes an absolute URL here. Raises NoMatchFound.
    Keep it: a path is the better target of a redirect.
    """
    if _scheme is not None and _external is False:
        raise ValueError("a URL with a scheme is external")
    given = {key: value for key, value in values.items() if value is not None}
    path, used = path_of(request, name, given)
    query = urlencode([pair for key in given if key not in used for pair in pairs(key, given[key])], safe=VALUE_SAFE)
    url = f"{request.scope.get('root_path', '').rstrip('/')}{path}" + (f"?{query}" if query else "")
    if _external or _scheme is not None:
        url = f"{_scheme or request.scope['scheme']}://{host_of(request.scope)}{url}"
    return url if _anchor is None else f"{url}#{quote(_anchor, safe=FRAGMENT_SAFE)}"


def path_of(request: Request, name: str, values: dict[str, Any]) -> tuple[str, set[str]]:
    """The path of the route of a name that takes most of the values, and which it took. Raises NoMatchFound."""
    fitting = [
        route
        for route in iter_route_contexts(request.app.routes)
        if route.name == name and set(getattr(route, "param_convertors", ())) <= values.keys()
    ]
    if not fitting:
        raise NoMatchFound(name, values)
    route = max(fitting, key=lambda each: len(each.param_convertors))
    pieces = PARAM_FORMAT_REGEX.split(route.path_format or "")
    for at in range(1, len(pieces), 2):
        pieces[at] = text_of(route.param_convertors[pieces[at]], values[pieces[at]])
    return quote("".join(pieces), safe=PATH_SAFE), set(route.param_convertors)


def text_of(convertor: Convertor[Any], value: Any) -> str:
    # Starlette's own for text asserts that there is no slash; Werkzeug lets it through.
    return str(value) if isinstance(convertor, StringConvertor) else convertor.to_string(value)


def pairs(key: str, value: Any) -> list[tuple[str, Any]]:
    """One value of a query, or each of several."""
    several = value if isinstance(value, (list, tuple, set)) else [value]
    return [(key, each) for each in several if each is not None]


class ForwardedPrefix:
    """X-Forwarded-Prefix as the app's root path, from one proxy, as Werkzeug's `ProxyFix(x_prefix=1)`.

    Starlette and uvicorn do not read it. Add it only where the proxy sets the field or takes it away; the last value
    counts. Drop it once the proxy's prefix is given as `root_path`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            last = (field(scope, b"x-forwarded-prefix") or "").removesuffix(",").rpartition(",")[2]
            prefix = last.strip().strip('"').rstrip("/").encode("latin-1").decode("utf-8", "replace")
            if prefix:
                # By the specification of ASGI, the root path is a part of the path.
                scope = {**scope, "root_path": prefix, "path": prefix + scope["path"]}
        await self.app(scope, receive, send)


def in_ascii(url: str) -> str:
    """Werkzeug's iri_to_uri(): what is not ASCII, or not safe, is percent-encoded; a host becomes Punycode."""
    parts = urlsplit(url)
    path, query = quote(parts.path, safe="%" + PATH_SAFE), quote(parts.query, safe=QUERY_SAFE)
    return urlunsplit((parts.scheme, authority_of(parts), path, query, quote(parts.fragment, safe=FRAGMENT_SAFE)))


def authority_of(parts: SplitResult) -> str:
    """User, host and port of a URL, in ASCII."""
    host = (parts.hostname or "").encode("idna").decode("ascii")
    if ":" in host:
        host = f"[{host}]"
    if parts.port is not None:
        host = f"{host}:{parts.port}"
    if parts.username is None:
        return host
    password = "" if parts.password is None else f":{quote(parts.password, safe=USER_SAFE)}"
    return f"{quote(parts.username, safe=USER_SAFE)}{password}@{host}"


# The characters that Werkzeug leaves as they are in each part of a URL, and in the values of a query that it makes.
PATH_SAFE = "!$&'()*+,/:;=@"
QUERY_SAFE = "%!$&'()*+,/:;=?@"
FRAGMENT_SAFE = "%!#$&'()*+,/:;=?@"
USER_SAFE = "%!$&'()*+,;="
VALUE_SAFE = "!$'()*,/:;?@"

HOST = re.compile(r"(?:[\w.-]+|\[[0-9a-f:.]+\])(?::\d+)?", re.ASCII | re.IGNORECASE)
DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def host_of(scope: Scope) -> str:
    """The host as Werkzeug gives it: in lower case, without its scheme's own port, empty where it is no host."""
    host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
    default_port = DEFAULT_PORTS.get(scope["scheme"], "")
    return str(host.lower().removesuffix(default_port)) if HOST.fullmatch(host) else ""
