"""What a worker of the embedded cluster does first: Ctrl-C is for the process that leads it."""

from __future__ import annotations

import signal


def dask_setup(worker: object) -> None:
    """Leave SIGINT alone, which a terminal sends to all of its processes; Dask calls this on the main thread."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
