"""A difference is told so that a person sees it at once: what differs, who said what, and how to ask again."""

from __future__ import annotations

import shlex
import traceback
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .difference import Difference
from .messages import Request, Response
from .secrets import Secrets, hidden_headers

if TYPE_CHECKING:
    from .exchange import Exchange

_VALUE, _BODY, _LINE, _ALIKE = 400, 2000, 8000, 5
_TAB = "\t"


def tell(exchange: Exchange, *, secrets: Secrets | None = None) -> str:
    """Everything about one exchange as plain text: differences, request, both outcomes, what is accepted, a curl line.

    Secrets are hidden (`<secret:1>`), control characters are made visible and long texts are cut.
    """
    hidden = secrets or Secrets()
    hidden.learn(exchange.request)
    hidden.learn(exchange.port_request)
    for response in (exchange.original, exchange.port):
        hidden.learn_cookies(response)
    return "\n".join(_sections(exchange, hidden))


def _sections(exchange: Exchange, secrets: Secrets) -> Iterator[str]:
    yield f"{headline(exchange, secrets=secrets)}\n"
    yield from tell_differences(exchange.differences, secrets)
    yield from ("", "the request")
    yield from _message(_request_line(exchange.request, secrets), exchange.request, secrets)
    if exchange.port_request != exchange.request:
        yield from ("", "the port was sent, with its own ids")
        yield from _message(_request_line(exchange.port_request, secrets), exchange.port_request, secrets)
    for name, response in (("original", exchange.original), ("port", exchange.port)):
        yield from ("", f"the {name} {_answered(response, secrets)}")
        yield from _message(None, response, secrets)
    if exchange.accepted:
        yield from ("", "accepted")
        for difference, entry in exchange.accepted:
            yield f"  {' '.join(_one_line(difference, secrets))} (decision {entry.decision}, {entry.owner})"
    yield from ("", "to ask again", f"  {curl(exchange.request, origin=exchange.origin, secrets=secrets)}")


def headline(exchange: Exchange, *, secrets: Secrets) -> str:
    """One line: the operation and how much differs."""
    number, operation = len(exchange.differences), visible(secrets.hide(exchange.operation))
    if not number:
        return f"{operation}: the port answers as the original"
    return f"{operation}: the port differs from the original in {number} place{'s' * (number > 1)}"


def tell_differences(differences: Iterable[Difference], secrets: Secrets) -> Iterator[str]:
    """Each difference in three aligned lines; many of one fingerprint are told by the first few and a count."""
    alike: dict[tuple[str, str, str], list[Difference]] = {}
    for difference in differences:
        alike.setdefault((difference.level, difference.pattern, difference.kind), []).append(difference)
    for (level, pattern, kind), found in alike.items():
        for difference in found[:_ALIKE]:
            original, port = hidden_values(difference, secrets)
            yield f"  {level} {_name(difference.path, secrets)} {kind}"
            yield f"    original  {_value(original)}"
            yield f"    port      {_value(port)}"
        if len(found) > _ALIKE:
            yield f"  and {len(found) - _ALIKE} more of {level} {_name(pattern, secrets)} {kind}"


def hidden_values(difference: Difference, secrets: Secrets) -> tuple[str | None, str | None]:
    """A difference's two texts with their secrets hidden, by their place as well as by their value."""
    return _hidden(difference, difference.original, secrets), _hidden(difference, difference.port, secrets)


def _hidden(difference: Difference, text: str | None, secrets: Secrets) -> str | None:
    if not text:
        return text
    name, _, last = difference.path.rpartition(".")
    if difference.level == "cookie":
        whole = difference.kind in ("missing", "extra") and not name
        return secrets.mark(text) if last == "value" else secrets.header("Set-Cookie" * whole, text)
    if difference.level == "json":
        # A scalar is told together with its own name, so that what the name makes secret is hidden.
        named = f'"{last}":'
        return secrets.body(named + text, of_request=False).removeprefix(secrets.hide(named))
    return (
        secrets.header(difference.path, text) if difference.level == "header" else secrets.body(text, of_request=False)
    )


def visible(text: str, *, keep: str = "") -> str:
    """The text with control characters, terminal escapes and lone surrogates written as escapes."""
    if text.isprintable():
        return text
    return "".join(char if char in keep or (char.isprintable()) else _escaped(char) for char in text)


