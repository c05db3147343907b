"""`parity kit` copies the wire kit into a project, says where it is from, and what was changed in it since"""

import sys
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner

from contract_tests.migration.kit import copying
from contract_tests.migration.kit.command import kit

ROOT = Path(__file__).parents[3]
WIRE = sorted(path.stem for path in (ROOT / "fastapi_app" / "wire").glob("*.py"))


@pytest.fixture
def parity_kit(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(kit, arguments)


def test_without_a_folder_each_module_is_told_by_its_first_line(parity_kit):
    lines = parity_kit().stdout.splitlines()
    assert [line.split()[0] for line in lines] == WIRE
    assert next(line for line in lines if line.startswith("routing ")).endswith(
        "Which route answers a request, and what is answered where none does."
    )
    assert all(len(line) > 20 for line in lines)


def test_the_kit_is_copied_with_its_license_and_says_where_it_is_from(parity_kit):
    ended = parity_kit("shop/wire")
    assert ended.stdout == (
        f"copied {len(WIRE)} modules and their license to shop/wire: from shop.wire.routing import Routing\n"
    )
    assert sorted(path.stem for path in Path("shop/wire").glob("*.py")) == WIRE
    assert Path("shop/wire/LICENSE").read_text() == (ROOT / "LICENSE").read_text()
    first, rest = Path("shop/wire/routing.py").read_text().split("\n", 1)
    assert first.startswith("# Copied from the wire kit of flask-fastapi-parity ")
    assert rest == (ROOT / "fastapi_app/wire/routing.py").read_text()


def test_a_copy_is_a_package_of_its_own(parity_kit, tmp_path, monkeypatch):
    parity_kit("parity_kit_shop/wire")
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    protocol, routing = (import_module(f"parity_kit_shop.wire.{name}") for name in ("protocol", "routing"))
    assert protocol.GunicornHttp.__module__ == "parity_kit_shop.wire.protocol"
    assert routing.__file__.startswith(str(tmp_path))
    for name in [name for name in sys.modules if name.startswith("parity_kit_shop") and name not in before]:
        del sys.modules[name]


def test_nothing_is_written_over(parity_kit):
    Path("wire").mkdir()
    Path("wire/routing.py").write_text("mine")
    ended = parity_kit("wire")
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert ended.stderr == "parity: wire: there already, and nothing is written over it; --check compares it\n"
    assert [path.name for path in Path("wire").iterdir()] == ["routing.py"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("my-wire",), "parity: my-wire: Python cannot import a package of this name\n"),
        (("--check",), "parity: --check wants the folder of a copy: parity kit FOLDER --check\n"),
        (("nowhere", "--check"), "parity: nowhere: No such file or directory\n"),
        (("empty", "--check"), "parity: empty: no copy of the wire kit is there\n"),
        (("file/wire",), "parity: file/wire: Not a directory\n"),
    ],
)
def test_what_cannot_be_done_is_one_line(parity_kit, arguments, told):
    Path("empty").mkdir()
    Path("file").write_text("")
    ended = parity_kit(*arguments)
    assert (ended.exit_code, ended.stderr) == (2, told)


def test_a_copy_is_held_against_the_kit(parity_kit):
    parity_kit("wire")
    alike = parity_kit("wire", "--check")
    assert (alike.exit_code, alike.stdout) == (0, f"{len(WIRE)} of {len(WIRE)} modules are as this kit has them\n")
    Path("wire/query.py").write_text(Path("wire/query.py").read_text() + "MINE = 1\n")
    Path("wire/views.py").unlink()
    Path("wire/ours.py").write_text("")
    told = parity_kit("wire", "--check")
    assert told.exit_code == 1
    assert told.stdout.splitlines() == [
        "changed   query",
        "missing   views",
        "your own  ours",
        f"{len(WIRE) - 2} of {len(WIRE) - 1} modules are as this kit has them",
    ]


def test_an_installation_without_the_kit_says_so(parity_kit, monkeypatch):
    monkeypatch.setattr(copying, "_PLACES", (Path("nowhere"),))
    assert (
        parity_kit().stderr == "parity: this installation has no wire kit: install the wheel, or run it in a checkout\n"
    )


def test_an_installation_for_development_holds_nothing_of_its_own():
    """A folder of this name among the installed packages would stand before the checkout, in part."""
    assert [path for path in sys.path if "site-packages" in path and Path(path, "contract_tests").exists()] == []
