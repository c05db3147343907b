"""SARIF 2.1.0, for tools that show findings beside the code."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Any
from urllib.parse import quote

from contract_tests.migration.globals.table import used
from contract_tests.migration.survey.survey import Data

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {"deep": "warning", "import": "warning"}


def sarif_of(data: Data, new: frozenset[str] | None = None) -> dict[str, Any]:
    """One run; `new` has the fingerprints that a baseline does not know, None where there is no baseline."""
    proxies = sorted({use["proxy"] for use in data["uses"]})
    rules = [_rule(f"flask-{proxy}", f"Flask's global {proxy} is used") for proxy in proxies]
    rules.append(_rule("needs-context", "needs Flask's context without naming a proxy"))
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "parity globals", "version": _version(), "rules": rules}},
                "columnKind": "unicodeCodePoints",
                "results": [
                    *(_result(data, use, proxies.index(use["proxy"]), new) for use in data["uses"]),
                    *(_need(need, len(proxies)) for need in data["needs_context"]),
                ],
                "invocations": [_invocation(data)],
            }
        ],
    }


def _rule(name: str, text: str) -> dict[str, Any]:
    return {"id": name, "shortDescription": {"text": text}}


def _result(data: Data, use: Data, rule: int, new: frozenset[str] | None) -> dict[str, Any]:
    carried = f"; carried by {use['parameter']}" if use["parameter"] else ""
    result: dict[str, Any] = {
        "ruleId": f"flask-{use['proxy']}",
        "ruleIndex": rule,
        "level": _LEVELS.get(use["place"], "note"),
        "message": {"text": f"{use['place']}: {used(use)}{carried}"},
        "locations": [_location(use["path"], use["line"], use["column"])],
        "partialFingerprints": {"parityGlobals/v1": use["fingerprint"]},
    }
    if new is not None:
        result["baselineState"] = "new" if use["fingerprint"] in new else "unchanged"
    ways = data["ways"].get(use["function"], []) if use["place"] == "deep" else []
    if ways:
        result["codeFlows"] = [_flow(data, ways[0], use)]
    return result


def _flow(data: Data, way: Data, use: Data) -> dict[str, Any]:
    """The shortest way from an entry to the use."""
    entry = data["entries"][way["entry"]]
    steps = [{"location": _location(entry["path"], entry["line"], None, entry["name"])}]
    for number in way["calls"]:
        place = data["functions"][number]
        steps.append({"location": _location(place["path"], place["line"], None, place["name"])})
    steps.append({"location": _location(use["path"], use["line"], use["column"], use["what"])})
    return {"threadFlows": [{"locations": steps}]}


def _need(need: Data, rule: int) -> dict[str, Any]:
    return {
        "ruleId": "needs-context",
        "ruleIndex": rule,
        "level": "note",
        "message": {"text": f"{need['place']}: {need['name']}"},
        "locations": [_location(need["path"], need["line"], need["column"])],
    }


def _location(path: str, line: int, column: int | None, text: str | None = None) -> dict[str, Any]:
    region = {"startLine": max(line, 1)} | ({"startColumn": column} if column else {})
    uri = f"file://{quote(path)}" if path.startswith("/") else quote(path)
    made: dict[str, Any] = {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": region}}
    return made | ({"message": {"text": text}} if text else {})


def _invocation(data: Data) -> dict[str, Any]:
    notes = [
        {
            "level": "error",
            "message": {"text": file["why"]},
            "locations": [_location(file["path"], file["line"] or 1, None)],
        }
        for file in data["unreadable"]
    ]
    return {"executionSuccessful": True, "toolExecutionNotifications": notes}


def _version() -> str:
    try:
        return version("flask-fastapi-parity")
    except PackageNotFoundError:
        return "0"
