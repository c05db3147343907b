"""What itsdangerous signs has another text each second and for each id, and yet says one thing: it is read."""

from __future__ import annotations

import base64
import json
import re
import zlib
from dataclasses import dataclass

# Content, time and signature (SHA-1, SHA-256 or SHA-512), as Flask's and Starlette's sessions are written.
_SIGNED = re.compile(r"(?P<packed>\.?)(?P<content>[\w+/-]+=*)\.(?P<time>[\w-]{4,8})\.(?:[\w-]{27}|[\w-]{43}|[\w-]{86})")
# A cookie is 4 kB at most; what unpacks to more is no session.
_LARGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class SignedValue:
    """A value whose signature nobody here can check: its JSON, and when it was signed (seconds since the epoch).

    `style` is how it is written: Flask's JSON has no spaces, Starlette's has, and its base64 is padded.
    """

    content: object
    moment: int
    style: tuple[bool, bool]

    @classmethod
    def of(cls, text: str) -> SignedValue | None:
        """Read a value; None for any other text, and for content that is no JSON."""
        found = _SIGNED.fullmatch(text)
        if found is None:
            return None
        try:
            content = _bytes(found["content"])
            if found["packed"]:
                content = zlib.decompressobj().decompress(content, _LARGEST)
            style = (found["content"].endswith("="), b'": ' in content)
            return cls(json.loads(content), int.from_bytes(_bytes(found["time"]), "big"), style)
        except (ValueError, zlib.error, RecursionError):
            return None


def _bytes(text: str) -> bytes:
    plain = text.rstrip("=").translate(str.maketrans("+/", "-_"))
    return base64.urlsafe_b64decode(plain + "=" * (-len(plain) % 4))
