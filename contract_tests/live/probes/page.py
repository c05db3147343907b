"""docs/wire.md, made of the probes, of what was measured and of the ledger; nothing in it is written by hand twice."""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from contract_tests.live.probes.measuring import MEASURED, NOT_CLOSED, STEPS, Separation, read
from contract_tests.live.probes.pairs import quirks_probes, service_probes
from contract_tests.live.probes.worst import WORST, Hurt, read_worst
from contract_tests.parity.ledger import Entry
from contract_tests.parity.probes import Probe
from contract_tests.suite.contract import open_ledger

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "wire.md"
KIT = ROOT / "fastapi_app" / "wire"
# Which modules of the kit the areas of the specimen show.
SHOWN_BY = {
    "kit-routing": ("routing", "rules", "convertors"),
    "kit-redirects": ("redirects",),
    "kit-cookies": ("cookies",),
    "kit-headers": ("headers",),
    "kit-query": ("query",),
    "kit-forms": ("forms", "form_data"),
    "kit-json": ("json",),
    "kit-views": ("views",),
    "kit-files": ("files", "conditional"),
    "kit-streams": ("streams",),
    "kit-errors": ("pages", "handlers", "after"),
    "kit-auth": ("authorization", "before"),
}

INTRODUCTION = """\
# The wire

**Who needs this page:** a developer who ports a Flask app to FastAPI, or who asks why a client sees something new.
**After it you can:** say what a plain port answers differently, and which piece of code closes each difference.

*Wire* means the bytes between client and server. We send raw bytes, called *probes*, to the original and to a *naive
port*: a FastAPI app as a team writes it first. A piece of code *closes* a difference if both answer alike with it.
"""

METHOD = """\
## How it is measured

The original runs under gunicorn with threads, the port under uvicorn with httptools. Every byte of their answers is
compared. Client libraries correct what they send, so a probe does not use one. Each probe is one line of
[live/probes](../contract_tests/live/probes), with a word on what is special in it.

`make wire` makes this page from three files: the probes, [the ledger](../contract_tests/accepted_differences.toml) of
accepted differences, and [what was measured](../contract_tests/live/probes/measured.tsv). `make check` measures again
and compares. To send the probes yourself:

```sh
make parity                                        # the suite, and all probes
.venv/bin/python -m contract_tests.live.probes slashes  # an area, or one probe by its id
```

In the tables below, an answer is a status and what becomes of the connection:

- `kept`: it would have answered another request;
- `closed`: it would not;
- `waiting`: the server waited for more bytes.
"""


def render() -> str:
    """The page. Raises ProbeError and LedgerError."""
    service, quirks = service_probes(), quirks_probes()
    separations = read(MEASURED.read_text(encoding="utf-8"))
    entries = [entry for entry in open_ledger().entries if entry.probes]
    sections = [
        INTRODUCTION,
        *worst(read_worst(WORST.read_text(encoding="utf-8")), separations),
        METHOD,
        *figures(service, quirks, separations, entries),
        *steps(service, separations),
        *kit(quirks, separations),
        *accepted(entries, {probe.id: probe for probe in (*service, *quirks)}),
        OTHER_SERVERS,
    ]
    return "\n".join(sections)


def worst(hurts: Sequence[Hurt], separations: Sequence[Separation]) -> Iterator[str]:
    """What breaks most for a client: in words, with the statuses that were measured. Raises KeyError."""
    measured = {each.probe: each for each in separations}
    yield f"## The {len(hurts)} differences that hurt most\n"
    yield "| | what breaks | a client sends | from Flask | from a naive FastAPI port | what closes it | probe |"
    yield "|---|---|---|---|---|---|---|"
    for number, hurt in enumerate(hurts, 1):
        found = measured[hurt.probe]
        closed_by = f"[{hurt.closed_by.removeprefix('fastapi_app/')}](../{hurt.closed_by})"
        flask = f"**{statuses(found.original)}** {hurt.flask}"
        fastapi = f"**{statuses(found.naive)}** {hurt.fastapi}"
        yield f"| {number} | {hurt.group} | {hurt.sent} | {flask} | {fastapi} | {closed_by} | {hurt.probe} |"
    yield ""


def figures(
    service: Sequence[Probe], quirks: Sequence[Probe], separations: Sequence[Separation], entries: Sequence[Entry]
) -> Iterator[str]:
    """How many probes there are, and what they tell."""
    yield "## In figures\n"
    yield (
        "A probe *separates* if the naive port and the original answer it differently. All other probes are *controls*:"
        " they hold what must stay alike.\n"
    )
    yield "| apps | probes | separate a naive port | controls | differences left | accepted |"
    yield "|---|---|---|---|---|---|"
    found = {each.probe for each in separations}
    excused = {id for entry in entries for id in entry.probes}
    for name, probes in (("our own service", service), ("the specimen of the kit", quirks)):
        ids = {probe.id for probe in probes}
        yield f"| {name} | {len(ids)} | {len(ids & found)} | {len(ids - found)} | 0 | {len(ids & excused)} |"
    yield f"\nThe accepted ones have {len(entries)} causes ([below](#accepted)).\n"


