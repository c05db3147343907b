"""No secret of a request reaches a report: it is told as `<secret:1>`, equal secrets by the same number everywhere."""

from __future__ import annotations

import base64
import html
import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from urllib.parse import quote, quote_plus, unquote_plus

from .declared import snake
from .json_text import NotJsonError, decoded, read
from .messages import Headers, Request, Response
from .texts import CUT

_NAMES = frozenset({
    "access_key", "api_key", "apikey", "auth_key", "authorization", "bearer", "code", "credential", "credentials",
    "csrf", "cvv", "jwt", "otp", "pass", "passphrase", "passwd", "password", "pin", "private_key", "pwd", "secret",
    "session_id", "sessionid", "token",
})  # fmt: skip
_ENDINGS = ("_password", "_passphrase", "_secret", "_token", "_api_key", "_access_key", "_private_key", "_assertion")
# Possessive repeats, and a bound for a part's header lines: bodies of megabytes are read in every exchange.
_FIELD = re.compile(
    r"""(["'])(?P<name>[\w.-]++)\1\s*+:\s*+(?P<value>"(?:[^"\\]++|\\.)*+"?|'(?:[^'\\]++|\\.)*+'?|[\w.+-]++)"""
)
_PAIR = re.compile(r"(?<![^=&?#\s;,\"'<>])(?P<name>[^=&?#\s;,\"'<>]++)=(?P<value>[^&#\s;\"'<>]*+)")
_PART = re.compile(r'name="(?P<name>[^"]*+)"(?:\r\n[^\r\n]++){0,16}+\r\n\r\n(?P<value>(?:[^\r]++|\r(?!\n--))*+)')
_INPUT = re.compile(r"<input\b([^<>]{1,1000})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""\b(type|name|value)=["']([^"']{1,500})["']""", re.IGNORECASE)
_COOKIE = re.compile(r"(?:^|;)\s*(?P<name>[^=;]*)=(?P<value>[^;]*)")
_SET_COOKIE = re.compile(r"^\s*(?P<name>[^=;]*)=(?P<value>[^;]*)")
_MARK = re.compile(r"<secret:(\d+)>")
_CREDENTIALS = re.compile(r"^(?P<name>[A-Za-z-]+) +(?P<value>.+)$|^(?P<bare>\S+)$")
_SCHEMES = frozenset({"basic", "bearer", "digest", "negotiate", "token"})
_PLAIN_WORDS = frozenset({"", "null", "true", "false", "none", '""', "''"})
# A shorter secret is hidden at its own place alone, and a short one elsewhere only where it stands as a word.
_SHORT, _LONG = 3, 8
_FIRST = _SHORT + 1
_LARGEST = 100_000
# A word of fewer letters may stand in any answer by chance.
_WORD = 10
# No more values than these are kept of those that are no secrets.
_OPEN = 100_000
# No excerpt shows more of a secret on one side of its cut.
_PIECE = 80
# Requests that wait to be read are not kept beyond so many, or so many bytes of bodies.
_WAITING, _WAITING_BYTES = 4096, 1 << 24

Span = tuple[int, int, str]


def is_secret(name: str) -> bool:
    """Whether a field, parameter or header of this name holds a secret: `password`, `clientSecret`, `X-Api-Key`."""
    plain = snake(name).removeprefix("x_")
    return plain in _NAMES or plain.endswith(_ENDINGS) or plain.startswith("password")


