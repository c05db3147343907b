"""A sign-in is a case whose answers are carried on: cookies by themselves, a token in a header of each request."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from contract_tests.parity.cases import Case, CaseError, load_cases
from contract_tests.parity.messages import Request, Response

_TOKENS = ("access_token", "accessToken", "token", "jwt", "auth_token", "id_token", "key")
_CARRY = re.compile(r"(?:cookies|(?P<header>[\w-]+):\s*(?P<value>\S+)|(?P<scheme>\w+)\s+(?P<pointer>\$\S*))")
_CREDENTIALS = (b"authorization", b"cookie")
_LOGIN = re.compile(rb"log-?_?in|sign-?_?in|/auth\b|/sso\b", re.IGNORECASE)
_SIGNED = ", signed in"
TOKEN = "signed_in_token"


@dataclass(frozen=True, slots=True)
class SignIn:
    """The steps of a sign-in, and the header (a template) that each request after it carries; none for cookies."""

    case: Case
    header: tuple[bytes, bytes] | None = None
    pointer: str | None = None

    @property
    def steps(self) -> tuple[Request, ...]:
        return self.case.steps

    def signed(self, case: Case) -> Case:
        """The case, signed in before its first step."""
        steps = tuple(self._carrying(step) for step in case.steps)
        keeps = [*self.keeps, *(case.kept(at) for at in range(len(case.steps)))]
        name = case.name.removesuffix(_SIGNED) + _SIGNED
        return replace(case, name=name, steps=(*self.steps, *steps), keeps=tuple(keeps), signed_in=True, cookies=True)

    def is_in(self, case: Case) -> bool:
        """Whether a case asks for what signs in: whoever does need not be signed in before."""
        own = self.steps[-1]
        place = (own.method, own.target.partition(b"?")[0])
        return any((step.method, step.target.partition(b"?")[0]) == place for step in case.steps)

    def unsigned(self, case: Case) -> Case:
        """The case without the sign-in before it, still told to be signed in: `signed` gives it again."""
        count = len(self.steps) if case.steps[: len(self.steps)] == self.steps else 0
        steps = tuple(replace(step, headers=tuple(each for each in step.headers if each != self.header)) for step in case.steps[count:])  # fmt: skip  # noqa: E501
        return replace(case, name=case.name.removesuffix(_SIGNED), steps=steps, keeps=case.keeps[count:])

    @property
    def keeps(self) -> list[dict[str, str]]:
        kept = [dict(self.case.kept(at)) for at in range(len(self.steps))]
        if self.pointer is not None:
            # Each answer that holds it gives a new one.
            kept = [{**each, TOKEN: self.pointer} for each in kept]
        return kept

    def _carrying(self, step: Request) -> Request:
        given = {name.lower() for name, _ in step.headers}
        if self.header is None or self.header[0].lower() in given or given & set(_CREDENTIALS):
            return step
        return replace(step, headers=(*step.headers, self.header))


def stranger(step: Request) -> Request:
    """The request as one who is not signed in sends it, in a story of somebody who is."""
    rest = tuple(header for header in step.headers if header[0].lower() not in _CREDENTIALS)
    return replace(step, headers=(*rest, (b"Cookie", b"")))


def is_sign_in(step: Request) -> bool:
    """Whether a request signs in or out, by its path."""
    return bool(_LOGIN.search(step.target) or re.search(rb"log-?_?out|sign-?_?out|session|token", step.target, re.I))


def find_sign_in(named: str, cases: Sequence[Case]) -> Case:
    """The case that --auth names: one of the given ones, or the first of a file. Raises CaseError."""
    for case in cases:
        if case.name == named:
            return case
    if Path(named).is_file():
        return load_cases(named)[0]
    raise CaseError(f"--auth {named}: there is no case of this name in --cases, and no file")


def carried(case: Case, carry: str | None, answers: Sequence[Response]) -> SignIn:
    """What a sign-in gives on: as `--auth-carry` says, or as its answers show. Raises CaseError for neither."""
    if carry is not None:
        return _as_told(case, carry)
    pointer = next((found for answer in reversed(answers) if (found := _token_in(answer)) is not None), None)
    if pointer is not None:
        return SignIn(case, (b"Authorization", b"Bearer {{%s}}" % TOKEN.encode()), pointer)
    if any(name.lower() == b"set-cookie" for answer in answers for name, _ in answer.headers):
        return SignIn(case)
    statuses = ", ".join(str(answer.failure or answer.status) for answer in answers)
    raise CaseError(
        f"--auth {case.name}: the original answered {statuses or 'nothing'}, with no cookie and no token to carry on; "
        'say where it is: --auth-carry "bearer $.path.to.token"'
    )


def _as_told(case: Case, carry: str) -> SignIn:
    found = _CARRY.fullmatch(carry.strip())
    if found is None:
        raise CaseError(f'--auth-carry {carry!r} is none of cookies, "bearer $.path", "Header-Name: $.path"')
    if found["pointer"]:
        scheme = "Bearer" if found["scheme"].lower() == "bearer" else found["scheme"]
        return SignIn(case, (b"Authorization", f"{scheme} {{{{{TOKEN}}}}}".encode()), found["pointer"])
    if found["header"]:
        return SignIn(case, (found["header"].encode(), b"{{%s}}" % TOKEN.encode()), found["value"])
    return SignIn(case)


def _token_in(answer: Response) -> str | None:
    try:
        value = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    places = sorted(_tokens(value, "$", 3), key=lambda place: _TOKENS.index(place.rpartition(".")[2]))
    return places[0] if places else None


def _tokens(value: Any, path: str, deep: int) -> Iterator[str]:
    if not isinstance(value, dict) or not deep:
        return
    for name, inner in value.items():
        if name in _TOKENS and isinstance(inner, str) and len(inner) >= 8:
            yield f"{path}.{name}"
        yield from _tokens(inner, f"{path}.{name}", deep - 1)


def refuses(response: Response) -> bool:
    """Whether an answer keeps out who is not signed in, or not allowed: 401, 403, or the way to a login page."""
    if response.status in (401, 403):
        return True
    location = response.header("Location") or b""
    return 300 <= response.status < 400 and bool(_LOGIN.search(location.partition(b"?")[0]))


def answers(response: Response) -> bool:
    """Whether an answer lets one in."""
    return 200 <= response.status < 400 and response.status != 304 and not refuses(response)
