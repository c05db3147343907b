"""A status that differs is one cause wherever the frameworks differ so, and a cause of its own elsewhere."""

from __future__ import annotations

import json
import re
import sysconfig
import traceback
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

from . import peculiar
from .exchange import Exchange
from .messages import Request, Response
from .reason import Reason
from .segments import segment_of
from .signing_in import answers, refuses

_LARGEST = 100_000
# The standard library's place, without what is installed below it.
_STANDARD = (sysconfig.get_path("stdlib") + "/json", sysconfig.get_path("stdlib") + "/encodings", "<frozen")
# RFC 9110, section 9.1, and RFC 5789.
_METHODS = frozenset({"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"})
_DOCUMENTATION = re.compile(
    rb'swagger-ui|\bredoc\b|oauth2-redirect|^\s*\{\s*"openapi"\s*:|oauth2\.state', re.IGNORECASE
)
PATH_VALUE = Reason("path-value", (), "a path whose value does not fit: 404 becomes 422")
_MESSAGES = ("error", "message", "detail", "description", "title", "msg")
_REDIRECTS = range(300, 400)


def reason_of(exchange: Exchange) -> Reason:
    """The reason of a difference in status: the first of these that fits."""
    return (
        _of_method(exchange)
        or _guard(exchange)
        or _crash(exchange)
        or _documentation(exchange)
        or _doubled(exchange)
        or _of_path(exchange)
        or _of_input(exchange)
        or _of_both(exchange)
        or _own(exchange)
    )


def _pair(exchange: Exchange) -> tuple[str, str]:
    return str(exchange.original.status), str(exchange.port.status)


def _of_method(exchange: Exchange) -> Reason | None:
    """HEAD and OPTIONS are answered by Flask itself, by FastAPI only where a route says so."""
    method, (ours, theirs) = exchange.request.method, _pair(exchange)
    plain = _unrouted(method, ours, theirs)
    if method == "OPTIONS" and _header(exchange.request, b"access-control-request-method"):
        # Where neither side has rules of CORS, one that asks for them is like any other.
        rules = any(each.header("Access-Control-Allow-Origin") for each in (exchange.original, exchange.port))
        told = f"a preflight is answered by {ours} and {theirs}"
        return Reason("preflight", (ours, theirs), told, None if rules else plain)
    return plain


def _unrouted(method: str, ours: str, theirs: str) -> Reason | None:
    if method not in _METHODS:
        return Reason("method", (ours, theirs), f"a method that nobody knows: {ours} becomes {theirs}")
    if "405" not in (ours, theirs) or method not in ("HEAD", "OPTIONS"):
        return None
    side, other = ("the port", "the original") if theirs == "405" else ("the original", "the port")
    name = "head" if method == "HEAD" else "options"
    return Reason(name, (side,), f"{method} is 405 in {side}, and not in {other}")


def _documentation(exchange: Exchange) -> Reason | None:
    """The pages that FastAPI adds by itself."""
    if exchange.original.status != 404 or exchange.port.status != 200:
        return None
    if not _DOCUMENTATION.search(exchange.port.body[:_LARGEST]):
        return None
    return Reason("documentation", (), "the port shows pages of documentation of its own")


def _doubled(exchange: Exchange) -> Reason | None:
    """Two slashes in a row: what is done with them is one cause, whatever the path is."""
    if b"//" not in exchange.request.target.partition(b"?")[0]:
        return None
    ours, theirs = _pair(exchange)
    return Reason("slash", ("doubled",), f"two slashes in a row: {ours} becomes {theirs}")


def _guard(exchange: Exchange) -> Reason | None:
    """What refuses who is not signed in, and answers in the port."""
    ours, theirs = exchange.original, exchange.port
    if not (refuses(ours) and answers(theirs)):
        return None
    path = exchange.operation.partition(" ")[2]
    title = f"SECURITY: the port answers {theirs.status} where the original refuses by {ours.status}"
    return Reason("guard", (path, *_pair(exchange)), title)


def _crash(exchange: Exchange) -> Reason | None:
    ours, theirs = exchange.original.status, exchange.port.status
    if (ours >= 500) == (theirs >= 500):
        return None
    side, answer = ("port", exchange.port) if theirs >= 500 else ("original", exchange.original)
    place = _raised(answer) or peculiar.in_body(exchange.request) or exchange.operation
    return Reason("crash", (side, place), f"the {side} fails ({answer.status})")


