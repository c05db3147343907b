"""The report as one HTML page that asks nothing of any network, and that no body of an answer can get a word into."""

from __future__ import annotations

import base64
import hashlib
import json
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from contract_tests.parity.telling import visible

_WORDS = {0: "alike", 1: "different", 3: "ledger", 4: "inconclusive", 130: "interrupted"}


def of(run: dict[str, Any]) -> str:
    """The page: its words before any script, and the run as data for the script."""
    style, script = _part("page.css"), _part("page.js")
    return Template(_part("page.html")).substitute(
        policy=f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'",
        style=style,
        script=script,
        data=data(run),
        word=_WORDS.get(run["code"], "interrupted"),
        verdict=escape(visible(run["verdict"].partition(" (")[0])),
        about=escape(visible(run["verdict"])),
        original=escape(visible(run["targets"].get("original", ""))),
        port=escape(visible(run["targets"].get("port", ""))),
    )


def data(run: dict[str, Any]) -> str:
    """The run as JSON that may stand in a script element: nothing in it ends the element or begins a comment."""
    text = json.dumps(run, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _part(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    """What the page's own policy lets run or be shown: these very bytes, and nothing that came with an answer."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
