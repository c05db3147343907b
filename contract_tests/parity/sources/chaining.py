"""What an operation wants to have happened before: what was refused for its state is asked for again after others."""

from __future__ import annotations

from collections.abc import Iterator

from contract_tests.parity.known import Cases, Known, Recipe
from contract_tests.parity.operations import Operation
from contract_tests.parity.signing_in import is_sign_in
from contract_tests.parity.sources.scouting import made_at, scouted, way_to

_ROUNDS = 3
# An order of an empty cart, a line that is not there: something else must be done before.
_OF_STATE = frozenset({400, 404, 409, 410, 412, 422, 428})


def chaining(known: Known) -> Cases:
    """Each operation that was refused for its state: by a way that is known by now, then after each other write."""
    for _ in range(_ROUNDS):
        before = _good(known)
        for operation in list(_refused(known)):
            yield from _chained(known, operation)
        if _good(known) == before:
            return


def _good(known: Known) -> int:
    return sum(recipe.good for recipe in known.recipes.values())


def _refused(known: Known) -> Iterator[Operation]:
    for operation in known.operations:
        recipe = known.recipe(operation)
        if recipe is None or recipe.status not in _OF_STATE or known.is_one_sided(operation):
            continue
        # A body that does not fit is refused whatever went before.
        if recipe.status not in (400, 422) or recipe.kind is None:
            yield operation


def _chained(known: Known, operation: Operation) -> Cases:
    old = known.recipes[operation.name]
    if way_to(known, operation)[0] != old.steps[:-1]:
        yield from scouted(known, operation)
        old = known.recipes[operation.name]
    for maker in _makers(known, operation):
        if old.good:
            return
        steps, keeps = (*maker.steps, *old.steps), (*maker.keeps[: len(maker.steps)], *old.keeps)
        recipe = Recipe(operation, steps, keeps, 0, old.body, old.kind, values=old.values)
        answers = yield recipe.case(f"{operation.name} after {maker.operation.name}", "sequences")
        if len(answers) == len(steps) and 200 <= answers[-1].status < 400:
            recipe.status, recipe.made = answers[-1].status, made_at(answers[-1], operation)
            known.recipes[operation.name] = recipe
            return


def _makers(known: Known, operation: Operation) -> list[Recipe]:
    """Good writes, those of the same collection first."""
    collection = operation.template.strip("/").partition("/")[0]
    found = [
        each
        for each in known.recipes.values()
        if each.good
        and each.operation.method in ("POST", "PUT", "PATCH")
        and each.operation is not operation
        and not is_sign_in(each.last)
    ]
    return sorted(found, key=lambda each: not each.operation.template.strip("/").startswith(collection))[:6]