def _raised(response: Response) -> str | None:
    """Where the app failed: one place is one cause, whatever the operations are that lead there."""
    if response.exception is None:
        return None
    frames = traceback.extract_tb(response.exception.__traceback__)
    if not frames:
        return type(response.exception).__qualname__
    # What fails within a library's own function, such as a response that cannot be written, is one cause there.
    last = next((each for each in reversed(frames) if not each.filename.startswith(_STANDARD)), frames[-1])
    # Whoever calls a library fails there by one function: of what sort the failure is tells more.
    place = last.name if "site-packages" in last.filename else last.lineno
    return f"{type(response.exception).__qualname__} {last.filename}:{place}"


def _of_path(exchange: Exchange) -> Reason | None:
    """Slashes, and which redirect is sent."""
    ours, theirs = exchange.original, exchange.port
    both = ours.status in _REDIRECTS and theirs.status in _REDIRECTS
    pair = _pair(exchange)
    if any(_is_slash(exchange.request, each) for each in (ours, theirs)):
        return Reason("slash", pair, f"a slash too many or too few: {pair[0]} becomes {pair[1]}")
    if both and "304" not in pair:
        return Reason("redirect-code", pair, f"redirects: {pair[0]} becomes {pair[1]}")
    return None


def _is_slash(request: Request, response: Response) -> bool:
    """Whether an answer is a redirect to the same path with another slash."""
    location = response.header("Location")
    if response.status not in _REDIRECTS or location is None:
        return False
    there, here = (re.sub(rb"^[a-z]+://[^/]*", b"", each).partition(b"?")[0] for each in (location, request.target))
    return there != here and re.sub(rb"/+", b"/", there).rstrip(b"/") == re.sub(rb"/+", b"/", here).rstrip(b"/")


def _of_input(exchange: Exchange) -> Reason | None:
    """What does not fit: FastAPI refuses it by 422, with a list of places."""
    pair = _pair(exchange)
    ours, theirs = pair
    if {ours, theirs} & {"404", "422"} and has_odd_path(exchange):
        # What the port finds and the original does not may be another's: then usual values find it, too.
        found = ours == "404" and int(theirs) < 400
        title = f"a path whose value does not fit: {ours} becomes {theirs}"
        return replace(PATH_VALUE, title=title, plain=_usual(exchange) if found else None)
    if theirs == "422" and _is_empty_field(exchange):
        return Reason("empty-field", (), f"an empty field of a form is refused as a missing one: {ours} becomes 422")
    if sorted(pair) == ["400", "422"]:
        return Reason("invalid", pair, f"what does not fit: {ours} becomes {theirs}")
    place = _place(exchange.port)
    if ours in ("401", "403") and theirs in ("400", "422") and (place is not None or exchange.request.body):
        title = f"the input is looked at before who sends it: {ours} becomes {theirs}"
        return Reason("input-before-sign-in", (), title)
    if theirs != "422" or place is None:
        return None
    if ours == "404" and place == "path":
        return PATH_VALUE
    if ours == "404" and place == "body":
        return Reason("input-before-sign-in", (), "the input is looked at before all else: 404 becomes 422")
    if ours == "415":
        return Reason("media-type-refused", (), "a body of another media type: 415 becomes 422")
    if int(ours) < 400:
        title = f"the port refuses what it finds in the {place}: {ours} becomes 422"
        return Reason("stricter", (exchange.operation, place), title)
    return Reason(
        "stricter",
        (exchange.operation, *pair, place),
        f"the port refuses what it finds in the {place}: {ours} becomes 422",
    )


def has_odd_path(exchange: Exchange) -> bool:
    """Whether a path has a value that is unusual at its place, by its form and by what both sides make of it."""
    # Who is sent to sign in first has not been asked for any value.
    taken = any(0 < each.status < 400 and not refuses(each) for each in (exchange.original, exchange.port))
    return peculiar.in_path(exchange.operation, exchange.request, taken=taken)


def _is_empty_field(exchange: Exchange) -> bool:
    """Whether FastAPI misses a field that a form has, but without a value."""
    value = _read(exchange.port)
    details = value.get("detail") if isinstance(value, dict) else None
    first = details[0] if isinstance(details, list) and details and isinstance(details[0], dict) else {}
    location = first.get("loc")
    if first.get("type") != "missing" or not isinstance(location, list) or len(location) != 2:
        return False
    form = dict(parse_qsl(exchange.request.body.decode("utf-8", "replace"), keep_blank_values=True))
    return b"form" in (_header(exchange.request, b"content-type") or b"") and form.get(str(location[1])) == ""


