"""Cookies as Werkzeug writes and reads them."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from email.utils import format_datetime, formatdate
from typing import Literal, Protocol
from urllib.parse import quote

from fastapi import Request
from starlette.datastructures import ImmutableMultiDict, MutableHeaders
from starlette.types import Scope

from .fields import field

SameSite = Literal["Strict", "Lax", "None", "strict", "lax", "none"]


class Answer(Protocol):
    """What has headers: a Response of any kind, or the one that a handler is given."""

    @property
    def headers(self) -> MutableHeaders: ...


def utc_now() -> datetime:
    # Only an Expires that stands for a Max-Age needs the time, and only of this very moment.
    return datetime.now(UTC)  # noqa: TID251


def set_cookie(
    response: Answer,
    key: str,
    value: str = "",
    max_age: timedelta | int | None = None,
    expires: str | datetime | date | float | None = None,
    path: str | None = "/",
    domain: str | None = None,
    secure: bool = False,
    httponly: bool = False,
    samesite: SameSite | None = None,
    partitioned: bool = False,
    *,
    max_size: int = 4093,
    now: Callable[[], datetime] = utc_now,
) -> None:
    """Flask's response.set_cookie(), to the byte.

    | | Starlette | Flask, and here |
    |---|---|---|
    | SameSite | lax, where nothing is said | none, where nothing is said |
    | an `expires` that is a number | seconds from now | a timestamp |
    | a `max_age` alone | Max-Age | Expires as well, for which `now` is asked |
    | the order of attributes | by their lower-case names, Domain last but two | Domain, Expires, Max-Age, Secure, ... |
    | the names of attributes | `Max-Age`, `expires`, ... as http.cookies has them | `Max-Age`, `Expires`, ... |
    | a value with other characters | refused, or quoted where `%` and `=` need it not | quoted, bytes as octals |
    | `partitioned` | refused before Python 3.14 | Secure and Partitioned |

    Over `max_size` characters, a browser may ignore the cookie: a warning. Raises ValueError where Werkzeug does.
    Drop it once no byte of the header is compared; then say `samesite=None` where you mean it.
    """
    if samesite is not None and samesite.title() not in ("Strict", "Lax", "None"):
        raise ValueError("SameSite is Strict, Lax or None")
    seconds = int(max_age.total_seconds()) if isinstance(max_age, timedelta) else max_age
    if expires is None and seconds is not None:
        expires = now().timestamp() + seconds
    attributes = {
        "Domain": domain.partition(":")[0].lstrip(".").encode("idna").decode("ascii") if domain else domain,
        "Expires": http_date(expires),
        "Max-Age": seconds,
        "Secure": secure or partitioned,
        "HttpOnly": httponly,
        "Path": None if path is None else quote(path, safe=PATH_SAFE),
        "SameSite": None if samesite is None else samesite.title(),
        "Partitioned": partitioned,
    }
    pair = f"{key.encode().decode('latin-1')}={quoted(value)}"
    written = [name if value is True else f"{name}={value}" for name, value in attributes.items() if is_said(value)]
    header = "; ".join([pair, *written])
    if "\n" in header or "\r" in header:
        raise ValueError("a header's value has no line breaks")
    if max_size and len(header) > max_size:
        warnings.warn(f"the cookie {key!r} has {len(header)} characters, over {max_size}", stacklevel=2)
    response.headers.append("set-cookie", header)


def delete_cookie(
    response: Answer,
    key: str,
    path: str | None = "/",
    domain: str | None = None,
    secure: bool = False,
    httponly: bool = False,
    samesite: SameSite | None = None,
    partitioned: bool = False,
) -> None:
    """Flask's response.delete_cookie(): an empty value that expired in 1970; Starlette's expires at this moment."""
    set_cookie(response, key, "", 0, 0, path, domain, secure, httponly, samesite, partitioned)


def is_said(value: object) -> bool:
    """Whether an attribute is written; one that is zero or empty is."""
    return value is not None and value is not False


def http_date(moment: str | datetime | date | float | None) -> str | None:
    """A moment as a header says it; a number is a timestamp, a day begins at midnight, all in UTC."""
    if isinstance(moment, datetime):
        in_utc = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        return format_datetime(in_utc, usegmt=True)
    if isinstance(moment, date):
        return format_datetime(datetime.combine(moment, time(), tzinfo=UTC), usegmt=True)
    return moment if moment is None or isinstance(moment, str) else formatdate(moment, usegmt=True)


PATH_SAFE = "%!$&'()*+,/:=@"
UNQUOTED = re.compile(r"[\w!#$%&'()*+\-./:<=>?@\[\]^`{|}~]*", re.ASCII)
ESCAPED = re.compile(rb"[\x00-\x19\",;\\\x7f-\xff]")
UNESCAPED = re.compile(rb"\\([0-3][0-7]{2}|.)")


def quoted(value: str) -> str:
    """A value as it is, or in quotes with what may not stand there escaped."""
    if UNQUOTED.fullmatch(value):
        return value
    return f'"{ESCAPED.sub(escape, value.encode()).decode("ascii")}"'


def escape(found: re.Match[bytes]) -> bytes:
    character = found[0]
    return b"\\" + character if character in b'"\\' else b"\\%03o" % ord(character)


class Cookies(ImmutableMultiDict[str, str]):
    """A request's cookies. Of several of one name, `[]` and `get()` give the first, `getlist()` all."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        super().__init__(pairs)
        self._dict = dict(reversed(self._list))


async def read_cookies(request: Request) -> Cookies:
    r"""The request's cookies as Flask has them: a dependency, after which request.cookies and `Cookie()` have them too.

    | Cookie | Starlette | Flask, and here |
    |---|---|---|
    | `a=1; a=2` | 2 | 1 |
    | `a` | the value of the name "" | the name a, empty |
    | `a="x;y"` | `"x` | `x;y` |
    | `a="\303\244"` | two characters | ä |
    | two fields | both are read | one, joined by a comma, as gunicorn joins them |

    `APIRouter(dependencies=[Depends(read_cookies)])` for all routes, or `cookies: Annotated[Cookies,
    Depends(read_cookies)]` for one. Drop it once no client sends cookies that were written by the original.
    """
    cookies = cookies_of(request.scope)
    # Where Starlette keeps them once they are parsed.
    request._cookies = dict(cookies)
    return cookies


def cookies_of(scope: Scope) -> Cookies:
    """The cookies of a request."""
    text = field(scope, b"cookie") or ""
    pairs = []
    position = 0
    while position < len(text):
        found = PAIR.match(text, position)
        if found is None:
            # What is no cookie ends at the next semicolon.
            position = text.find(";", position) + 1 or len(text)
            continue
        position = found.end()
        pairs.append((found[1], unquoted(found[2] or "")))
    return Cookies(pairs)


PAIR = re.compile(
    r"""
    [ \t]*([^ \t=";]+)
    (?:[ \t]*=[ \t]*("(?:[^\\"]|\\.)*"|[^ \t";]*))?
    [ \t]*(?:;|\Z)
    """,
    re.ASCII | re.VERBOSE,
)


def unquoted(value: str) -> str:
    """A value without its quotes and escapes."""
    if not (value.startswith('"') and value.endswith('"')):
        return value
    return UNESCAPED.sub(unescape, value[1:-1].encode()).decode(errors="replace")


def unescape(found: re.Match[bytes]) -> bytes:
    return found[1] if len(found[1]) == 1 else bytes([int(found[1], 8)])
