"""Header fields, as a WSGI server hands them to an app and takes them from it."""

from __future__ import annotations

import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

Fields = list[tuple[bytes, bytes]]

NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
VALUE = re.compile(rb"[\t \x21-\x7e\x80-\xff]*")
# PEP 3333 leaves these to the server, and gunicorn drops them without a word.
OWN = b"connection keep-alive proxy-authenticate proxy-authorization te trailers transfer-encoding upgrade server date"
HOP_BY_HOP = frozenset(OWN.split())


class ResponseHeaders:
    """What gunicorn and Werkzeug do to the header fields of a response, before anything of it is sent.

    | an app sets | uvicorn | Flask on gunicorn, and here |
    |---|---|---|
    | a value with CR or LF, or another control character | drops the connection | an error: 500 |
    | a name that is no token | drops the connection, or sends it | an error: 500 |
    | `Connection: close` | closes the connection | no effect |
    | `Server`, `Date`, `Keep-Alive`, `Upgrade` | sends them, Server and Date twice | no effect |
    | spaces around a value | sends them | sends none |

    The error is a ValueError in whoever sends, which Pages or the app's own handler of errors answers; its message
    names the field and not the value. A value beyond latin-1 is an error in Starlette already. Not closed: for all but
    CR and LF the page is gunicorn's own, and it closes the connection. Install it with `app.add_middleware`. Keep it:
    it stands between an unchecked value and a broken connection.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def checking(message: Message) -> None:
            # What is marked as the server's own page closes the connection as it says.
            if message["type"] == "http.response.start" and not message.get("wire.server"):
                message = {**message, "headers": sent(message.get("headers", ()))}
            await send(message)

        await self.app(scope, receive, checking if scope["type"] == "http" else send)


def sent(fields: Fields) -> Fields:
    """The fields as they are sent. Raises ValueError."""
    for name, value in fields:
        if not NAME.fullmatch(name) or not VALUE.fullmatch(value):
            raise ValueError(f"the field {name!r} cannot be sent as it is")
    return [(name, value.strip(b" \t")) for name, value in fields if name.lower() not in HOP_BY_HOP]


class RequestHeaders:
    """The header fields of a request as gunicorn gives them to a WSGI app.

    | a client sends | Starlette | Flask on gunicorn, and here |
    |---|---|---|
    | a field twice | `[]`, `get()` and `Header()` give the first | one, joined by a comma without a space |
    | white space around a value | uvicorn leaves what is behind it | none |
    | a name with an underscore | a field, which `x_a: Header(convert_underscores=False)` reads | nothing |

    Once joined, a list of `Header()` has one item too. What is beyond ASCII is latin-1 in both. Not closed: Host or
    Content-Type twice, which gunicorn itself answers by 400; and an app that asks for `X_A` gets X-A in Flask. Drop it
    once no proxy or client repeats a field, but refuse underscores where a server in front makes hyphens of them.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = {**scope, "headers": joined(scope["headers"])}
        await self.app(scope, receive, send)


def joined(fields: Fields) -> Fields:
    """Each field once, at the place of its first."""
    values: dict[bytes, list[bytes]] = {}
    for name, value in fields:
        if b"_" not in name:
            values.setdefault(name, []).append(value.strip(b" \t"))
    return [(name, b",".join(several)) for name, several in values.items()]
