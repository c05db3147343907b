"""Two servers have a clock each: a time of now is never one text on both, and yet its form, distance and order hold."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from .difference import Difference
from .messages import Request
from .time_class import TimeClass, alike

# Two moments that are nearer than `_SAME` (seconds) may be one; those further than `_APART` are two for sure.
_SAME, _APART = 0.0005, 0.005
# So often an order must be another one, and never the same, to be no chance.
_BROKEN = 3
_ANY = TimeClass()


class _Moment(NamedTuple):
    difference: Difference
    original: float
    port: float


class _Place(NamedTuple):
    """Two times of one object, and their order in the original."""

    operation: str
    earlier: str
    later: str
    order: int


@dataclass
class TwoClocks:
    """Which differences are times that two servers took from clocks of their own.

    Such a time is JSON, has the same form on both sides, lies at most `window` seconds from the other, is not
    before `since` (seconds since the epoch: what was there before was made by no clock of the run) and was not sent
    by the client. Where two times of one answer are one moment on one side, or in another order, and two moments on
    the other, the later is a difference even so, unless that is chance. `alike` counts by fingerprint.
    """

    window: float
    since: float
    alike: Counter[str] = field(default_factory=Counter)
    _held: set[_Place] = field(default_factory=set)
    _broken: Counter[_Place] = field(default_factory=Counter)

    @classmethod
    def from_now(cls, window: float) -> TwoClocks | None:
        """The clocks of a run that begins; None where times must be equal, which a window of 0 says."""
        return cls(window, time.time()) if window else None

    def differences(
        self, operation: str, request: Request, found: Sequence[Difference]
    ) -> tuple[tuple[Difference, ...], tuple[Difference, ...]]:
        """What differs even so, and the times that do not."""
        moments = [moment for each in found if (moment := self._moment(each, request)) is not None]
        wrong = self._in_another_order(operation, moments)
        times = [moment.difference for moment in moments if moment.difference not in wrong]
        self.alike.update(each.fingerprint(operation) for each in times)
        return tuple(each for each in found if each not in times), tuple(times)

    def _moment(self, difference: Difference, request: Request) -> _Moment | None:
        ours, theirs = difference.original, difference.port
        if (difference.level, difference.kind) != ("json", "value") or ours is None or theirs is None:
            return None
        clock = TimeClass(window=self.window)
        one, other = _ANY.moment(ours), _ANY.moment(theirs)
        if one is None or other is None or min(one, other) < self.since - self.window:
            return None
        if not alike(clock, ours, clock, theirs) or _was_sent(ours.strip('"'), request):
            return None
        return _Moment(difference, one, other)

    def _in_another_order(self, operation: str, moments: Sequence[_Moment]) -> set[Difference]:
        wrong = set()
        for earlier, later in _neighbours(moments):
            ours = _order(later.original - earlier.original)
            theirs = _order(later.port - earlier.port)
            if ours is None or theirs is None:
                continue
            place = _Place(operation, earlier.difference.pattern, later.difference.pattern, ours)
            if ours == theirs:
                self._held.add(place)
                continue
            self._broken[place] += 1
            if self._broken[place] >= _BROKEN and place not in self._held:
                wrong.add(later.difference)
        return wrong


def _order(apart: float) -> int | None:
    """1 for later, 0 for one moment, -1 for earlier; None where that cannot be said."""
    if abs(apart) < _SAME:
        return 0
    return None if abs(apart) < _APART else 1 if apart > 0 else -1


def _neighbours(moments: Sequence[_Moment]) -> Iterator[tuple[_Moment, _Moment]]:
    """The times of each object, by the original's order; those in whole seconds are too coarse to tell."""
    owners: defaultdict[str, list[_Moment]] = defaultdict(list)
    for moment in moments:
        if "." in (moment.difference.original or ""):
            owners[moment.difference.path.rpartition(".")[0]].append(moment)
    for owned in owners.values():
        yield from pairwise(sorted(owned, key=lambda moment: moment.original))


def _was_sent(text: str, request: Request) -> bool:
    """Whether a time is the client's own, which both sides must give back as it was."""
    return text.encode() in request.body or text in request.target.decode("latin-1")
