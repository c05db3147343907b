"""The wheel is the engine: installed with [parity] beside anyone's two apps it brings no framework and no service"""

import json
import re
import resource
import shlex
import shutil
import subprocess
import sys
from importlib.metadata import distribution
from importlib.util import cache_from_source
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[3]
SERVICE = {"flask", "werkzeug", "fastapi", "starlette", "sqlalchemy", "alembic", "pydantic", "limits", "argon2"}

OLD = """
import json
from wsgiref.util import request_uri

def app(environ, start_response, price=5):
    body = json.dumps({"id": 1, "price": price, "at": environ["PATH_INFO"]}).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
"""
NEW = "import old\n\ndef app(environ, start_response):\n    return old.app(environ, start_response, price=5.0)\n"
SUITE = """
import httpx
import old

def test_price():
    with httpx.Client(transport=httpx.WSGITransport(old.app), base_url="http://shop.test") as client:
        assert client.get("/dish/1").json()["price"] == 5
"""


def ran(*command, **options):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, **options)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built as `make dist` does."""
    folder = tmp_path_factory.mktemp("dist")
    built = ran(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    assert built.returncode == 0, built.stderr
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def metadata(wheel):
    with ZipFile(wheel) as archive:
        name = next(each for each in archive.namelist() if each.endswith("METADATA"))
        return archive.read(name).decode()


@pytest.fixture(scope="module")
def environment(wheel, metadata, tmp_path_factory):
    """An empty environment with the wheel, all that its extra `parity` asks for, and nothing else.

    What the extra asks for is copied from this environment, so that no index is needed.
    """
    folder = tmp_path_factory.mktemp("environment")
    assert ran(sys.executable, "-m", "venv", "--without-pip", folder).returncode == 0
    python = folder / "bin" / "python"
    asked = ["-m", "pip", "--python", python, "install", "-q", "--no-deps", "--no-index", "--no-compile", wheel]
    installed = ran(sys.executable, *asked)
    assert installed.returncode == 0, installed.stderr
    site = Path(ran(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout.strip())
    copy({canonicalize_name(each.name) for each in required(metadata, "parity")}, site)
    return folder, site


def required(metadata, extra):
    """The requirements of the wheel, or of an extra of it."""
    lines = [line.partition(": ")[2] for line in metadata.splitlines() if line.startswith("Requires-Dist: ")]
    return [each for each in map(Requirement, lines) if each.marker is None or each.marker.evaluate({"extra": extra})]


def copy(names, site):
    """Copy distributions of this environment, with all that they need, into another's site-packages."""
    done, asked = set(), set(names)
    while asked:
        name = asked.pop()
        done.add(name)
        found = distribution(name)
        for file in found.files or ():
            if ".." not in file.parts and "__pycache__" not in file.parts:
                source, target = Path(found.locate_file(file)), site / file
                copy_file(source, target)
                # Else each of hundreds of modules is compiled once more.
                if source.suffix == ".py" and (compiled := Path(cache_from_source(source))).exists():
                    copy_file(compiled, Path(cache_from_source(target)))
        needed = [Requirement(each) for each in found.requires or ()]
        asked |= {
            canonicalize_name(each.name)
            for each in needed
            if each.marker is None or each.marker.evaluate({"extra": ""})
        } - done


def copy_file(source, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    # With its time, by which a compiled module is held against its source.
    shutil.copy2(source, target)


@pytest.fixture
def shop(tmp_path):
    """A pair of apps that share nothing with ours, and need nothing."""
    (tmp_path / "old.py").write_text(OLD)
    (tmp_path / "new.py").write_text(NEW)
    (tmp_path / "test_shop.py").write_text(SUITE)
    (tmp_path / "cases.jsonl").write_text('{"case": "a dish", "steps": [{"method": "GET", "target": "/dish/1"}]}\n')
    return tmp_path


def test_the_wheel_holds_the_engine_and_nothing_of_the_service(wheel):
    with ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.partition("/")[0] for name in names if ".dist-info" not in name} == {"contract_tests"}
    rooms = {name.split("/")[1] for name in names if name.startswith("contract_tests/")}
    assert rooms == {"__init__.py", "__main__.py", "pytest_plugin.py", "parity", "migration"}


def test_the_wheel_by_itself_requires_nothing(metadata):
    assert required(metadata, "") == []


