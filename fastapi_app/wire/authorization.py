"""The Authorization field, as Flask's `request.authorization` reads it."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from fastapi import Request

from .fields import field as header_field


@dataclass(frozen=True, slots=True)
class Authorization:
    """Who a client says it is: a scheme in lower case, and either a token or parameters.

    Basic has the parameters `username` and `password`. A parameter without a value is None, as one that is not there.
    """

    type: str
    token: str | None = None
    parameters: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def username(self) -> str | None:
        return self.parameters.get("username")

    @property
    def password(self) -> str | None:
        return self.parameters.get("password")


def authorization(request: Request) -> Authorization | None:
    """What Flask gives as `request.authorization`; None where there is no field, or Basic that cannot be read.

    | | HTTPBasic and HTTPBearer of FastAPI | Flask, and here |
    |---|---|---|
    | no colon in Basic | 401 | the whole is the name, the password is empty |
    | Basic in UTF-8 beyond ASCII | 401 | read |
    | `Basic a=b` | 401 | None: a 401 by the view's own hand |
    | a token with `=` inside it | a token | parameters, and no token |
    | two fields | the first | one, joined by a comma |
    | a character beyond ASCII in Basic | 401 | ValueError: 500 |
    | a missing or other scheme | 401 with WWW-Authenticate, the JSON body | what the view makes of it |

    Keep it while clients send what FastAPI's own classes would not take, or take otherwise.
    """
    return parse(header_field(request.scope, b"authorization"))


def parse(value: str | None) -> Authorization | None:
    """One Authorization field. Raises ValueError for Basic with a character beyond ASCII, as Werkzeug does."""
    if not value:
        return None
    scheme, _, rest = value.partition(" ")
    scheme, rest = scheme.lower(), rest.strip(" \t")
    if scheme == "basic":
        return basic(rest)
    if "=" in rest.rstrip("="):
        return Authorization(scheme, None, dict(parameters_of(rest)))
    return Authorization(scheme, rest)


def basic(credentials: str) -> Authorization | None:
    """A name and a password; None for what is not in base64 with its padding, or not UTF-8 inside."""
    try:
        name, _, password = base64.b64decode(credentials, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeError):
        return None
    return Authorization("basic", None, {"username": name, "password": password})


def parameters_of(value: str) -> Iterator[tuple[str, str | None]]:
    """The parameters of a list such as `realm="here", nonce=1`; one that comes twice counts the last time."""
    for item in items_of(value):
        key, has_value, text = item.partition("=")
        key, text = key.strip(" \t"), text.strip(" \t")
        if not key:
            continue
        if not has_value:
            yield key, None
            continue
        if key.endswith("*"):
            key, text = key[:-1], percent_decoded(text)
        yield key, unquoted(text)


def items_of(value: str) -> Iterator[str]:
    """The members of a list, whose commas may stand in quotes; none where a quote is left open."""
    items, escaped, quoted = [""], False, False
    for character in value:
        if character == "," and not quoted:
            items.append("")
            continue
        if escaped:
            escaped = False
        elif quoted and character == "\\":
            escaped = True
        elif character == '"':
            quoted = not quoted
        items[-1] += character
    if not quoted:
        yield from (unquoted(item) for each in items if (item := each.strip(" \t")))


def unquoted(value: str) -> str:
    """A value without its quotes and escapes."""
    if len(value) >= 2 and value.startswith('"') and value.endswith('"'):
        return re.sub(r"\\(.)", r"\g<1>", value[1:-1], flags=re.ASCII)
    return value


CHARSET = re.compile(r"([\w!#$%&*+\-.^`|~]*)'[\w!#$%&*+\-.^`|~]*'([\w!#$%&'*+\-.^`|~]+)$", re.ASCII)
CHARSETS = frozenset({"ascii", "us-ascii", "utf-8", "iso-8859-1"})


def percent_decoded(value: str) -> str:
    """An extended value, `charset'language'text` (RFC 8187); what names no known charset stays encoded."""
    if (found := CHARSET.match(value)) is None:
        return value
    charset = found[1].lower()
    return unquote(found[2], encoding=charset) if charset in CHARSETS else found[2]
