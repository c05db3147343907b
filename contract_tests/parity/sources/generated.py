"""Generated cases: Hypothesis makes values that fit and values that do not, Schemathesis its coverage of a document."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from contract_tests.parity.cases import Case
from contract_tests.parity.known import Cases, Known, Recipe
from contract_tests.parity.making import FORM, PARTS, as_text, encoded, written
from contract_tests.parity.messages import Request
from contract_tests.parity.plan import SourceLeftOutError
from contract_tests.parity.sources.mutated import read_back

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

_EXAMPLES = 40
Schema = Mapping[str, Any]


def generated(known: Known) -> Cases:
    """Cases of each operation in turns. Raises SourceLeftOutError where Hypothesis is not installed."""
    try:
        import hypothesis  # noqa: F401
    except ImportError:
        raise SourceLeftOutError("Hypothesis is not installed: pip install 'flask-fastapi-parity[generate]'") from None
    return _generated(known)


def _generated(known: Known) -> Cases:
    every: list[Iterator[Case]] = [
        _of(known, recipe) for recipe in known.recipes.values() if not known.is_one_sided(recipe.operation)
    ]
    every += _by_schemathesis(known)
    for round_ in zip_longest(*every):
        yield from (case for case in round_ if case is not None)


def _of(known: Known, recipe: Recipe) -> Iterator[Case]:
    back = read_back(known, recipe)
    for at, (query, body) in enumerate(_values(known, recipe)):
        keep = {"made": recipe.made} if recipe.made else {}
        steps = (*recipe.steps[:-1], _last(recipe, query, body), *([back] if back is not None else []))
        keeps = (*recipe.keeps[: len(recipe.steps) - 1], keep)
        yield Case(f"{recipe.operation.name}: generated {at + 1}", steps, keeps, "generated", cookies=True)


def _last(recipe: Recipe, query: dict[str, Any], body: Any) -> Request:
    target = recipe.last.target.partition(b"?")[0]
    pairs = [(name, as_text(value)) for name, value in query.items() if value is not None]
    if pairs:
        target += b"?" + encoded(_encodable(pairs)).encode("latin-1", "replace")
    if recipe.kind is None:
        return replace(recipe.last, target=target)
    data, _ = written(_plain(body) if recipe.kind.startswith((FORM, PARTS)) else body, recipe.kind)
    headers = tuple((n, b"%d" % len(data) if n.lower() == b"content-length" else v) for n, v in recipe.last.headers)
    return replace(recipe.last, target=target, body=data, headers=headers)


def _encodable(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name, value.encode("utf-8", "replace").decode()) for name, value in pairs]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: as_text(each).encode("utf-8", "replace").decode() for name, each in value.items()}
    return {}


def _values(known: Known, recipe: Recipe) -> list[tuple[dict[str, Any], Any]]:
    """Queries and bodies, drawn from one seed: an app's own words, and whatever fits or does not."""
    from hypothesis import strategies as st

    operation = recipe.operation
    names = {each.name: each.schema for each in operation.at("query")}
    names |= {name: {} for name in known.hint(operation).query if name not in names}
    queries = st.fixed_dictionaries({}, optional={name: _either(schema, name) for name, schema in names.items()})
    if recipe.kind is None:
        return _drawn(st.tuples(queries, st.none()), known.seed) if names else []
    schema = operation.bodies.get(recipe.kind) or _observed(recipe.body)
    bodies = st.one_of(_fitting(schema, "body"), _fitting(schema, "body"), _not_fitting(schema))
    return _drawn(st.tuples(queries, bodies), known.seed)


def _drawn(strategy: SearchStrategy[Any], seed: int) -> list[Any]:
    """Examples of a strategy: always the same for the same seed."""
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import seed as seeded

    found: list[Any] = []

    @seeded(seed)
    @settings(max_examples=_EXAMPLES, database=None, phases=[Phase.generate], deadline=None, suppress_health_check=list(HealthCheck))  # fmt: skip  # noqa: E501
    @given(strategy)
    def collect(value: Any) -> None:
        found.append(value)

    state = random.getstate()
    try:
        collect()
    finally:
        random.setstate(state)
    return found


def _observed(value: Any) -> dict[str, Any]:
    """The schema that a value which was accepted once suggests."""
    if isinstance(value, dict):
        return {"type": "object", "properties": {name: _observed(each) for name, each in value.items()}, "required": list(value)}  # fmt: skip  # noqa: E501
    if isinstance(value, list):
        return {"type": "array", "items": _observed(value[0]) if value else {}}
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}
    found: dict[str, Any] = {"type": kinds[type(value)]}
    return found | ({"format": "email"} if isinstance(value, str) and "@" in value else {})


def _either(schema: Schema, name: str) -> SearchStrategy[Any]:
    from hypothesis import strategies as st

    return st.one_of(_fitting(schema, name), _anything())


def _anything() -> SearchStrategy[Any]:
    from hypothesis import strategies as st

    numbers = st.one_of(st.integers(), st.integers(-3, 3), st.floats(allow_nan=False, allow_infinity=False))
    scalars = st.one_of(st.none(), st.booleans(), numbers, st.text(max_size=20), numbers.map(str))
    return st.recursive(scalars, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)), max_leaves=5)  # fmt: skip  # noqa: E501


