"""A session while a request works with it: opened from the store before, saved to it after, as Flask-Session does."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, MutableMapping
from datetime import datetime
from typing import Any

from shared_core.sessions.codec import Codec
from shared_core.sessions.cookies import first_cookie
from shared_core.sessions.policy import SessionPolicy
from shared_core.sessions.stores import AsyncStore

PERMANENT = "_permanent"


class Session(MutableMapping[str, Any]):
    """The values of one session, with Flask-Session's `sid`, `accessed` and `modified`.

    Only assignments at the top level are seen as changes. It is falsy while it holds nothing but its permanence.
    """

    def __init__(self, values: Mapping[str, Any], *, sid: str | None = None, id_bytes: int = 32) -> None:
        self._values = dict(values)
        self._id_bytes = id_bytes
        self._sid = sid
        self.accessed = False
        self.modified = False
        self.left: list[str] = []

    def __getitem__(self, key: str) -> Any:
        self.accessed = True
        return self._values[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._change()
        self._values[key] = value

    def __delitem__(self, key: str) -> None:
        del self._values[key]
        self._change()

    def __iter__(self) -> Iterator[str]:
        self.accessed = True
        return iter(self._values)

    def __len__(self) -> int:
        self.accessed = True
        return len(self._values)

    def __bool__(self) -> bool:
        self.accessed = True
        return self.holds_anything

    def clear(self) -> None:
        """Forget every value but the permanence; saving it then deletes it."""
        self._values = {PERMANENT: self.permanent}
        self._change()

    @property
    def sid(self) -> str:
        """The id; a new session's is made when it is first asked for, since most are never stored."""
        if self._sid is None:
            self._sid = new_id(self._id_bytes)
        return self._sid

    @property
    def holds_anything(self) -> bool:
        """Whether it is truthy; asking so is not yet using it."""
        return len(self._values) > (PERMANENT in self._values)

    def update(self, *others: Any, **values: Any) -> None:
        """Change several values; a change of none is one, too, as in Flask."""
        super().update(*others, **values)
        self._change()

    @property
    def permanent(self) -> bool:
        """Whether the cookie outlives the browser."""
        return bool(self._values.get(PERMANENT, False))

    @permanent.setter
    def permanent(self, permanent: bool) -> None:
        self[PERMANENT] = bool(permanent)

    @property
    def values_to_store(self) -> Mapping[str, Any]:
        return self._values

    def regenerate(self) -> None:
        """Give it a new id, and leave the old one to die; as in Flask-Session, an empty session keeps its own."""
        if self:
            self.left.append(self.sid)
            self._sid = new_id(self._id_bytes)
            self.modified = True

    def _change(self) -> None:
        self.accessed = self.modified = True


def new_id(id_bytes: int) -> str:
    """An id that nobody can guess, made as Flask-Session makes its own: `id_bytes` random bytes in base64url."""
    return secrets.token_urlsafe(id_bytes)


async def open_session(store: AsyncStore, policy: SessionPolicy, codec: Codec, *, cookie_header: str) -> Session:
    """The session that a Cookie header names. One that the store does not know is never adopted: it gets a new id.

    Raises Unavailable where the store does not answer; without a cookie it is not asked.
    """
    sid = first_cookie(cookie_header, policy.cookie_name)
    stored = await store.get(policy.key_prefix + sid) if sid else None
    values = codec.decode(stored) if stored else None
    if not sid or values is None:
        return begin_session(policy)
    return Session(values, sid=sid, id_bytes=policy.id_bytes)


def begin_session(policy: SessionPolicy) -> Session:
    """A new session, which is stored as soon as something is put into it."""
    values = {PERMANENT: True} if policy.permanent else {}
    return Session(values, id_bytes=policy.id_bytes)


async def save_session(
    store: AsyncStore, policy: SessionPolicy, codec: Codec, session: Session, *, now: datetime
) -> list[tuple[str, str]]:
    """Write a session back where it must be; gives the headers that the response gets. Raises Unavailable."""
    vary = ("Vary", "Cookie")
    for sid in session.left:
        await store.delete(policy.key_prefix + sid)
    if not session.holds_anything:
        if not session.modified:
            return [vary] if session.accessed else []
        await store.delete(policy.key_prefix + session.sid)
        return [("Set-Cookie", policy.deletion()), vary]
    if not (session.modified or policy.refresh_each_request):
        return [vary] if session.accessed else []
    value = codec.encode(session.values_to_store)
    await store.set(policy.key_prefix + session.sid, value, seconds=policy.lifetime_seconds)
    if not (session.modified or session.permanent):
        return [vary] if session.accessed else []
    return [("Set-Cookie", policy.cookie(session.sid, now=now, permanent=session.permanent)), vary]
