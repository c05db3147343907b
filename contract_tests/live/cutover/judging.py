"""What a rehearsal may have seen, and what not: shares, users who stay where they are, and nothing lost."""

from __future__ import annotations

import math
from collections import defaultdict

from contract_tests.live.cutover.load import Tally

# So many standard deviations from its share would be seen once in some million of steps.
SIGMAS = 5.0


def faults_of_share(tally: Tally, step: str, percent: float) -> list[str]:
    """What is wrong with a step in which the port was to serve so many percent of the visitors, each a new user."""
    served = tally.served(step, "visitor")
    total, port = served.total(), served["port"]
    if strangers := set(served) - {"original", "port"}:
        return [f"{step}: answered by {', '.join(sorted(strangers))}"]
    share = percent / 100
    spread = SIGMAS * math.sqrt(total * share * (1 - share))
    if abs(port - total * share) > spread:
        return [f"{step}: the port served {port} of {total} visitors, where {percent:g} % were meant"]
    return [f"{step}: nobody met the port"] if percent and not port else []


def faults_of_members(tally: Tally, step: str) -> list[str]:
    """Members who met both apps in one step: each has a cookie, and stays."""
    met: dict[str, set[str]] = defaultdict(set)
    for each in tally.of(step):
        if each.is_member and not each.fault:
            met[each.who].add(each.served_by)
    moved = sorted(who for who, apps in met.items() if len(apps) > 1)
    return [f"{step}: {', '.join(moved)} met both apps"] if moved else []


def faults_of_order(tally: Tally, fewer: str, more: str) -> list[str]:
    """Members whom the port served at a smaller share, and the original at a larger one."""
    before, after = (
        {each.who for each in tally.of(step) if each.is_member and each.served_by == "port"} for step in (fewer, more)
    )
    lost = sorted(before - after)
    return [f"{more}: {', '.join(lost)} went back to the original"] if lost else []
