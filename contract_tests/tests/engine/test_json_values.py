"""JSON is compared type-strict by path: `1` is not `1.0` is not `true`."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract_tests.parity import compare
from contract_tests.parity.json_text import NotJsonError, read

from .toys import text_answer

DIFFERENT = {
    "an integer and a float": ("[1]", "[1.0]", "json $[0] type 1 -> 1.0"),
    "an integer and a boolean": ('{"on": 1}', '{"on": true}', "json $.on type 1 -> true"),
    "a number and a string": ('{"n": 3}', '{"n": "3"}', 'json $.n type 3 -> "3"'),
    "null and absence": ('{"a": null, "b": 1}', '{"b": 1}', "json $.a missing null -> (absent)"),
    "null and a string": ('{"a": null}', '{"a": "null"}', 'json $.a type null -> "null"'),
    "an object and a list": ('{"a": {}}', '{"a": []}', "json $.a type {} -> []"),
    "an empty list and null": ('{"a": []}', '{"a": null}', "json $.a type [] -> null"),
    "an additional member": ('{"b": 1}', '{"b": 1, "password": "x"}', 'json $.password extra (absent) -> "x"'),
    "the order of keys": ('{"a": 1, "b": 2}', '{"b": 2, "a": 1}', "json $ order a, b -> b, a"),
    "a nested value": ('{"a": [{"b": 1}]}', '{"a": [{"b": 2}]}', "json $.a[0].b value 1 -> 2"),
    "the last digit of a big integer": (
        "[90071992547409931234567890]",
        "[90071992547409931234567891]",
        "json $[0] value 90071992547409931234567890 -> 90071992547409931234567891",
    ),
    "an integer beyond Python's digit limit": (
        f"[{'9' * 5000}]",
        f"[{'9' * 4999}8]",
        f"json $[0] value {'9' * 5000} -> {'9' * 4999}8",
    ),
    "a decimal that floats cannot tell apart": (
        "[0.1]",
        "[0.1000000000000000055]",
        "json $[0] value 0.1 -> 0.1000000000000000055",
    ),
    "an exponent beyond Decimal's": (
        "[1e99999999999999999999]",
        "[2e99999999999999999999]",
        "json $[0] value 1e99999999999999999999 -> 2e99999999999999999999",
    ),
    "zero and minus zero": ("[0]", "[-0]", "json $[0] value 0 -> -0"),
    "NaN and null": ('{"a": NaN}', '{"a": null}', "json $.a type NaN -> null"),
    "a lone surrogate and its replacement": (
        r'["\ud800"]',
        r'["\ufffd"]',
        r'json $[0] value "\ud800" -> "\ufffd"',
    ),
    "a duplicate key": ('{"a": 1, "a": 1}', '{"a": 1}', "json $.a count 2 -> 1"),
    "the first of two duplicates": ('{"a": 1, "a": 2}', '{"a": 3, "a": 2}', "json $.a value 1 -> 3"),
    "one element fewer at the end": ("[1, 2, 3]", "[1, 2]", "json $[2] missing 3 -> (absent)"),
    "one element more at the end": ("[1, 2]", "[1, 2, 3]", "json $[2] extra (absent) -> 3"),
    "one element fewer in the middle": ("[1, 2, 3]", "[1, 3]", "json $[1] missing 2 -> (absent)"),
    "the order of a list": ('{"a": [1, 2, 3]}', '{"a": [3, 1, 2]}', "json $.a order [1,2,3] -> [3,1,2]"),
    "a list of objects, reordered": (
        '[{"id": 1}, {"id": 2}]',
        '[{"id": 2}, {"id": 1}]',
        'json $ order [{"id":1},{"id":2}] -> [{"id":2},{"id":1}]',
    ),
    "a key that is no name": ('{"a b": {"x.y": 1}}', '{"a b": {"x.y": 2}}', 'json $["a b"]["x.y"] value 1 -> 2'),
    "an empty key": ('{"": 1}', '{"": 2}', 'json $[""] value 1 -> 2'),
    "a scalar document": ("1", "2", "json $ value 1 -> 2"),
    "case": ('["ß"]', '["ss"]', 'json $[0] value "ß" -> "ss"'),
    "Unicode normal forms": ('["\u00e9"]', '["e\u0301"]', 'json $[0] value "\u00e9" -> "e\u0301"'),
}


@pytest.mark.parametrize(("original", "port", "told"), DIFFERENT.values(), ids=DIFFERENT)
def test_each_difference_in_value_is_told_once_by_its_path(original: str, port: str, told: str) -> None:
    assert [str(each) for each in compare(text_answer(original), text_answer(port))] == [told]


RESPELLED = {
    "white space": ('{"a": 1}', '{"a":1}'),
    "a final newline": ("[1]\n", "[1]"),
    "escapes": (r'["\u00e9"]', '["é"]'),
    "an escaped slash": (r'["\/"]', '["/"]'),
    "escapes in a key": (r'{"\u0061": 1}', '{"a": 1}'),
    "zeros of a fraction": ("[1.0]", "[1.00]"),
    "an exponent": ("[100.0]", "[1e2]"),
    "the case of an exponent": ("[1e2]", "[1E2]"),
}


@pytest.mark.parametrize(("original", "port"), RESPELLED.values(), ids=RESPELLED)
def test_what_is_equal_in_value_and_written_otherwise_differs_in_bytes_alone(original: str, port: str) -> None:
    found = compare(text_answer(original), text_answer(port))
    assert [(each.level, each.path, each.kind) for each in found] == [("bytes", "body", "value")]


@pytest.mark.parametrize(("original", "port"), RESPELLED.values(), ids=RESPELLED)
def test_a_difference_in_value_does_not_hide_one_in_writing(original: str, port: str) -> None:
    ours, theirs = f'{{"n": 1, "rest": {original.strip()}}}', f'{{"n": 2, "rest": {port.strip()}}}'
    if original.strip() == port.strip():
        ours += "\n"
    levels = [(each.level, each.path) for each in compare(text_answer(ours), text_answer(theirs))]
    assert levels == [("json", "$.n"), ("bytes", "body")]


NOT_JSON = [
    *("", " ", "{", "}", ":", "-", "[1,]", "[,1]", '{"a":1,}', "{1:2}", '{"a"}', "01", "1.", ".5", "+1", "'a'", '"a'),
    *("nul", "[1 2]", '"\t"', r'"\x"', "[1]]", '{"a":}', '{"a" 1}', "[1", '{"a":1', "tru", "1e", "{,}", "[1}"),
]


@pytest.mark.parametrize("text", NOT_JSON)
def test_what_is_no_json_is_not_read_as_json(text: str) -> None:
    with pytest.raises(NotJsonError):
        read(text.encode())


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@settings(derandomize=True, max_examples=80, deadline=None)
@given(JSON_VALUES)
def test_every_document_that_python_writes_is_read_and_is_alike_itself(value: object) -> None:
    for text in (json.dumps(value), json.dumps(value, indent=1)):
        document = read(text.encode())
        assert json.dumps(json.loads(document.written(document.root))) == json.dumps(value)
    spaced = compare(text_answer(json.dumps(value)), text_answer(json.dumps(value, indent=1)))
    assert all(each.level == "bytes" for each in spaced)


@settings(derandomize=True, max_examples=80, deadline=None)
@given(st.text(alphabet='[]{},:"\\ \n01-.eEtrufalsn/', max_size=12))
def test_the_reader_accepts_what_pythons_own_reader_accepts(text: str) -> None:
    try:
        json.loads(text)
    except ValueError:
        with pytest.raises(NotJsonError):
            read(text.encode())
    else:
        read(text.encode())


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_no_depth_is_too_deep(opening: str, closing: str) -> None:
    ours, theirs = (opening * 20_000 + leaf + closing * 20_000 for leaf in ("1", "true"))
    (found,) = compare(text_answer(ours), text_answer(theirs))
    assert (found.kind, found.original, found.port) == ("type", "1", "true")


def test_a_long_string_that_is_never_closed_is_refused() -> None:
    with pytest.raises(NotJsonError):
        read(b'["' + b"a" * 200_000)


def test_json_on_one_side_only_is_a_verdict_of_its_own() -> None:
    (found,) = compare(text_answer('{"a": 1}'), text_answer("{'a': 1}"))
    assert (found.level, found.path, found.kind) == ("json", "$", "type")
    assert found.original == 'JSON: {"a": 1}'
    assert found.port is not None
    assert found.port.startswith("not JSON, \"'\" at byte 1 has no place there: {'a'")


def test_invalid_utf_8_is_no_json() -> None:
    (found,) = compare(text_answer('["é"]'), text_answer('["é"]'.encode("latin-1")))
    assert "byte 2 is not UTF-8" in str(found)


def test_a_byte_order_mark_on_one_side_is_told_and_hides_no_value() -> None:
    found = compare(text_answer('{"a": 1}'), text_answer('\ufeff{"a": 2}'))
    assert [str(each) for each in found] == [
        "json $ type JSON -> JSON after a byte order mark",
        "json $.a value 1 -> 2",
    ]


def test_an_empty_body_where_json_is_promised_is_missing() -> None:
    (found,) = compare(text_answer("[1]"), text_answer(""))
    assert (found.level, found.path, found.kind, found.port) == ("json", "$", "missing", None)


def test_text_that_looks_like_json_is_compared_as_json_whatever_its_type() -> None:
    ours, theirs = (text_answer(text) for text in ('{"a": 1}', '{"a": true}'))
    plain = [type(each)(each.status, each.headers[1:], each.body) for each in (ours, theirs)]
    assert [str(each) for each in compare(*plain)] == ["json $.a type 1 -> true"]
