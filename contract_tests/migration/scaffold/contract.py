"""The test module of a scaffold: a test a route, which asks both apps and fails until the stub is written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from contract_tests.migration.models.shapes import Shape
from contract_tests.migration.routes.paths import fields
from contract_tests.migration.scaffold.router import Stub

_SAMPLES: dict[str, Any] = {"int": 1, "float": 1.5, "bool": True, "str": "a", "None": None}
_SEGMENTS = {"int": "1", "float": "1.5", "uuid": "00000000-0000-4000-8000-000000000001"}
_HEAD = '''"""A draft of `parity scaffold`, to be edited: each test asks both apps, and fails until its stub is done."""

import httpx
import pytest
from fastapi import FastAPI

from contract_tests.parity import PairTransport, asgi
from contract_tests.parity.specs import resolve

from .router import router

ORIGINAL = {original}


@pytest.fixture
def api():
    """A client whose every request goes to the original and to the port, and whose two answers are compared."""
    port = FastAPI()
    port.include_router(router)
    with resolve(ORIGINAL) as original, asgi(port) as other:
        transport = PairTransport(original, other)
        with httpx.Client(transport=transport, base_url="https://testserver") as client:
            yield client
'''


def tests_of(stubs: Sequence[Stub], functions: dict[str, str], original: str | None) -> str:
    """The module; where the original is no SPEC, its place is to be filled in."""
    spec = json.dumps(original or "package.module:create_app()") + ("" if original else "  # name the original here")
    bodies = ["\n".join(_test(stub, functions[str(stub.draft.route)])) for stub in stubs]
    return "\n\n\n".join([_HEAD.format(original=spec).rstrip("\n"), *bodies]) + "\n"


def _test(stub: Stub, name: str) -> Iterator[str]:
    draft = stub.draft
    path = draft.route.path
    for field, kind in fields(path):
        path = _filled(path, field, _SEGMENTS.get(kind, "a"))
    yield f"def test_{name}(api):"
    yield f'    """{draft.route}."""'
    given = list(_given(draft.reads.body, draft.reads.query, draft.reads.form, draft.reads.files))
    yield "    answer = api.request("
    yield f'        "{draft.route.method}",'
    yield f'        "{path}",'
    yield from (f"        {each}," for each in given)
    yield "    )"
    if stub.guards:
        yield f"    # Without a sign-in: {stub.guards[0]} refuses it. Then sign in, and ask again."
        yield "    assert answer.status_code >= 300"
    else:
        yield "    assert answer.status_code < 400"


def _given(body: Shape, query: Shape, form: Shape, files: Shape) -> Iterator[str]:
    if body.is_known:
        yield f"json={_sample(body)!r}".replace("'", '"')
    if query.fields:
        yield f"params={_sample(query)!r}".replace("'", '"')
    if form.fields:
        yield f"data={_sample(form)!r}".replace("'", '"')
    if files.fields:
        yield f"files={dict.fromkeys(files.fields, b'a')!r}".replace("'", '"')


def _sample(shape: Shape) -> Any:
    if shape.fields:
        return {name: _sample(each.shape) for name, each in shape.fields.items()}
    if shape.is_object:
        return {}
    if shape.items is not None:
        return [_sample(shape.items)]
    return next((_SAMPLES[kind] for kind in ("str", "int", "float", "bool", "None") if kind in shape.kinds), "a")


def _filled(path: str, field: str, value: str) -> str:
    """A path with one of its fields filled in."""
    start = next(
        at for at in range(len(path)) if path[at] == "<" and path[at : path.index(">", at)].strip("<").endswith(field)
    )
    return path[:start] + value + path[path.index(">", start) + 1 :]
