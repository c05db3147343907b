"""What refuses a request: a function that aborts, raises, redirects or answers 401, by what it looks at.

A refusal counts as a guard if its status is 401 or 403, or if the function looks at who asks: the session, a header,
a cookie, the user. A 415 for a wrong body is no guard.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from contract_tests.migration.routes.code import Code
from contract_tests.migration.routes.owners import keyword, text, texts
from contract_tests.migration.survey.routes import Function

_STRONG = frozenset({401, 403, 407, 511})
_NO_GUARD = frozenset({400, 405, 406, 408, 409, 410, 411, 412, 413, 414, 415, 417, 422, 429, *range(500, 600)})
_NAMED = {
    "Unauthorized": 401, "Forbidden": 403, "HTTP_401_UNAUTHORIZED": 401, "HTTP_403_FORBIDDEN": 403,
    "UNAUTHORIZED": 401, "FORBIDDEN": 403, "NotFound": 404, "NOT_FOUND": 404, "HTTP_404_NOT_FOUND": 404,
    "BadRequest": 400, "BAD_REQUEST": 400, "RequestEntityTooLarge": 413, "UnsupportedMediaType": 415,
    "TooManyRequests": 429, "UnprocessableEntity": 422, "MethodNotAllowed": 405, "ServiceUnavailable": 503,
    "NOT_IMPLEMENTED": 501, "HTTP_501_NOT_IMPLEMENTED": 501, "NotImplemented": 501,
}  # fmt: skip
_REDIRECTS = frozenset({"redirect", "RedirectResponse"})
_REFUSES = frozenset(
    {"verify_jwt_in_request", "unauthorized", "login_required", "check_permission", "check_permissions", "authenticate"}
)
_ANSWERS = re.compile(r"^(make_response|jsonify|Response|\w+Response)$")
_WHO = re.compile(
    r"^(session|current_user|user|is_authenticated|auth|authorization|cookies|headers|remote_addr|identity|token"
    r"|get_jwt_identity|get_jwt|api_key|principal|credentials|scopes|permissions)$|user$|_token$|^x_\w*key$",
    re.IGNORECASE,
)
_DENIED = re.compile(r"unauth|forbidden|denied|not_?allowed|signed_?in|login|credential|permission|auth", re.IGNORECASE)
_ERRORS = re.compile(
    r"^(Unauthori[sz]ed|Forbidden|NotAllowed|Not(SignedIn|LoggedIn|Authenticated|Authorized)|\w+Denied)$"
)
_REQUESTS = ("request", "req", "flask", "scope", "websocket", "connection", "conn")
_FIELDS = ("endpoint", "path", "blueprint")
_DEEPEST = 3


@dataclass(frozen=True, slots=True)
class Exempt:
    """A test on the request's endpoint, path or blueprint. `only`: what matches is guarded; else it alone is not."""

    field: str
    values: tuple[str, ...]
    begins: bool
    only: bool

    def spares(self, *, endpoint: str, path: str, blueprint: str) -> bool:
        asked = {"endpoint": endpoint, "path": path, "blueprint": blueprint}[self.field]
        matches = any(asked.startswith(each) if self.begins else asked == each for each in self.values)
        return matches is not self.only


@dataclass(frozen=True, slots=True)
class Refusal:
    """A function that refuses, and whom it spares."""

    function: Function
    exempt: tuple[Exempt, ...] = ()


