"""An exchange becomes a line of JSON that `parity check --cases` reads, its secrets replaced before it is written."""

from __future__ import annotations

import base64
import json
import random
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import blake2b
from json.encoder import encode_basestring_ascii as quoted
from typing import Any, NamedTuple

from contract_tests.parity.messages import Request
from contract_tests.parity.secrets import Secrets
from contract_tests.parity.texts import CUT

from .captured import Body, Captured

# Of the connection that was; the length is that of a body whose secrets are replaced, and readers reckon it.
_OF_CONNECTION = frozenset(
    {"connection", "content-length", "expect", "keep-alive", "te", "transfer-encoding", "upgrade"}
)
# New in each request, and never a secret: remembering them would push out what comes again.
_PLAIN = frozenset({
    "content-length", "date", "etag", "if-modified-since", "if-none-match", "last-modified", "retry-after",
    "traceparent", "x-ratelimit-remaining", "x-ratelimit-reset", "x-request-id",
})  # fmt: skip
_REQUEST_ID = "x-request-id"
_LONGEST_ID = 200
_BARE = re.compile(r"(:\s*)(<secret:\d+>)(?=\s*[,}\]])")
_SMALL = 2048
_REMEMBERED = 4096


class Piece(NamedTuple):
    """A part of a line: its JSON, the texts in it with the secrets of this place replaced, and these secrets.

    `binary` tells of a body that is no text, `coded` of a header that says that the body is compressed, and `size`
    is a body's length in bytes.
    """

    written: str
    name: str = ""
    text: str = ""
    secrets: tuple[str, ...] = ()
    binary: bool = False
    coded: bool = False
    size: int = 0


_NOTHING = Piece("")


class KeyedSecrets(Secrets):
    """Secrets whose numbers follow from a key: equal ones have one number in every process that has the key."""

    def __init__(self, key: bytes, names: Iterable[str] = ()) -> None:
        super().__init__(names)
        self._key = key

    def _next(self, secret: str) -> int:
        digest = blake2b(secret.encode("utf-8", "surrogatepass"), key=self._key, digest_size=6).digest()
        return int.from_bytes(digest, "big")

    @property
    def known(self) -> tuple[str, ...]:
        with self._lock:
            self._read_waiting()
            return tuple(self._numbers)


