"""The twins read as a lesson: same route modules, same handlers in the same order, short and without decisions."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
MODULES = ["hello", "users", "session", "signin", "files", "health", "metrics", "docs"]
MOST_STATEMENTS = 12
# Rules of the core that look something up and then change it.
READ_THEN_WRITE = (
    "sign_in",
    "revoke_logins",
    "update_user",
    "delete_user",
    "user_of_identity",
    "delete_file",
    "create_file",
)
BRANCHES = (
    ast.If,
    ast.IfExp,
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.Try,
    ast.Match,
    ast.BoolOp,
    ast.comprehension,
    ast.Lambda,
)


def tree(app, module):
    return ast.parse((ROOT / app / f"{module}.py").read_text())


def routes(app, module):
    """Each handler of a route module: its method, its path as a template, and its definition."""
    for node in tree(app, module).body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for decorator in node.decorator_list:
                path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", re.sub(r"{(\w+):\w+}", r"{\1}", decorator.args[0].value))
                yield decorator.func.attr, path, node


def test_every_route_module_has_its_twin():
    for app in ("flask_app", "fastapi_app"):
        with_routes = [
            path.stem
            for path in (ROOT / app).glob("*.py")
            if re.search(r"^@(router|blueprint)\.", path.read_text(), re.M)
        ]
        assert sorted(with_routes) == sorted(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_twins_have_the_same_handlers_in_the_same_order(module):
    original, port = ([(m, p, node.name) for m, p, node in routes(app, module)] for app in ("flask_app", "fastapi_app"))
    assert original == port != []


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("app", ["flask_app", "fastapi_app"])
def test_a_handler_is_short_and_decides_nothing(app, module):
    for _, _, node in routes(app, module):
        statements = [part for part in ast.walk(node) if isinstance(part, ast.stmt)]
        assert len(statements) - 1 <= MOST_STATEMENTS, node.name
        assert not [part for part in ast.walk(node) if isinstance(part, BRANCHES)], node.name


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("app", ["flask_app", "fastapi_app"])
def test_what_reads_before_it_writes_is_a_writer_at_once(app, module):
    """A reader is refused at its first write if someone else wrote meanwhile: 503 for half of 200 sign-ins."""
    for block in (node for node in ast.walk(tree(app, module)) if isinstance(node, ast.With)):
        asked = {part.attr for part in ast.walk(block) if isinstance(part, ast.Attribute)} & {*READ_THEN_WRITE}
        opened = ast.unparse(block.items[0].context_expr)
        assert not asked or not opened.startswith("app.database") or opened == "app.database.begin_write()", asked


@pytest.mark.parametrize("module", MODULES)
def test_an_async_handler_touches_no_service(module):
    """The loop must never wait: what takes the services runs on a thread, in one hop."""
    for _, _, node in routes("fastapi_app", module):
        if isinstance(node, ast.AsyncFunctionDef):
            assert not node.args.args, node.name
