"""The only module that knows Schemathesis: a generator of cases for a document, whose transports are not used.

Written for 4.32. It patches Hypothesis when it is imported.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode, urlsplit

import schemathesis
from schemathesis.generation import GenerationMode

from contract_tests.parity.cases import Case
from contract_tests.parity.known import Known
from contract_tests.parity.making import request

_BASE = "http://localhost"
_MOST = 150


def cases_of(known: Known) -> list[Iterator[Case]]:
    """The coverage cases of each operation of the document; none where it cannot be read."""
    try:
        schema = schemathesis.openapi.from_dict(dict(known.operations.document or {}))
        # An operation that is not valid is none; the others are.
        results: list[Any] = list(schema.get_all_operations())
        found = [result.ok() for result in results if hasattr(result, "ok")]
    except Exception:
        # A document that it does not understand: the other generators go on.
        return []
    return [_coverage(schema, operation) for operation in found]


def _coverage(schema: Any, operation: Any) -> Iterator[Case]:
    config = schema.config.generation_for(operation=operation)
    cases = schema.iter_coverage_cases(operation, generation_modes=list(GenerationMode), generation_config=config)
    for at in range(_MOST):
        try:
            case = _case(next(cases), f"{operation.method.upper()} {operation.path}: coverage {at + 1}")
        except StopIteration:
            return
        except Exception:
            # One that cannot be written down is not sent.
            continue
        yield case


def _case(generated: Any, name: str) -> Case:
    given = generated.as_transport_kwargs(base_url=_BASE)
    parts = urlsplit(given["url"])
    query = parts.query or _query(given.get("params"))
    body, kind = _body(given)
    headers = tuple(
        (str(key).encode("latin-1", "replace"), str(value).encode("latin-1", "replace"))
        for key, value in (given.get("headers") or {}).items()
        if str(key).lower() not in ("host", "content-length", "user-agent", "accept-encoding")
    )
    kind = None if any(key.lower() == b"content-type" for key, _ in headers) else kind
    made = request(given["method"].upper(), (parts.path or "/") + (f"?{query}" if query else ""), body=body, content_type=kind, headers=headers)  # fmt: skip  # noqa: E501
    safe = tuple((key, value.replace(b"\r", b"").replace(b"\n", b"")) for key, value in made.headers)
    return Case(name, (replace(made, headers=safe),), (), "generated")


def _query(params: Any) -> str:
    if not params:
        return ""
    return params if isinstance(params, str) else urlencode(params, doseq=True, errors="replace")


def _body(given: dict[str, Any]) -> tuple[bytes, str | None]:
    if given.get("json") is not None:
        import json

        return json.dumps(given["json"]).encode(), "application/json"
    data = given.get("data")
    if isinstance(data, dict):
        return urlencode(data, doseq=True, errors="replace").encode(), "application/x-www-form-urlencoded"
    return (data.encode("utf-8", "replace") if isinstance(data, str) else data or b""), None