def test_the_extra_brings_no_framework_and_nothing_of_the_service(environment):
    _, site = environment
    there = {path.name for path in site.iterdir()}
    assert {"click", "httpx", "requests", "contract_tests"} <= there
    assert not there & SERVICE
    assert not there & {"hypothesis", "schemathesis", "playwright", "rich", "shared_core", "flask_app", "fastapi_app"}


def test_it_runs_on_a_foreign_pair(environment, shop):
    folder, _ = environment
    run = ran(folder / "bin" / "parity", "check", "old:app", "new:app", "--cases", "cases.jsonl", cwd=shop)
    assert run.returncode == 1, run.stderr
    assert "1. GET /dish/{id}: integer becomes float\n     GET /dish/{id} json $.price type" in run.stdout
    assert "DIFFERENT: 1 cause of 1 new difference (1 case in" in run.stdout


def test_the_readme_shows_what_it_tells_of_a_foreign_pair(environment, tmp_path):
    """The README's own two files and command, in an environment that has the wheel, Flask and FastAPI alone."""
    folder, site = environment
    copy({"flask", "fastapi"}, site)
    readme = (ROOT / "README.md").read_text()
    for name, text in re.findall(r"```python\n# (\w+_shop\.py)\n(.*?)```", readme, re.DOTALL):
        (tmp_path / name).write_text(text)
    command, shown = re.search(r"\$ try/bin/(parity check .*)\n([^`]*)```", readme).groups()
    run = ran(folder / "bin" / "parity", *shlex.split(command)[1:], cwd=tmp_path)
    assert run.returncode == 1, run.stdout + run.stderr
    told = {masked(line) for line in run.stdout.splitlines()}
    lines = [masked(line) for line in shown.splitlines() if line != "..."]
    assert len(lines) > 10
    assert [line for line in lines if line not in told] == [], run.stdout


def masked(line):
    """A line without its numbers: how much is asked in a time depends on the machine."""
    return re.sub(r"\d+", "N", line)


def test_the_wire_kit_comes_with_it_and_is_copied_into_a_project(environment, tmp_path):
    folder, site = environment
    copy({"fastapi"}, site)
    run = ran(folder / "bin" / "parity", "kit", "shop/wire", cwd=tmp_path)
    assert (run.returncode, run.stderr) == (0, "")
    (tmp_path / "app.py").write_text(
        "from fastapi import FastAPI\nfrom shop.wire.routing import Routing\n"
        "app = FastAPI()\nplain = FastAPI()\n"
        "for each in (app, plain):\n    each.get('/')(lambda: {})\nRouting.install(app)\n"
    )
    code = (
        "from app import app, plain\nfrom contract_tests.parity import Request, asgi\n"
        "for each in (plain, app):\n    with asgi(each) as target:\n"
        "        print(target.send(Request('HEAD', b'/')).status)"
    )
    used = ran(folder / "bin" / "python", "-c", code, cwd=tmp_path)
    assert used.stdout.split() == ["405", "200"], used.stderr


def test_the_pytest_plugin_is_there_by_its_entry_point(environment, shop):
    folder, site = environment
    copy({"pytest"}, site)
    run = ran(folder / "bin" / "python", "-m", "pytest", "-q", "--original", "old:app", "--port", "new:app", cwd=shop)
    assert run.returncode == 1, run.stdout + run.stderr
    assert "GET /dish/{id}: the port differs from the original in 1 place" in run.stdout
    assert ran(folder / "bin" / "python", "-m", "pytest", "-q", cwd=shop).returncode == 0


def test_help_starts_in_under_half_a_second(environment):
    """Of this process's own time: how busy the machine is, is not the command's doing."""
    folder, _ = environment
    spent = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run = ran(folder / "bin" / "parity", "--help")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert "check" in run.stdout
    assert min(spent) < 0.5


def test_help_imports_nothing_that_a_command_alone_needs(environment):
    folder, _ = environment
    code = (
        "import sys, json\nfrom click.testing import CliRunner\nbefore = set(sys.modules)\n"
        "from contract_tests.__main__ import main\nassert CliRunner().invoke(main, ['--version']).exit_code == 0\n"
        "print(json.dumps(sorted({name.partition('.')[0] for name in set(sys.modules) - before})))"
    )
    run = ran(folder / "bin" / "python", "-c", code)
    assert run.returncode == 0, run.stderr
    assert not set(json.loads(run.stdout)) & {"httpx", "requests", "asyncio", "sqlalchemy", "hypothesis"}
