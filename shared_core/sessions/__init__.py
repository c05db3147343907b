"""Server-side sessions as Flask-Session 0.8 keeps them, for an app of any framework: cookie, store, bytes, lifetime."""

from shared_core.sessions.codec import Codec
from shared_core.sessions.policy import SessionPolicy
from shared_core.sessions.session import Session, open_session, save_session
from shared_core.sessions.stores import AsyncStore, Store

__all__ = ["AsyncStore", "Codec", "Session", "SessionPolicy", "Store", "open_session", "save_session"]
