"""Two recordings are joined by request id: an id that a side has twice joins nothing, and nothing is left uncounted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from .exchanges import Recorded, Recording, with_tokens

DISCONNECTED = "disconnected"


@dataclass(slots=True)
class Join:
    """The pairs in the order in which the original was asked, and what has no partner on either side."""

    pairs: list[tuple[Recorded, Recorded]] = field(default_factory=list)
    only_original: list[Recorded] = field(default_factory=list)
    only_port: list[Recorded] = field(default_factory=list)
    # By id: how often each side has it, where that is more than once.
    repeated: dict[str, tuple[int, int]] = field(default_factory=dict)
    told_apart: bool = True

    @property
    def apart(self) -> float:
        """How many seconds the port's clock is ahead: half of the pairs lie above, half below."""
        return median(theirs.time - ours.time for ours, theirs in self.pairs) if self.pairs else 0.0


def join(original: Recording, port: Recording) -> Join:
    """Join two recordings. Their secrets are told apart only where both were written with one key."""
    keys = original.keys | port.keys
    joined = Join(told_apart=len(keys) <= 1 or not (original.keys and port.keys))
    ours, theirs = (_by_key(side.exchanges) for side in (original, port))
    counts = [Counter(exchange.key for exchange in side.exchanges) for side in (original, port)]
    joined.repeated = {
        key: (counts[0][key], counts[1][key])
        for key in dict.fromkeys([*ours, *theirs])
        if max(counts[0][key], counts[1][key]) > 1
    }
    for key, exchange in ours.items():
        if key in joined.repeated:
            continue
        if key in theirs:
            one, other = (with_tokens(each, told_apart=joined.told_apart) for each in (exchange, theirs[key]))
            joined.pairs.append((one, other))
        else:
            joined.only_original.append(exchange)
    joined.only_port = [each for key, each in theirs.items() if key not in ours and key not in joined.repeated]
    return joined


def _by_key(exchanges: Sequence[Recorded]) -> dict[str, Recorded]:
    return {exchange.key: exchange for exchange in exchanges}
