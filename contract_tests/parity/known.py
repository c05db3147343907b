"""What is known of two apps before and while they are asked: operations, fields, requests that were answered well."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from contract_tests.parity.cases import Case
from contract_tests.parity.hints import Hints
from contract_tests.parity.messages import Request, Response
from contract_tests.parity.operations import Operation, Operations
from contract_tests.parity.pages import Form
from contract_tests.parity.signing_in import SignIn

# A source gives cases and is told what the original answered to each.
Cases = Generator[Case, Sequence[Response], None]


@dataclass(slots=True)
class Recipe:
    """Requests that led to an answer of an operation, which is that of the last one; `body` is what it sent.

    `made` is where the answer holds the id of what was made, if it made something.
    """

    operation: Operation
    steps: tuple[Request, ...]
    keeps: tuple[Mapping[str, str], ...]
    status: int
    body: Any = None
    kind: str | None = None
    made: str | None = None
    values: dict[str, str] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        return 200 <= self.status < 400

    @property
    def last(self) -> Request:
        return self.steps[-1]

    def case(self, name: str, source: str, *more: Request) -> Case:
        """The recipe as a case, with more requests after it."""
        return Case(name, (*self.steps, *more), self.keeps, source, cookies=True)

    def instead(self, name: str, source: str, *last: Request) -> Case:
        """The recipe with other requests in the last one's place."""
        return Case(name, (*self.steps[:-1], *last), self.keeps[:-1], source, cookies=True)


@dataclass(frozen=True, slots=True)
class Spot:
    """A form that was come upon: the way to its page, the form, where it goes and what a visitor would write."""

    way: Case
    form: Form
    target: str
    values: tuple[tuple[str, str], ...]
    signed_in: bool = False


@dataclass(slots=True)
class Known:
    """Everything that sources draw upon; the scout fills `recipes` and `spots`."""

    operations: Operations
    seed: int = 0
    hints: dict[tuple[str, str], Hints] = field(default_factory=dict)
    sign_in: SignIn | None = None
    recipes: dict[str, Recipe] = field(default_factory=dict)
    spots: list[Spot] = field(default_factory=list)

    def recipe(self, operation: Operation) -> Recipe | None:
        return self.recipes.get(operation.name)

    def hint(self, operation: Operation) -> Hints:
        return self.hints.get((operation.method, operation.template)) or Hints()

    def is_one_sided(self, operation: Operation) -> bool:
        """Whether one side shows that it has an operation, and the other shows others but not this one."""
        sides = {side for each in self.operations for side in each.sides}
        if sides != {"original", "port"} or len(operation.sides) > 1:
            return False
        recipe = self.recipe(operation)
        return "original" in operation.sides or recipe is None or recipe.status in (404, 405)

    def producer(self, template: str) -> Recipe | None:
        """How a thing is made whose own template this is: a POST to the longest path that it lies under."""
        above = template.rpartition("/{")[0]
        names = [f"POST {path}" for path in (above, above + "/", above.rpartition("/")[0] + "/new", above + "/create", above + "/new")]  # fmt: skip  # noqa: E501
        found = (self.recipes.get(name) for name in names)
        return next((each for each in found if each is not None and each.good and each.made), None)
