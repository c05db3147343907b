"""What a session means to this service: who is signed in, and the small values a visitor keeps there."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, MutableMapping
from datetime import datetime
from typing import Any

from shared_core.errors import Conflict, Invalid, NotFound, NotSignedIn, Violation
from shared_core.logins import SIGN_IN

LOGIN, TOUCHED, VALUES, TOKENS = "login_id", "touched", "values", "tokens"

# A session that is in use is written at least so often, so that it does not expire; and no more often for that.
TOUCH_SECONDS = 300

MOST_VALUES = 32
MOST_BYTES = 4096
SMALLEST, LARGEST = -(2**63), 2**64 - 1


class Visit:
    """A session as the rules see it. Nothing is read of it until it is asked.

    `session` is Flask's or the port's, with an attribute `sid`; `regenerate` gives that session a new id.
    """

    def __init__(self, session: MutableMapping[str, Any], *, regenerate: Callable[[], None], now: datetime) -> None:
        self._untouched = session
        self._regenerate = regenerate
        self._now = int(now.timestamp())

    @property
    def session(self) -> MutableMapping[str, Any]:
        """The session, which thereby is in use."""
        session = self._untouched
        if session and self._now - _of(int, session.get(TOUCHED), 0) >= TOUCH_SECONDS:
            session[TOUCHED] = self._now
        return session

    @property
    def login_id(self) -> str | None:
        """The login that the session names. Whether it is still good, the database knows."""
        login_id: str | None = _of(str, self.session.get(LOGIN), None)
        return login_id

    def get_login_id(self) -> str:
        """The same; raises NotSignedIn where there is none."""
        login_id = self.login_id
        if login_id is None:
            raise NotSignedIn(SIGN_IN)
        return login_id

    def sign_in(self, login_id: str, *, with_tokens: bool = False) -> None:
        """Let the session name a login, under a new id, so that whoever knew the old id has nothing.

        What the visitor kept stays; what someone who was signed in before kept does not. The tokens of a sign-in
        provider stay only where it is that provider's sign-in.
        """
        session = self.session
        tokens = session.get(TOKENS) if with_tokens else None
        if LOGIN in session:
            session.clear()
        session.pop(TOKENS, None)
        # Written first: an empty session would keep its id.
        session.update({LOGIN: login_id, TOUCHED: self._now} | ({TOKENS: tokens} if tokens else {}))
        before = self._sid
        self._regenerate()
        if self._sid == before:
            raise RuntimeError("the session kept its id over a sign-in")

    def sign_out(self) -> None:
        """Empty the session, which ends it."""
        self.session.clear()

    def get_value(self, key: str) -> Any:
        """What is kept under a key. Raises NotFound."""
        values = self._values
        if key not in values:
            raise NotFound("Nothing is kept under this key.")
        return values[key]

    def put_value(self, key: str, value: Any) -> None:
        """Keep a small JSON value. Raises Invalid for one that is too large, Conflict where too many are kept."""
        _check_value(value)
        values = self._values | {key: value}
        if len(values) > MOST_VALUES:
            raise Conflict(f"A session keeps at most {MOST_VALUES} values.")
        # Assigned whole: a session sees changes at its top level only.
        self.session.update({VALUES: values, TOUCHED: self._now})

    def delete_value(self, key: str) -> None:
        """Forget what is kept under a key, if anything is."""
        values = self._values
        if key in values:
            self.session[VALUES] = {name: kept for name, kept in values.items() if name != key}

    @property
    def _values(self) -> dict[str, Any]:
        values: dict[str, Any] = _of(dict, self.session.get(VALUES), {})
        return values

    @property
    def _sid(self) -> str:
        return str(self._untouched.sid)  # type: ignore[attr-defined]


def _of(kind: type[Any], stored: Any, otherwise: Any) -> Any:
    """What the store holds, where it is of its kind; rubbish there is nobody's session."""
    return stored if isinstance(stored, kind) else otherwise


def _check_value(value: Any) -> None:
    told = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if len(told.encode()) > MOST_BYTES:
        raise _unfit(f"Value should have at most {MOST_BYTES} bytes as JSON", "too_long")
    for number in _numbers(value):
        if isinstance(number, int) and not SMALLEST <= number <= LARGEST:
            raise _unfit("Integers should fit into 64 bits", "int_size")
        if not math.isfinite(number):
            raise _unfit("Numbers should be finite", "finite_number")


def _numbers(value: Any) -> list[int | float]:
    if isinstance(value, (int, float)):
        return [value]
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return [number for each in inner for number in _numbers(each)]


def _unfit(detail: str, type: str) -> Invalid:
    return Invalid("The request does not fit.", violations=(Violation("/body/value", detail, type),))
