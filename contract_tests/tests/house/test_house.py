"""The house stands as ARCHITECTURE.md says: packages, arrows, generated files, and nothing of one machine in it."""

import ast
import json
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from contract_tests.parity.servers import Server
from contract_tests.tests.children import run, run_tests

ROOT = Path(__file__).parents[3]
PACKAGES = ("shared_core", "flask_app", "fastapi_app", "contract_tests")
# gunicorn executes its configuration; no one imports it.
CONFIGURATION = ROOT / "deploy/gunicorn.conf.py"


def tracked(*patterns):
    """The files of the project that git knows, or would know."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return [ROOT / line for line in listed.splitlines() if (ROOT / line).is_file()]


def test_the_import_contracts_hold():
    run = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout


def test_every_folder_of_code_is_a_package():
    """import-linter does not see a folder without __init__.py."""
    folders = {path.parent for path in tracked("*.py") if path.parent != ROOT and path != CONFIGURATION}
    exempt = {ROOT / "shared_core/migrations/versions"}
    assert not [folder for folder in folders - exempt if not (folder / "__init__.py").exists()]


def test_there_are_four_packages():
    code = [path for path in tracked("*.py") if path != CONFIGURATION]
    assert {path.relative_to(ROOT).parts[0] for path in code} == set(PACKAGES)


def test_the_two_apps_import_nothing_of_each_others_framework():
    foreign = {
        "flask_app": {"fastapi", "starlette", "uvicorn", "anyio"},
        "fastapi_app": {"flask", "werkzeug", "gunicorn"},
    }
    foreign["shared_core"] = foreign["flask_app"] | foreign["fastapi_app"]
    for package, names in foreign.items():
        for path in (ROOT / package).rglob("*.py"):
            assert not imports(path) & names, path


def imports(path):
    """The top-level names that a module imports, wherever it does."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def test_the_wire_kit_stands_alone():
    modules = list((ROOT / "fastapi_app/wire").rglob("*.py"))
    assert modules
    for module in modules:
        assert not imports(module) & {"shared_core", "fastapi_app", "flask", "werkzeug"}, module


def test_the_stored_document_is_what_the_port_says():
    from contract_tests.suite import targets

    assert (ROOT / "shared_core/openapi.json").read_bytes() == targets.rendered_document(), "run: make openapi"


def test_the_document_says_its_bounds_in_json_schema_s_own_words():
    """Pydantic passes words that it cannot translate on as they are, and every client ignores them."""
    words = {"type", "title", "description", "properties", "required", "items", "anyOf", "$ref", "default", "format"}
    words |= {
        "minimum",
        "maximum",
        "minLength",
        "maxLength",
        "pattern",
        "writeOnly",
        "additionalProperties",
        "contentMediaType",
    }
    used = set(schema_words(json.loads((ROOT / "shared_core/openapi.json").read_bytes())))
    assert used <= words
    assert {"minimum", "maximum", "maxLength"} <= used


def schema_words(value, schema=False):
    """The keywords of every schema within a document."""
    if isinstance(value, list):
        for item in value:
            yield from schema_words(item, schema)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if schema:
                yield key
            if key in ("schema", "items", "anyOf"):
                yield from schema_words(inner, schema=True)
            elif key in ("schemas", "properties"):
                for each in inner.values():
                    yield from schema_words(each, schema=True)
            elif not schema:
                yield from schema_words(inner)


@pytest.mark.parametrize("role", ["original", "port"])
def test_each_app_routes_what_the_document_says(role):
    from fastapi.routing import iter_route_contexts

    from contract_tests.suite import targets

    spec = json.loads((ROOT / "shared_core/openapi.json").read_bytes())
    documented = {(method.upper(), path) for path, item in spec["paths"].items() for method in item}
    if role == "original":
        app = targets.original()
        routed = {
            (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
            for rule in app.url_map.iter_rules()
            for method in rule.methods - {"HEAD", "OPTIONS"}
        }
    else:
        app = targets.port()
        routed = {(method, route.path_format) for route in iter_route_contexts(app.routes) for method in route.methods}
    assert routed == documented


def test_the_revision_is_the_newest_migration():
    from alembic.script import ScriptDirectory

    from shared_core import tables
    from shared_core.migrations import alembic_config

    assert ScriptDirectory.from_config(alembic_config()).get_heads() == [tables.REVISION]


def test_the_migrations_build_what_the_tables_say():
    import sqlalchemy as sa
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from contract_tests.suite.world import make_world
    from shared_core import tables

    world = make_world()
    with world.services.database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []
        assert "AUTOINCREMENT" in connection.scalar(sa.text("SELECT sql FROM sqlite_master WHERE name = 'users'"))
    world.close()


def test_every_setting_stands_in_the_example_and_nothing_else_does():
    from shared_core.settings import Settings

    example = re.findall(r"^#? ?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.M)
    assert sorted(example) == sorted(name.upper() for name in Settings.model_fields)


def test_every_command_has_its_place_in_the_readme_or_in_contributing():
    targets = re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), re.M)
    told = (ROOT / "README.md").read_text() + (ROOT / "CONTRIBUTING.md").read_text()
    assert not [target for target in targets if f"make {target}" not in told]


