"""Which fields a handler reads is written in its source: names for plausible requests where no document says them."""

from __future__ import annotations

import ast
import inspect
import re
import sys
import textwrap
from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import FunctionType, ModuleType
from typing import Any

_READ = r"(?:\.get(?:list|_list)?\(\s*|\.pop\(\s*|\[)[\"']([\w.-]+)[\"']"
_QUERY = re.compile(r"\b(?:args|query_params|GET)" + _READ)
_FORM = re.compile(r"\b(?:form|POST|values)" + _READ)
_FILES = re.compile(r"\bfiles" + _READ)
_ANY = re.compile(r"\b(?:data|json|body|payload|get_json\([^)]*\)|params|input|content|obj|req|d|j)" + _READ)
_LISTED = re.compile(r"[\"']([a-z_][a-zA-Z0-9_]{1,30})[\"']\s+(?:not\s+)?in\s+\w*(?:data|json|body|payload)")
_LOOP = re.compile(r"for\s+\w+\s+in\s+[\(\[]((?:\s*[\"']\w+[\"']\s*,?)+)\s*[\)\]]")
_WORD = re.compile(r"[\"'](\w+)[\"']")
# A variable that is named as its field is, or the reading itself.
_CHOSEN = re.compile(r"\b(\w+)(?:[\"']\s*[\])])?\s+(?:not\s+)?in\s+([A-Za-z_]\w*|[\(\[{][^()\[\]{}]{2,300}[\)\]}])")
_MOST = 5
_DEFINED = re.compile(r"def (\w+)\(")
_READ_NAMED = re.compile(r"\b(args|query_params|GET|form|files|json|data|body|payload)(?:\.get(?:list)?\(|\[)\s*[a-z_]\w*\s*[,)\]]")  # fmt: skip  # noqa: E501
_DEEP = 2


@dataclass(slots=True)
class Hints:
    """Names that a handler reads from the query, a form, files, and a JSON body; of some, the values that it takes."""

    query: list[str] = field(default_factory=list)
    form: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    body: list[str] = field(default_factory=list)
    choices: dict[str, list[Any]] = field(default_factory=dict)

    def take(self, source: str) -> None:
        """Add the names that a piece of source reads."""
        form = _FORM.findall(source)
        for names, found in (
            (self.query, _QUERY.findall(source)),
            (self.form, form),
            (self.files, _FILES.findall(source)),
            (self.body, [*_ANY.findall(source), *_LISTED.findall(source), *_looped(source)]),
        ):
            names += [name for name in dict.fromkeys(found) if name not in names]

    def take_choices(self, source: str, names: Mapping[str, Any]) -> None:
        """Add the values that a name is looked for among: `if colour not in ("red", "blue")`, or in a constant."""
        for name, written in _CHOSEN.findall(source):
            found = names.get(written) if written.isidentifier() else _literal(written)
            if isinstance(found, (tuple, list, set, frozenset, dict)):
                texts = sorted(each for each in found if isinstance(each, str))
                values: list[Any] = texts or [each for each in found if isinstance(each, int)]
                if values:
                    self.choices.setdefault(name, values[:_MOST])

    def take_helped(self, sources: list[str]) -> None:
        """Add the names that are handed to a helper, which reads what it is told: `number("page", 1)`."""
        for helper in sources:
            found = _DEFINED.search(helper)
            read = _READ_NAMED.search(helper) if found else None
            if found is None or read is None:
                continue
            handed = re.compile(rf"\b{found[1]}\(\s*[\"']([\w.-]+)[\"']")
            names = {"form": self.form, "files": self.files}.get(read[1], self.body)
            names = self.query if read[1] in ("args", "query_params", "GET") else names
            for source in sources:
                names += [name for name in dict.fromkeys(handed.findall(source)) if name not in names]


def hints_of(app: Any) -> dict[tuple[str, str], Hints]:
    """The hints for each method and template of an app with a URL map and views; empty for any other."""
    rules = getattr(getattr(app, "url_map", None), "iter_rules", None)
    views = getattr(app, "view_functions", None)
    if rules is None or not isinstance(views, dict):
        return {}
    found: dict[tuple[str, str], Hints] = {}
    for rule in rules():
        template = re.sub(r"<(?:\w+(?:\([^>]*\))?:)?(\w+)>", r"{\1}", rule.rule)
        for method in rule.methods or ():
            found[method, template] = _of_view(views.get(rule.endpoint), method)
    return found


def _of_view(view: Any, method: str) -> Hints:
    hints = Hints()
    cls = getattr(view, "view_class", None)
    target = getattr(cls, method.lower(), None) if cls is not None else view
    read = list(_sources(target, set(), _DEEP))
    for source, names in read:
        hints.take(source)
        hints.take_choices(source, names)
    hints.take_helped([source for source, _ in read])
    return hints


def _sources(view: Any, seen: set[int], deep: int) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The source of a function, and of what it calls that is no library's, each with the names that it sees."""
    function = inspect.unwrap(view) if callable(view) else view
    if not isinstance(function, (FunctionType, type)) or id(function) in seen or not _is_own(function):
        return
    seen.add(id(function))
    try:
        source = textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):
        return
    yield source, _names(function) if isinstance(function, FunctionType) else {}
    if deep and isinstance(function, FunctionType):
        for called in _called(function):
            yield from _sources(called, seen, deep - 1)


def _names(function: FunctionType) -> Mapping[str, Any]:
    return ChainMap(_cells(function), function.__globals__)


def _cells(function: FunctionType) -> dict[str, Any]:
    return dict(
        zip(function.__code__.co_freevars, (_content(cell) for cell in function.__closure__ or ()), strict=False)
    )


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return None


def _called(function: FunctionType) -> Iterator[Any]:
    cells = _cells(function)
    for name in function.__code__.co_names:
        found = function.__globals__.get(name)
        if isinstance(found, ModuleType):
            found = next(
                (getattr(found, each, None) for each in function.__code__.co_names if each in vars(found)), None
            )
        yield found
    yield from cells.values()


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return None


def _is_own(function: Callable[..., Any]) -> bool:
    module = sys.modules.get(function.__module__ or "")
    file = getattr(module, "__file__", None) or ""
    return "site-packages" not in file and not file.startswith((sys.base_prefix + "/lib", "<"))


def _looped(source: str) -> Iterator[str]:
    for found in _LOOP.finditer(source):
        yield from _WORD.findall(found[1])