def curl(request: Request, *, origin: str, secrets: Secrets) -> str:
    """A shell line to send the request again. `origin` is scheme and authority.

    A body that is no text is told of; a long one is to be in a file `body`, and its length is told.
    """
    if request.spelling:
        return _written(request, origin, secrets)
    words = ["curl", "-i", "--path-as-is", *_method(request)]
    for name, value in hidden_headers(secrets, request.headers):
        if name.lower() not in ("content-length", "host", "connection", "accept-encoding"):
            words += ["-H", f"{name}: {value}" if value else f"{name};"]
    long = len(request.body) > _LINE
    if request.body:
        words += ["--data-binary", "@body" if long else _text(request.body, secrets, of_request=True)]
    line = " ".join(_quoted(word) for word in [*words, origin + secrets.query(request.target.decode("latin-1"))])
    return line + f"  # body: {len(request.body)} bytes" * long


def _written(request: Request, origin: str, secrets: Secrets) -> str:
    """A shell line for a request that is written in a way of its own."""
    from .drivers.spellings import steps_of

    parts, names = urlsplit(origin), {name.lower() for name, _ in request.headers}
    length = (
        ((b"Content-Length", b"%d" % len(request.body)),) if request.body and b"content-length" not in names else ()
    )
    # What is hidden is not cut before: half of a secret would not be known.
    shown = replace(
        request,
        target=secrets.query(request.target.decode("latin-1")).encode(),
        headers=tuple((name.encode(), value.encode()) for name, value in hidden_headers(secrets, request.headers))
        + length,
        body=secrets.body(request.body.decode("utf-8", "replace"), of_request=True).encode(),
    )
    sent = b"".join(getattr(step, "data", b"") for step in steps_of(shown, parts.netloc.encode()))
    cut = "" if len(sent) <= _LINE else f", cut after {_LINE} of {len(sent)} bytes"
    text = visible(sent[:_LINE].decode("latin-1").replace("\\", "\\\\"))
    return f"printf '%b' {shlex.quote(text)} | nc {parts.hostname} {parts.port or 80}  # {request.spelling}{cut}"


def _method(request: Request) -> list[str]:
    if request.method == "HEAD":
        return ["--head"]
    return [] if request.method == "GET" and not request.body else ["-X", request.method]


def _quoted(word: str) -> str:
    # $'...' is how a shell is given control characters; ordinary words stay ordinary.
    if word.isprintable():
        return shlex.quote(word)
    return "$'" + visible(word.replace("\\", "\\\\").replace("'", "\\'")) + "'"


def _answered(response: Response, secrets: Secrets) -> str:
    outcome = f"answered {response.status}" if response.failure is None else f"failed: {response.failure}"
    if response.failure is not None and response.status:
        outcome += f" after the status {response.status}"
    return outcome + (f", {_raised(response.exception, secrets)}" if response.exception else "")


def _raised(error: BaseException, secrets: Secrets) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].filename}:{frames[-1].lineno} in {frames[-1].name}" if frames else ""
    message = visible(_cut(secrets.body(str(error), of_request=False), _VALUE))
    return f"raised {type(error).__qualname__}{place}" + (f": {message}" if message else "")


def _request_line(request: Request, secrets: Secrets) -> str:
    return f"{request.method} {visible(secrets.query(request.target.decode('latin-1')))}"


def _message(first: str | None, message: Request | Response, secrets: Secrets) -> Iterator[str]:
    if first:
        yield f"  {first}"
    for name, value in hidden_headers(secrets, message.headers):
        yield f"  {visible(name)}: {visible(_cut(value, _VALUE))}"
    if message.body:
        text = _cut(_text(message.body, secrets, of_request=isinstance(message, Request)), _BODY)
        yield ""
        yield from (f"  {visible(line, keep=_TAB)}" for line in text.split("\n"))


def _text(body: bytes, secrets: Secrets, *, of_request: bool) -> str:
    try:
        return secrets.body(body.decode(), of_request=of_request)
    except UnicodeDecodeError:
        return f"({len(body)} bytes that are no text: {secrets.hide(repr(body[:32])[1:])})"


def _one_line(difference: Difference, secrets: Secrets) -> Sequence[str]:
    original, port = hidden_values(difference, secrets)
    return difference.level, _name(difference.path, secrets), difference.kind, _value(original), "->", _value(port)


def _name(text: str, secrets: Secrets) -> str:
    """A path or a pattern: a response may have a secret for a key."""
    return visible(_cut(secrets.hide(text), _VALUE))


def _value(text: str | None) -> str:
    return "(absent)" if text is None else visible(_cut(text, _VALUE)) or "(empty)"


def _cut(text: str, size: int) -> str:
    return text if len(text) <= size else f"{text[:size]}\u2026 ({len(text)} characters)"


def _escaped(char: str) -> str:
    code = ord(char)
    return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(char) or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")
