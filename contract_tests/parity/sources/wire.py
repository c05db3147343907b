"""Requests that are written as no client library writes them: what two servers make of the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from contract_tests.parity.cases import Case
from contract_tests.parity.drivers.spellings import SPELLINGS, USUAL
from contract_tests.parity.known import Cases, Known, Recipe
from contract_tests.parity.plan import SourceLeftOutError


def wire(known: Known) -> Cases:
    """Every way to write a request, of a request that reads and of one with a body; the usual ways, of each operation.

    Raises SourceLeftOutError where an app has no socket.
    """
    if not known.on_sockets:
        raise SourceLeftOutError("both apps must be servers: an http:// URL, or a command with {port}")
    return _spelled(known)


def _spelled(known: Known) -> Cases:
    recipes = [each for each in known.recipes.values() if not known.is_one_sided(each.operation)]
    reads = next((each for each in recipes if each.last.method == "GET" and each.good), None)
    writes = next((each for each in recipes if each.last.body and each.good), None)
    for name, spelling in SPELLINGS.items():
        recipe = writes if spelling.bodied else reads
        if recipe is not None:
            yield _case(recipe, name)
    for recipe in recipes:
        if recipe is not reads:
            yield from _usual(recipe, but=recipe is writes)


def _usual(recipe: Recipe, *, but: bool) -> Iterator[Case]:
    """The usual ways for one operation; `but` those of a body, which were tried with it."""
    for name in USUAL:
        bodied = SPELLINGS[name].bodied
        if not bodied or (recipe.last.body and not but):
            yield _case(recipe, name)


def _case(recipe: Recipe, spelling: str) -> Case:
    special = SPELLINGS[spelling].special
    name = f"{recipe.operation.name}: written {special}"
    return recipe.instead(name, "wire", replace(recipe.last, spelling=spelling))
