"""An app's own exception, told to another process: its class may be unknown there, and its place must not be lost."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Raised:
    """The name of an exception's class, its text, and where it was raised."""

    name: str
    text: str
    place: dict[str, Any] | None

    @classmethod
    def of(cls, error: BaseException | None) -> Raised | None:
        if error is None:
            return None
        from tblib import Traceback

        text = ""
        # An app's exception may fail to tell itself.
        with contextlib.suppress(Exception):
            text = str(error)
        last = error.__traceback__
        while last is not None and last.tb_next is not None:
            last = last.tb_next
        return cls(type(error).__qualname__, text, Traceback(last).to_dict() if last is not None else None)

    def error(self) -> Exception:
        """An exception that is told like it."""
        from tblib import Traceback

        stands_in = type(self.name.rpartition(".")[2], (Exception,), {"__qualname__": self.name})
        found: Exception = stands_in(self.text)
        place = Traceback.from_dict(self.place).as_traceback() if self.place is not None else None
        return found.with_traceback(place)