def _place(response: Response) -> str | None:
    """Where FastAPI found what does not fit: body, query, path, header or cookie."""
    value = _read(response)
    if isinstance(value, dict) and isinstance(value.get("detail"), list) and value["detail"]:
        first = value["detail"][0]
        location = first.get("loc") if isinstance(first, dict) else None
        if isinstance(location, list) and location and isinstance(location[0], str):
            return location[0]
    return None


# Pairs that come from how a framework works, not from one route.
_RANGED = frozenset({"200", "206", "400", "416"})
_ALIKE = {
    ("404", "405"): "no-route",
    ("405", "404"): "no-route",
    ("401", "403"): "refusal",
    ("403", "401"): "refusal",
    ("304", "200"): "conditional",
    ("412", "200"): "conditional",
    ("206", "200"): "range",
    ("416", "200"): "range",
}


def _of_both(exchange: Exchange) -> Reason | None:
    pair = _pair(exchange)
    if _header(exchange.request, b"range") and {*pair} <= _RANGED:
        return Reason("range", (), f"a range: {pair[0]} becomes {pair[1]}")
    if _header(exchange.request, b"if-match") and pair == ("412", "200"):
        return Reason("conditional", ("304", "200"), "a condition is not looked at: 412 becomes 200")
    name = "body-limit" if pair[0] == "413" else _ALIKE.get(pair)
    return Reason(name, pair, f"{pair[0]} becomes {pair[1]}") if name else None


def _own(exchange: Exchange) -> Reason:
    """One operation's own; what is seen with unusual requests alone lies in those."""
    usual = _usual(exchange)
    unusual = peculiar.of_request(exchange.request)
    if unusual in (peculiar.REPEATED, peculiar.SPACES):
        title = f"{unusual} in a request is understood in another way: {usual.title}"
        return Reason("input", (unusual,), title, usual)
    return usual


def taken(operation: str, answer: Response) -> Reason:
    """The reason of what one side refuses by these words, and the other takes."""
    return Reason("status", (operation, str(answer.status), "taken", _words(answer)), "")


def _usual(exchange: Exchange) -> Reason:
    """What is refused by one side alone has the refusal's words for a mark."""
    pair = _pair(exchange)
    refuses = [each for each in (exchange.original, exchange.port) if each.status >= 400]
    words = _words(refuses[0]) if len(refuses) == 1 else ""
    side = "" if len(refuses) != 1 else f" ({words})" if words else ""
    title = f"{pair[0]} becomes {pair[1]}{side}"
    if pair[0] in ("404", "409") and exchange.port.status < 300 and (pair[0] == "409" or "{" in exchange.operation):
        # What the original has no more, or has already, is so for the whole collection.
        return Reason("status", (segment_of(exchange.operation), pair[0], "taken", _words(exchange.original)), title)
    if pair[0] in ("400", "422") and exchange.port.status < 500 and pair[1] not in ("401", "403", "405", "413", "415"):
        # What is not refused for its form any more goes on, and meets this or that.
        return replace(taken(exchange.operation, exchange.original), title=title)
    return Reason("status", (exchange.operation, *pair, words), f"{pair[0]} becomes {pair[1]}{side}")


def _words(response: Response) -> str:
    """What an error says, its numbers and quoted parts left out."""
    value = _read(response)
    text = (
        next((value[key] for key in _MESSAGES if isinstance(value.get(key), str)), "")
        if isinstance(value, dict)
        else ""
    )
    if not text and b"<p>" in response.body[:_LARGEST]:
        text = re.sub(
            r"<[^>]*>", "", response.body.partition(b"<p>")[2].partition(b"</p>")[0].decode("utf-8", "replace")
        )
    return re.sub(r"'[^']*'|\"[^\"]*\"|\d+|\S+@\S+", "#", text).strip()[:80]


def _read(response: Response) -> Any:
    if response.body.lstrip()[:1] != b"{" or len(response.body) > _LARGEST:
        return None
    try:
        return json.loads(response.body)
    except (ValueError, RecursionError):
        return None


def _header(request: Request, name: bytes) -> bytes | None:
    return next((value for key, value in request.headers if key.lower() == name), None)