class Lines:
    """Writes lines. What comes again with each request (headers, targets, small bodies) is read once and remembered."""

    def __init__(self, *, key: bytes, names: Iterable[str] = ()) -> None:
        self._key, self._names = blake2b(key).digest(), tuple(names)
        # Tells a reader whether two recordings were written with one key, and nothing of the key.
        self.key_id = blake2b(b"key", key=self._key, digest_size=4).hexdigest()
        self._asked: dict[tuple[Any, Any], Piece] = {}
        self._told: dict[tuple[Any, Any], Piece] = {}
        # Whether any header so far said that a body is compressed: most apps leave that to a proxy.
        self._coded = False
        self._target = lru_cache(1024)(self._new_target)
        self._small = lru_cache(1024)(self._new_body)
        self._hidden = lru_cache(256)(self._hiding)

    def line(self, captured: Captured, *, dropped: int = 0) -> bytes:
        """The line of an exchange; `dropped` is how many this process could not keep so far."""
        # Most headers come again with each request: what is found in no dictionary is rare.
        asked_before, told_before = self._asked.get, self._told.get
        asked = [asked_before(pair) or self._request_header(pair) for pair in captured.request_headers]
        told = [told_before(pair) or self._response_header(pair) for pair in captured.headers]
        target = self._target(captured.target)
        sent = _NOTHING if captured.request_body is None else self._sent(captured, captured.request_body, asked)
        answered = self._answered(captured, told)
        secret = [piece.secrets for piece in (target, *asked, *told, sent or _NOTHING, answered) if piece.secrets]
        if secret:
            hide = self._hidden(frozenset(each for secrets in secret for each in secrets))
            cut = captured.answer.length > captured.answer.kept
            every = "\n".join([piece.text for piece in (target, *asked, *told, sent or _NOTHING, answered)])
            if cut or hide.hide(every) != every:
                target, answered = _again(target, hide), _body_again(answered, hide, cut=cut)
                asked, told = ([_again(piece, hide) for piece in each] for each in (asked, told))
                sent = sent and _body_again(sent, hide, cut=False)
        if answered.size != captured.answer.kept:
            told = [_resized(piece, captured.answer.length, answered.size) for piece in told]
        return self._joined(captured, target, asked, sent, told, answered, dropped).encode()

    def _joined(
        self,
        captured: Captured,
        target: Piece,
        asked: list[Piece],
        sent: Piece | None,
        told: list[Piece],
        answered: Piece,
        dropped: int,
    ) -> str:
        headers = ",".join([piece.written for piece in asked if piece.written])
        step = f'{{"method":{quoted(captured.method)},"target":{target.written},"headers":[{headers}]'
        # What is not known whole cannot be sent again.
        steps, request = (f"[{step}{sent.written}}}]", "") if sent else ("[]", f',"request":{step},"cut":true}}')
        status = captured.status if type(captured.status) is int else int(str(captured.status)[:3])
        more = "" if captured.seen and captured.answer.length == captured.answer.kept else _cut(captured)
        if captured.failure:
            more += f',"failure":"{captured.failure}"'
        if dropped:
            more += f',"dropped":{dropped}'
        return (
            f'{{"case":{quoted(_id(captured))},"steps":{steps},"recorded":{{"time":{captured.time:.6f},'
            f'"seconds":{captured.seconds:.6f},"status":{status},"headers":[{",".join([p.written for p in told])}]'
            f'{answered.written}{more}{request},"key":"{self.key_id}"}}}}\n'
        )

    def _request_header(self, pair: tuple[Any, Any]) -> Piece:
        name, value = _spelled(pair[0])[1], pair[1]
        if name in _OF_CONNECTION or (name == "content-type" and not value):
            return _kept(self._asked, (pair[0], value), Piece("")) if name != "content-length" else _NOTHING
        return self._header(self._asked, pair)

    def _response_header(self, pair: tuple[Any, Any]) -> Piece:
        return self._header(self._told, pair)

    def _header(self, known: dict[tuple[Any, Any], Piece], pair: tuple[Any, Any]) -> Piece:
        (shown, plain), text = _spelled(pair[0]), _text(pair[1])
        if plain in _PLAIN:
            return Piece(f'["{shown}",{quoted(text)}]', shown, text)
        secrets = self._secrets()
        # It notes a password within Basic credentials, too: that may stand alone elsewhere.
        secrets.learn(Request("GET", b"/", ((shown.encode("latin-1"), text.encode("latin-1")),)))
        new = secrets.header(shown, text)
        coded = plain == "content-encoding" and text.lower() != "identity"
        self._coded |= coded
        piece = Piece(f"[{quoted(shown)},{quoted(new)}]", shown, new, secrets.known, coded=coded)
        return _kept(known, (pair[0], pair[1]), piece)

    def _new_target(self, target: str) -> Piece:
        secrets = self._secrets()
        secrets.learn(Request("GET", target.encode("latin-1")))
        new = secrets.query(target)
        return Piece(quoted(new), "", new, secrets.known)

    def _sent(self, captured: Captured, body: Body, asked: Sequence[Piece]) -> Piece | None:
        """The request's body; None where it is not known whole, or is compressed, so that no secret in it is seen."""
        # Of a body in chunks that the app did not read, no one knows how long it is.
        unread = body.length < captured.unread or (captured.unread < 0 and not body.length)
        if unread or body.length > body.kept or any(piece.coded for piece in asked):
            return None
        return self._body(body, of_request=True, cut=False)

    def _answered(self, captured: Captured, told: Sequence[Piece]) -> Piece:
        body = captured.answer
        if not body.kept:
            return _NOTHING
        if self._coded and any(piece.coded for piece in told):
            captured.seen = False
            return Piece("", size=body.kept)
        return self._body(body, of_request=False, cut=body.length > body.kept)

    def _body(self, body: Body, *, of_request: bool, cut: bool) -> Piece:
        if not body.kept:
            return _NOTHING
        remembered = self._small if body.kept <= _SMALL else self._new_body
        return remembered(body.joined(), of_request, cut)

    def _new_body(self, data: bytes, of_request: bool, cut: bool) -> Piece:
        text, binary = _decoded(data, cut=cut)
        secrets = self._secrets()
        if of_request:
            secrets.learn(Request("POST", b"/", (), data))
        new = secrets.body(text + CUT * cut, of_request=of_request).removesuffix(CUT * cut)
        if text[:1] in ("{", "["):
            # What stood as a number becomes a text: JSON stays JSON.
            new = _BARE.sub(r'\1"\2"', new)
        size = len(data) if new == text else len(new.encode("latin-1" if binary else "utf-8", "replace"))
        return Piece(_body_json(new, binary=binary), "", new, secrets.known, binary=binary, size=size)

    def _hiding(self, known: frozenset[str]) -> KeyedSecrets:
        secrets = self._secrets()
        for secret in known:
            secrets.mark(secret)
        return secrets

    def _secrets(self) -> KeyedSecrets:
        return KeyedSecrets(self._key, self._names)


