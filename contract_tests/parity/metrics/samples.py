"""Prometheus' text format, and OpenMetrics where it is the same: one sample a line."""

from __future__ import annotations

import re
from dataclasses import dataclass

_LINE = re.compile(r"(?P<name>[a-zA-Z_:][\w:]*)(?:\{(?P<labels>.*)\})?[ \t]+(?P<value>[^ \t#{}\"]+)(?:[ \t]+-?[\d.]+)?")
_LABEL = re.compile(r'\s*([a-zA-Z_]\w*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*,?')
_EXEMPLAR = re.compile(r" # \{.*$")
_ESCAPED = {"n": "\n", "\\": "\\", '"': '"'}


class MetricsError(ValueError):
    """What was read is no text of metrics, or holds nothing to compare: one line for the user."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of one series; `labels` are in the order of their names."""

    name: str
    labels: tuple[tuple[str, str], ...]
    value: float

    def label(self, name: str) -> str | None:
        return next((value for key, value in self.labels if key == name), None)


def sample(name: str, labels: dict[str, str], value: float) -> Sample:
    return Sample(name, tuple(sorted(labels.items())), value)


def read_text(text: str) -> list[Sample]:
    """The samples of a text. Raises MetricsError, with its number, for a line that is none."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            found.append(_sample(line.strip(), number))
    return found


def _sample(line: str, number: int) -> Sample:
    match = _LINE.fullmatch(_EXEMPLAR.sub("", line))
    try:
        if match is None:
            raise ValueError
        return sample(match["name"], _labels(match["labels"] or ""), float(match["value"]))
    except ValueError:
        raise MetricsError(f"line {number} is no sample of metrics") from None


def _labels(text: str) -> dict[str, str]:
    found, at = {}, 0
    while at < len(text):
        match = _LABEL.match(text, at)
        if match is None:
            raise ValueError
        found[match[1]] = re.sub(r"\\(.)", lambda each: _ESCAPED.get(each[1], each[0]), match[2])
        at = match.end()
    return found
