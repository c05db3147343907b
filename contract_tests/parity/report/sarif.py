"""The report as SARIF 2.1.0: a result for each cause, and one for each difference that the ledger suppresses."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from contract_tests.parity.telling import visible

from . import text

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
# Differences that break no client are warnings.
_WARNINGS = frozenset({"key-order", "json-end", "json-spaces", "json-spelling", "text-end", "line-ends", "markup"})


def of(run: dict[str, Any]) -> str:
    results = [_of_cause(cause, number) for number, cause in enumerate(run["causes"], 1)]
    results += [_of_settled(each) for each in run["accepted_differences"]]
    rules = [{"id": each, "name": each} for each in dict.fromkeys(result["ruleId"] for result in results)]
    driver = {"name": "parity", "rules": rules}
    ran = {"executionSuccessful": run["code"] in (0, 1, 3), "exitCode": run["code"]}
    log = {"tool": {"driver": driver}, "invocations": [ran], "results": results}
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [log]}, indent=1) + "\n"


def _of_cause(cause: dict[str, Any], number: int) -> dict[str, Any]:
    told = "\n".join(text.told(cause, number))
    level = "warning" if cause["reason"] in _WARNINGS else "error"
    return {
        **_result(cause["reason"], level, told, cause["operations"]),
        "partialFingerprints": {"parity/v1": _digest(cause["reason"], *cause["fingerprints"][:1])},
    }


def _of_settled(settled: dict[str, Any]) -> dict[str, Any]:
    method, path, *_ = settled["fingerprint"].split(" ")
    word = f"{settled['reason']} (decision {settled['decision']}, {settled['owner']})"
    return {
        **_result("accepted", "note", settled["fingerprint"], [f"{method} {path}"]),
        "partialFingerprints": {"parity/v1": _digest("accepted", settled["fingerprint"])},
        "suppressions": [{"kind": "external", "status": "accepted", "justification": visible(word)}],
    }


def _result(rule: str, level: str, told: str, operations: Any) -> dict[str, Any]:
    # No file holds a difference between two apps: an operation is where it is.
    places = [{"fullyQualifiedName": visible(each), "kind": "resource"} for each in operations]
    return {
        "ruleId": rule,
        "level": level,
        "message": {"text": visible(told, keep="\n")},
        "locations": [{"logicalLocations": [place]} for place in places],
    }


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode("utf-8", "backslashreplace")).hexdigest()[:32]
