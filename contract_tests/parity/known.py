"""What is known of two apps before and while they are asked: operations, fields, requests that were answered well."""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from contract_tests.parity.cases import Case
from contract_tests.parity.hints import Hints
from contract_tests.parity.making import read_body
from contract_tests.parity.messages import Request, Response
from contract_tests.parity.operations import Operation, Operations
from contract_tests.parity.pages import Form
from contract_tests.parity.secrets import is_secret
from contract_tests.parity.signing_in import SignIn

_LARGEST = 100_000
_WORDS = re.compile(r"[^\W\d_][\w .'-]{2,39}")

# A source gives cases and is told what the original answered to each.
Cases = Generator[Case, Sequence[Response], None]


@dataclass(slots=True)
class Recipe:
    """Requests that led to an answer of an operation, which is that of the last one; `body` is what it sent.

    `made` is where the answer holds the id of what was made, if it made something; `elements` how many a list held.
    """

    operation: Operation
    steps: tuple[Request, ...]
    keeps: tuple[Mapping[str, str], ...]
    status: int
    body: Any = None
    kind: str | None = None
    made: str | None = None
    elements: int = 0
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


def _texts(value: Any, name: str, deep: int) -> Iterator[tuple[str, str]]:
    """The short texts in a value that are words of people, each with the name of its member."""
    if isinstance(value, dict) and deep:
        for key, inner in value.items():
            yield from _texts(inner, key, deep - 1)
    elif isinstance(value, list) and deep:
        for inner in value[:20]:
            yield from _texts(inner, name, deep - 1)
    elif isinstance(value, str) and _WORDS.fullmatch(value) and not is_secret(name):
        yield name, value


@dataclass(slots=True)
class Known:
    """Everything that sources draw upon; the scout fills `recipes` and `spots`."""

    operations: Operations
    seed: int = 0
    hints: dict[tuple[str, str], Hints] = field(default_factory=dict)
    sign_in: SignIn | None = None
    # Whether both apps are servers that raw bytes can be sent to.
    on_sockets: bool = False
    recipes: dict[str, Recipe] = field(default_factory=dict)
    spots: list[Spot] = field(default_factory=list)
    # Operations that both sides answer well, whether or not both show that they have them.
    shared: set[str] = field(default_factory=set)
    # The texts that answers hold, by the name of their member.
    words: dict[str, dict[str, None]] = field(default_factory=dict)

    def hear(self, answers: Sequence[Response]) -> None:
        """Note the words of an app: what is there already is what a search finds, and what a new name meets."""
        for answer in answers:
            if answer.status < 400 and answer.body.lstrip()[:1] in (b"{", b"[") and len(answer.body) < _LARGEST:
                try:
                    value = json.loads(answer.body)
                except (ValueError, RecursionError):
                    continue
                for name, text in _texts(value, "", 5):
                    self.words.setdefault(name, {}).setdefault(text)

    def take_sign_in(self, case: Case, answers: Sequence[Response]) -> None:
        """What signs in is a good request to each of its operations: no guess has a password that is right."""
        for at, (step, answer) in enumerate(zip(case.steps, answers, strict=False)):
            template = self.operations.template(step.target.partition(b"?")[0].decode("latin-1"))
            found = [each for each in self.operations if (each.method, each.template) == (step.method, template)]
            if found and answer.status < 400:
                steps, keeps = case.steps[: at + 1], tuple(case.kept(each) for each in range(at + 1))
                body, kind = read_body(step)
                self.recipes[found[0].name] = Recipe(found[0], steps, keeps, answer.status, body, kind)

    def said(self, name: str | None = None, most: int = 3) -> list[str]:
        """Words of the app, of one member or of any: those beyond ASCII first, for they are handled in more ways."""
        found = self.words.get(name, {}) if name is not None else {text: None for each in self.words.values() for text in each}  # fmt: skip  # noqa: E501
        return sorted((text for text in found if "parity" not in text), key=str.isascii)[:most]

    def recipe(self, operation: Operation) -> Recipe | None:
        return self.recipes.get(operation.name)

    def hint(self, operation: Operation) -> Hints:
        return self.hints.get((operation.method, operation.template)) or Hints()

    def is_one_sided(self, operation: Operation) -> bool:
        """Whether one side shows that it has an operation, and the other shows others but not this one."""
        sides = {side for each in self.operations for side in each.sides}
        if sides != {"original", "port"} or len(operation.sides) > 1:
            return False
        if operation.name in self.shared:
            return False
        recipe = self.recipe(operation)
        return "original" in operation.sides or recipe is None or recipe.status in (404, 405)

    def producer(self, template: str) -> Recipe | None:
        """How a thing is made whose own template this is: a POST to the longest path that it lies under."""
        above = template.rpartition("/{")[0]
        names = [f"POST {path}" for path in (above, above + "/", above.rpartition("/")[0] + "/new", above + "/create", above + "/new")]  # fmt: skip  # noqa: E501
        found = (self.recipes.get(name) for name in names)
        exact = next((each for each in found if each is not None and each.good and each.made), None)
        return exact or self._elsewhere(above.rpartition("/")[2])

    def _elsewhere(self, name: str) -> Recipe | None:
        """What makes things of a collection below another's: `POST /books/{isbn}/loans` makes `/loans/{loan_id}`."""
        makers = (each for each in self.recipes.values() if each.operation.method == "POST" and each.good and each.made)
        return next(
            (each for each in makers if name and each.operation.template.rstrip("/").endswith(f"/{name}")), None
        )
