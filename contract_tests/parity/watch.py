"""The command `parity watch`: are latency and errors of two running apps alike, by what their metrics count?"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Sequence
from typing import Any

import click

from contract_tests.parity.metrics.comparing import KINDS, Terms, compare_routes
from contract_tests.parity.metrics.families import increase, latency_name, routes_of
from contract_tests.parity.metrics.outlook import Outlook
from contract_tests.parity.metrics.reading import (
    Addresses,
    Queried,
    Source,
    UnreachableError,
    Window,
    address,
    base_address,
    matchers,
    read_queried,
    read_scraped,
    shown,
)
from contract_tests.parity.metrics.samples import MetricsError
from contract_tests.parity.verdict import INCONCLUSIVE, INTERRUPTED, USAGE

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(s|m|h|d|)")
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_ROLES = ("original", "port")


class Duration(click.ParamType[float]):
    """Seconds, or a number with s, m, h or d."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        match = _DURATION.fullmatch(value)
        if match is None:
            self.fail(f"{value!r} is no time: write 60s, 5m or 1h", param, ctx)
        return float(match[1]) * _UNITS[match[2]]


_PERCENT = click.FloatRange(0, 100, max_open=True)


@click.command()
@click.option("--original", multiple=True, metavar="URL", help="Its metrics; may be repeated, for its instances.")
@click.option("--port", multiple=True, metavar="URL", help="The same of the port.")
@click.option(
    "--prometheus", metavar="URL", help='A Prometheus; then --original is labels, app="original" if not given.'
)
@click.option(
    "--for", "seconds", type=Duration(), default="60s", show_default=True, help="How long; 0: since they began."
)
@click.option(
    "--route", "only", multiple=True, metavar="ROUTE", help='Judge this one, as "GET /users"; may be repeated.'
)
@click.option("--leave-out", multiple=True, metavar="ROUTE", help="Do not judge this one; may be repeated.")
@click.option("--without", multiple=True, type=click.Choice(KINDS), help="Do not judge by this.")
@click.option("--errors-within", type=_PERCENT, default=0.5, show_default=True, help="Percent of 5xx to rule out.")
@click.option("--refusals-within", type=_PERCENT, default=2.0, show_default=True, help="Percent more 4xx tolerated.")
@click.option(
    "--slower-within", type=click.FloatRange(1), default=1.25, show_default=True, help="Times the latency tolerated."
)
@click.option("--quantile", type=click.FloatRange(0.01, 0.999), default=0.95, show_default=True, help="Of the latency.")
@click.option("--confidence", type=click.FloatRange(50, 99.999), default=95.0, show_default=True, help="Percent.")
@click.option("--latency", multiple=True, metavar="METRIC", help="The histogram of seconds; may be repeated.")
@click.option("--requests", multiple=True, metavar="METRIC", help="The counter of requests by status; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def watch(
    original: tuple[str, ...],
    port: tuple[str, ...],
    *,
    prometheus: str | None,
    seconds: float,
    only: tuple[str, ...],
    leave_out: tuple[str, ...],
    without: tuple[str, ...],
    errors_within: float,
    refusals_within: float,
    slower_within: float,
    quantile: float,
    confidence: float,
    latency: tuple[str, ...],
    requests: tuple[str, ...],
    as_json: bool,
) -> None:
    """Say of each route whether the port is worse than the original: more 5xx, more 4xx, or slower.

    Both apps tell what they count in Prometheus' text format. Exit code: 0 alike or better, 1 the port is worse,
    2 usage, 4 too little traffic to tell, or an app does not answer.
    """
    terms = Terms(
        errors_within / 100,
        refusals_within / 100,
        slower_within,
        quantile,
        confidence / 100,
        tuple(kind for kind in KINDS if kind not in without),
    )
    try:
        if not terms.kinds:
            raise MetricsError("--without leaves nothing to judge by")
        sources, window = _read(original, port, prometheus, seconds)
        outlook = _looked(sources, window, (latency, requests), terms, (only, leave_out))
    except MetricsError as error:
        click.echo(f"parity: {error}", err=True)
        sys.exit(USAGE)
    except UnreachableError as error:
        click.echo(f"INCONCLUSIVE: {error}", err=True)
        sys.exit(INCONCLUSIVE)
    except KeyboardInterrupt:
        click.echo("INTERRUPTED", err=True)
        sys.exit(INTERRUPTED)
    click.echo(json.dumps(outlook.as_json(), indent=2) if as_json else "\n".join(outlook.lines()))
    sys.exit(outlook.code)


def _read(
    original: Sequence[str], port: Sequence[str], prometheus: str | None, seconds: float
) -> tuple[tuple[Source, Source], Window]:
    if prometheus is not None:
        base, now = base_address(prometheus), time.time()
        queried = _one(base, original, "original"), _one(base, port, "port")
        if queried[0].matchers == queried[1].matchers:
            raise MetricsError("both choose the same series: that compares nothing")
        return queried, read_queried(queried, seconds, now)
    if not original or not port:
        raise MetricsError("name both apps by --original URL and --port URL, or a --prometheus URL that has both")
    ours, theirs = Addresses(tuple(map(address, original))), Addresses(tuple(map(address, port)))
    if both := set(ours.urls) & set(theirs.urls):
        raise MetricsError(f"{shown(both.pop())} is named for both: that compares nothing")
    return (ours, theirs), read_scraped((ours, theirs), seconds, _wait)


def _wait(seconds: float) -> None:
    if seconds and sys.stderr.isatty():
        click.echo(f"watching for {seconds:g} s", err=True)
    time.sleep(seconds)


def _one(base: Any, told: Sequence[str], role: str) -> Queried:
    if len(told) > 1:
        raise MetricsError(f"with --prometheus, --{role} is given once: labels that choose the series")
    return Queried(base, matchers(told[0] if told else f'app="{role}"'))


def _looked(
    sources: tuple[Source, Source],
    window: Window,
    names: tuple[Sequence[str], Sequence[str]],
    terms: Terms,
    chosen: tuple[Sequence[str], Sequence[str]],
) -> Outlook:
    """What the two have counted in between, compared. Raises MetricsError and UnreachableError."""
    latency, requests = names
    counted, end = [], time.time()
    for role, source, before, after in zip(_ROLES, sources, window.before, window.after, strict=True):
        try:
            if not after:
                raise MetricsError("nothing is told of it")
            if window.seconds and not before and isinstance(source, Queried):
                # Its counters may be older than what is known of them: all that they have would count.
                raise MetricsError(f"nothing is known of it {window.seconds:g} s ago; choose a shorter time")
            if window.seconds:
                source.check(latency_name(after, latency), end - window.seconds, end)
            grown = increase(before, after)
        except MetricsError as error:
            raise UnreachableError(f"{role} {source.name}: {error}") from None
        try:
            counted.append(routes_of(grown, role, latency=latency, requests=requests))
        except MetricsError as error:
            raise MetricsError(f"{role} {source.name}: {error}") from None
    outlook = Outlook((sources[0].name, sources[1].name), window.seconds, terms)
    only, leave_out = chosen
    # What a scrape asks for is counted, too.
    asked = [url.path for source in sources if isinstance(source, Addresses) for url in source.urls]
    kept = [outlook.choose(routes, only, [*leave_out, *asked]) for routes in counted]
    outlook.add(kept[0], kept[1], compare_routes(kept[0], kept[1], terms), only)
    return outlook
