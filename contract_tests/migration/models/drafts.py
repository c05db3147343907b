"""The draft of each route: what it reads and answers, by its code and by what was recorded of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from contract_tests.migration.models.answers import Answerer, Answers
from contract_tests.migration.models.reads import Reader, Reads
from contract_tests.migration.models.recorded import NOTHING, Recorded
from contract_tests.migration.models.shapes import Shape
from contract_tests.migration.routes.code import Code
from contract_tests.migration.routes.declared import Route
from contract_tests.migration.routes.paths import fields, pattern

_KINDS = {"int": "int", "float": "float", "uuid": "str", "path": "str", "str": "str"}


@dataclass(slots=True)
class Draft:
    """A route, what it reads and what it answers; `recorded` counts its exchanges."""

    route: Route
    name: str
    reads: Reads
    answers: Answers
    recorded: int = 0


def drafts_of(code: Code, routes: Iterable[Route], recorded: Iterable[Recorded]) -> list[Draft]:
    made = [_of_code(code, route) for route in routes]
    for exchange in recorded:
        draft = _meant(made, exchange)
        if draft:
            _see(draft, exchange)
    return made


def _of_code(code: Code, route: Route) -> Draft:
    reader = Reader(code)
    name = route.endpoint or "view"
    if route.function is None:
        return Draft(route, name, reader.reads, Answers())
    names = reader.view(route.function)
    kinds = {field: _KINDS.get(kind, "str") for field, kind in fields(route.path)}
    answers = Answerer(code, reader, kinds, names).view(route.function)
    if route.cls or code.name(route.function) in ("get", "post", "put", "patch", "delete"):
        name = f"{route.method.lower()}_{name}"
    return Draft(route, name.rpartition(".")[2], reader.reads, answers)


def _meant(drafts: list[Draft], exchange: Recorded) -> Draft | None:
    """The route of an exchange: that with the fewest fields, as a router would choose."""
    found = [
        each
        for each in drafts
        if each.route.method == exchange.method and pattern(each.route.path).fullmatch(exchange.path)
    ]
    return min(found, key=lambda each: len(fields(each.route.path)), default=None)


def _see(draft: Draft, exchange: Recorded) -> None:
    draft.recorded += 1
    for pairs, part in ((exchange.query, draft.reads.query), (exchange.form, draft.reads.form)):
        if pairs or part.fields:
            part.see(dict(pairs))
    succeeded = exchange.status is None or exchange.status < 400
    if exchange.sent is not NOTHING and succeeded and isinstance(exchange.sent, dict | list):
        draft.reads.body.see(exchange.sent)
    if exchange.answered is not NOTHING and exchange.status is not None:
        draft.answers.json.setdefault(exchange.status, Shape()).see(exchange.answered)
