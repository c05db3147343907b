"""The only module that speaks to Dask: a cluster that we start on this machine, or one that stands at an address."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import hashlib
import logging
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract_tests.parity.servers import free_port
from contract_tests.parity.specs import SpecError

_LOCAL = re.compile(r"local(?::(?P<count>\d+))?")
_ADDRESS = re.compile(r"(?:(?:tcp|tls|ws|wss)://)?(?:[^\s/:]+|\[[0-9a-fA-F:.]+\]):\d+")
_HERE = "127.0.0.1"
# Seconds for a scheduler to answer, and for the first worker to be there.
_ANSWER, _WORKER = 10.0, 30.0
_MOST = 256
# How often it is asked whether a worker is left, and how long there may be none: one that died may be started again.
_PAUSE, _GONE = 5.0, 120.0
NEEDS = "--cluster needs the extra cluster: pip install 'flask-fastapi-parity[cluster]'"


class LostError(RuntimeError):
    """The cluster went away while it had something to do."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster with its workers. `hosts` are the machines, one for each worker."""

    client: Any
    hosts: tuple[str, ...]

    @property
    def workers(self) -> int:
        return len(self.hosts)

    @property
    def is_apart(self) -> bool:
        """Whether each worker has a machine of its own."""
        return len(set(self.hosts)) == len(self.hosts)

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function on some worker, on another one where that dies. Gives a future."""
        # Not pure: the same cases run twice are run twice.
        return self.client.submit(function, *arguments, pure=False)

    def result(self, future: Any) -> Any:
        """What a call gave, or raised. Raises LostError where nobody is left to make it."""
        alone_since = None
        while True:
            try:
                return future.result(timeout=_PAUSE)
            except TimeoutError:
                if future.done():
                    raise
                there = self.client.status == "running" and self.client.scheduler_info(n_workers=1)["workers"]
                alone_since = None if there else alone_since or time.monotonic()
                if alone_since is not None and time.monotonic() - alone_since > _GONE:
                    raise LostError(f"the cluster has had no worker for {_GONE:g} s") from None
            except (asyncio.CancelledError, concurrent.futures.CancelledError, OSError) as error:
                if future.status == "error":
                    raise
                raise LostError(f"the cluster is lost: {_line(error)}") from None

    def everywhere(self, function: Callable[..., None], *arguments: Any) -> None:
        """Call a function on each worker that is there."""
        # Where the cluster is lost there is nobody to call.
        with contextlib.suppress(Exception):
            self.client.run(function, *arguments, on_error="ignore")

    def died(self, error: BaseException) -> bool:
        """Whether an error says that the workers died of a call, one after the other."""
        from distributed.scheduler import KilledWorker

        return isinstance(error, KilledWorker)


@contextmanager
def opened(told: str) -> Iterator[Cluster]:
    """The cluster of `--cluster`. Raises SpecError, in one line, for one that cannot be had."""
    match = _LOCAL.fullmatch(told)
    count = int(match["count"] or os.cpu_count() or 1) if match else 0
    if not (1 <= count <= _MOST if match else _ADDRESS.fullmatch(told)):
        raise SpecError(
            f"--cluster {told!r} is none of local, local:N (1 to {_MOST} workers), and the address of a scheduler "
            "such as tcp://10.0.0.7:8786"
        )
    _needed()
    with _quiet(), _environment(), ExitStack() as stack:
        try:
            client = stack.enter_context(_embedded(count) if match else _connected(told))
            hosts = _hosts(client, told, count or 1)
            client.register_plugin(_unprofiled(), name="parity")
        except SpecError:
            raise
        except Exception as error:
            # No port is left, or no process; the scheduler went away meanwhile.
            raise SpecError(f"--cluster {told}: it cannot be started: {_line(error)}") from None
        yield Cluster(client, hosts)


def _needed() -> None:
    try:
        import distributed  # noqa: F401
    except ImportError:
        raise SpecError(NEEDS) from None
    except Exception as error:
        # Dask reads its user's files when it is imported.
        raise SpecError(f"--cluster: Dask cannot be imported: {_line(error)}") from None


@contextmanager
def _embedded(count: int) -> Iterator[Any]:
    import dask.config
    from distributed import Client, Nanny, Scheduler, SpecCluster

    # The settings of this machine's user decide nothing here.
    dask.config.refresh(paths=[], env={})
    # A shard that ends its workers is taken apart: twice is enough to know.
    dask.config.set({"distributed.scheduler.allowed-failures": 1, "distributed.worker.profile.enabled": False})
    with tempfile.TemporaryDirectory(prefix="parity-cluster-") as folder:
        ports = _ports(3 * count + 2)
        common = {"host": _HERE, "protocol": "tcp://", "dashboard": False}
        scheduler = {"cls": Scheduler, "options": common | {"port": next(ports), "dashboard_address": f"{_HERE}:{next(ports)}"}}  # fmt: skip  # noqa: E501
        workers = {
            at: {
                "cls": Nanny,
                "options": common
                | {
                    "port": next(ports),
                    "worker_port": next(ports),
                    "dashboard_address": f"{_HERE}:{next(ports)}",
                    "nthreads": 1,
                    "memory_limit": None,
                    "local_directory": folder,
                    "silence_logs": logging.CRITICAL,
                    "preload": ["contract_tests.parity.cluster.preload"],
                },
            }
            for at in range(count)
        }
        with (
            SpecCluster(scheduler=scheduler, workers=workers, silence_logs=logging.CRITICAL) as cluster,
            Client(cluster, timeout=_WORKER) as client,
        ):
            yield client


@contextmanager
def _connected(address: str) -> Iterator[Any]:
    from distributed import Client

    try:
        client = Client(address, timeout=_ANSWER)
    except (OSError, TimeoutError, ValueError, RuntimeError) as error:
        raise SpecError(f"--cluster {address}: no scheduler answers within {_ANSWER:g} s ({_line(error)})") from None
    with client:
        yield client


def _unprofiled() -> Any:
    """Ends a worker's profiler, which may stop the worker for good on Python 3.11.

    It asks for all threads' frames, which takes the interpreter's lock of threads. A collection of garbage in it may
    hand on the GIL to a thread that makes another thread, as an ASGI target does, and waits for that lock.
    """
    from distributed import WorkerPlugin

    class Unprofiled(WorkerPlugin):
        def setup(self, worker: Any) -> None:
            for name in ("profile", "profile-cycle"):
                if (callback := worker.periodic_callbacks.pop(name, None)) is not None:
                    callback.stop()

    return Unprofiled()


def _hosts(client: Any, told: str, count: int) -> tuple[str, ...]:
    """The machine of each worker. Raises SpecError where there is none, or another engine somewhere: all import it."""
    try:
        client.wait_for_workers(count, timeout=_WORKER)
    except TimeoutError:
        raise SpecError(f"--cluster {told}: no worker is there after {_WORKER:g} s") from None
    own = about()
    everywhere = {"the scheduler": _answer(client.run_on_scheduler, about)} | client.run(about, on_error="return")
    for worker, theirs in everywhere.items():
        if isinstance(theirs, BaseException):
            raise SpecError(f"--cluster {told}: {worker} has not this engine: {_line(theirs)}")
        if theirs != own:
            raise SpecError(f"--cluster {told}: {worker} has {theirs}, and here is {own}")
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    return tuple(str(worker["host"]) for worker in workers)


def _answer(call: Callable[..., Any], function: Callable[[], str]) -> Any:
    try:
        return call(function)
    except Exception as error:
        return error


def about() -> str:
    """Which engine this process has: two of one version may still be two."""
    folder = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return f"the engine {digest.hexdigest()[:12]} on Python {sys.version_info.major}.{sys.version_info.minor}"


def _ports(count: int) -> Iterator[int]:
    found: set[int] = set()
    while len(found) < count:
        found.add(free_port())
    return iter(found)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without Dask's log: what matters of it is told as an error, or not at all."""
    loggers = [logging.getLogger(name) for name in ("distributed", "tornado", "asyncio")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


@contextmanager
def _environment() -> Iterator[None]:
    """The environment as it was: Dask sets variables for its workers in this process, too."""
    before = dict(os.environ)
    try:
        yield
    finally:
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)


def _line(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]