class Secrets:
    """The secrets met so far, each with its number; safe to use from many threads.

    `names` are fields, parameters and headers that hold a secret, beside those whose name says so.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = frozenset(map(snake, names))
        self._lock = threading.Lock()
        self._numbers: dict[str, int] = {}
        self._texts: dict[int, str] = {}
        self._sent: set[int] = set()
        # What was sent under other names, too, is no secret that an answer could give away.
        self._open: dict[str, None] = {}
        # By their first characters: a run of thousands of cases has as many secrets, and few in each text.
        self._spelled: dict[str, dict[str, int]] = {}
        # Most requests are answered alike, and nothing is ever told of them: they are read when something is.
        self._waiting: list[Request] = []
        self._waiting_bytes = 0

    def learn(self, request: Request) -> None:
        """Note a request's secrets, so that they are known wherever they turn up later."""
        with self._lock:
            self._waiting.append(request)
            self._waiting_bytes += len(request.body)
            if len(self._waiting) > _WAITING or self._waiting_bytes > _WAITING_BYTES:
                self._read_waiting()

    def learn_page(self, response: Response) -> None:
        """Note the hidden fields of a page: what an app tells everybody is no secret that it gives away."""
        if b"hidden" in response.body and len(response.body) < _LARGEST:
            inputs = _INPUT.findall(response.body.decode("utf-8", "replace"))
            with self._lock:
                self._read_waiting()
                # What a client sent before is no token of a page, in whatever field an app gives it back.
                self._leave_open(
                    value for value in _hidden_tokens(inputs) if self._numbers.get(value) not in self._sent
                )

    def learn_cookies(self, response: Response) -> None:
        """Note the values of a response's cookies."""
        for name, value in response.headers:
            if name.lower() == b"set-cookie":
                for _, _, secret in _spans(_SET_COOKIE, value.decode("latin-1"), lambda _: True):
                    self.mark(secret)

    def is_secret(self, name: str) -> bool:
        """Whether a field, parameter or header of this name holds a secret."""
        return is_secret(name) or snake(name) in self._names

    def mark(self, secret: str) -> str:
        """The text that stands for a secret: `<secret:1>`."""
        with self._lock:
            self._read_waiting()
            return f"<secret:{self._number(secret)}>"

    def tells_sent(self, hidden: str) -> bool:
        """Whether a text with its secrets hidden had one that a client had sent before any answer showed it."""
        with self._lock:
            self._read_waiting()
            told = {int(number) for number in _MARK.findall(hidden)} & self._sent
            return any(self._gives_away(self._texts[number], hidden, number) for number in told)

    def _gives_away(self, secret: str, hidden: str, number: int) -> bool:
        """Whether a text gives this secret away: a plain word does so only where it is the whole of a value."""
        if secret in self._open or secret.strip().lower() in _PLAIN_WORDS:
            return False
        whole = rf"""(?:^|["'=>])<secret:{number}>(?:["'&<]|$)"""
        return len(secret) >= _WORD or not secret.isalpha() or re.search(whole, hidden) is not None

    def header(self, name: str, value: str) -> str:
        """A header's value with its secrets hidden."""
        return self.hide(self._replace(value, _header_spans(name, value, self.is_secret)))

    def query(self, target: str) -> str:
        """A request target or URL with its secrets hidden."""
        return self.hide(self._replace(target, _spans(_PAIR, target, self.is_secret, unquote_plus)))

    def body(self, text: str, *, of_request: bool) -> str:
        """A body's text with its secrets hidden. A response's field `code` is an error's name, a request's is not."""
        spans = _body_spans(text, self.is_secret, of_request=of_request)
        return self.hide(self._replace(text, spans))

    def hide(self, text: str) -> str:
        """Any text with every known secret hidden, in the spellings of JSON, URLs and HTML too."""
        for spelling, number in self._within(text):
            if len(spelling) >= _LONG:
                text = text.replace(spelling, f"<secret:{number}>")
            else:
                word = rf"(?<![A-Za-z0-9]){re.escape(spelling)}(?![A-Za-z0-9])(?!:\d+>)"
                text = re.sub(word, f"<secret:{number}>", text)
        return self._hide_cut(text) if CUT in text else text

    def _read_waiting(self) -> None:
        """Number the secrets of the requests that were sent, in their order. The caller holds the lock."""
        waiting, self._waiting, self._waiting_bytes = self._waiting, [], 0
        for request in waiting:
            for start, stop, secret in _request_spans(request, self.is_secret):
                if stop > start:
                    self._number(secret, sent=True)
            self._leave_open(_open_values(request, self.is_secret))

    def _leave_open(self, values: Iterable[str]) -> None:
        self._open.update(dict.fromkeys(values))
        while len(self._open) > _OPEN:
            del self._open[next(iter(self._open))]

    def _number(self, secret: str, *, sent: bool = False) -> int:
        if secret not in self._numbers:
            number = self._numbers[secret] = self._next(secret)
            self._texts[number] = secret
            for spelling in _spellings(secret):
                self._spelled.setdefault(spelling[:_FIRST], {}).setdefault(spelling, number)
            if sent:
                self._sent.add(number)
        return self._numbers[secret]

    def _next(self, secret: str) -> int:  # noqa: ARG002 -- a recording's numbers follow from the secret
        """The number of a secret that was not met before."""
        return len(self._numbers) + 1

    def _within(self, text: str) -> list[tuple[str, int]]:
        """The spellings that a text has, the longest first."""
        with self._lock:
            self._read_waiting()
            firsts = {text[at : at + _FIRST] for at in range(len(text) - _SHORT)} & self._spelled.keys()
            found = {
                spelling: number
                for first in firsts
                for spelling, number in self._spelled[first].items()
                if spelling in text
            }
        return sorted(found.items(), key=lambda pair: (-len(pair[0]), pair[0]))

    def _hide_cut(self, text: str) -> str:
        """Hide what is left of a secret that an excerpt cut in two."""
        # What stands at a cut is looked for first: most secrets are not there, and have dozens of pieces each.
        edges = {edge for part in text.split(CUT) for edge in (part[:_FIRST], part[-_FIRST:]) if len(edge) == _FIRST}
        with self._lock:
            spelled = {spelling: number for alike in self._spelled.values() for spelling, number in alike.items()}
        cut = [pair for pair in spelled.items() if any(edge in pair[0] for edge in edges)]
        for spelling, number in sorted(cut, key=lambda pair: (-len(pair[0]), pair[0])):
            for size in range(min(len(spelling) - 1, _PIECE), _SHORT, -1):
                text = text.replace(CUT + spelling[-size:], f"{CUT}<secret:{number}>")
                text = text.replace(spelling[:size] + CUT, f"<secret:{number}>{CUT}")
        return text

    def _replace(self, text: str, spans: Iterator[Span]) -> str:
        parts, end = [], 0
        for start, stop, secret in sorted(spans):
            if start >= end and stop > start:
                parts += [text[end:start], self.mark(secret)]
                end = stop
        return "".join([*parts, text[end:]])


