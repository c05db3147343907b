"""Redirects in Werkzeug's own form."""

from __future__ import annotations

import re
from html import escape
from urllib.parse import quote

from starlette.responses import HTMLResponse, Response
from starlette.types import Scope


def canonical(scope: Scope, path: str) -> Response:
    """Werkzeug's 308 to the canonical path: an absolute URL, the query kept, a small HTML page."""
    url = f"{scope['scheme']}://{host_of(scope)}{quote(scope.get('root_path', '') + path, safe=PATH_SAFE)}"
    query = scope["query_string"]
    location = url + (f"?{quote(query, safe=QUERY_SAFE)}" if query else "")
    # The page has the query as it was sent, with quotes escaped by number.
    shown = url + (f"?{query.decode('utf-8', 'replace')}" if query else "")
    link = escape(shown).replace("&quot;", "&#34;").replace("&#x27;", "&#39;")
    page = (
        "<!doctype html>\n<html lang=en>\n<title>Redirecting...</title>\n<h1>Redirecting...</h1>\n"
        "<p>You should be redirected automatically to the target URL: "
        f'<a href="{link}">{link}</a>. If not, click the link.\n'
    )
    return HTMLResponse(page, 308, headers={"Location": location})


# The characters that Werkzeug leaves as they are in a redirect's path, and in its query.
PATH_SAFE = "!$&'()*+,/:;=@"
QUERY_SAFE = "%!$&'()*+,/:;=?@"

HOST = re.compile(r"(?:[\w.-]+|\[[0-9a-f:.]+\])(?::\d+)?", re.ASCII | re.IGNORECASE)
DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def host_of(scope: Scope) -> str:
    """The host as Werkzeug gives it: in lower case, without its scheme's own port, empty where it is no host."""
    host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
    default_port = DEFAULT_PORTS.get(scope["scheme"], "")
    return str(host.lower().removesuffix(default_port)) if HOST.fullmatch(host) else ""
