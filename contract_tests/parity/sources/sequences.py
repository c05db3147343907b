"""Stories with real ids: made, read, listed, changed, read back, deleted, used after that; in order and at random."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import zip_longest
from random import Random

from contract_tests.parity.cases import Case
from contract_tests.parity.known import Cases, Known, Recipe
from contract_tests.parity.making import request, target_of
from contract_tests.parity.messages import Request
from contract_tests.parity.operations import Operation
from contract_tests.parity.samples import WORDS
from contract_tests.parity.signing_in import is_sign_in, stranger
from contract_tests.parity.sources.afterwards import afterwards

_WALKS, _LENGTH = 150, 10
# A text of digits alone is a number that nobody reckons with, such as an ISBN.
_NUMBERED = re.compile(rb"(\"\d{5,})(\d)(?=\")")
_PAGES = ("page=1", "page=2", "page=0", "page=-1", "limit=1", "limit=2", "limit=0", "limit=-1", "limit=1000", "limit=1&offset=1", "page=1&per_page=1", "page=2&per_page=1", "per_page=1&page=3", "offset=1", "size=1", "skip=1&limit=1", "sort=name", "order=desc", "sort=-id", "q=parityb", "search=parityb", "page=abc", "limit=abc")  # fmt: skip  # noqa: E501


def sequences(known: Known) -> Cases:
    """What strangers may, then written stories of each collection in turns, then random walks over all of them."""
    yield from _strangers(known)
    makers = [
        recipe
        for recipe in known.recipes.values()
        if recipe.operation.method == "POST" and recipe.good and not is_sign_in(recipe.last)
    ]
    for round_ in zip_longest(afterwards(known), *(_stories(known, maker) for maker in makers)):
        yield from (case for case in round_ if case is not None)
    if makers:
        random = Random(known.seed)
        for number in range(_WALKS):
            yield _Walk(known, makers, random).case(f"walk {number + 1}")


def _stories(known: Known, maker: Recipe) -> Iterator[Case]:
    for name, story in _Collection(known, maker).stories():
        yield story.case(f"{maker.operation.template}: {name}")


class Story:
    """Steps and what they keep, as they are added."""

    def __init__(self, *recipes: Recipe) -> None:
        self.steps: list[Request] = []
        self.keeps: list[Mapping[str, str]] = []
        for recipe in recipes:
            self.steps += recipe.steps
            self.keeps += [*recipe.keeps[: len(recipe.steps)]]

    def add(self, step: Request, keep: Mapping[str, str] | None = None) -> Story:
        self.steps.append(step)
        self.keeps.append(keep or {})
        return self

    def case(self, name: str) -> Case:
        return Case(name, tuple(self.steps), tuple(self.keeps), "sequences", cookies=True)


class _Collection:
    """What is done with the things that one operation makes."""

    def __init__(self, known: Known, maker: Recipe) -> None:
        self.known, self.maker = known, maker
        base = maker.operation.template.rstrip("/")
        self.items = [each for each in known.operations if _is_below(each.template, base)]
        if not self.items:
            # What is made below another thing may have a place of its own.
            self.items = [each for each in known.operations if _is_of(each.template, base.rpartition("/")[2])]
        self.lists = [each for each in known.operations if each.method == "GET" and each.template.rstrip("/") == base]
        self.number = 0

    def stories(self) -> Iterator[tuple[str, Story]]:
        if self.items and self.maker.made:
            yield "a life", self._life()
        yield "made twice alike", self._made(self._begun(), 0, 0).add(*self._list())
        yield "two made", self._made(self._begun(), 0, 1).add(*self._list())
        if self.items and self.maker.made:
            yield "one of two deleted", self._one_of_two()
            for item in self.items:
                yield (
                    f"{item.name} of what was made",
                    self._made(self._begun(), 0).add(self._on(item, 0)).add(*self._list()),
                )
                yield f"{item.name} twice", self._made(self._begun(), 0).add(self._on(item, 0)).add(self._on(item, 0))
        for query in (*_PAGES, *self._last_pages()) if self.lists else ():
            yield f"three made, then ?{query}", self._made(self._begun(), 0, 1, 2).add(*self._list(query))

    def _last_pages(self) -> Iterator[str]:
        """The page that a list just fills, and the one behind it, by the names that the app reads."""
        recipe = self.known.recipe(self.lists[0])
        last = (recipe.elements if recipe is not None else 0) + 3
        read = [*self.known.hint(self.lists[0]).query, *(each.name for each in self.lists[0].at("query"))]
        pages = [name for name in read if re.fullmatch(r"p|page(?:_?(?:no|num|number))?", name, re.IGNORECASE)]
        sizes = [
            name for name in read if re.fullmatch(r"(?:per_?page|(?:page_?)?size|limit|count)", name, re.IGNORECASE)
        ]
        for page in pages[:1]:
            for size in sizes[:1]:
                yield from (f"{page}={number}&{size}=1" for number in (last - 1, last, last + 1))
                yield f"{page}=1&{size}={last}"
        for size in sizes[:1] if not pages else ():
            yield from (f"{size}={number}" for number in (last - 1, last, last + 1))

    def _begun(self) -> Story:
        story = Story()
        story.steps += self.maker.steps[:-1]
        story.keeps += self.maker.keeps[: len(self.maker.steps) - 1]
        return story

    def _made(self, story: Story, *words: int) -> Story:
        for word in words:
            keep = {f"id{word}": self.maker.made} if self.maker.made else {}
            story.add(worded(self.maker.last, word), keep)
        return story

    def _on(self, item: Operation, word: int, values: int = 3) -> Request:
        """An operation on what was made under a word, with the body that it once took."""
        target = self._target(item, word)
        recipe = self.known.recipe(item)
        if recipe is None or recipe.kind is None:
            return request(item.method, target)
        return replace(worded(recipe.last, values), target=target.encode("latin-1", "replace"))

    def _target(self, item: Operation, word: int) -> str:
        names = [each.name for each in item.at("path")]
        known = dict(self.maker.values)
        mine = next((name for name in names if name not in known), names[-1])
        others = {name: known.get(name, "1") for name in names}
        return target_of(item, others | {mine: f"{{{{id{word}}}}}"})

    def _list(self, query: str = "") -> tuple[Request]:
        lists = self.lists or [self.maker.operation]
        target = target_of(lists[0], self.maker.values)
        return (request("GET", f"{target}?{query}" if query else target),)

    def _life(self) -> Story:
        story = self._made(self._begun(), 0).add(*self._list())
        for method in ("GET", "PUT", "GET", "PATCH", "GET", "DELETE", "GET", "PUT", "PATCH", "DELETE"):
            for item in self.items:
                if item.method == method:
                    story.add(self._on(item, 0))
            if method in ("PUT", "DELETE"):
                story.add(*self._list())
        return self._made(story, 0).add(*self._list())

    def _one_of_two(self) -> Story:
        story = self._made(self._begun(), 0, 1)
        for method, word in (("DELETE", 0), ("GET", 1), ("GET", 0), ("PUT", 1), ("GET", 1)):
            for item in self.items:
                if item.method == method:
                    story.add(self._on(item, word))
        return self._made(story.add(*self._list()), 2).add(*self._list())


def _is_below(template: str, base: str) -> bool:
    return template.startswith(f"{base}/{{") and template.count("{") == base.count("{") + 1


def _is_of(template: str, name: str) -> bool:
    above, brace, rest = template.partition("/{")
    return bool(brace) and "{" not in rest and bool(name) and above.rpartition("/")[2] == name


def worded(step: Request, number: int) -> Request:
    """The request with another word in the place of the usual one, equally long; so with texts of many digits."""
    if not number:
        return step
    old, new = WORDS[0].encode(), WORDS[number % len(WORDS)].encode()
    body = _NUMBERED.sub(lambda found: b"%s%d" % (found[1], (int(found[2]) + number) % 10), step.body)
    return replace(step, target=step.target.replace(old, new), body=body.replace(old, new))


def _strangers(known: Known) -> Cases:
    """What somebody made who is signed in, asked for by one who is not."""
    if known.sign_in is None:
        return
    for recipe in list(known.recipes.values()):
        if recipe.good:
            story = Story()
            story.steps += [*recipe.steps[:-1], stranger(recipe.last)]
            story.keeps += recipe.keeps[: len(recipe.steps)]
            yield known.sign_in.signed(story.case(f"{recipe.operation.name} by a stranger"))


class _Walk:
    """Random operations on what was made so far, each write read back."""

    def __init__(self, known: Known, makers: list[Recipe], random: Random) -> None:
        self.known, self.makers, self.random = known, makers, random
        self.story = Story()
        self.made: list[tuple[_Collection, int]] = []

    def case(self, name: str) -> Case:
        while len(self.story.steps) < _LENGTH:
            self._step()
        return self.story.case(name)

    def _step(self) -> None:
        if not self.made or self.random.random() < 0.35:
            self._make()
            return
        collection, number = self.random.choice(self.made)
        item = self.random.choice(collection.items)
        self.story.add(self._numbered(collection, item, number))
        if item.method != "GET":
            self._read_back(collection, number)

    def _make(self) -> None:
        maker = self.random.choice(self.makers)
        collection = _Collection(self.known, maker)
        number = len(self.story.steps)
        self.story.steps += maker.steps[:-1]
        self.story.keeps += maker.keeps[: len(maker.steps) - 1]
        keep = {f"id{number}": maker.made} if maker.made else {}
        self.story.add(worded(maker.last, self.random.randrange(4)), keep)
        if maker.made and collection.items:
            self.made.append((collection, number))
        elif collection.lists:
            self.story.add(*collection._list())

    def _numbered(self, collection: _Collection, item: Operation, number: int) -> Request:
        return collection._on(item, number, self.random.randrange(4))

    def _read_back(self, collection: _Collection, number: int) -> None:
        for item in collection.items:
            if item.method == "GET":
                self.story.add(self._numbered(collection, item, number))
                return
        self.story.add(*collection._list())