def _spans(
    pattern: re.Pattern[str], text: str, wanted: Callable[[str], bool], plain: Callable[[str], str] = str
) -> Iterator[Span]:
    for found in pattern.finditer(text):
        value = found["value"]
        if wanted(found["name"]) and value.strip().strip("\"'").lower() not in _PLAIN_WORDS:
            yield (*_unquoted(found), plain(value.strip("\"'")))


def _unquoted(found: re.Match[str]) -> tuple[int, int]:
    start, stop = found.span("value")
    quoted = found["value"][:1] in ("'", '"')
    closed = quoted and len(found["value"]) > 1 and found["value"][-1] == found["value"][0]
    return start + quoted, stop - closed


def _header_spans(name: str, value: str, secret: Callable[[str], bool]) -> Iterator[Span]:
    plain = name.lower()
    if plain == "cookie":
        yield from _spans(_COOKIE, value, lambda _: True)
    elif plain == "set-cookie":
        yield from _spans(_SET_COOKIE, value, lambda _: True)
    elif plain in ("authorization", "proxy-authorization"):
        yield from _credentials(value)
    elif secret(name):
        yield (0, len(value), value)
    else:
        yield from _spans(_PAIR, value, secret, unquote_plus)


def _credentials(value: str) -> Iterator[Span]:
    found = _CREDENTIALS.match(value)
    if found is None:
        yield (0, len(value), value)
    else:
        part = "value" if found["value"] else "bare"
        if part == "bare" and found["bare"].lower() in _SCHEMES:
            return
        yield (*found.span(part), found[part])


def _body_spans(text: str, secret: Callable[[str], bool], *, of_request: bool) -> Iterator[Span]:
    def wanted(name: str) -> bool:
        return secret(name) and (of_request or name.lower() != "code")

    yield from _spans(_FIELD, text, wanted, _json_text)
    if of_request:
        yield from _spans(_PART, text, wanted)
    # In a form, and in a link within any text.
    yield from _spans(_PAIR, text, wanted, unquote_plus)


