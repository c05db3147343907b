"""Probes are data: what a line means is said once, and what is wrong in one is named with its file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from contract_tests.parity.probes import Act, Probe, ProbeError, Send, load_probes, read_probes

REQUEST = r"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
BYTES = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"


def probe(text: str) -> Probe:
    return Probe("a-001", "a", "-", text, "special")


def written(folder: Path, *lines: str, name: str = "a.probes") -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        (REQUEST, (Send(BYTES),)),
        (r"\x00\xff\\\t|", (Send(b"\x00\xff\\\t|"),)),
        (r"%{3*ab\x00}%", (Send(b"ab\x00ab\x00ab\x00%"),)),
        (r"a%{pause}b%{shut}", (Send(b"a"), Act("pause"), Send(b"b"), Act("shut"))),
        (r"a%{next}b%{await}c", (Send(b"a"), Act("next"), Send(b"b"), Act("await"), Send(b"c"))),
        (r"%{drop}", (Act("drop"),)),
        (r"%{session}", (Send(b"s3"),)),
        (r"L: %{length}\r\n\r\n12%{pause}3", (Send(b"L: 3\r\n\r\n12"), Act("pause"), Send(b"3"))),
        (r"L%{length}\r\n\r\n12%{next}L%{length}\r\n\r\n", (Send(b"L2\r\n\r\n12"), Act("next"), Send(b"L0\r\n\r\n"))),
        (r"L: %{length}\r\n\r\n%{session}", (Send(b"L: 2\r\n\r\ns3"),)),
    ],
)  # fmt: skip
def test_a_line_says_what_is_sent_when(text: str, steps: tuple[Send | Act, ...]) -> None:
    assert probe(text).steps({"session": "s3"}) == steps


def test_each_request_is_read_leniently_for_the_comparison() -> None:
    first, second = probe(REQUEST + r"%{next}HEAD  x\r\nA b\r\nC : d\r\n\r\nbody").requests({})
    assert (first.method, first.target, first.headers) == ("GET", b"/", ((b"Host", b"h"),))
    assert (second.method, second.headers, second.body) == ("HEAD", ((b"A b", b""), (b"C", b"d")), b"body")


def test_files_are_read_by_area_without_comments(tmp_path: Path) -> None:
    written(tmp_path, "# why", "", rf"b-001 | - | {REQUEST} | one", name="b.probes")
    written(tmp_path, rf"a-001 | ada | {REQUEST} | two", name="a.probes")
    found = load_probes(tmp_path)
    assert [(each.id, each.area, each.world, each.special) for each in found] == [
        ("a-001", "a", "ada", "two"),
        ("b-001", "b", "-", "one"),
    ]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("a-001 | - | x", "3 columns"),
        ("b-001 | - | x | y", "the id 'b-001' is not a- and three digits"),
        ("a-1 | - | x | y", "is not a- and three digits"),
        (r"a-001 | - | \q | y", r"a-001: no escape \\q"),
        (r"a-001 | - | \x1 | y", r"no escape \\x"),
        ("a-001 | - | é | y", "not printable ASCII"),
        ("a-001 | - | %{What?} | y", "nothing is called 'What\\?'"),
        ("a-001 | - | x | ", "does not say what is special"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, line: str, told: str) -> None:
    with pytest.raises(ProbeError, match=rf"a\.probes:2: .*{told}"):
        read_probes(written(tmp_path, "# first", line))


def test_an_id_is_there_once(tmp_path: Path) -> None:
    written(tmp_path, "a-001 | - | x | y", "a-001 | - | z | y")
    with pytest.raises(ProbeError, match="a-001 is there twice"):
        load_probes(tmp_path)


def test_a_value_that_the_world_has_not_is_named() -> None:
    with pytest.raises(ProbeError, match="a-001: nothing is called 'session' in its world"):
        probe("%{session}").steps({})
