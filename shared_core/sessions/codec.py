"""Between a session's values and the bytes in the store: Flask-Session's encoding, and no pickle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from shared_core.sessions.policy import Format

Values = dict[str, Any]


class Codec:
    """Encodes as Flask-Session 0.8 does; it is also a serializer that Flask-Session takes in place of its own.

    Flask-Session's own decoder ends in `pickle.loads`, so whoever can write to the store runs code in the app, and
    raises for rubbish, so a cookie that points at some is a 500 for ever. Here rubbish is no session.
    """

    def __init__(self, format: Format = "msgpack") -> None:
        msgpack, json = msgspec.msgpack.Decoder(Values), msgspec.json.Decoder(Values)
        self._encode = (msgspec.msgpack.Encoder() if format == "msgpack" else msgspec.json.Encoder()).encode
        # Both are read, as Flask-Session does, so that a team may change the format without signing anyone out.
        self._decoders = (msgpack, json) if format == "msgpack" else (json, msgpack)

    def encode(self, session: Mapping[str, Any]) -> bytes:
        """A session's values as bytes. Raises TypeError or OverflowError for what neither format can hold."""
        return self._encode(dict(session))

    def decode(self, stored: bytes) -> Values | None:
        """The values that bytes stand for, None where they stand for none."""
        for decoder in self._decoders:
            try:
                return decoder.decode(stored)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                continue
        return None
