"""The router module of a scaffold: a stub a route, with typed parameters."""

from __future__ import annotations

import keyword
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from contract_tests.migration.models.drafts import Draft
from contract_tests.migration.models.shapes import Field, Shape
from contract_tests.migration.models.writing import Named
from contract_tests.migration.routes.guards import Guard
from contract_tests.migration.routes.paths import fields, ported
from contract_tests.migration.scaffold.pieces import pieces_of, route_class, why

_KINDS = {"int": "int", "float": "float", "uuid": "UUID"}
_MARKS = {"query": "Query", "form": "Form", "headers": "Header", "cookies": "Cookie"}
_VERBS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"})
_WIDEST = 88


@dataclass(frozen=True, slots=True)
class Stub:
    """A route to write: its draft, its models and what guards it in the original."""

    draft: Draft
    named: Named
    guards: Sequence[Guard]


class Router:
    """Writes the module."""

    def __init__(self) -> None:
        self._uses: set[str] = {"APIRouter"}
        self.functions: dict[str, str] = {}

    def module(self, stubs: Sequence[Stub]) -> str:
        bodies = ["\n".join(self._stub(stub)) for stub in stubs]
        kind = route_class(stub.draft for stub in stubs)
        made = f"router = APIRouter()  # with the kit: route_class={kind}" if kind else "router = APIRouter()"
        head = '"""A draft of `parity scaffold`, to be edited: a stub for each route of the original."""\n'
        return "\n\n\n".join(["\n".join([head, *self._imports(), "", *_kit(stubs), made]), *bodies]) + "\n"

    def _imports(self) -> Iterator[str]:
        if "Annotated" in self._uses or "Any" in self._uses:
            yield f"from typing import {', '.join(each for each in ('Annotated', 'Any') if each in self._uses)}"
        if "UUID" in self._uses:
            yield "from uuid import UUID"
        if self._uses & {"Annotated", "Any", "UUID"}:
            yield ""
        yield f"from fastapi import {', '.join(sorted(self._uses - {'Annotated', 'Any', 'UUID', 'models'}))}"
        if "models" in self._uses:
            yield ""
            yield "from . import models"

    def _stub(self, stub: Stub) -> Iterator[str]:
        draft, route = stub.draft, stub.draft.route
        name = self._free(draft.name)
        self.functions[str(route)] = name
        status = next((each for each in stub.named.answers if each < 300), None)
        status = status or next((each for each in draft.answers.other if each < 300), 200)
        given = f", status_code={status}" if status != 200 else ""
        verb = route.method.lower() if route.method in _VERBS else "api_route"
        methods = f', methods=["{route.method}"]' if verb == "api_route" else ""
        yield f'@router.{verb}("{ported(route.path)}"{methods}{given})'
        answer = self._type(stub.named.answers[status]) if status in stub.named.answers else None
        yield from self._signature(name, sorted(self._parameters(stub), key=_has_default), answer)
        yield f'    """{route} of the original: {route.place}."""'
        for guard in stub.guards:
            yield f"    # Guarded there by the {guard} ({guard.place}): depend on what does the same here."
        for piece in pieces_of(draft, stub.guards):
            yield f"    # The wire kit: {piece}."
        for each in sorted(draft.answers.aborts):
            yield f"    # Aborts with {each}."
        yield "    raise NotImplementedError"

    def _signature(self, name: str, parameters: list[str], answer: str | None) -> Iterator[str]:
        end = f") -> {answer}:" if answer else "):"
        line = f"def {name}({', '.join(parameters)}{end}"
        if len(line) <= _WIDEST:
            yield line
            return
        yield f"def {name}("
        yield from (f"    {each}," for each in parameters)
        yield end

    def _parameters(self, stub: Stub) -> Iterator[str]:
        reads, named = stub.draft.reads, stub.named
        taken: set[str] = set()
        for field, kind in fields(stub.draft.route.path):
            self._uses |= {"UUID"} if kind == "uuid" else set()
            yield f"{_own(field, taken)}: {_KINDS.get(kind, 'str')}"
        if "body" in named.parts:
            yield f"{_own('body', taken)}: {self._type(named.parts['body'])}"
        for part in ("query", "headers", "cookies"):
            if part in named.parts:
                yield f"{_own(part, taken)}: {self._marked(self._type(named.parts[part]), part)}"
        if reads.files.fields:
            # FastAPI takes no model of a form beside files: each field is a parameter.
            for field, each in reads.form.fields.items():
                yield f"{_own(field, taken)}: {self._marked(self._plain(each, reads.form), 'form', field)}"
            for field in reads.files.fields:
                self._uses.add("UploadFile")
                yield f"{_own(field, taken)}: UploadFile"
        elif "form" in named.parts:
            yield f"{_own('form', taken)}: {self._marked(self._type(named.parts['form']), 'form')}"

    def _plain(self, each: Field, owner: Shape) -> str:
        kind = next((kind for kind in ("int", "float", "bool") if kind in each.shape.kinds), "str")
        return f"{kind} | None" if each.is_optional(owner) else kind

    def _marked(self, kind: str, part: str, alias: str = "") -> str:
        self._uses |= {"Annotated", _MARKS[part]}
        given = f'alias="{alias}"' if alias and not alias.isidentifier() else ""
        return f"Annotated[{kind}, {_MARKS[part]}({given})]" + (" = None" if kind.endswith("| None") else "")

    def _type(self, kind: str) -> str:
        """A type with its models' module: `list[models.ItemOut]`."""
        made = ""
        word = ""
        for char in f"{kind}\0":
            if char.isidentifier() or (word and char.isdigit()):
                word += char
                continue
            if word:
                plain = word in ("list", "dict", "str", "int", "float", "bool", "None", "Any")
                self._uses |= {"Any"} if word == "Any" else set() if plain else {"models"}
                made += word if plain else f"models.{word}"
                word = ""
            made += char
        return made.rstrip("\0")

    def _free(self, name: str) -> str:
        number, free = 2, f"{name}_" if keyword.iskeyword(name) or name in ("router", "models") else name
        while free in self.functions.values():
            free, number = f"{name}_{number}", number + 1
        return free


def _kit(stubs: Sequence[Stub]) -> Iterator[str]:
    """The pieces that these routes may need, with what each is for."""
    needed = [piece for stub in stubs for piece in pieces_of(stub.draft, stub.guards)]
    if any("HEAD" in stub.draft.route.automatic for stub in stubs):
        needed.append("wire.Routing")
    if needed:
        yield "# Pieces of the wire kit that these routes may need (docs/wire.md):"
        for piece in dict.fromkeys(needed):
            yield f"# - {piece}: {why(piece)}"


def _has_default(parameter: str) -> bool:
    return parameter.endswith(" = None")


def _own(name: str, taken: set[str]) -> str:
    made = "".join(char if char.isalnum() or char == "_" else "_" for char in name) or "field"
    made = f"{made}_" if keyword.iskeyword(made) or made in ("models", "router") else made
    made = made if made[0].isalpha() else f"field_{made}"
    while made in taken:
        made += "_"
    taken.add(made)
    return made
