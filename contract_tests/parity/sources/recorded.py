"""Recorded requests: of a HAR 1.2 file only what was sent counts, as one story for each page, cookies carried on."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from contract_tests.parity.cases import Case, CaseError
from contract_tests.parity.messages import Headers, Request

# Of the connection that was, and not of the request; a browser's jar is carried on by the runner.
_LEFT_OUT = frozenset({"host", "connection", "content-length", "transfer-encoding", "accept-encoding", "cookie", "keep-alive", "te", "upgrade"})  # fmt: skip  # noqa: E501
_METHOD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TOKEN = re.compile(r"[A-Za-z0-9_~+/=.-]{20,}")


def recorded(path: Path) -> tuple[Case, ...]:
    """The cases of a HAR file: the requests to the host that most were sent to, a case for each page.

    A token that an answer held and a later request sends is kept from the answer; so is a cookie. Raises CaseError.
    """
    try:
        log = json.loads(path.read_bytes().removeprefix(b"\xef\xbb\xbf"))["log"]
        entries = [entry for entry in log["entries"] if isinstance(entry, dict)]
    except OSError as error:
        raise CaseError(f"{path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        raise CaseError(f"{path}: this is no HAR 1.2: there is no log with entries in it") from None
    if not entries:
        raise CaseError(f"{path}: there is no entry in it")
    return tuple(_cases(entries, path))


def _cases(entries: list[dict[str, Any]], path: Path) -> Iterator[Case]:
    hosts = Counter(_host(entry) for entry in entries)
    host = hosts.most_common(1)[0][0]
    pages: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    for number, entry in enumerate(entries, 1):
        if _host(entry) == host:
            pages.setdefault(str(entry.get("pageref", "")), []).append((number, entry))
    for page, found in pages.items():
        steps, keeps = [], []
        tokens: dict[str, str] = {}
        for number, entry in found:
            try:
                steps.append(_kept(_request(entry["request"]), tokens))
            except (KeyError, TypeError, ValueError) as error:
                raise CaseError(f"{path}: entry {number}: {_told(error)}") from None
            keeps.append(_tokens(entry.get("response"), tokens, number))
        yield Case(f"{path.name}{f' {page}' if page else ''}", tuple(steps), tuple(keeps), "recorded", cookies=True)


def _host(entry: Mapping[str, Any]) -> str:
    return urlsplit(str(entry.get("request", {}).get("url", ""))).netloc


def _request(recorded: Mapping[str, Any]) -> Request:
    method, url = recorded["method"], urlsplit(recorded["url"])
    if not isinstance(method, str) or not _METHOD.fullmatch(method):
        raise ValueError(f"{method!r} is no method")
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    headers: Headers = tuple(
        (each["name"].encode("latin-1", "replace"), each["value"].encode("latin-1", "replace"))
        for each in recorded.get("headers", ())
        if not each["name"].startswith(":") and each["name"].lower() not in _LEFT_OUT
    )
    body = _body(recorded.get("postData") or {})
    if body:
        headers = (*headers, (b"Content-Length", b"%d" % len(body)))
    return Request(method, target.encode("utf-8"), ((b"Host", b"localhost"), *headers), body)


def _body(data: Mapping[str, Any]) -> bytes:
    if "text" in data:
        text = str(data["text"])
        if data.get("encoding") == "base64" or data.get("_encoding") == "base64":
            return base64.b64decode(text, validate=True)
        return text.encode("utf-8", "surrogatepass")
    from contract_tests.parity.making import encoded

    return encoded([(each["name"], each.get("value", "")) for each in data.get("params", ())]).encode()


def _tokens(response: Any, tokens: dict[str, str], number: int) -> dict[str, str]:
    """What is kept of an answer: the random tokens in its JSON, by their place."""
    content = response.get("content", {}) if isinstance(response, dict) else {}
    try:
        body = content.get("text", "")
        body = base64.b64decode(body) if content.get("encoding") == "base64" else body
        value = json.loads(body)
    except (ValueError, TypeError, AttributeError, RecursionError, binascii.Error):
        return {}
    keep = {}
    for at, (place, token) in enumerate(_opaque(value, "$", 4)):
        name = f"t{number}_{at}"
        keep[name] = place
        tokens[token] = name
    return keep


def _opaque(value: Any, place: str, deep: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and deep:
        for name, inner in value.items():
            if re.fullmatch(r"[\w-]+", name):
                yield from _opaque(inner, f"{place}.{name}", deep - 1)
    elif isinstance(value, str) and _TOKEN.fullmatch(value) and re.search(r"\d", value):
        yield place, value


def _kept(request: Request, tokens: Mapping[str, str]) -> Request:
    """The request with each token that an earlier answer held in the keeping of that answer."""
    target, body, headers = request.target, request.body, request.headers
    for token, name in tokens.items():
        old, new = token.encode("latin-1", "replace"), b"{{%s}}" % name.encode()
        target, body = target.replace(old, new), body.replace(old, new)
        headers = tuple((key, value.replace(old, new)) for key, value in headers)
    return Request(request.method, target, headers, body)


def _told(error: Exception) -> str:
    return f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
