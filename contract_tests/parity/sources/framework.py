"""Framework probes: what routers, parsers and error pages do by themselves, asked of every operation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import zip_longest
from typing import Any

from contract_tests.parity.cases import Case
from contract_tests.parity.known import Cases, Known, Recipe
from contract_tests.parity.making import FORM, JSON, request, target_of, with_body
from contract_tests.parity.messages import Request
from contract_tests.parity.operations import Operation
from contract_tests.parity.sources.mutated import in_turns
from contract_tests.parity.sources.scouting import way_to

_BODIED = ("POST", "PUT", "PATCH")
_BROKEN = ("{", "[1,", '{"a": 1,}', "{'a': 1}", "nul", '{"a": 1} x')
_OTHER_VALUES: tuple[Any, ...] = (None, [], "text", 1, 1.5, True, {}, [{}])
_LATER = b"Fri, 25 Nov 2089 22:00:00 GMT"
_ACCEPTS = ("text/html", "application/json", "application/xml", "*/*;q=0.1", "image/png")


def framework(known: Known) -> Cases:
    """The probes, those of all operations first by kind: what takes no state comes before what does."""
    yield from _cases("the app", _of_app())
    every = [_cases(template, _of_path(known, template)) for template in _templates(known)]
    every += [_cases(each.template, _of_parameters(each)) for each in _first(known) if each.at("path")]
    every += [_of_operation(known, operation) for operation in known.operations]
    for round_ in zip_longest(*every):
        yield from (case for case in round_ if case is not None)


def _templates(known: Known) -> list[str]:
    """The paths that are probed: one that a side lacks whole is one difference, however it is asked for."""
    return list(dict.fromkeys(each.template for each in known.operations if not known.is_one_sided(each)))


def _first(known: Known) -> list[Operation]:
    """An operation of each template that is probed."""
    return [next(each for each in known.operations if each.template == template) for template in _templates(known)]


def _cases(about: str, probes: Iterator[tuple[str, Request]]) -> Cases:
    for name, probe in probes:
        yield Case(f"{about}: {name}", (probe,), (), "framework")


def _of_app() -> Iterator[tuple[str, Request]]:
    yield "the root", request("GET", "/")
    yield "an unknown path", request("GET", "/parity-nowhere")
    yield "an unknown path, posted to", with_body("POST", "/parity-nowhere", {})
    yield "HEAD of an unknown path", request("HEAD", "/parity-nowhere")
    yield "OPTIONS of an unknown path", request("OPTIONS", "/parity-nowhere")
    yield "OPTIONS of everything", request("OPTIONS", "*")
    yield "an unknown path as HTML", request("GET", "/parity-nowhere", headers=((b"Accept", b"text/html"),))
    yield "two slashes", request("GET", "//")
    yield "dots in a path", request("GET", "/../parity-nowhere")
    yield "bad bytes in a path", request("GET", "/%ff%fe")
    yield "a bad escape in a path", request("GET", "/%zz")
    yield "the favicon", request("GET", "/favicon.ico")


def _of_path(known: Known, template: str) -> Iterator[tuple[str, Request]]:
    operations = [each for each in known.operations if each.template == template]
    path = target_of(operations[0], way_to(known, operations[0])[2])
    if "{{" in path:
        # A probe alone has nothing kept: any value will do.
        path = target_of(operations[0], {each.name: "1" for each in operations[0].at("path")})
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        if method not in known.operations.methods(template):
            yield f"{method}, which it does not have", request(method, path)
    yield "OPTIONS", request("OPTIONS", path)
    yield "HEAD", request("HEAD", path)
    yield "an unknown method", request("PARITY", path)
    preflight = ((b"Origin", b"https://example.org"), (b"Access-Control-Request-Method", operations[0].method.encode()))
    yield "a preflight", request("OPTIONS", path, headers=preflight)
    other = path.rstrip("/") if path.endswith("/") else f"{path}/"
    if path != "/":
        yield "a doubled slash", request("GET", f"/{path}")
        for method in sorted(known.operations.methods(template)):
            yield f"{method} with the other trailing slash", request(method, other)
            yield f"{method} with the other trailing slash and a query", request(method, f"{other}?a=b%20c")
        yield (
            "a doubled slash within",
            request("GET", path.replace("/", "//")[1:] if path.count("/") > 1 else f"{path}//"),
        )
        yield "in capitals", request("GET", path.upper())
        yield "an encoded letter", request("GET", f"/%{ord(path[1]):02x}{path[2:]}" if len(path) > 1 else path)
    above = path.rpartition("/")[0]
    if template.endswith("}") and above:
        for method in ("GET", "PUT"):
            yield f"{method} of what is above, with a slash", request(method, f"{above}/")


_VALUES = ("abc", "99999999999999999999", "1.0", "0", "-1", "01", "+1", "%201", "1e3", "%ff", "%00", "a%2Fb", "%E2%82%AC", "1%0A", "%D9%A3", "1_0", "", "%25", "a%20b", "null")  # fmt: skip  # noqa: E501


def _of_parameters(operation: Operation) -> Iterator[tuple[str, Request]]:
    for parameter in operation.at("path"):
        others = {each.name: "1" for each in operation.at("path") if each is not parameter}
        for value in _VALUES:
            path = target_of(operation, others).replace(f"{{{parameter.name}}}", value)
            yield f"{operation.method} with {value!r} for {parameter.name}", request(operation.method, path)


def _of_operation(known: Known, operation: Operation) -> Cases:
    recipe = known.recipe(operation)
    if recipe is None or known.is_one_sided(operation):
        return
    turns = [_of_recipe(recipe), _queries(known, recipe)]
    turns += [_bodies(recipe)] if recipe.last.method in _BODIED else []
    for name, last in in_turns(turns):
        yield recipe.instead(f"{operation.name}: {name}", "framework", last)


def _of_recipe(recipe: Recipe) -> Iterator[tuple[str, Request]]:
    good = recipe.last
    yield "as it should be", good
    if good.method == "GET":
        yield "HEAD", replace(good, method="HEAD")
        yield "with a body", with_body("GET", good.target.decode("latin-1"), {"a": 1})
    yield "a conditional one", _with(good, b"If-None-Match", b"*")
    yield "a range", _with(good, b"Range", b"bytes=0-1")
    if good.method == "GET":
        yield "unchanged since", _with(good, b"If-Modified-Since", _LATER)
        yield "if it is another one", _with(good, b"If-Match", b'"parity"')
        for given in (b"bytes=0-0,2-3", b"bytes=-2", b"bytes=99999999-", b"bytes=x", b"parity=0-1"):
            yield f"the range {given.decode()}", _with(good, b"Range", given)
    for accept in _ACCEPTS:
        yield f"Accept {accept}", _with(good, b"Accept", accept.encode())
    yield "from another origin", _with(good, b"Origin", b"https://example.org")
    yield "with a wrong token", _with(good, b"Authorization", b"Bearer wrong")
    yield "with a broken Authorization", _with(good, b"Authorization", b"Bearer")
    yield "with Basic credentials", _with(good, b"Authorization", b"Basic d3Jvbmc6d3Jvbmc=")


def _with(good: Request, name: bytes, value: bytes) -> Request:
    rest = tuple(header for header in good.headers if header[0].lower() != name.lower())
    return replace(good, headers=(*rest, (name, value)))


def _queries(known: Known, recipe: Recipe) -> Iterator[tuple[str, Request]]:
    target = recipe.last.target.decode("latin-1")
    join = "&" if "?" in target else "?"
    yield "an unknown parameter", replace(recipe.last, target=f"{target}{join}parity=1".encode("latin-1"))
    names = [each.name for each in recipe.operation.at("query")]
    names += [name for name in known.hint(recipe.operation).query if name not in names]
    if recipe.operation.method == "GET" and not names:
        names = ["page", "limit"]
    base = target.partition("?")[0]
    for name in names:
        for text in (f"{name}=2", f"{name}=", name, f"{name}=a&{name}=b", f"{name}=1&{name}=2", f"{name}=abc", f"{name}=-1", f"{name}=0", f"{name}=1.0", f"{name}=%ff", f"{name}=%2B1", f"{name}=true", f"{name}=1000000", f"{name}=a%00b", f"{name.upper()}=1", f"{name}[]=1", f"{name}=%20x%20", f"{name}=a+b%20c", f"{name}=%C3%9F", f"{name}=01"):  # fmt: skip  # noqa: E501
            yield f"?{text}", replace(recipe.last, target=f"{base}?{text}".encode("latin-1"))


def _bodies(recipe: Recipe) -> Iterator[tuple[str, Request]]:
    good = recipe.last
    method, target = good.method, good.target.decode("latin-1")
    yield "no body", request(method, target)
    yield "an empty body of its type", request(method, target, content_type=recipe.kind or JSON)
    yield "no content type", _without(good, b"content-type")
    for kind in (
        "text/plain",
        "application/xml",
        FORM,
        f"{JSON}; charset=utf-8",
        "application/vnd.api+json",
        "nonsense",
    ):
        yield f"sent as {kind}", _with(good, b"Content-Type", kind.encode())
    for broken in _BROKEN:
        yield f"broken JSON {broken}", request(method, target, body=broken.encode(), content_type=JSON)
    for value in _OTHER_VALUES:
        yield f"the body {json.dumps(value)}", with_body(method, target, value)
    yield "no UTF-8", request(method, target, body=b'{"a": "\xff"}', content_type=JSON)
    yield "UTF-16", request(method, target, body='{"a": "b"}'.encode("utf-16"), content_type=JSON)
    if isinstance(recipe.body, dict):
        yield "as a form", with_body(method, target, recipe.body, FORM)
        yield "as JSON", with_body(method, target, recipe.body, JSON)
        yield "an unknown member", with_body(method, target, {**recipe.body, "parity": 1}, recipe.kind or JSON)


def _without(good: Request, name: bytes) -> Request:
    return replace(good, headers=tuple(header for header in good.headers if header[0].lower() != name))
