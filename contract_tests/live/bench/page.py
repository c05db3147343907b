"""docs/performance.md and its plot, made of docs/performance.json by `python -m contract_tests.live.bench.page`."""

from __future__ import annotations

import re
from pathlib import Path

import click

from contract_tests.live.bench.plot import draw
from contract_tests.live.bench.report import conditions, tables
from contract_tests.live.bench.results import Results, dump, load_results

DOCS = Path(__file__).parents[3] / "docs"
PAGE, RESULTS, PLOT = DOCS / "performance.md", DOCS / "performance.json", DOCS / "pictures" / "performance.svg"
# What stands between is made; the rest of the page is written by hand.
BLOCK = re.compile(r"(<!-- measured: (?P<title>.+?) -->\n).*?(<!-- end -->)", re.DOTALL)
NOTHING = "Not measured in this run."


def filled(page: str, results: Results) -> str:
    """The page with each of its blocks made anew. Raises KeyError for a block that no table belongs to."""
    made = {"How it was measured": conditions(results), **dict.fromkeys(OPTIONAL, NOTHING), **tables(results)}
    return BLOCK.sub(lambda found: f"{found[1]}\n{made[found['title']]}\n\n{found[3]}", page)


OPTIONAL = (
    "Port by original",
    "Each app by the smallest in its own framework",
    "Each app by the usual one in its own framework",
    "Now by before",
    "Where a request's CPU goes",
)


@click.command(help=__doc__)
@click.argument("results", type=click.Path(path_type=Path, exists=True, dir_okay=False), default=RESULTS)
def main(results: Path) -> None:
    found = load_results(results.read_text())
    RESULTS.write_text(dump(found))
    PLOT.write_text(draw(found))
    PAGE.write_text(filled(PAGE.read_text(), found))
    click.echo(f"written: {PAGE}, {RESULTS.name}, {PLOT.name}")


if __name__ == "__main__":
    main()
