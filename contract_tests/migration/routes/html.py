"""The board as one HTML page that asks nothing of any network; what stands in it comes from the code as text alone."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import quote

from contract_tests.migration.routes.board import Board
from contract_tests.migration.routes.pages import data_of, summary_of


def html_of(board: Board, *, original: str, port: str, report: Path | None, out: Path | None) -> str:
    """The page; `report` is the last parity run's report.json: its own page beside it is linked from where `out` is."""
    style, script = _part("page.css"), _part("page.js")
    return Template(_part("page.html")).substitute(
        policy=f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'",
        style=style,
        script=script,
        data=_data({**data_of(board), "report": _page_of(report, out)}),
        word="shut" if board.fails else "open",
        verdict="The gate is shut" if board.fails else "The gate is open",
        summary=escape(_visible("".join(summary_of(board)))),
        original=escape(_visible(original)),
        port=escape(_visible(port)),
    )


def _page_of(report: Path | None, out: Path | None) -> str | None:
    """The address of the last run's page from this one; None where there is none."""
    page = report.with_name("report.html") if report else None
    if page is None or out is None or not page.is_file():
        return None
    try:
        return quote(os.path.relpath(page, out.parent).replace(os.sep, "/"))
    except ValueError:  # on another drive
        return None


def _data(board: dict[str, Any]) -> str:
    """The board as JSON that may stand in a script element: nothing in it ends the element or begins a comment."""
    text = json.dumps(board, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _visible(text: str) -> str:
    """Control characters, and those that turn the direction of what follows, as escapes."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _part(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    """What the page's own policy lets run or be shown: these very bytes."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
