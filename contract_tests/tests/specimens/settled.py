"""Two apps with a history: their ids lie in different ranges, and nobody can rewind them, as behind two URLs."""

from __future__ import annotations

from typing import Any

from contract_tests.suite import targets
from shared_core import users


def _with_history(app: Any, people: int) -> Any:
    services = targets.world_of(app).services
    with services.database.begin() as db:
        for number in range(people):
            users.create_user(db, name="Old", email=f"old{number}@history", password_hash="-", now=services.clock())
    return app


original = _with_history(targets.original(), 3)
port = _with_history(targets.port(), 250)
