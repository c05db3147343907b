"""One run in several forms: report.json is the truth, all others are made of it (docs/parity.md#the-report)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from . import html, junit, sarif, text

# What the tests' own runner has written is left alone.
_FORMS = {"report.txt": text.of, "parity-junit.xml": junit.of, "report.sarif": sarif.of, "report.html": html.of}


def write(run: dict[str, Any], folder: Path) -> None:
    """Write a run, as `Run.as_json()` gives it, into a folder: JSON, text, JUnit, SARIF and HTML."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(json.dumps(run, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for name, form in _FORMS.items():
        (folder / name).write_text(form(run), encoding="utf-8")