class Refusals:
    """Asks functions whether they refuse; each once.

    In a port a bare `session` is most often the database's: there it says nothing of who asks.
    """

    def __init__(self, code: Code, *, port: bool) -> None:
        self._code = code
        self._port = port
        self._memo: dict[tuple[Function, bool], Refusal | None] = {}

    def of(self, function: Function, *, hook: bool = False) -> Refusal | None:
        """The refusal of a function, of those within it and of those it calls; a hook also refuses by an answer."""
        key = (function, hook)
        if key not in self._memo:
            self._memo[key] = None
            self._memo[key] = self._asked(function, hook)
        return self._memo[key]

    def in_view(self, function: Function) -> bool:
        """Whether a view itself answers 401 or 403, or sends to the sign-in whoever is not known."""
        node = self._code.node(function)
        if node is None:
            return False
        if any(status in _STRONG for status in self._statuses(ast.walk(node))):
            return True
        return any(
            isinstance(each, ast.If) and _looks(each.test) and any(_is_redirect(below) for below in ast.walk(each))
            for each in ast.walk(node)
        )

    def _asked(self, function: Function, hook: bool) -> Refusal | None:
        statuses: list[int | None] = []
        looks = False
        for body in self._bodies(function, _DEEPEST, set()):
            nodes = list(ast.walk(body))
            statuses += self._statuses(nodes)
            looks = looks or any(_looks_itself(each, port=self._port) for each in nodes) or _declares(body)
        node = self._code.node(function)
        if hook and node is not None and any(_gives(each) for each in ast.walk(node)):
            statuses.append(None)
        weak = [status for status in statuses if status not in _NO_GUARD]
        if any(status in _STRONG for status in statuses) or (weak and looks):
            return Refusal(function, self._exempt(function, hook))
        return None

    def _bodies(self, function: Function, depth: int, seen: set[Function]) -> Iterator[ast.AST]:
        node = self._code.node(function)
        if node is None or function in seen:
            return
        seen.add(function)
        yield node
        for each in ast.walk(node) if depth else ():
            if isinstance(each, ast.Call):
                for below in self._code.functions(function[0], function[1], each.func):
                    yield from self._bodies(below, depth - 1, seen)

    def _statuses(self, nodes: Iterable[ast.AST]) -> list[int | None]:
        """The status of each refusal; None where it is not told, 302 for a redirect."""
        found: list[int | None] = []
        for node in nodes:
            if isinstance(node, ast.Call):
                name = _called(node)
                if name == "abort":
                    found.append(_status(node.args[0]) if node.args else None)
                elif name in _REDIRECTS:
                    found.append(302)
                elif name in _REFUSES:
                    found.append(401)
                elif _ERRORS.match(name):
                    found.append(403)
                elif _ANSWERS.match(name):
                    found += [status for status in _answered(node) if status in _STRONG]
            elif isinstance(node, ast.Raise):
                found += self._raised(node)
            elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple) and len(node.value.elts) > 1:
                status = _status(node.value.elts[1])
                found += [status] if status in _STRONG else []
        return found

    @staticmethod
    def _raised(node: ast.Raise) -> list[int | None]:
        made = node.exc
        name = _called(made) if isinstance(made, ast.Call) else _last(made)
        if not name or name in dir(builtins):
            return []
        if isinstance(made, ast.Call):
            for given in (keyword(made, "status_code", "code", "status"), *made.args[:1]):
                status = _status(given)
                if status:
                    return [status]
        return [_NAMED.get(name, 403 if _DENIED.search(name) else None)]

    # Whom a hook spares

    def _exempt(self, function: Function, hook: bool) -> tuple[Exempt, ...]:
        node = self._code.node(function)
        found: list[Exempt] = []
        for each in ast.walk(node) if node else ():
            if isinstance(each, ast.If):
                refuses = bool(self._statuses(_within(each.body))) or (
                    hook and any(_gives(below) for below in _within(each.body))
                )
                for test, negated in _tests(each.test):
                    found += self._test(function, test, negated, refuses)
        return tuple(found)

    def _test(self, function: Function, test: ast.expr, negated: bool, refuses: bool) -> Iterator[Exempt]:
        if isinstance(test, ast.Compare) and len(test.ops) == 1:
            field = _field(test.left)
            negated ^= isinstance(test.ops[0], ast.NotIn | ast.NotEq)
            values = self._texts(function, test.comparators[0])
            begins = False
        elif isinstance(test, ast.Call) and isinstance(test.func, ast.Attribute) and test.func.attr == "startswith":
            field, begins = _field(test.func.value), True
            values = self._texts(function, test.args[0]) if test.args else ()
        else:
            return
        if field and values:
            yield Exempt(field, values, begins, only=refuses is not negated)

    def _texts(self, function: Function, node: ast.expr) -> tuple[str, ...]:
        if isinstance(node, ast.Name | ast.Attribute):
            return tuple(
                each for _, _, value in self._code.assigned(*function, node) for each in texts(_unwrapped(value))
            )
        return texts(node)


def _unwrapped(node: ast.expr) -> ast.expr:
    """What stands in `frozenset({...})`."""
    return node.args[0] if isinstance(node, ast.Call) and len(node.args) == 1 else node


def _within(body: list[ast.stmt]) -> list[ast.AST]:
    return [each for statement in body for each in ast.walk(statement)]


def _tests(node: ast.expr, *, negated: bool = False) -> Iterator[tuple[ast.expr, bool]]:
    """The single tests of a condition, and whether each is negated."""
    if isinstance(node, ast.BoolOp):
        for each in node.values:
            yield from _tests(each, negated=negated)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield from _tests(node.operand, negated=not negated)
    else:
        yield node, negated


def _field(node: ast.expr) -> str:
    """The field of the request that an expression is: `request.endpoint`, `request.url.path`, `scope["path"]`."""
    if isinstance(node, ast.Attribute) and node.attr in _FIELDS:
        return node.attr
    if isinstance(node, ast.Subscript):
        return text(node.slice) or "" if text(node.slice) in _FIELDS else ""
    return ""


def _gives(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Return)
        and node.value is not None
        and not (isinstance(node.value, ast.Constant) and node.value.value is None)
    )


def _answered(call: ast.Call) -> Iterator[int | None]:
    for given in (*call.args[1:2], keyword(call, "status", "status_code", "code")):
        yield _status(given)


def _status(node: ast.expr | None) -> int | None:
    if isinstance(node, ast.Constant):
        found = str(node.value)[:3] if isinstance(node.value, int | str) else ""
        return int(found) if found.isdigit() else None
    return _NAMED.get(_last(node))


def _called(node: ast.Call) -> str:
    return _last(node.func)


def _last(node: ast.expr | None) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _is_redirect(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and _called(node) in _REDIRECTS


def _looks(node: ast.AST) -> bool:
    return any(_looks_itself(each) for each in ast.walk(node))


def _looks_itself(node: ast.AST, *, port: bool = False) -> bool:
    """Whether a name or attribute says who asks."""
    if port and _last(node if isinstance(node, ast.expr) else None) == "session":
        return isinstance(node, ast.Attribute) and _last(node.value) in _REQUESTS
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    key = text(node.slice) if isinstance(node, ast.Subscript) else None
    return bool(_WHO.search(name) or (key and _WHO.search(key)))


def _declares(node: ast.AST) -> bool:
    """Whether a parameter is a header or a cookie, or says who asks."""
    return any(
        isinstance(each, ast.arg)
        and (
            (_WHO.search(each.arg) and each.arg != "session")
            or any(_last(below) in ("Header", "Cookie") for below in _names(each.annotation))
        )
        for each in ast.walk(node)
    )


def _names(node: ast.expr | None) -> list[ast.expr]:
    return [each for each in ast.walk(node) if isinstance(each, ast.Name | ast.Attribute)] if node else []
