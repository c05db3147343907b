"""The scout finds a request for each operation that the original answers well; its cases are compared, too."""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any

from contract_tests.parity.cases import Case
from contract_tests.parity.declared import singular
from contract_tests.parity.keeping import member
from contract_tests.parity.known import Cases, Known, Recipe
from contract_tests.parity.making import FORM, JSON, PARTS, headers_of, query_of, request, target_of, with_body
from contract_tests.parity.messages import Request, Response
from contract_tests.parity.operations import Operation, Parameter
from contract_tests.parity.samples import plausible
from contract_tests.parity.sources.refusals import Tries

_TRIES = 20
_BODIED = ("POST", "PUT", "PATCH")
_ORDER = {"POST": 0, "GET": 1, "PUT": 2, "PATCH": 2, "DELETE": 3}


def scouting(known: Known) -> Cases:
    """A good request for each operation, parents before children and makers before readers."""
    for operation in sorted(known.operations, key=_turn):
        yield from _Scout(known, operation).cases()


def scouted(known: Known, operation: Operation) -> Cases:
    """A good request to one operation, by the way that is known now."""
    yield from _Scout(known, operation).cases()


def _turn(operation: Operation) -> tuple[int, int, str]:
    return operation.template.count("{"), _ORDER.get(operation.method, 2), operation.template


class _Scout:
    """Tries one operation until the original is content, or nothing new can be learned."""

    def __init__(self, known: Known, operation: Operation) -> None:
        self.known, self.operation = known, operation
        self.steps, self.keeps, self.values = way_to(known, operation)

    def cases(self) -> Cases:
        for kind, body in self._bodies():
            recipe = yield from self._tried(kind, body)
            old = self.known.recipe(self.operation)
            if old is None or (recipe.good and not old.good):
                self.known.recipes[self.operation.name] = recipe
            if recipe.good or recipe.status in (401, 403, 404, 405):
                return

    def _bodies(self) -> Iterator[tuple[str | None, Any]]:
        if self.operation.method not in _BODIED:
            yield None, None
            return
        documented = list(self.operation.bodies.items())
        for kind, schema in documented:
            yield kind, plausible("body", schema or {"type": "object"})
        hint, tries = self.known.hint(self.operation), self._tries()
        if hint.files:
            yield PARTS, dict.fromkeys(hint.files, "hello parity") | tries.guessed(hint.form)
        if hint.form:
            yield FORM, tries.guessed(hint.form)
        if not documented:
            yield JSON, tries.guessed(hint.body)
            yield FORM, tries.guessed(hint.form or hint.body)

    def _tries(self) -> Tries:
        hint = self.known.hint(self.operation)
        return Tries([*hint.body, *hint.form], hint.choices)

    def _tried(self, kind: str | None, body: Any) -> Generator[Case, Sequence[Response], Recipe]:
        tries = self._tries()
        for _ in range(_TRIES):
            recipe = self._recipe(kind, body)
            answers = yield recipe.case(f"{self.operation.name}, tried", "sequences")
            if len(answers) < len(recipe.steps):
                return recipe
            answer = answers[-1]
            recipe.status = answer.status
            if recipe.good:
                recipe.made = made_at(answer, self.operation)
                recipe.elements = _elements(answer)
                return recipe
            better = tries.better(body, answer) if answer.status in (400, 422) else None
            if better is None:
                return recipe
            body = better
        return recipe

    def _recipe(self, kind: str | None, body: Any) -> Recipe:
        target = target_of(self.operation, self.values, self._query())
        headers = headers_of(self.operation)
        if kind is None:
            last = request(self.operation.method, target, headers=headers)
        else:
            last = with_body(self.operation.method, target, body, kind, headers)
        keeps = (*self.keeps, {})
        return Recipe(self.operation, (*self.steps, last), keeps, 0, body, kind, values=self.values)

    def _query(self) -> list[tuple[str, str]]:
        return query_of(self.operation)


def way_to(
    known: Known, operation: Operation
) -> tuple[tuple[Request, ...], tuple[Mapping[str, str], ...], dict[str, str]]:
    """What must be made before an operation can be asked for, and the value of each of its path parameters."""
    steps: tuple[Request, ...] = ()
    keeps: tuple[Mapping[str, str], ...] = ()
    values: dict[str, str] = {}
    path = ""
    for part in operation.template.split("/")[1:]:
        path += f"/{part}"
        parameter = next((each for each in operation.at("path") if part == f"{{{each.name}}}"), None)
        if parameter is None:
            continue
        maker = known.producer(path)
        if maker is None:
            values[parameter.name] = _value(parameter)
        else:
            # The maker's own way is taken again: what it keeps has the same names.
            steps, keeps = maker.steps, (*maker.keeps[:-1], {f"p_{parameter.name}": maker.made or "$.id"})
            values |= {name: value for name, value in maker.values.items() if f"{{{name}}}" in operation.template}
            values[parameter.name] = "{{p_" + parameter.name + "}}"
    return steps, keeps, values


def _value(parameter: Parameter) -> str:
    kind = parameter.schema.get("type")
    if kind == "integer" or (not parameter.schema and re.search(r"(^|_)id$|^pk$|num", parameter.name)):
        return "1"
    if kind == "number":
        return "1.5"
    value = plausible(parameter.name, parameter.schema or {"type": "string"})
    return value if isinstance(value, str) else json.dumps(value)


def _elements(answer: Response) -> int:
    """How many elements the list of an answer has: the body itself, or its first member that is one."""
    try:
        value = json.loads(answer.body)
    except (ValueError, RecursionError):
        return 0
    lists = [value] if isinstance(value, list) else value.values() if isinstance(value, dict) else []
    return next((len(each) for each in lists if isinstance(each, list)), 0)


def made_at(answer: Response, operation: Operation) -> str | None:
    """Where an answer tells the id of what was made; None where it tells none."""
    body = answer.body
    names = ["id", "uuid", "slug", "_id", "pk"]
    stem = singular([part for part in operation.template.split("/") if part and "{" not in part][-1:][0] if operation.template.strip("/") else "x")  # fmt: skip  # noqa: E501
    names += [f"{stem}_id", f"{stem}Id", "key", "code", "name", "username"]
    for path in ("$", f"$.{stem}", "$.data", "$.result", "$.item"):
        for name in names:
            if isinstance(member(body, f"{path}.{name}"), (str, int)) and member(body, f"{path}.{name}") != "":
                return f"{path}.{name}"
    location = (answer.header("Location") or b"").decode("latin-1")
    return "path Location" if re.search(r"/\d+/?$|/[\w-]{20,}/?$", location) else None