def _not_fitting(schema: Schema) -> SearchStrategy[Any]:
    """A body that fits but for some of its members, or no such body at all."""
    from hypothesis import strategies as st

    properties = schema.get("properties")
    if not isinstance(properties, Mapping) or not properties:
        return _anything()
    broken = st.tuples(_fitting(schema, "body"), st.dictionaries(st.sampled_from(sorted(properties)), _anything(), min_size=1, max_size=2))  # fmt: skip  # noqa: E501
    lacking = st.tuples(_fitting(schema, "body"), st.sampled_from(sorted(properties)))
    return st.one_of(
        broken.map(lambda pair: {**pair[0], **pair[1]}),
        lacking.map(lambda pair: {name: each for name, each in pair[0].items() if name != pair[1]}),
        _anything(),
    )


def _fitting(schema: Schema, name: str) -> SearchStrategy[Any]:
    from hypothesis import strategies as st

    from contract_tests.parity.samples import plausible

    if "const" in schema:
        return st.just(schema["const"])
    if schema.get("enum"):
        return st.sampled_from(list(schema["enum"]))
    for key in ("anyOf", "oneOf"):
        if schema.get(key):
            return st.one_of([_fitting(each, name) for each in schema[key]])
    kind = schema.get("type")
    if isinstance(kind, list):
        return st.one_of([_fitting({**schema, "type": each}, name) for each in kind])
    make: Callable[[Schema, str], SearchStrategy[Any]] | None = _BY_TYPE.get(str(kind))
    if make is None:
        return (
            _object(schema, name)
            if "properties" in schema
            else st.one_of(st.just(plausible(name, schema)), _anything())
        )
    return make(schema, name)


def _object(schema: Schema, name: str) -> SearchStrategy[Any]:
    from hypothesis import strategies as st

    properties = {each: _fitting(of, each) for each, of in schema.get("properties", {}).items()}
    required = [each for each in schema.get("required", ()) if each in properties]
    optional = {each: strategy for each, strategy in properties.items() if each not in required}
    return st.fixed_dictionaries({each: properties[each] for each in required}, optional=optional)


def _array(schema: Schema, name: str) -> SearchStrategy[Any]:
    from hypothesis import strategies as st

    low = int(schema.get("minItems", 0))
    high = max(min(int(schema.get("maxItems", 4)), 6), low)
    return st.lists(_fitting(schema.get("items", {}), name), min_size=low, max_size=high)


def _number(schema: Schema, name: str) -> SearchStrategy[Any]:
    from hypothesis import strategies as st

    low, high = (
        schema.get("minimum", schema.get("exclusiveMinimum")),
        schema.get("maximum", schema.get("exclusiveMaximum")),
    )
    if schema.get("type") == "integer":
        whole = st.integers(None if low is None else math.ceil(low), None if high is None else math.floor(high))
        near = st.integers(-2 if low is None else math.ceil(low), max(10, math.ceil(low or 0)) if high is None else math.floor(high))  # fmt: skip  # noqa: E501
        return st.one_of(near, whole)
    # Integers, too: in a field for numbers no generator of floats makes one.
    floats = st.floats(low, high, allow_nan=False, allow_infinity=False)
    return st.one_of(floats, floats.map(lambda value: round(value, 2)), floats.map(lambda value: int(min(max(value, -1e9), 1e9))))  # fmt: skip  # noqa: E501


def _string(schema: Schema, name: str) -> SearchStrategy[Any]:
    from hypothesis import strategies as st
    from hypothesis.errors import InvalidArgument

    from contract_tests.parity.samples import plausible

    usual = st.just(plausible(name, schema))
    low, high = int(schema.get("minLength", 0)), schema.get("maxLength")
    if schema.get("format") == "email":
        return st.one_of(usual, st.emails())
    if schema.get("format") in ("date", "date-time", "uuid", "uri", "time"):
        return usual
    if isinstance(schema.get("pattern"), str):
        try:
            return st.one_of(usual, st.from_regex(schema["pattern"]))
        except (InvalidArgument, ValueError):
            return usual
    return st.one_of(usual, st.text(min_size=low, max_size=max(low, min(high or 30, 300))))


def _one_of_two(schema: Schema, name: str) -> SearchStrategy[Any]:
    from hypothesis import strategies as st

    return st.booleans()


def _null(schema: Schema, name: str) -> SearchStrategy[Any]:
    from hypothesis import strategies as st

    return st.none()


_BY_TYPE: dict[str, Callable[[Schema, str], Any]] = {
    "object": _object,
    "array": _array,
    "integer": _number,
    "number": _number,
    "string": _string,
    "boolean": _one_of_two,
    "null": _null,
}


def _by_schemathesis(known: Known) -> list[Iterator[Case]]:
    """Schemathesis' cases, where it is installed and there is a document."""
    if known.operations.document is None:
        return []
    try:
        from contract_tests.parity.sources.schemathesis_cases import cases_of
    except ImportError:
        return []
    return cases_of(known)
