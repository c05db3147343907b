"""`python -m contract_tests.tests.faults`: plant every fault in turn, and say which test noticed it."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from fnmatch import fnmatch
from pathlib import Path
from queue import SimpleQueue
from typing import TextIO

from contract_tests.tests.faults.catalogue import Fault, read_faults
from contract_tests.tests.faults.planting import Copy, Outcome, copy_of

ROOT = Path(__file__).parents[3]


def outcomes(faults: Sequence[Fault], tree: Path, jobs: int) -> Iterator[Outcome]:
    """What comes of each fault, in their order; `jobs` of them at a time, each in a copy of its own."""
    with ExitStack() as stack:
        copies: SimpleQueue[Copy] = SimpleQueue()
        for _ in range(jobs):
            copies.put(stack.enter_context(copy_of(tree)))
        executor = ThreadPoolExecutor(jobs)
        stack.callback(executor.shutdown, wait=True, cancel_futures=True)

        def try_fault(fault: Fault) -> Outcome:
            copy = copies.get()
            try:
                return copy.try_fault(fault)
            finally:
                copies.put(copy)

        yield from executor.map(try_fault, faults)


def report(found: Iterator[Outcome], *files: TextIO) -> Counter[str]:
    """Write each outcome as a line of tab-separated values as soon as it is known; how many there were of each kind."""
    counts: Counter[str] = Counter()
    for outcome in found:
        counts[outcome.verdict] += 1
        for file in files:
            file.write(f"{outcome.id}\t{outcome.verdict}\t{outcome.told}\n")
            file.flush()
    return counts


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m contract_tests.tests.faults", description=__doc__)
    parser.add_argument("--tree", type=Path, default=ROOT, help="the checkout to plant in; this one, if not given")
    parser.add_argument("--only", metavar="PATTERN", default="*", help="the ids of the faults to plant, as in 'wire-*'")
    parser.add_argument("--jobs", type=int, default=1, help="how many at a time, each in a copy of its own")
    parser.add_argument("--out", type=Path, metavar="FILE.tsv", help="where to write the outcomes, too")
    options = parser.parse_args()
    faults = [fault for fault in read_faults() if fnmatch(fault.id, options.only)]
    if not faults:
        parser.error(f"no fault has an id like {options.only}")
    began = time.monotonic()
    try:
        with ExitStack() as stack:
            files = [sys.stdout]
            if options.out:
                files.append(stack.enter_context(options.out.open("w")))
            counts = report(outcomes(faults, options.tree, options.jobs), *files)
    except KeyboardInterrupt:
        return 130
    told = ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())
    sys.stdout.write(f"{len(faults)} faults in {time.monotonic() - began:.0f} s: {told}\n")
    return 0 if set(counts) == {"red"} else 1


if __name__ == "__main__":
    sys.exit(main())
