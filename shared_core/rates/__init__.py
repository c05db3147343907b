"""How often one client may ask: one limit, counted in one store by both apps, under Flask-Limiter's keys."""

from shared_core.rates.counting import EXEMPT, NOWHERE, SCOPE, Count, Counter, note_outage
from shared_core.rates.stores import RateLimits, RateStore, SqliteRateStore

__all__ = [
    "EXEMPT",
    "NOWHERE",
    "SCOPE",
    "Count",
    "Counter",
    "RateLimits",
    "RateStore",
    "SqliteRateStore",
    "note_outage",
]
