"""Who may sign in at the area `auth`."""

from __future__ import annotations

PEOPLE = {"ada": "correct horse", "zo\u00eb": "p\u00e4ss:word", "eve": "apple", "nobody": ""}
TOKENS = frozenset({"t0k3n", "a.b-c~d+e/f=="})
OPEN = frozenset({"/auth/open"})
CHALLENGES = [("WWW-Authenticate", 'Basic realm="quirks"'), ("WWW-Authenticate", "Bearer")]


def knows(scheme: str, name: str | None, password: str | None, token: str | None) -> bool:
    """Whether credentials as `request.authorization` gives them are someone's."""
    if scheme == "basic":
        return name in PEOPLE and PEOPLE[name] == password
    return scheme == "bearer" and token in TOKENS