def steps(probes: Sequence[Probe], separations: Sequence[Separation]) -> Iterator[str]:
    """The naive port of our own service, and what each piece closes when it is put in after those before it."""
    by_piece = grouped(probes, separations)
    yield "## What a naive port answers differently, and what closes it\n"
    yield (
        "The naive port of our service is [here](../contract_tests/live/probes/specimens/naive/__init__.py)."
        f" {sum(map(len, by_piece.values()))} of the {len(probes)} probes separate it from the original. The pieces are"
        " added one after another. Each row counts the probes that are alike from then on.\n"
    )
    yield "| piece | without it | closes | where |"
    yield "|---|---|---|---|"
    for step in STEPS:
        homes = ", ".join(f"[{Path(home).name}](../{home})" for home in step.homes)
        yield f"| [{step.name}](#{anchor(step.name)}) | {step.closes} | {len(by_piece[step.name])} | {homes} |"
    if by_piece[NOT_CLOSED]:
        yield f"| none of these | see [below](#{anchor('closed elsewhere')}) | {len(by_piece[NOT_CLOSED])} | |"
    yield ""
    for step in STEPS:
        yield f"### {step.name}\n"
        yield from table(by_piece[step.name])
    if by_piece[NOT_CLOSED]:
        yield "### Closed elsewhere\n"
        yield "By what the port has and the specimen has not.\n"
        yield from table(by_piece[NOT_CLOSED])


def kit(probes: Sequence[Probe], separations: Sequence[Separation]) -> Iterator[str]:
    """The pieces of the kit that our own service does not need, shown on the specimen's three apps."""
    found = {each.probe for each in separations}
    yield "## The pieces that this service does not need\n"
    yield (
        "Other services use more of Flask. Three small apps show it, called"
        " [quirks](../contract_tests/live/probes/specimens/quirks/__init__.py): a Flask original, a naive port, and a"
        " port with the wire kit. The docstring of each piece has its table of differences. It also says when the"
        " piece is no longer needed.\n"
    )
    yield "| area | probes | separate the naive one | pieces |"
    yield "|---|---|---|---|"
    for area, modules in SHOWN_BY.items():
        ids = [probe.id for probe in probes if probe.area == area]
        pieces = "; ".join(
            f"[{name}.py](../fastapi_app/wire/{name}.py): {sentence(KIT / f'{name}.py')}" for name in modules
        )
        yield f"| {area} | {len(ids)} | {len(found.intersection(ids))} | {pieces} |"
    yield ""
    by_piece = grouped(probes, separations)
    for area in SHOWN_BY:
        yield f"### {area}\n"
        yield from table([each for rows in by_piece.values() for each in rows if each[0].area == area])


def accepted(entries: Sequence[Entry], probes: dict[str, Probe]) -> Iterator[str]:
    """What stays different, by its cause."""
    yield "## Accepted\n"
    yield "What stays different comes from one of the two servers, before or after the app. Each cause is one entry.\n"
    for entry in entries:
        areas = Counter(probes[id].area for id in entry.probes)
        cause, _, told = entry.reason.partition(": ")
        yield f"### {cause}\n"
        yield f"{told[:1].upper()}{told[1:]} ([decision {entry.decision}]({decision_page(entry.decision)})).\n"
        yield "Areas: " + ", ".join(f"{area} {count}" for area, count in sorted(areas.items())) + ".\n"
        yield "| probe | what is special |"
        yield "|---|---|"
        for id in entry.probes[:SHOWN]:
            yield f"| {id} | {escaped(probes[id].special)} |"
        if len(entry.probes) > SHOWN:
            yield f"| and {len(entry.probes) - SHOWN} more | |"
        yield ""


def statuses(answer: str) -> str:
    """The statuses of a measured answer, without what became of the connection."""
    return answer.partition(";")[0]


SHOWN = 8
Row = tuple[Probe, Separation]


def grouped(probes: Sequence[Probe], separations: Sequence[Separation]) -> dict[str, list[Row]]:
    """The probes that separate, by the piece that closes them."""
    known = {probe.id: probe for probe in probes}
    found: dict[str, list[Row]] = defaultdict(list)
    for each in separations:
        if each.probe in known:
            found[each.piece].append((known[each.probe], each))
    return found


def table(rows: Iterable[Row]) -> Iterator[str]:
    """A row for each pair of answers in an area, with the first probe that shows it."""
    alike: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for row in rows:
        alike[row[0].area, row[1].original, row[1].naive].append(row)
    yield "| area | what is sent, for one | Flask | FastAPI | probes |"
    yield "|---|---|---|---|---|"
    for (area, original, other), same in alike.items():
        probe = same[0][0]
        count = probe.id if len(same) == 1 else f"{probe.id} and {len(same) - 1} more"
        told = (original, other) if original != other else (original, f"{other}, with other headers or bytes")
        yield f"| {area} | {escaped(probe.special)} | {told[0]} | {told[1]} | {count} |"
    yield ""


def sentence(path: Path) -> str:
    """The rule that a module keeps: the first sentence of its docstring."""
    told = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return escaped(told.partition("\n\n")[0].replace("\n", " ").rstrip("."))


def anchor(heading: str) -> str:
    """What GitHub makes of a heading."""
    return "".join(char for char in heading.lower().replace(" ", "-") if char.isalnum() or char == "-")


def escaped(text: str) -> str:
    """Text for a cell of a table."""
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*").replace("_", "\\_")


def decision_page(number: str) -> str:
    return next(f"decisions/{page.name}" for page in (ROOT / "docs" / "decisions").glob(f"{number}-*.md"))


OTHER_SERVERS = """\
## Other servers

The port was probed once under other servers. The app was the same. These servers are not supported.

- **uvicorn with its own class for httptools**: 512 of 3084 probes of our service differed. A field behind a chunked
  body counts as a header. If a request asks for an upgrade that nobody supports, its body is lost, or is run as a
  request. A client that closes its sending side gets no answer.
- **uvicorn with h11**: 501 differed. It accepts a length together with chunks, bare LF and folded fields. It answers
  the request that is hidden behind them (smuggling-002 and six more). The two supported servers do not.
- **gunicorn's own worker for ASGI**: 594 differed. Most are refusals, which come as a page of plain text, and reason
  phrases that it does not know. A client that closes its sending side gets no answer here, either.
"""


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
