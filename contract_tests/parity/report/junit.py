"""The report as JUnit XML: a cause fails, an accepted difference is skipped, an operation that is alike passes."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from contract_tests.parity.telling import visible

from . import text


def of(run: dict[str, Any]) -> str:
    """The XML, with a declaration. Characters that XML cannot have are written as escapes."""
    suite = ElementTree.Element("testsuite", name="parity", time=str(run["seconds"]))
    for number, cause in enumerate(run["causes"], 1):
        _failed(suite, cause, number)
    for name, told in run["failures"].items():
        case = _case(suite, "failures", name)
        ElementTree.SubElement(case, "failure", message="a failed test").text = plain(told)
    for settled in run["accepted_differences"]:
        case = _case(suite, "accepted", settled["fingerprint"])
        ElementTree.SubElement(case, "skipped", message=plain(f"{settled['reason']} (decision {settled['decision']})"))
    for operation in alike(run):
        _case(suite, "alike", operation)
    for told in (*run["down"], *run["ledger"], *run["never_seen"]):
        case = _case(suite, "run", told)
        ElementTree.SubElement(case, "error", message=plain(told))
    for name, kind in (
        ("tests", "testcase"),
        ("failures", "testcase/failure"),
        ("errors", "testcase/error"),
        ("skipped", "testcase/skipped"),
    ):
        suite.set(name, str(len(suite.findall(kind))))
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def alike(run: dict[str, Any]) -> list[str]:
    """The operations that were reached and are in no cause."""
    differ = {operation for cause in run["causes"] for operation in cause["operations"]}
    reached = dict.fromkeys(row["operation"] for row in run["coverage"])
    return [operation for operation in reached if operation not in differ]


def plain(told: str) -> str:
    """A text that XML can have."""
    return visible(told, keep="\n\t")


def _failed(suite: ElementTree.Element, cause: dict[str, Any], number: int) -> None:
    case = _case(suite, cause["reason"], cause["title"])
    failure = ElementTree.SubElement(case, "failure", type=cause["level"], message=plain(cause["title"]))
    failure.text = plain("\n".join((*text.told(cause, number), "", *cause["fingerprints"], *cause["folded"])))


def _case(suite: ElementTree.Element, area: str, name: str) -> ElementTree.Element:
    return ElementTree.SubElement(suite, "testcase", classname=f"parity.{area}", name=plain(name))