@lru_cache(4096)
def _spelled(name: str | bytes) -> tuple[str, str]:
    """A header's name as it is written here, and in lower case. WSGI has its own spelling (PEP 3333)."""
    text = _text(name)
    if text.startswith("HTTP_") or text in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        text = text.removeprefix("HTTP_").replace("_", "-").title()
    return text, text.lower()


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _id(captured: Captured) -> str:
    if captured.key:
        return _text(captured.key)[:_LONGEST_ID]
    own = (value for name, value in captured.headers if _spelled(name)[1] == _REQUEST_ID)
    return _text(next(own, "")).strip()[:_LONGEST_ID] or f"made-{random.getrandbits(64):016x}"


def _cut(captured: Captured) -> str:
    return ',"cut":true' + (f',"length":{captured.answer.length}' if captured.seen else "")


def _kept(known: dict[tuple[Any, Any], Piece], pair: tuple[Any, Any], piece: Piece) -> Piece:
    if len(known) >= _REMEMBERED:
        known.clear()
    known[pair] = piece
    return piece


def _decoded(data: bytes, *, cut: bool) -> tuple[str, bool]:
    """A body's text, and whether it is none: then each byte is a character, so that names in it are still found."""
    try:
        return data.decode(), False
    except UnicodeDecodeError as error:
        if cut and error.start >= len(data) - 3:
            return data[: error.start].decode(), False
        return data.decode("latin-1"), True


def _body_json(text: str, *, binary: bool) -> str:
    if binary:
        return f',"body_base64":"{base64.b64encode(text.encode("latin-1", "replace")).decode()}"'
    return f',"body":{quoted(text)}' if text else ""


def _again(piece: Piece, hide: KeyedSecrets) -> Piece:
    """A header or target with the secrets of the whole exchange replaced."""
    text = hide.hide(piece.text)
    if text == piece.text:
        return piece
    return piece._replace(text=text, written=json.dumps([piece.name, text]) if piece.name else quoted(text))


def _body_again(piece: Piece, hide: KeyedSecrets, *, cut: bool) -> Piece:
    text = hide.hide(piece.text + CUT * cut).removesuffix(CUT * cut)
    if text == piece.text:
        return piece
    size = len(text.encode("latin-1" if piece.binary else "utf-8", "replace"))
    return piece._replace(text=text, written=_body_json(text, binary=piece.binary), size=size)


def _resized(piece: Piece, before: int, after: int) -> Piece:
    """A true Content-Length stays true where a body's secrets are replaced."""
    if piece.name.lower() != "content-length" or piece.text != str(before):
        return piece
    return piece._replace(text=str(after), written=json.dumps([piece.name, str(after)]))
