"""The visitor: from page to page by links, and on by forms with plausible values, as a person with a browser would."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from contract_tests.parity.cases import Case
from contract_tests.parity.declared import DEFAULT_BINDINGS
from contract_tests.parity.known import Cases, Known, Recipe, Spot
from contract_tests.parity.making import FORM, PARTS, encoded, request, with_body
from contract_tests.parity.messages import Request, Response
from contract_tests.parity.pages import Field, Form, Page, here
from contract_tests.parity.samples import plausible

_STORIES, _FORMS, _STEPS = 120, 6, 16
_FIRST = re.compile(r"regist|sign-?_?up|join|create-?account", re.IGNORECASE)
_NEXT = re.compile(r"log-?_?in|sign-?_?in", re.IGNORECASE)
_LAST = re.compile(r"log-?_?out|sign-?_?out|delete|remove", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Visit:
    """A story so far, the address of its last page, and the forms that were sent on the way."""

    steps: tuple[Request, ...]
    keeps: tuple[Mapping[str, str], ...]
    at: str
    sent: tuple[str, ...] = ()


def browsing(known: Known) -> Cases:
    """Visits until nothing new is met, or there were enough; each form that is met is noted as a spot."""
    yield from _Browser(known).cases()


class _Browser:
    """Which pages and forms are new, and which visit is next."""

    def __init__(self, known: Known) -> None:
        self.known = known
        self.seen: set[object] = set()
        self.later: deque[_Visit] = deque()
        self.todo: deque[_Visit] = deque()
        starts = [
            "/",
            *(each.template for each in known.operations if each.method == "GET" and "{" not in each.template),
        ]
        for path in dict.fromkeys(starts):
            self.seen.add((path, ()))
            self.todo.append(_Visit((request("GET", path),), ({},), path))

    def cases(self) -> Cases:
        for _ in range(_STORIES):
            if not self.todo and not self.later:
                return
            visit = (self.todo or self.later).popleft()
            case = Case(f"a visit to {visit.at}", visit.steps, visit.keeps, "sequences", cookies=True)
            answers = yield case
            if not answers or len(visit.steps) >= _STEPS:
                continue
            at = self._address(visit, answers)
            self._visited(at, answers[-1])
            if "html" in (answers[-1].header("Content-Type") or b"").decode("latin-1"):
                self._onward(visit, at, Page.of(answers[-1].body))

    def _visited(self, at: str, answer: Response) -> None:
        """A page that is there is a good request to its operation, where none was found."""
        template = self.known.operations.template(at.partition("?")[0])
        gets = (each for each in self.known.operations if each.method == "GET")
        operation = next((each for each in gets if each.template == template), None)
        known = self.known.recipe(operation) if operation is not None else None
        if operation is not None and answer.status == 200 and (known is None or not known.good):
            self.known.recipes[operation.name] = Recipe(operation, (request("GET", at),), ({},), answer.status)

    def _address(self, visit: _Visit, answers: Sequence[Response]) -> str:
        """Where the last page is: where the answer before it led to, if it led anywhere."""
        if len(answers) > 1:
            location = (answers[-2].header("Location") or b"").decode("latin-1")
            if visit.steps[len(answers) - 1].target.startswith(b"{{where") and location:
                return here(location, visit.at) or visit.at
        return visit.at

    def _onward(self, visit: _Visit, at: str, page: Page) -> None:
        for form in sorted(page.forms, key=_turn):
            self._form(visit, at, form)
        for link in dict.fromkeys((*page.links, *page.resources)):
            target = here(link, at)
            if target is not None and not link.startswith("#"):
                self._link(visit, target)

    def _link(self, visit: _Visit, target: str) -> None:
        if not self._new((_template(target), visit.sent)):
            return
        keeps = (*visit.keeps, {})
        onward = _Visit((*visit.steps, request("GET", target)), keeps, target, visit.sent)
        (self.later if _LAST.search(target) else self.todo).append(onward)

    def _form(self, visit: _Visit, at: str, form: Form) -> None:
        target = here(form.action or at, at)
        names = _names(form)
        signature = f"{form.method} {_template(target or '')} {names}"
        if target is None or len(visit.sent) >= _FORMS or not self._new((signature, visit.sent)):
            return
        number = len(visit.steps)
        values, keep = values_of(form, number)
        way = Case("way", visit.steps, (*visit.keeps[:-1], {**visit.keeps[-1], **keep}), "sequences", cookies=True)
        place = (_template(target), form.method, names)
        if all(place != (_template(each.target), each.form.method, _names(each.form)) for each in self.known.spots):
            self.known.spots.append(Spot(way, form, target, tuple(values)))
        sent = sent_form(form, target, values)
        where = f"where{number}"
        steps = (*way.steps, sent, request("GET", "{{" + where + "}}"))
        keeps = (*way.keeps, {where: "header Location"}, {})
        onward = _Visit(steps, keeps, target, (*visit.sent, signature))
        if _LAST.search(target):
            self.later.append(onward)
        elif _FIRST.search(target):
            self.todo.appendleft(onward)
        else:
            self.todo.append(onward)

    def _new(self, key: object) -> bool:
        if key in self.seen:
            return False
        self.seen.add(key)
        return True


def values_of(form: Form, number: int) -> tuple[list[tuple[str, str]], dict[str, str]]:
    """What a visitor would send, and what is kept of the page for it: hidden values are sent as they stand."""
    pairs, keep = [], {}
    for each in form.fields:
        if each.type == "hidden" and each.value:
            kept = f"h{number}_" + re.sub(r"[^0-9A-Za-z_]", "_", each.name)
            keep[kept] = f"field {each.name}"
            pairs.append((each.name, "{{" + kept + "}}"))
        else:
            pairs += [(each.name, value) for value in _written(each)]
    return pairs, keep


def _written(each: Field) -> Iterator[str]:
    if each.type in ("submit", "button", "image", "reset"):
        if each.value:
            yield each.value
    elif each.type in ("checkbox", "radio"):
        yield each.value or "on"
    elif each.type == "select":
        yield next((choice for choice in each.choices if choice), each.value)
    elif each.value and each.type != "password":
        yield each.value
    else:
        yield _text_for(each)


def _text_for(each: Field) -> str:
    by_type = {"number": {"type": "integer"}, "range": {"type": "integer"}, "email": {"type": "string", "format": "email"}, "date": {"type": "string", "format": "date"}, "url": {"type": "string", "format": "url"}}  # fmt: skip  # noqa: E501
    schema = dict(by_type.get(each.type, {"type": "string"}))
    for limit, key in (("min", "minimum"), ("max", "maximum")):
        if re.fullmatch(r"-?\d+(\.\d+)?", each.limits.get(limit, "")) and schema["type"] == "integer":
            schema[key] = float(each.limits[limit])  # type: ignore[assignment]
    value = plausible(each.name, schema)
    return f"{value:g}" if isinstance(value, float) else str(value)


def sent_form(form: Form, target: str, values: list[tuple[str, str]]) -> Request:
    """The request that sends a form."""
    if form.method == "GET":
        return request("GET", f"{target.partition('?')[0]}?{encoded(values)}")
    return with_body(form.method, target, dict(values) if form.multipart else values, PARTS if form.multipart else FORM)


def _turn(form: Form) -> tuple[int, int]:
    action = form.action or ""
    return (0 if _FIRST.search(action) else 1 if _NEXT.search(action) else 2), -len(form.fields)


def _names(form: Form) -> tuple[str, ...]:
    return tuple(each.name for each in form.fields)


def _template(target: str) -> str:
    return DEFAULT_BINDINGS.template(target.partition("?")[0])