def _request_spans(request: Request, secret: Callable[[str], bool]) -> Iterator[Span]:
    for name, value in request.headers:
        text = value.decode("latin-1")
        yield from _header_spans(name.decode("latin-1"), text, secret)
        if name.lower() in (b"authorization", b"proxy-authorization"):
            yield from _basic(text)
    yield from _spans(_PAIR, request.target.decode("latin-1"), secret, unquote_plus)
    if request.body:
        text = request.body.decode("utf-8", "replace")
        yield from _body_spans(text, secret, of_request=True)
        yield from _nested(request.body, secret)


def _open_values(request: Request, secret: Callable[[str], bool]) -> Iterator[str]:
    """The texts that a request has under names that are no secrets'."""
    texts: list[tuple[re.Pattern[str], str, Callable[[str], str]]] = [
        (_PAIR, request.target.partition(b"?")[2].decode("latin-1"), unquote_plus)
    ]
    if request.body and len(request.body) < _LARGEST:
        body = request.body.decode("utf-8", "replace")
        is_json = body.lstrip()[:1] in ("{", "[")
        texts.append((_FIELD, body, _json_text) if is_json else (_PAIR, body, _of_form))
    for pattern, text, plain in texts:
        for found in pattern.finditer(text):
            if not secret(found["name"]) and len(found["value"]) > _SHORT:
                yield plain(found["value"].strip("\"'"))


def _basic(value: str) -> Iterator[Span]:
    """The password within Basic credentials: it may leak without its wrapping (RFC 7617)."""
    scheme, _, credentials = value.partition(" ")
    if scheme.lower() == "basic":
        try:
            password = base64.b64decode(credentials, validate=True).decode().partition(":")[2]
        except ValueError:  # no base64, or no text
            return
        yield (0, len(password), password)


def _nested(body: bytes, secret: Callable[[str], bool]) -> Iterator[Span]:
    """The strings in a list or an object under a secret's name."""
    if body.lstrip()[:1] not in (b"{", b"["):
        return
    try:
        tokens = read(body).tokens
    except NotJsonError:
        return
    depth, inside = 0, 0
    for at, token in enumerate(tokens):
        if token in "[{":
            depth += 1
            if not inside and at > 1 and tokens[at - 1] == ":" and secret(decoded(tokens[at - 2])):
                inside = depth
        elif token in "]}":
            inside = 0 if inside == depth else inside
            depth -= 1
        elif inside and token[0] == '"' and tokens[at + 1] != ":":
            yield (0, len(token), decoded(token))


def _of_form(value: str) -> str:
    return unquote_plus(value)


def _hidden_tokens(inputs: Iterable[str]) -> Iterator[str]:
    """The values of a page's hidden fields, as their attributes are written; never a password's."""
    for written in inputs:
        told = {name.lower(): html.unescape(value) for name, value in _ATTRIBUTE.findall(written)}
        if told.get("type", "").lower() == "hidden" and "value" in told:
            name = snake(told.get("name", ""))
            if "pass" not in name and "pwd" not in name:
                yield told["value"]


def _json_text(value: str) -> str:
    try:
        return decoded(f'"{value}"')
    except json.JSONDecodeError:
        return value


@lru_cache(100_000)
def _spellings(secret: str) -> frozenset[str]:
    if len(secret) <= _SHORT:
        return frozenset()
    written = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], html.escape(secret)}
    # A body may hold a lone surrogate, which has no bytes of its own in UTF-8.
    raw = secret.encode("utf-8", "surrogatepass")
    return frozenset(written | {secret, quote(raw), quote(raw, safe=""), quote_plus(raw)})


def hidden_headers(secrets: Secrets, headers: Headers) -> Iterator[tuple[str, str]]:
    """Each header as text, its secrets hidden."""
    for name, value in headers:
        plain = name.decode("latin-1")
        yield secrets.hide(plain), secrets.header(plain, value.decode("latin-1"))