def test_every_folder_of_tests_is_run_by_make_test_or_by_make_resilience():
    options = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    folders = {str(path.parent.relative_to(ROOT)) for path in tracked("*.py") if path.name.startswith("test_")}
    assert folders == {*options["testpaths"], "contract_tests/live/resilience"}
    assert "pytest -q -n 2 --dist loadfile contract_tests/live/resilience" in (ROOT / "Makefile").read_text()


MAKEFILE = (ROOT / "Makefile").read_text()


def selection(target):
    """The options that a make target gives to pytest, and which tests it takes, as an expression of markers."""
    (arguments,) = re.findall(rf"^{target}:.*\n\t@\$\(BIN\)/python -m pytest (.+)$", MAKEFILE, re.M)
    *options, m, expression = shlex.split(arguments)
    assert m == "-m"
    return options, expression


def takes(expression, markers):
    """Whether an expression takes a test that has these markers; it says so in Python's own words."""
    return eval(expression, {}, {name: name in markers for name in ("servers", "services")})


def test_make_test_and_make_servers_together_run_each_test_once():
    """Neither names a path, and they differ in nothing but the markers."""
    (one, quick), (other, rest) = selection("test"), selection("servers")
    assert one == other == ["-n", "2", "--dist", "worksteal", "-q"]
    for markers in (set(), {"servers"}, {"services"}, {"servers", "services"}):
        assert takes(quick, markers) is (not markers)
        assert takes(rest, markers) is bool(markers)


def test_make_check_runs_both_of_them_and_nothing_else_leaves_a_test_out():
    steps = re.search(r"^check:.*\n\t.* \$\(SYNC\) (.*)\n", MAKEFILE, re.M)[1].split()
    assert steps[0] == "style"
    for target in ("test", "servers", "parity", "resilience", "cutover"):
        assert steps.count(target) == 1
    options = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    assert not {"-m", "-k", "--deselect", "--ignore"} & set(options["addopts"])


@pytest.mark.parametrize("options", [["-m", "not servers and not services"], []], ids=["make test", "plain"])
def test_what_make_test_leaves_out_is_told_and_plain_pytest_leaves_out_nothing(options):
    ended = run(run_tests, "--collect-only", *options, "contract_tests/tests/house/test_redis.py")
    assert ended.returncode == 0, ended.stdout
    told = re.search(r"^left out: (\d+) tests .* to run them: make servers$", ended.stdout, re.M)
    assert (told is not None and int(told[1]) > 5) == bool(options)
    assert ("test_the_suite_holds_on_redis" in ended.stdout) == (not options)


def test_the_contract_needs_nothing_but_python():
    """The gate speaks of a whole run only; that is what `make test` is to be."""
    assert not [path for path in tracked("contract_tests/suite/*.py") if "mark.serv" in path.read_text()]


def test_a_test_without_the_marker_starts_no_server():
    with pytest.raises(pytest.fail.Exception, match=r"needs @pytest.mark.servers"):
        Server([sys.executable, "-c", "{port}"]).start()


def test_the_locks_are_hashed_and_name_no_address():
    for lock in (ROOT / "requirements").glob("*.lock"):
        text = lock.read_text()
        assert "--hash=sha256:" in text
        assert "://" not in text


def test_no_file_names_a_registry_or_a_home():
    shapes = re.compile(rb"(files\.python" rb"hosted|pypi\." rb"org|registry\.npm" rb"js|/ro" rb"ot/|/ho" rb"me/\w)")
    assert not [path for path in tracked() if shapes.search(path.read_bytes())]


def test_the_version_is_told_once_and_stands_in_the_changelog():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text()
