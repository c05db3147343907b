"""What can be read after each write: what it did to other things, and to those that were there before."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import zip_longest
from urllib.parse import quote

from contract_tests.parity.cases import Case
from contract_tests.parity.known import Cases, Known, Recipe, Spot
from contract_tests.parity.making import request, target_of
from contract_tests.parity.messages import Request
from contract_tests.parity.signing_in import is_sign_in
from contract_tests.parity.sources.browsing import sent_form
from contract_tests.parity.sources.mutated import names_of

_READINGS = 8
# Most apps begin with a few things of their own, numbered from one.
_NUMBERS = ("1", "2", "3")
_VALUES = ("1", "2", "3", "7")
_NUMBER = re.compile(r"(?<=/)\d+(?=/|$)")


def afterwards(known: Known) -> Cases:
    """Each good write, and each operation on the first things that there are; then all that can be read."""
    readings = list(_readings(known))
    every = [_written(known, readings), _existing(known, readings), _forms(known)]
    for round_ in zip_longest(*every):
        yield from (case for case in round_ if case is not None)


def _readings(known: Known) -> Iterator[Request]:
    """The pages and lists that need no id, those without parameters in their paths."""
    found = 0
    for recipe in known.recipes.values():
        plain = recipe.operation.method == "GET" and "{" not in recipe.operation.template
        if plain and recipe.good and len(recipe.steps) == 1 and found < _READINGS:
            found += 1
            yield recipe.last


def _written(known: Known, readings: list[Request]) -> Iterator[Case]:
    for recipe in list(known.recipes.values()):
        if recipe.good and recipe.operation.method != "GET" and not is_sign_in(recipe.last):
            yield recipe.case(f"{recipe.operation.name}, then all that can be read", "sequences", *readings)


def _existing(known: Known, readings: list[Request]) -> Iterator[Case]:
    turns = [
        _on_existing(recipe, readings, names_of(known, recipe))
        for recipe in list(known.recipes.values())
        if recipe.operation.at("path") and not known.is_one_sided(recipe.operation)
    ]
    for round_ in zip_longest(*turns):
        yield from (case for case in round_ if case is not None)


def _on_existing(recipe: Recipe, readings: list[Request], names: list[str]) -> Iterator[Case]:
    operation = recipe.operation
    for number in _NUMBERS:
        target = target_of(operation, {each.name: number for each in operation.at("path")})
        last = replace(recipe.last, target=target.encode("latin-1"))
        after: list[Request] = []
        if operation.method != "GET":
            # Seen before, too: what was kept of it must not be shown afterwards.
            after = [replace(request("GET", "/"), target=last.target), *readings]
            steps = (after[0], last, *after)
        else:
            steps = (last,)
        yield Case(f"{operation.name} of {number}", steps, (), "sequences", cookies=True)
        for name in names if operation.method == "GET" else ():
            for value in _VALUES:
                asked = replace(last, target=last.target + f"?{quote(name)}={value}".encode())
                yield Case(f"{operation.name} of {number}, ?{name}={value}", (asked,), (), "sequences", cookies=True)


def _forms(known: Known) -> Iterator[Case]:
    """The forms of pages, sent to what others made."""
    for spot in known.spots:
        for number in _NUMBERS if _NUMBER.search(spot.target) else ():
            yield _sent_elsewhere(spot, _NUMBER.sub(number, spot.target))


def _sent_elsewhere(spot: Spot, target: str) -> Case:
    sent = sent_form(spot.form, target, list(spot.values))
    steps = (*spot.way.steps, sent, request("GET", "{{where}}"))
    keeps = (*spot.way.keeps, {"where": "header Location"}, {})
    return Case(f"the form to {spot.target}, sent to {target}", steps, keeps, "sequences", cookies=True)
