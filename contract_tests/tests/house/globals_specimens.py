"""What `parity globals` is tried on: two small modules, and the labelled trees of specimens/globals, as files."""

import re
from collections import Counter
from dataclasses import dataclass, field

from click.testing import CliRunner

from contract_tests.__main__ import main
from contract_tests.tests.house.test_house import ROOT

FOLDER = ROOT / "contract_tests/tests/specimens/globals"
FILE = re.compile(r"^=== (?P<path>\S+)(?: \((?P<encoding>.*?)\))?\n(?P<text>.*?)(?=^=== |\Z)", re.M | re.S)
LABEL = re.compile(r"# (hit|context): (.*)$")

DEEP = """
from flask import request

def tag():
    return request.args.get("tag", "unidentified")
"""
APP = """
from flask import Flask
from deep import tag
app = Flask(__name__)

@app.get("/tag")
def show():
    return tag()
"""


@dataclass
class Labels:
    """What is to be found: `(path, line, "deep read request.args['tag'] = 'none'")`; the same for the context."""

    hits: Counter[tuple[str, int, str]] = field(default_factory=Counter)
    context: Counter[tuple[str, int, str]] = field(default_factory=Counter)


def globals_of(*arguments):
    return CliRunner().invoke(main, ["globals", "--no-cache", "--jobs", "1", *map(str, arguments)])


def write_specimens(folder):
    """Write each tree below a folder of its own; gives their names and their labels."""
    labels, names = Labels(), []
    for bundle in sorted(FOLDER.glob("*.txt")):
        names.append(bundle.stem)
        for found in FILE.finditer(bundle.read_text()):
            path = folder / bundle.stem / found["path"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encoded(found["text"], found["encoding"] or "utf-8"))
            read_labels(labels, f"{bundle.stem}/{found['path']}", found["text"])
    return names, labels


def encoded(text, encoding):
    return text.replace("\n", "\r\n").encode() if encoding == "crlf" else text.encode(encoding)


def read_labels(labels, path, text):
    for number, line in enumerate(text.split("\n"), 1):
        label = LABEL.search(line)
        for part in f"{label[1]}: {label[2]}".split(" | ") if label else ():
            kind, _, what = part.partition(": ") if part.startswith(("hit: ", "context: ")) else ("hit", "", part)
            what, _, offset = what.partition(" @")
            found = labels.hits if kind == "hit" else labels.context
            found[path, number + int(offset or 0), what.strip()] += 1
