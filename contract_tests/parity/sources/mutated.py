"""Values to which generators are blind, in each place that a good request has: bodies, forms, queries, raw JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise, zip_longest
from typing import Any
from urllib.parse import quote

from contract_tests.parity.cases import Case
from contract_tests.parity.known import Cases, Known, Recipe, Spot
from contract_tests.parity.making import FORM, JSON, request, target_of, with_body
from contract_tests.parity.messages import Request
from contract_tests.parity.sources.browsing import sent_form

_WHATEVER: tuple[Any, ...] = (
    None, "", " ", "  x  ", 0, 1, -1, 1.0, 1.5, "1", "1.0", "01", "1e3", " 1", True, False, "true", "on", [], {}, [1],
    {"a": 1}, "stra\u00dfe", "\u0130stanbul", "\u212aelvin", "e\u0301", "\u0663", "\U0001f600", "\ud800",
    "a\u0000b", "a\nb",
    "<b>&\"'", "x" * 51, "x" * 101, "x" * 151, "x" * 256, "x" * 1001, 2**31, 2**53 + 1, 2**63, 10**30,
    -0.0, 1e400, 0.1, "null", "2026-02-30", "2026-03-04T05:06:07+02:00",
    "NOT-AN-EMAIL", "UPPER@EXAMPLE.COM", "a@b", "a@example.com ", "../x", "x;y,z",
)  # fmt: skip
_TEXTS = ("x" * 101, "<b>&\"'</b>", "", " ", "  x  ", "x" * 256, "<b>&\"'</b>", "stra\u00dfe", "\u0130", "x" * 51, "x" * 101, "x" * 256, "x" * 1001, "0", "-1", "1.0", "01", "a\r\nb", "a\u0000b", "\U0001f600", "UPPER@EXAMPLE.COM", "not-an-email", "' OR 1=1")  # fmt: skip  # noqa: E501
_QUERY = ("", "abc", "-1", "%ff", "1.0", "%20", "1", "01", "+1", "%2B1", "1e1", "0", "%D9%A3", "1_0", "99999999999999999999", "%00", "a%00b", "true", "True", "yes", "on", "null", "%C3%9F", "%E2%84%AA", "a%26b", "a+b", "a;b=c", "%zz", "nan", "inf")  # fmt: skip  # noqa: E501


# Where a sign-in leads to is the sender's to say, but not whither on earth.
_ONWARD = re.compile(r"next|return|redirect|continue|goto|target|back|url|dest", re.IGNORECASE)
_ELSEWHERE = ("https://parity.example/", "//parity.example/", "/%5Cparity.example", "/parity")


def mutated(known: Known) -> Cases:
    """Each mutation of each good request, the operations in turns; what was written is read back."""
    every = [_of_recipe(known, recipe) for recipe in known.recipes.values() if not known.is_one_sided(recipe.operation)]
    every += [_of_spot(spot) for spot in known.spots]
    for round_ in zip_longest(*every):
        yield from (case for case in round_ if case is not None)


def _of_recipe(known: Known, recipe: Recipe) -> Iterator[Case]:
    if recipe.kind is None:
        lasts = _queries(known, recipe)
    elif isinstance(recipe.body, Mapping):
        lasts = in_turns([_bodies(known, recipe, recipe.body), _queries(known, recipe)])
    else:
        return
    back = read_back(known, recipe)
    for name, last in lasts:
        yield _told(recipe, f"{recipe.operation.name}: {name}", last, back)


def _told(recipe: Recipe, name: str, last: Request, back: Request | None) -> Case:
    keep = {"made": recipe.made} if recipe.made else {}
    steps = (*recipe.steps[:-1], last, *([back] if back is not None else []))
    keeps = (*recipe.keeps[: len(recipe.steps) - 1], keep)
    return Case(name, steps, keeps, "mutated", cookies=True)


def read_back(known: Known, recipe: Recipe) -> Request | None:
    """The request that reads what a recipe wrote: the thing itself, or the list that it stands in."""
    template, method = recipe.operation.template.rstrip("/"), recipe.operation.method
    if method in ("PUT", "PATCH"):
        here = method in ("PUT", "PATCH") and "GET" in known.operations.methods(recipe.operation.template)
        return replace(request("GET", "/"), target=recipe.last.target) if here else None
    if method != "POST":
        return None
    for each in known.operations:
        if each.method == "GET" and recipe.made and each.template.rpartition("/{")[0] == template and each.template.endswith("}"):  # fmt: skip  # noqa: E501
            own = each.at("path")[-1].name
            return request("GET", target_of(each, {**recipe.values, own: "{{made}}"}))
    lists = "GET" in known.operations.methods(recipe.operation.template)
    return request("GET", recipe.last.target.decode("latin-1")) if lists else None


def _bodies(known: Known, recipe: Recipe, body: Mapping[str, Any]) -> Iterator[tuple[str, Request]]:
    kind = recipe.kind or JSON
    if "json" not in kind:
        yield from _forms(recipe, [(name, value if isinstance(value, str) else json.dumps(value)) for name, value in body.items()])  # fmt: skip  # noqa: E501
        return
    raws = list(_raw(body))
    fields = in_turns([_field(body, name, known.said(name, 2)) for name in body])
    every = in_turns([iter(raws), fields, _field_sets(body)])
    for name, text in every:
        yield name, _sent(recipe, text if isinstance(text, bytes) else _json(text))


def in_turns(parts: Sequence[Iterator[tuple[str, Any]]]) -> Iterator[tuple[str, Any]]:
    """One of each part after another, until all are at their end."""
    for round_ in zip_longest(*parts):
        yield from (each for each in round_ if each is not None)


def _field(body: Mapping[str, Any], name: str, words: Sequence[str] = ()) -> Iterator[tuple[str, Any]]:
    old = body[name]
    if isinstance(old, (int, float)) and not isinstance(old, bool):
        yield f"{name} as another sort of number", {**body, name: float(old) if isinstance(old, int) else int(old)}
        yield f"{name} as a text", {**body, name: str(old)}
    if isinstance(old, str):
        yield f"{name} in capitals", {**body, name: old.upper()}
        yield f"{name} with space around", {**body, name: f" {old} "}
        yield f"{name} with {chr(0xDF)}", {**body, name: old.replace("a", "\u00df", 1)}
        yield f"{name} with a dotted I", {**body, name: old.replace("i", "\u0130", 1)}
        for word in words:
            yield f"{name} as another has it", {**body, name: word}
            yield f"{name} as another has it, in capitals", {**body, name: word.upper()}
    yield f"without {name}", {key: value for key, value in body.items() if key != name}
    if isinstance(old, Mapping) and old:
        for inner in old:
            yield f"without {name}.{inner}", {**body, name: {k: v for k, v in old.items() if k != inner}}
    for value in _WHATEVER:
        yield f"{name} is {_shown(value)}", {**body, name: value}


def _field_sets(body: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield "an id of its own", {**body, "id": 77}
    yield "more than it takes", {**body, "is_admin": True, "role": "admin", "created_at": "2000-01-01"}
    yield "names in capitals", {name.upper(): value for name, value in body.items()}
    yield "all null", dict.fromkeys(body)
    yield "all empty", dict.fromkeys(body, "")
    yield "in reverse", dict(reversed(list(body.items())))
    yield "in a list", [dict(body)]


def _raw(body: Mapping[str, Any]) -> Iterator[tuple[str, bytes]]:
    text = json.dumps(body).encode()
    name = json.dumps(next(iter(body), "a")).encode()
    yield "a repeated key", text[:-1] + b", " * bool(body) + name + b': "parityz"}'
    yield "a byte order mark", b"\xef\xbb\xbf" + text
    yield "a NaN", text[:-1] + b", " * bool(body) + b'"parity": NaN}'
    yield "Infinity", text[:-1] + b", " * bool(body) + name + b": Infinity}"
    yield "deep nesting", text[:-1] + b", " * bool(body) + b'"parity": ' + b"[" * 2000 + b"]" * 2000 + b"}"
    yield "a huge number", text[:-1] + b", " * bool(body) + name + b": " + b"9" * 400 + b"}"
    yield "a leading zero", text[:-1] + b", " * bool(body) + name + b": 01}"
    yield "white space around", b" \n\t" + text + b"\r\n"
    yield "a comment", text + b" // x"
    yield "a lone surrogate", text[:-1] + b", " * bool(body) + name + b': "\\ud800"}'
    yield "a control character", text[:-1] + b", " * bool(body) + name + b': "a\x01b"}'
    yield "latin-1", json.dumps({**body, "parity": "\u00e9"}, ensure_ascii=False).encode("latin-1", "replace")


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _sent(recipe: Recipe, body: bytes) -> Request:
    headers = tuple((n, b"%d" % len(body) if n.lower() == b"content-length" else v) for n, v in recipe.last.headers)
    return replace(recipe.last, body=body, headers=headers)


def _forms(recipe: Recipe, pairs: list[tuple[str, str]]) -> Iterator[tuple[str, Request]]:
    kind = recipe.kind or FORM
    target = recipe.last.target.decode("latin-1")
    for name, changed in form_mutations(pairs):
        value: Any = changed if kind.startswith(FORM) else dict(changed)
        yield name, with_body(recipe.last.method, target, value, kind)


def form_mutations(pairs: list[tuple[str, str]]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """The pairs of a form with one thing changed."""
    yield from _rewritten(pairs, _TEXTS[:2])
    yield "no field at all", []
    for at, (name, value) in enumerate(pairs):
        rest = [*pairs[:at], *pairs[at + 1 :]]
        yield f"without {name}", rest
        yield f"{name} empty", [*pairs[:at], (name, ""), *pairs[at + 1 :]]
        yield f"{name} twice", [*pairs, (name, "parityz")]
        if "{{" not in value:
            yield f"{name} with space around", [*pairs[:at], (name, f" {value} "), *pairs[at + 1 :]]
            yield f"{name} of space", [*pairs[:at], (name, "  "), *pairs[at + 1 :]]
        yield f"{name} in capitals", [*pairs[:at], (name, value if "{{" in value else value.upper()), *pairs[at + 1 :]]
    yield from _rewritten(pairs, _TEXTS[2:])
    yield "an unknown field", [*pairs, ("parity", "1")]


def _rewritten(pairs: list[tuple[str, str]], texts: Sequence[str]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    for text in texts:
        for at, (name, _) in enumerate(pairs):
            yield f"{name} is {_shown(text)}", [*pairs[:at], (name, text), *pairs[at + 1 :]]


def _of_spot(spot: Spot) -> Iterator[Case]:
    """A form of a page: sent with one thing changed, and twice; what it leads to is looked at."""
    pairs = list(spot.values)
    for name, changed in [*form_mutations(pairs), ("sent twice", pairs)]:
        sent = [sent_form(spot.form, spot.target, changed)] * (2 if name == "sent twice" else 1)
        steps = (*spot.way.steps, *sent, request("GET", "{{where}}"))
        keeps = (*spot.way.keeps, *({"where": "header Location"} for _ in sent), {})
        yield Case(f"the form to {spot.target}: {name}", steps, keeps, "mutated", cookies=True)


def _queries(known: Known, recipe: Recipe) -> Iterator[tuple[str, Request]]:
    base = recipe.last.target.partition(b"?")[0].decode("latin-1")
    names = names_of(known, recipe)
    yield from in_turns([_parameter(known, recipe, base, name) for name in names])
    for one, other in pairwise(names):
        yield f"?{one} and {other}", replace(recipe.last, target=f"{base}?{one}=1&{other}=1&{one}=2".encode("latin-1"))


def _parameter(known: Known, recipe: Recipe, base: str, name: str) -> Iterator[tuple[str, Request]]:
    def asked(value: str) -> tuple[str, Request]:
        return f"?{name}={value}", replace(recipe.last, target=f"{base}?{quote(name)}={value}".encode("latin-1"))

    yield from (asked(value) for value in (_ELSEWHERE if _ONWARD.search(name) else ()))
    for word in known.said():
        yield from (asked(quote(value)) for value in dict.fromkeys((word, word.upper(), word[1:])))
    yield from map(asked, _QUERY)


def names_of(known: Known, recipe: Recipe) -> list[str]:
    """The query parameters of an operation that are known."""
    names = [each.name for each in recipe.operation.at("query")]
    return names + [name for name in known.hint(recipe.operation).query if name not in names]


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) < 40 else f"{text[:36]}..."
