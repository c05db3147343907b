"""One module, read once: its scopes, what names are bound to, and each place where a chain of names is used.

A summary is plain lists and dicts, depends on the file's content alone, and so can be kept. `scopes` has a dict each:
`kind` (m module, c class, f function, l lambda, g comprehension), `parent`, `name`, `line`, `names` (its bindings), and
for functions and classes what they are made of. `refs` has `[scope, expression, line, column, how]`.
"""

from __future__ import annotations

import ast
from typing import Any

from contract_tests.migration.survey.chains import Chains

Summary = dict[str, Any]


def summarize(raw: bytes, name: str) -> Summary:
    """The summary of a module's bytes. Raises SyntaxError, ValueError, RecursionError or MemoryError as ast does."""
    tree = ast.parse(raw, filename=name)
    return Walker(raw).of(tree)


class Walker(Chains):
    """Walks a module's tree once."""

    def __init__(self, raw: bytes) -> None:
        super().__init__(raw)
        self._typing = False
        self._exports: list[str] | None = None
        self._visit |= {
            ast.FunctionDef: self._function,
            ast.AsyncFunctionDef: self._function,
            ast.ClassDef: self._class,
            ast.Assign: self._assign,
            ast.AnnAssign: self._annotated,
            ast.AugAssign: self._augmented,
            ast.For: self._for,
            ast.AsyncFor: self._for,
            ast.With: self._with,
            ast.AsyncWith: self._with,
            ast.Import: self._import,
            ast.ImportFrom: self._from,
            ast.Global: self._global,
            ast.Nonlocal: self._nonlocal,
            ast.Delete: self._delete,
            ast.Return: self._return,
            ast.If: self._if,
            ast.ExceptHandler: self._handler,
            ast.MatchAs: self._capture,
            ast.MatchStar: self._capture,
            ast.MatchMapping: self._mapping,
        }

    def of(self, tree: ast.Module) -> Summary:
        self._scopes.open("m", "", 0)
        self._all(tree.body)
        self._scopes.bind_names()
        kept, loose = self._scopes.kept(self._refs)
        self._scopes.forget_unknown()
        return {"scopes": self._scopes.all, "refs": kept, "loose": loose, "all": self._exports}

    # Statements

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        mark = self._decorators(node)
        decorators = [self._encoder.encode(each) for each in node.decorator_list]
        self._defaults(node.args)
        number = mark[1] = len(self._scopes.all)
        self._scopes.bind(node.name, ["d", number])
        bindings = self._parameters(node.args)
        returns = self._encoder.kind(node.returns)
        parent = self._scopes.open("f", node.name, node.lineno)
        self._scopes.current.update(
            decorators=decorators, returns=[], gives=returns, isasync=isinstance(node, ast.AsyncFunctionDef)
        )
        self._enter(bindings)
        self._all(node.body)
        self._encoder.scope = parent

    def _decorators(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> list[Any]:
        """Walk decorators; gives the mark that says what they decorate, once its number is known."""
        mark: list[Any] = ["decorates", 0]
        for each in node.decorator_list:
            self._any(each, mark)
        return mark

    def _class(self, node: ast.ClassDef) -> None:
        mark = self._decorators(node)
        self._all(node.bases)
        self._all(node.keywords)
        bases = [self._encoder.encode(each.value if isinstance(each, ast.Subscript) else each) for each in node.bases]
        decorators = [self._encoder.encode(each) for each in node.decorator_list]
        mark[1] = len(self._scopes.all)
        self._scopes.bind(node.name, ["d", mark[1]])
        parent = self._scopes.open("c", node.name, node.lineno)
        self._scopes.current.update(bases=bases, decorators=decorators)
        self._all(node.body)
        self._encoder.scope = parent

    def _assign(self, node: ast.Assign) -> None:
        value = node.value
        for target in node.targets:
            if isinstance(value, ast.Tuple) and isinstance(target, ast.Tuple | ast.List):
                for each in value.elts:
                    self._any(each, "=")
                break
        else:
            self._any(value, "=")
        if self._encoder.scope == 0 and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "__all__":
            self._export(value)
        for target in node.targets:
            self._target(target, value)

    def _export(self, value: ast.expr) -> None:
        added = _strings(value)
        self._exports = None if added is None else [*(self._exports or []), *added]

    def _annotated(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self._any(node.value, "=")
        kind = self._encoder.kind(node.annotation)
        if isinstance(node.target, ast.Name):
            if node.value is None:
                self._scopes.bind(node.target.id, ["h", kind] if kind else ["u"])
            else:
                self._target(node.target, node.value)
                if kind and self._scopes.current["names"].get(node.target.id, [["u"]])[-1] == ["u"]:
                    self._scopes.bind(node.target.id, ["h", kind])
                if self._encoder.scope == 0 and node.target.id == "__all__":
                    self._export(node.value)
        else:
            self._target(node.target, node.value)

    def _augmented(self, node: ast.AugAssign) -> None:
        self._any(node.value)
        if isinstance(node.target, ast.Name):
            if self._encoder.scope == 0 and node.target.id == "__all__" and self._exports is not None:
                self._export(node.value)
            self._chain(node.target, "u")
            self._scopes.bind(node.target.id, ["u"])
        else:
            self._chain(node.target, "u")

    def _for(self, node: ast.For | ast.AsyncFor) -> None:
        self._any(node.iter)
        self._loop(node.target, self._encoder.encode(node.iter), [])
        self._all(node.body)
        self._all(node.orelse)

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            self._any(item.context_expr, "enter")
            if item.optional_vars is not None:
                found = self._encoder.encode(item.context_expr)
                self._target(item.optional_vars, None, ["w", found] if found else None)
        self._all(node.body)

    def _import(self, node: ast.Import) -> None:
        for alias in node.names:
            name = alias.asname or alias.name.partition(".")[0]
            self._imported(name, ["i", alias.name if alias.asname else name])

    def _from(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.name == "*":
                self._scopes.current.setdefault("stars", []).append([node.level, node.module or ""])
            else:
                self._imported(alias.asname or alias.name, ["f", node.level, node.module or "", alias.name])

    def _imported(self, name: str, binding: list[Any]) -> None:
        self._scopes.bind(name, ["T", binding] if self._typing else binding)

    def _if(self, node: ast.If) -> None:
        self._any(node.test)
        typing = "TYPE_CHECKING" in (getattr(node.test, "id", None), getattr(node.test, "attr", None))
        before, self._typing = self._typing, self._typing or typing
        self._all(node.body)
        self._typing = before
        self._all(node.orelse)

    def _global(self, node: ast.Global) -> None:
        self._scopes.current.setdefault("global", []).extend(node.names)

    def _nonlocal(self, node: ast.Nonlocal) -> None:
        self._scopes.current.setdefault("nonlocal", []).extend(node.names)

    def _delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            for each in target.elts if isinstance(target, ast.Tuple | ast.List) else [target]:
                if isinstance(each, ast.Name):
                    self._scopes.bind(each.id, ["u"]) if self._scopes.current["kind"] in "fl" else None
                elif isinstance(each, ast.Attribute | ast.Subscript):
                    self._chain(each, "d")

    def _return(self, node: ast.Return) -> None:
        if node.value is None:
            return
        self._any(node.value, "return")
        found = self._encoder.encode(node.value)
        if found and "returns" in self._scopes.current:
            self._scopes.current["returns"].append(found)

    def _handler(self, node: ast.ExceptHandler) -> None:
        if node.type is not None:
            self._any(node.type)
        if node.name:
            self._scopes.bind(node.name, ["u"])
        self._all(node.body)

    def _capture(self, node: ast.MatchAs | ast.MatchStar) -> None:
        if node.name:
            self._scopes.bind(node.name, ["u"])
        if isinstance(node, ast.MatchAs) and node.pattern is not None:
            self._any(node.pattern)

    def _mapping(self, node: ast.MatchMapping) -> None:
        self._all(node.keys)
        self._all(node.patterns)
        if node.rest:
            self._scopes.bind(node.rest, ["u"])


def _strings(node: ast.expr) -> list[str] | None:
    if not isinstance(node, ast.List | ast.Tuple):
        return None
    found = [each.value for each in node.elts if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    return found if len(found) == len(node.elts) else None
