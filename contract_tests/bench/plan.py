"""What a run measures, and how long it takes."""

from __future__ import annotations

from dataclasses import dataclass

from contract_tests.bench.contenders import OWN, SHARED


@dataclass(frozen=True, slots=True)
class Plan:
    """Rounds, the connections of each database, and how long a sample lasts, in seconds."""

    rounds: int = 5
    connections: tuple[int, ...] = (1, 10, 40, 200)
    seconds: float = 0.35
    routes: tuple[str, ...] = SHARED + OWN
    in_process: int = 300
    waiting: tuple[int, ...] = (1, 10, 40, 100, 200)
    waiting_seconds: float = 1.5


QUICK = Plan(rounds=2, connections=(10,), seconds=0.25, in_process=100, waiting=(1, 40), waiting_seconds=0.5)
