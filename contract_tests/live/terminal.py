"""A run on the terminal: what its lanes are at while it goes on, and what it saw."""

from __future__ import annotations

import sys
from types import TracebackType

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from contract_tests.live.lanes import Said
from contract_tests.parity.telling import visible
from contract_tests.parity.verdict import Run


class Display:
    """Lines and, where a person looks, a progress bar for each lane; entering it begins, leaving it ends the bars."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            transient=True,
            disable=not sys.stdout.isatty(),
            # It would draw from a thread: one that holds a lock while a lane is forked.
            auto_refresh=False,
        )

    def lane(self, name: str) -> Said:
        """Where the lane of this name is heard."""
        return _Lane(self._progress, name)

    def __enter__(self) -> Display:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()


class _Lane:
    """One lane's line among the bars."""

    def __init__(self, progress: Progress, name: str) -> None:
        self._progress, self._name = progress, name
        self._task: TaskID = progress.add_task(name, total=None)

    def line(self, text: str) -> None:
        if self._progress.disable:
            click.echo(text)
        else:
            self._progress.console.print(text, highlight=False, soft_wrap=True)

    def total(self, count: int) -> None:
        self._progress.update(self._task, total=count, refresh=True)

    def advance(self, doing: str, count: int = 1) -> None:
        self._progress.update(self._task, advance=count, description=f"{self._name}: {doing}", refresh=True)


def show(run: Run) -> None:
    """The differences and failures, the table and the verdict, on the terminal."""
    console = Console(highlight=False, soft_wrap=True)
    for number, cause in enumerate(run.ranked()[:10], 1):
        found = run.differences[next(iter(cause.fingerprints or cause.folded))]
        met = f"met by {len(found.cases)} tests, first {found.cases[0]}"
        closed = f"\nclosed by {cause.closes} ({cause.closes.docs})" if cause.closes else ""
        click.echo(f"\n{number}. {visible(cause.title)}\n\n{found.told}\n\n{met}{closed}")
    # Where a target is down, its tests only say so again.
    for nodeid, told in list(run.failures.items())[: 0 if run.down else 10]:
        click.echo(f"\nFAILED {nodeid}\n{told}")
    for fault in run.faults:
        click.echo(f"not as documented: {fault}")
    heading, *rows = run.table()
    table = Table(*heading, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    console.print(table)
    for entry, count in run.accepted.items():
        click.echo(f"accepted {count} times: {entry}")
    click.echo(f"\n{run.line()}")
