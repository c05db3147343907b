"""The ledger accepts what its every key matches and nothing beside it; what is wrong in it is named with its line."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from contract_tests.parity import Difference, Ledger, LedgerError
from contract_tests.parity.ledger import Entry, Known

ETAG = Difference("header", "ETag", "value", '"a"', '"b"')
PRICE = Difference("json", "$.items[3].price", "type", "1", "1.0")

GIVEN = {
    "operations": '["GET /files/{id}"]',
    "level": '"header"',
    "path": '"ETag"',
    "kind": '"value"',
    "reason": '"the hash is another"',
    "decision": '"0007"',
    "owner": '"ada"',
}


def entry(**changed: str | None) -> str:
    lines = (f"{key} = {value}" for key, value in {**GIVEN, **changed}.items() if value is not None)
    return "\n".join(["[[accepted]]", *lines, ""])


def ledger(**changed: str | None) -> Ledger:
    return Ledger.loads(entry(**changed))


def test_an_entry_accepts_the_difference_it_describes() -> None:
    found = ledger().accepts("GET /files/{id}", ETAG)
    assert found is not None
    assert (found.reason, found.decision, found.owner) == ("the hash is another", "0007", "ada")


OTHERS = {
    "another operation": ("HEAD /files/{id}", ETAG),
    "another level": ("GET /files/{id}", Difference("cookie", "ETag", "value", '"a"', '"b"')),
    "another path": ("GET /files/{id}", Difference("header", "ETag2", "value", '"a"', '"b"')),
    "another kind": ("GET /files/{id}", Difference("header", "ETag", "missing", '"a"', None)),
}


@pytest.mark.parametrize(("operation", "difference"), OTHERS.values(), ids=OTHERS)
def test_a_key_that_does_not_match_is_enough(operation: str, difference: Difference) -> None:
    assert ledger().accepts(operation, difference) is None


def test_exact_texts_hold_for_each_side() -> None:
    exact = ledger(original="'\"a\"'", port="'\"b\"'")
    assert exact.accepts("GET /files/{id}", ETAG)
    assert exact.accepts("GET /files/{id}", Difference("header", "ETag", "value", '"a"', '"c"')) is None
    assert exact.accepts("GET /files/{id}", Difference("header", "ETag", "value", '"x"', '"b"')) is None


def test_a_header_is_found_in_any_case() -> None:
    assert ledger(path='"etag"').accepts("GET /files/{id}", ETAG)


def test_an_index_may_be_any_and_nothing_else_may() -> None:
    any_item = ledger(level='"json"', path='"$.items[*].price"', kind='"type"')
    assert any_item.accepts("GET /files/{id}", PRICE)
    for path in ("$.items[3].price.x", "$.items.price", '$.items["3"].price', "$.xitems[3].price", "$.items[3]xprice"):
        other = Difference("json", path, "type", "1", "1.0")
        assert any_item.accepts("GET /files/{id}", other) is None
    assert ledger(level='"json"', path='"$.items[2].price"', kind='"type"').accepts("GET /files/{id}", PRICE) is None


def test_probes_and_sources_are_keys_too() -> None:
    probed = ledger(operations=None, probes='["framing-017"]', sources='["probes"]')
    assert probed.accepts("GET /any", ETAG, source="probes", probe="framing-017")
    assert probed.accepts("GET /any", ETAG, source="probes", probe="framing-018") is None
    assert probed.accepts("GET /any", ETAG, source="suite", probe="framing-017") is None
    assert probed.accepts("GET /any", ETAG) is None


ANY_TIME = '{ class = "time" }'
RFC_3339 = '{ class = "time", format = "rfc3339" }'
TIMES = {
    "the same moment in two forms": (
        '{ class = "time", format = "http-date" }',
        '{ class = "time", format = "rfc3339" }',
        "Sun, 22 Nov 2026 17:31:16 GMT",
        '"2026-11-22T17:31:17+00:00"',
        True,
    ),
    "moments too far apart": ('{ class = "time" }', '{ class = "time" }', "1000", "1003", False),
    "a wider window": (
        '{ class = "time", window = 5 }',
        '{ class = "time", window = 5 }',
        "1000",
        "1003",
        True,
    ),
    "no time at all": ('{ class = "time" }', '{ class = "time" }', "1000", '"soon"', False),
    "another format": (
        '{ class = "time", format = "rfc3339" }',
        '{ class = "time", format = "rfc3339" }',
        '"2026-11-22T17:31:16Z"',
        '"22.11.2026 17:31:16"',
        False,
    ),
    "a day that does not exist": ('{ class = "time" }', '{ class = "time" }', "1000", '"2026-02-30T00:00:00Z"', False),
    "a pattern": (
        '{ class = "time", format = "%d.%m.%Y" }',
        '{ class = "time", format = "%Y-%m-%d" }',
        '"01.02.2026"',
        '"2026-02-01"',
        True,
    ),
    "a pattern met loosely": (
        '{ class = "time", format = "%d.%m.%Y" }',
        '{ class = "time", format = "%d.%m.%Y" }',
        '"01.02.2026"',
        '"1.2.2026"',
        False,
    ),
    "a date beside a timestamp": (
        ANY_TIME,
        ANY_TIME,
        '"2026-01-02T03:04:05Z"',
        '"Fri, 02 Jan 2026 03:04:05 GMT"',
        False,
    ),
    "a date in another month": (
        ANY_TIME,
        ANY_TIME,
        "Sat, 31 Jan 2026 23:59:59 GMT",
        "Sun, 01 Feb 2026 00:00:00 GMT",
        True,
    ),
    "seconds beside a timestamp": (ANY_TIME, ANY_TIME, "1767323045", '"2026-01-02T03:04:05Z"', False),
    "seconds with a digit more": (ANY_TIME, ANY_TIME, "999", "1000", True),
    "seconds with a fraction of its own": (ANY_TIME, ANY_TIME, "1000.25", "1000.5", True),
    "seconds with a fraction on one side": (ANY_TIME, ANY_TIME, "1000", "1000.5", False),
    "another moment in one form": (RFC_3339, RFC_3339, '"2026-01-02T03:04:05Z"', '"2026-01-02T03:04:06Z"', True),
    "a space for the T": (RFC_3339, RFC_3339, '"2026-01-02T03:04:05Z"', '"2026-01-02 03:04:05Z"', False),
    "no zone": (RFC_3339, RFC_3339, '"2026-01-02T03:04:05Z"', '"2026-01-02T03:04:05"', False),
    "an offset for the Z": (RFC_3339, RFC_3339, '"2026-01-02T03:04:05Z"', '"2026-01-02T03:04:05+00:00"', False),
    "a fraction": (RFC_3339, RFC_3339, '"2026-01-02T03:04:05Z"', '"2026-01-02T03:04:05.5Z"', False),
    "a longer fraction": (RFC_3339, RFC_3339, '"2026-01-02T03:04:05.500Z"', '"2026-01-02T03:04:05.500000Z"', False),
    "any form beside a named one": (ANY_TIME, RFC_3339, "1767323045", '"2026-01-02T03:04:05Z"', False),
    "a time against a text": ('"never"', '{ class = "time" }', "never", "1000", True),
}


@pytest.mark.parametrize(("original", "port", "ours", "theirs", "accepted"), TIMES.values(), ids=TIMES)
def test_a_time_is_checked_and_not_ignored(original: str, port: str, ours: str, theirs: str, accepted: bool) -> None:
    timed = ledger(level='"json"', path='"$.at"', original=original, port=port)
    found = timed.accepts("GET /files/{id}", Difference("json", "$.at", "value", ours, theirs))
    assert (found is not None) is accepted


WRONG = {
    "an unknown key": ({"comment": '"x"'}, "unknown key comment"),
    "no reason": ({"reason": None}, "reason is missing"),
    "an empty reason": ({"reason": '" "'}, "reason is a text that is not empty"),
    "no decision": ({"decision": None}, "decision is missing"),
    "no owner": ({"owner": None}, "owner is missing"),
    "no path": ({"path": None}, "path is missing"),
    "a level that is none": ({"level": '"body"'}, "level 'body' is none of transport status"),
    "a kind that is none": ({"kind": '"any"'}, "kind 'any' is none of missing extra"),
    "a source that is none": ({"sources": '["tests"]'}, "sources 'tests' is none of suite"),
    "no operation": ({"operations": None}, "operations (or probes) is missing"),
    "an empty list": ({"operations": "[]"}, "operations is a list of texts that is not empty"),
    "a wildcard operation": ({"operations": '["GET /files/*"]'}, "'GET /files/*' has a wildcard"),
    "a wildcard probe": ({"probes": '["framing-*"]'}, "'framing-*' has a wildcard"),
    "no method": ({"operations": '["/files"]'}, "'/files' is no operation"),
    "a wildcard header": ({"path": '"X-*"'}, "path 'X-*' has a wildcard"),
    "a wildcard member": ({"level": '"json"', "path": '"$.items.*"'}, "path '$.items.*' has a wildcard"),
    "a header for a JSON path": ({"level": '"json"'}, "path 'ETag' is no JSON path"),
    "a decision without a number": ({"decision": '"7"'}, "decision '7' is no number of four digits"),
    "a decision without a page": ({"decision": '"0008"'}, "decision 0008 has no page 0008-*.md"),
    "a class that is none": ({"port": '{ class = "any" }'}, "port: class 'any' is not known"),
    "a format that is none": ({"port": '{ class = "time", format = "iso" }'}, "port: format 'iso' is none of"),
    "a window that is none": ({"port": '{ class = "time", window = "1" }'}, "port: window '1' is no number"),
    "a key of a class": ({"port": '{ class = "time", around = 1 }'}, "port: unknown key around"),
    "a number as a text": ({"original": "3"}, "original is an exact text or a class, not 3"),
    "an expiry that is no date": ({"expires": '"2027-01-31"'}, "expires is a date"),
}


@pytest.mark.parametrize(("changed", "message"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named_with_its_entry_and_line(
    tmp_path: Path, changed: dict[str, str | None], message: str
) -> None:
    (tmp_path / "0007-etags.md").write_text("why")
    path = tmp_path / "accepted.toml"
    path.write_text(f"# a ledger\n\n{entry()}\n{entry(**changed)}")
    with pytest.raises(LedgerError) as raised:
        Ledger.load(path, decisions=tmp_path)
    assert f"{path}:12: entry 2: {message}" in str(raised.value)


def test_text_that_is_no_toml_and_tables_that_are_none_are_named() -> None:
    with pytest.raises(LedgerError, match=r"ledger: Expected"):
        Ledger.loads("[[accepted")
    with pytest.raises(LedgerError, match="no such table: acepted"):
        Ledger.loads("[[acepted]]")
    with pytest.raises(LedgerError, match="accepted is not a list of tables"):
        Ledger.loads("accepted = 3")


def test_an_entry_is_stale_only_after_every_source_it_names_ran() -> None:
    named = ledger(sources='["suite", "probes"]')
    assert named.stale({"suite"}) == ()
    assert [each.differences[0].path for each in named.stale({"suite", "probes", "generated"})] == ["ETag"]
    unnamed = ledger()
    assert unnamed.stale({"suite", "probes"}) == ()
    assert len(unnamed.stale({"suite", "probes", "generated", "sequences", "recorded"})) == 1
    unnamed.accepts("GET /files/{id}", ETAG)
    assert unnamed.stale({"suite", "probes", "generated", "sequences", "recorded"}) == ()
    assert len(unnamed.matched) == 1


def test_an_entry_expires_after_its_last_day_and_still_accepts() -> None:
    dated = ledger(expires="2027-01-31")
    assert dated.expired(date(2027, 1, 31)) == ()
    assert [each.owner for each in dated.expired(date(2027, 2, 1))] == ["ada"]
    assert dated.accepts("GET /files/{id}", ETAG)


def test_an_empty_ledger_accepts_nothing() -> None:
    assert Ledger.empty().accepts("GET /", ETAG) is None
    assert Ledger.empty().stale({"suite"}) == ()


def test_many_threads_may_ask_at_once() -> None:
    entries = [Entry((Known("header", f"X-{n}", "value"),), "r", "0001", "o", operations=("GET /",)) for n in range(40)]
    shared = Ledger(entries)

    def ask() -> None:
        for n in range(40):
            assert shared.accepts("GET /", Difference("header", f"X-{n}", "value", "a", "b"))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(shared.matched) == 40


def test_the_table_of_bindings_is_handed_on() -> None:
    assert Ledger.loads('[bind]\npaths = ["/user/{id}"]\n').bind == {"paths": ["/user/{id}"]}


CAUSE = """
[[accepted]]
probes = ["framing-001", "framing-002"]
differences = [
    { level = "status", path = "status", kind = "value", original = "405", port = "400" },
    { level = "header", path = "Allow", kind = "missing" },
]
reason = "the parser knows fewer methods"
decision = "0007"
owner = "ada"
sources = ["probes"]
"""
STATUS = Difference("status", "status", "value", "405", "400")
ALLOW = Difference("header", "Allow", "missing", "GET", None)


def test_one_cause_may_have_several_differences() -> None:
    several = Ledger.loads(CAUSE)
    for difference in (STATUS, ALLOW):
        assert several.accepts("GET /", difference, source="probes", probe="framing-001")
    assert not several.accepts("GET /", replace(STATUS, port="500"), source="probes", probe="framing-001")
    assert not several.accepts("GET /", replace(ALLOW, kind="extra"), source="probes", probe="framing-001")
    assert not several.accepts("GET /", STATUS, source="probes", probe="framing-003")


def test_an_entry_is_stale_while_one_of_its_probes_or_differences_never_occurred() -> None:
    several = Ledger.loads(CAUSE)
    several.accepts("GET /", STATUS, source="probes", probe="framing-001")
    assert several.unseen(several.entries[0]) == ("header Allow missing", "framing-002")
    several.accepts("GET /", STATUS, source="probes", probe="framing-002")
    assert several.stale({"probes"}) == several.entries
    several.accepts("GET /", ALLOW, source="probes", probe="framing-001")
    assert several.stale({"probes"}) == ()


def test_an_entry_for_probes_is_told_by_its_cause() -> None:
    told = Ledger.loads(CAUSE.replace("the parser knows fewer methods", "Methods: the parser knows fewer"))
    assert str(told.entries[0]) == "Methods, 2 probes (decision 0007, ada)"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (CAUSE.replace("reason", 'level = "status"\nreason'), "differences stands for level"),
        (CAUSE.replace(CAUSE[CAUSE.index("[\n    {") : CAUSE.index("\n]") + 2], "[]"), "list of tables that is not"),
        (CAUSE.replace('level = "status", ', ""), "level is missing"),
        (CAUSE.replace('kind = "missing"', 'kind = "lost"'), "kind 'lost' is none of"),
        (CAUSE.replace('kind = "missing"', 'kind = "missing", color = "red"'), "unknown key color in differences"),
    ],
)
def test_what_is_wrong_in_a_list_of_differences_is_named(text: str, told: str) -> None:
    with pytest.raises(LedgerError, match=told):
        Ledger.loads(text)
