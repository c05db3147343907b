"""The labelled app of specimens/routes and its half-done port: written out as files, and what their labels say."""

import csv
import re

from contract_tests.tests.house.test_house import ROOT

FOLDER = ROOT / "contract_tests/tests/specimens/routes"
FILE = re.compile(r"^=== (?P<path>\S+)\n(?P<text>.*?)(?=^=== |\Z)", re.M | re.S)
# What the specimen imports and the project does not install.
FLASK_LOGIN = "def login_required(view):\n    return view\n"


def write_desk(folder):
    """Write `desk` and `desk_port` below a folder."""
    for found in FILE.finditer((FOLDER / "desk.txt").read_text()):
        path = folder / found["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(found["text"])


def labels():
    """The labels by method and path."""
    with (FOLDER / "labels.tsv").open(newline="") as file:
        return {f"{row['method']} {row['path']}": row for row in csv.DictReader(file, delimiter="\t")}
