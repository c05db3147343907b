"""A status that differs has one reason wherever one change closes it, and another one beside it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from .test_joining import causes_of, exchanged, names
from .toys import answer, json_answer


class NoSuchTableError(Exception):
    pass


def failed(operation, kind):
    """An exchange in which the port fails within a library's own function."""
    code = compile("def execute(kind):\n    raise kind('x')", "/venv/lib/site-packages/library/engine.py", "exec")
    library = {}
    exec(code, library)
    one = exchanged(operation, operation.partition(" ")[2], json_answer({}), answer(b"", status=500))
    try:
        library["execute"](kind)
    except Exception as error:
        return replace(one, port=replace(one.port, exception=error))


def test_two_sorts_of_failure_within_one_function_of_a_library_are_two_causes():
    assert names(causes_of(failed("POST /users", ValueError), failed("GET /report", NoSuchTableError))) == ["crash"] * 2
    assert names(causes_of(failed("POST /users", ValueError), failed("GET /report", ValueError))) == ["crash"]


@pytest.mark.parametrize(
    ("page", "name"),
    [
        (b'{"title": "Predoctoral fellow"}', "status"),
        (b"<title>Shop - ReDoc</title>", "documentation"),
        (b'<script src="/redoc.standalone.js"></script>', "documentation"),
        (b"<redoc spec-url='/openapi.json'></redoc>", "documentation"),
    ],
)
def test_a_page_of_documentation_is_known_by_a_whole_word(page, name):
    found = exchanged("GET /jobs/{id}", "/jobs/7", answer(b"", status=404), answer(page))
    assert names(causes_of(found)) == [name]
