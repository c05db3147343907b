"""Where the metrics of an app come from: its own addresses, asked twice, or a Prometheus that has asked them."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import httpx

from contract_tests.parity.metrics.samples import MetricsError, Sample, read_text, sample

# Seconds until an address has answered, and bytes that it may answer with.
PATIENCE = 10.0
LARGEST = 64 << 20
_NAMES = '__name__=~".+_(bucket|count|sum|total)"'
_MATCHERS = re.compile(
    r'[a-zA-Z_]\w*\s*(=|!=|=~|!~)\s*"(?:[^"\\]|\\.)*"(\s*,\s*[a-zA-Z_]\w*\s*(=|!=|=~|!~)\s*"(?:[^"\\]|\\.)*")*'
)


class UnreachableError(Exception):
    """Nobody answers there, or not with metrics just now: one line, without what is secret in the address."""


class Source(Protocol):
    """The metrics of one app."""

    @property
    def name(self) -> str:
        """Fit to be shown."""
        ...

    def read(self, at: float | None) -> list[Sample]:
        """The samples now, or at a time in seconds since 1970. Raises MetricsError and UnreachableError."""
        ...

    def check(self, latency: str, start: float, end: float) -> None:
        """Raises MetricsError where the counters began anew between two times, and that can be known."""
        ...


@dataclass(frozen=True, slots=True)
class Addresses:
    """The instances of one app, each at the address of its metrics."""

    urls: Sequence[httpx.URL]

    @property
    def name(self) -> str:
        return " ".join(shown(url) for url in self.urls)

    def read(self, at: float | None) -> list[Sample]:  # noqa: ARG002 - an address tells of now alone
        found = []
        for number, url in enumerate(self.urls):
            try:
                samples = read_text(_get(url))
            except MetricsError as error:
                raise MetricsError(f"{shown(url)}: {error}") from None
            # Instances are told apart, as Prometheus does it.
            found += [sample(each.name, {**dict(each.labels), "instance": str(number)}, each.value) for each in samples]
        return found

    def check(self, latency: str, start: float, end: float) -> None:
        """An instance that was restarted has counted less than before: that is seen without asking."""


@dataclass(frozen=True, slots=True)
class Queried:
    """The series of one app in a Prometheus, by their labels."""

    url: httpx.URL
    matchers: str

    @property
    def name(self) -> str:
        return f"{{{self.matchers}}} at {shown(self.url)}"

    def read(self, at: float | None) -> list[Sample]:
        found = []
        for labels, value in self._ask(f"{{{_NAMES},{self.matchers}}}", at):
            name = labels.pop("__name__", None)
            if name is None:
                raise self._no_prometheus()
            found.append(sample(name, labels, value))
        return found

    def check(self, latency: str, start: float, end: float) -> None:
        window = max(1, round(end - start))
        anew = self._ask(f"sum(resets({latency}_count{{{self.matchers}}}[{window}s]))", end)
        if any(value for _, value in anew):
            raise MetricsError("its counters began anew in this time: it was restarted; choose a time without that")

    def _ask(self, query: str, at: float | None) -> list[tuple[dict[str, str], float]]:
        """The labels and the value of each series that a query gives."""
        params: dict[str, str] = {"query": query} | ({} if at is None else {"time": f"{at:.3f}"})
        url = self.url.copy_with(path=f"{self.url.path.rstrip('/')}/api/v1/query").copy_merge_params(params)
        try:
            told = json.loads(_get(url))["data"]["result"]
            return [(_texts(each["metric"]), float(each["value"][1])) for each in told]
        except MetricsError:
            raise
        except (ValueError, LookupError, TypeError, RecursionError):
            raise self._no_prometheus() from None

    def _no_prometheus(self) -> MetricsError:
        return MetricsError(f"{shown(self.url)} does not answer as a Prometheus does")


def _texts(labels: Any) -> dict[str, str]:
    if not isinstance(labels, dict) or not all(isinstance(value, str) for value in labels.values()):
        raise TypeError
    return labels


@dataclass(frozen=True, slots=True)
class Window:
    """What both apps counted between two times; from their start where `seconds` is 0."""

    seconds: float
    before: tuple[list[Sample], list[Sample]]
    after: tuple[list[Sample], list[Sample]]


def read_scraped(sources: tuple[Source, Source], seconds: float, wait: Callable[[float], None]) -> Window:
    """What two apps count while one waits."""
    before = _both(sources, None) if seconds else ([], [])
    wait(seconds)
    return Window(seconds, before, _both(sources, None))


def read_queried(sources: tuple[Source, Source], seconds: float, now: float) -> Window:
    """What a Prometheus has of the last seconds."""
    before = _both(sources, now - seconds) if seconds else ([], [])
    return Window(seconds, before, _both(sources, now))


def _both(sources: tuple[Source, Source], at: float | None) -> tuple[list[Sample], list[Sample]]:
    ours, theirs = sources
    return ours.read(at), theirs.read(at)


def address(text: str) -> httpx.URL:
    """An address of metrics; /metrics where it names no path. Raises MetricsError."""
    url = base_address(text)
    return url.copy_with(path="/metrics") if url.path in {"", "/"} else url


def base_address(text: str) -> httpx.URL:
    try:
        url = httpx.URL(text)
        # A name with an empty label, or one of more than 63 characters: later that is no error of HTTP's kind.
        named = bool(url.host) and bool(url.raw_host.decode().encode("idna"))
    except (httpx.InvalidURL, UnicodeError):
        url, named = httpx.URL(), False
    if url.scheme not in {"http", "https"} or not named:
        # Not the text: it may hold a password.
        raise MetricsError("an address begins with http:// or https:// and names a host")
    return url


def matchers(text: str) -> str:
    """Labels that choose the series of an app, as PromQL has them: job="a". Raises MetricsError."""
    inner = text.strip().removeprefix("{").removesuffix("}").strip().rstrip(",")
    if not _MATCHERS.fullmatch(inner):
        raise MetricsError(f'{text!r} does not choose series: write labels, as job="flask"')
    return inner


def shown(url: httpx.URL) -> str:
    """An address without its user, password and query."""
    return str(url.copy_with(username=None, password=None, query=None, fragment=None))


def _get(url: httpx.URL) -> str:
    """The text at an address. Raises MetricsError for what to mend, UnreachableError for what may pass."""
    deadline = time.monotonic() + PATIENCE
    try:
        with (
            httpx.Client(trust_env=False, timeout=PATIENCE, follow_redirects=False) as client,
            client.stream("GET", url) as answer,
        ):
            content = bytearray()
            for part in answer.iter_bytes():
                content += part
                if len(content) > LARGEST or time.monotonic() > deadline:
                    raise UnreachableError(
                        f"{shown(url)} did not end its answer in {PATIENCE:.0f} s and {LARGEST >> 20} MiB"
                    )
    except httpx.HTTPError as error:
        raise UnreachableError(f"{shown(url)} does not answer: {type(error).__name__}") from None
    if answer.status_code >= 500:
        raise UnreachableError(f"{shown(url)} answered {answer.status_code}")
    if answer.status_code != 200:
        raise MetricsError(f"{shown(url)} answered {answer.status_code}: are these metrics, and may you see them?")
    return content.decode("utf-8", "replace")
