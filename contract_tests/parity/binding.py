"""Ids that each side makes for itself are bound, not ignored: six rules, one table (docs/parity.md#ids)."""

from __future__ import annotations

from dataclasses import replace
from threading import Lock

from .declared import DEFAULT_BINDINGS, DeclarationError, Declared
from .identities import Identities
from .learning import Learned, Lesson
from .messages import Request, Response
from .translating import Inconclusive, Translation

__all__ = ["DEFAULT_BINDINGS", "Bindings", "DeclarationError", "Declared", "Inconclusive", "Learned"]


class Bindings:
    """Which ids of the original and the port are partners; lives as long as the two databases.

    `declared` is the table of names and templates that hold ids; without it the usual ones do.
    """

    def __init__(self, declared: Declared = DEFAULT_BINDINGS) -> None:
        self.declared: Declared | None = declared
        self._identities = Identities(declared.unordered)
        self._lock = Lock()

    @classmethod
    def opaque(cls, declared: Declared = DEFAULT_BINDINGS) -> Bindings:
        """For two worlds in one process, whose integers and ETags must be literally equal: random tokens alone."""
        return cls(replace(declared, integers=False, etags=False))

    @classmethod
    def none(cls) -> Bindings:
        """Nothing is bound: every byte must be equal."""
        bindings = cls()
        bindings.declared = None
        return bindings

    def translate(self, request: Request) -> Request:
        """The request in the port's ids; the same object where nothing is changed. Raises Inconclusive."""
        if self.declared is None or self.idle:
            return request
        with self._lock:
            return Translation(self.declared, self._identities).request(request)

    def learn(self, request: Request, original: Response, port: Response) -> Learned:
        """Learn the partners that two responses to a request (as the original was sent it) show.

        Gives the port's response in the original's ids, ready to be compared, and a difference of
        kind "binding" for each unborn reference, changed partner and broken order.
        """
        if self.declared is None:
            return Learned(port)
        with self._lock:
            return Lesson(self.declared, self._identities, request).of(original, port)

    @property
    def idle(self) -> bool:
        """Whether nothing is bound but random tokens, and none is known yet: requests stay as they are, and equal
        answers teach nothing.
        """
        declared = self.declared
        if declared is None:
            return True
        return not (declared.integers or declared.etags or self._identities.opaque.to_port)

    def operation(self, request: Request) -> str:
        """The request's operation by its declared template, such as `GET /user/{id}`."""
        path = request.target.partition(b"?")[0].decode("latin-1")
        return f"{request.method} {(self.declared or DEFAULT_BINDINGS).template(path)}"

    def partner(self, kind: str, original: str) -> str | None:
        """The port's id for one of the original's; None where no exchange has taught it."""
        with self._lock:
            known = self._identities.kind(kind).to_port.get(original)
            return known or self._identities.opaque.to_port.get(original)

    def clear(self) -> None:
        """Forget all partners, as both databases have been emptied."""
        with self._lock:
            self._identities = Identities(self.declared.unordered if self.declared else frozenset())
