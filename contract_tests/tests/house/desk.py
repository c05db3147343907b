"""What `parity routes` is tried on: a route and its port, and the labelled app of specimens/routes, as files."""

import csv
import json
import re

from click.testing import CliRunner

from contract_tests.__main__ import main
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


OLD = "app = Flask(__name__)\n\n@app.get('/a')\ndef a():\n    return ''\n"
NEW = "app = FastAPI()\n\n@app.get('/a')\ndef a():\n    return ''\n"
GUARDED = "from flask_login import login_required\n" + OLD.replace("def a", "@login_required\ndef a")


def routes_of(*arguments):
    return CliRunner().invoke(main, ["routes", "--no-cache", *map(str, arguments)])


def told(*arguments):
    return json.loads(routes_of(*arguments, "--format", "json").stdout)


def rows(data):
    return {f"{row['method']} {row['path']}": row for row in data["routes"]}
