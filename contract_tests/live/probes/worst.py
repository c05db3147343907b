"""The differences that hurt a client most are chosen by hand, in worst.toml; what each app answers was measured."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

WORST = Path(__file__).parent / "worst.toml"


@dataclass(frozen=True, slots=True)
class Hurt:
    """One difference in the words of a client: what is sent, what it sees from Flask and from a naive FastAPI port."""

    group: str
    probe: str
    sent: str
    flask: str
    fastapi: str
    closed_by: str


def read_worst(text: str) -> list[Hurt]:
    """The chosen differences, in their order. Raises TypeError where a key is missing or unknown."""
    return [Hurt(**row) for row in tomllib.loads(text)["difference"]]
