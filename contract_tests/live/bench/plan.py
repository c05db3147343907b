"""What a run measures, and how long it takes."""

from __future__ import annotations

from dataclasses import dataclass

from contract_tests.live.bench.contenders import BEFORE, OURS, OWN, SHARED, SMALLEST_OF

DATABASES = ("SQLite", "PostgreSQL")
STORES = ("SQLite", "Redis")


@dataclass(frozen=True, slots=True)
class Plan:
    """Rounds, the loads, and how long a sample lasts, in seconds.

    Not everything is measured everywhere: the apps themselves are, the smallest ones at few and at many connections,
    the usual ones at `usual`. One connection is measured with sessions in SQLite alone.
    """

    rounds: int = 5
    connections: tuple[int, ...] = (1, 10, 40, 200)
    seconds: float = 0.25
    routes: tuple[str, ...] = SHARED + OWN
    databases: tuple[str, ...] = DATABASES
    stores: tuple[str, ...] = STORES
    usual: int = 10
    in_process: int = 300
    waiting: tuple[int, ...] = (1, 40, 200)
    waiting_seconds: float = 1.0

    def measures(self, contender: str, sessions: str, connections: int) -> bool:
        """Whether a contender has its turn at this load."""
        if connections == 1:
            return contender in OURS and sessions == STORES[0]
        if contender in SMALLEST_OF.values():
            return connections < 200 or self.connections == (connections,)
        if contender in OURS or contender in BEFORE.values():
            return True
        return connections == self.usual or self.connections == (connections,)


QUICK = Plan(rounds=2, connections=(10,), seconds=0.15, in_process=100, waiting=(1, 40), waiting_seconds=0.5)
