"""A scaffold imports, is formatted, has a failing test a route, and is written over nothing"""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from fastapi import FastAPI

from contract_tests.__main__ import main
from contract_tests.migration.routes.board import Side
from contract_tests.tests.children import run, run_tests
from contract_tests.tests.house.desk import FLASK_LOGIN, labels, write_desk


@pytest.fixture
def desk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_desk(tmp_path)
    (tmp_path / "flask_login.py").write_text(FLASK_LOGIN)
    return tmp_path


def scaffold(*arguments):
    return CliRunner().invoke(main, ["scaffold", "--no-cache", *map(str, arguments)])


def print_routes():
    """In a child, in the folder of a draft: the routes of an app that includes its router."""
    sys.path.insert(0, str(Path.cwd()))
    app = FastAPI()
    app.include_router(importlib.import_module("drafted.router").router)
    for path, each in app.openapi()["paths"].items():
        for method in each:
            sys.stdout.write(f"{method.upper()} {path}\n")


def test_the_routers_routes_are_those_of_the_original(desk):
    """Every label again, now as a route of a FastAPI app that starts."""
    assert scaffold("desk", "--out", "drafted").exit_code == 0
    shown = run(print_routes, cwd=desk)
    assert shown.returncode == 0, shown.stderr
    side = Side("drafted", port=True)
    assert len(side.routes) == len(labels()) == len(shown.stdout.splitlines())


def test_a_stub_has_typed_parameters_and_says_what_guards_the_original(desk):
    scaffold(
        "desk", "--out", "drafted", "--route", "POST /tickets", "--route", "PUT /tickets/<int:id>/files/<uuid:key>"
    )
    text = (desk / "drafted/router.py").read_text()
    assert "def create_ticket(body: models.CreateTicketIn) -> models.CreateTicketOut:\n" in text
    assert "    # Guarded there by the decorator member_only (desk/access.py:6): depend on" in text
    assert "    id: int,\n    key: UUID,\n" in text
    assert "    upload: UploadFile,\n    caption: Annotated[str | None, Form()] = None,\n" in text
    assert "# - wire.Route: " in text
    assert "router = APIRouter()  # with the kit: route_class=wire.Route\n" in text


def test_what_is_written_is_formatted(desk):
    scaffold("desk", "--out", "drafted")
    ruff = Path(sys.executable).with_name("ruff")
    command = [ruff, "format", "--isolated", "--diff", "drafted"]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout


def test_each_pieces_name_is_in_the_kit(desk):
    """A comment that names a piece is read by someone who looks for it."""
    from contract_tests.migration.scaffold import pieces

    for piece in pieces._WHY:
        module, _, name = piece.replace("wire", "fastapi_app.wire", 1).rpartition(".")
        assert hasattr(importlib.import_module(module), name), piece


def test_each_route_has_a_test_that_fails_until_its_stub_is_written(desk):
    """Three routes: two stubs fail, and the one that somebody wrote passes."""
    spec = "contract_tests.tests.specimens.slides.original:create_app()"
    assert scaffold(spec, "--out", "drafted").exit_code == 0
    # The engine's plugin is what a team that has installed the engine has too.
    arguments = ("-p", "no:cacheprovider", "-p", "contract_tests.pytest_plugin", "drafted")
    before = run(run_tests, *arguments, cwd=desk)
    assert "3 failed" in before.stdout, before.stdout + before.stderr
    router = desk / "drafted/router.py"
    # As jsonify writes it: a test also compares the bytes.
    done = (
        "    from fastapi import Response\n\n"
        """    made = '{"id":1,"message":"User created successfully"}\\n'\n"""
        '    return Response(made, 201, media_type="application/json")'
    )
    head, rest = router.read_text().split("def create_user", 1)
    router.write_text(head + "def create_user" + rest.replace("    raise NotImplementedError", done, 1))
    after = run(run_tests, *arguments, cwd=desk)
    assert "2 failed, 1 passed" in after.stdout, after.stdout


def test_nothing_is_written_over_and_nothing_is_half_written(desk):
    (desk / "drafted").mkdir()
    (desk / "drafted/router.py").write_text("mine\n")
    result = scaffold("desk", "--out", "drafted")
    assert result.exit_code == 2
    assert result.stderr == f"parity: {Path('drafted/router.py')}: there already, and nothing is written over it\n"
    assert [path.name for path in (desk / "drafted").iterdir()] == ["router.py"]
    assert (desk / "drafted/router.py").read_text() == "mine\n"


def test_without_a_place_nothing_is_written(desk):
    before = sorted(desk.rglob("*"))
    result = scaffold("desk")
    assert (result.exit_code, "Missing option '--out'" in result.stderr) == (2, True)
    assert sorted(desk.rglob("*")) == before
