"""The command `python -m contract_tests.live.bench.scaling`: one corpus in one process, and on one and two workers."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

HERE = Path(__file__).parents[3]
_CORPUS = HERE / "contract_tests/tests/specimens/causes/careful.jsonl"
PAIRS: dict[str, tuple[str, str]] = {
    "busy": (
        "contract_tests.tests.specimens.causes.careful_original:create_app()",
        "contract_tests.tests.specimens.causes.careful_port:create_app()",
    ),
    "waiting": (
        "contract_tests.live.bench.specimens.waiting:original()",
        "contract_tests.live.bench.specimens.waiting:port()",
    ),
}
WAYS: dict[str, tuple[str, ...]] = {
    "one process": (),
    "1 worker": ("--cluster", "local:1"),
    "2 workers": ("--cluster", "local:2"),
}


@click.command(help=__doc__)
@click.option("--cases", "count", type=click.IntRange(min=9), default=1800, help="How many cases the corpus has.")
@click.option("--pair", type=click.Choice(list(PAIRS)), default="busy", help="Apps that need a core, or that wait.")
@click.option("--rounds", type=click.IntRange(min=1), default=3, help="How often each way is measured, in turns.")
def main(count: int, pair: str, rounds: int) -> None:
    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder, "cases.jsonl")
        corpus.write_text("\n".join(_lines(count)), encoding="utf-8")
        for turn in range(rounds):
            # The other way round each second time: what drifts is nobody's.
            for way in list(WAYS)[:: 1 if turn % 2 == 0 else -1]:
                seconds[way].append(_measured(PAIRS[pair], corpus, WAYS[way], Path(folder, "report")))
                click.echo(f"{way:12} {seconds[way][-1]:6.1f} s")
    click.echo(
        f"\n{count} cases of the {pair} pair, {rounds} rounds; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    )
    for told, of in (("median", statistics.median), ("fastest", min)):
        found = {way: of(taken) for way, taken in seconds.items()}
        for way, taken in found.items():
            click.echo(f"{told:8} {way:12} {taken:6.1f} s   {found['1 worker'] / taken:.2f} times one worker")


def _lines(count: int) -> Iterator[str]:
    cases: list[dict[str, Any]] = [json.loads(line) for line in _CORPUS.read_text(encoding="utf-8").splitlines()]
    for at in range(count):
        case = cases[at % len(cases)]
        yield json.dumps(case | {"case": f"{case['case']} {at}"})


def _measured(pair: tuple[str, str], corpus: Path, way: tuple[str, ...], report: Path) -> float:
    """Seconds of the whole command. Raises RuntimeError where it gave no verdict on all cases."""
    # The control of one process is given no less time than that of the workers.
    words = ["check", *pair, "--cases", str(corpus), "--budget", "3600", "--report", str(report), *way]
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "contract_tests", *words], cwd=HERE, capture_output=True, text=True, check=False
    )
    taken = time.monotonic() - began
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{' '.join(words)} ended with {done.returncode}: {done.stdout[-500:]}{done.stderr[-500:]}")
    return taken


if __name__ == "__main__":
    main()
