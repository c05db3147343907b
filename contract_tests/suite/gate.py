"""What the OpenAPI document promises, held against what was seen: nothing undocumented, nothing unseen."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from contract_tests.parity.messages import Request, Response

# Proved once a mechanism and not once an operation: the first three by any client, the others by a part that fails.
ON_SERVERS = frozenset({413, 415, 429})
IN_PROCESS = ON_SERVERS | {500, 501, 503}

Seen = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the document, such as GET /user/{id}."""

    name: str
    method: str
    pattern: re.Pattern[str]
    responses: dict[int, dict[str, Any]]
    tags: frozenset[str]

    @property
    def own_statuses(self) -> set[int]:
        """The statuses that must be seen on each target."""
        return set(self.responses) - IN_PROCESS


@dataclass(slots=True)
class Gate:
    """Collects what each target answered, by role, operation and status."""

    spec: dict[str, Any]
    seen: set[Seen] = field(default_factory=set)
    faults: set[str] = field(default_factory=set)
    operations: list[Operation] = field(init=False)
    _validators: dict[tuple[str, int, str], Draft202012Validator] = field(init=False, default_factory=dict)
    _registry: Any = field(init=False)

    def __post_init__(self) -> None:
        self.operations = [
            _operation(path, method, item[method])
            for path, item in self.spec["paths"].items()
            for method in item
            if method in {"get", "post", "put", "patch", "delete"}
        ]
        resource = Resource.from_contents(self.spec, default_specification=DRAFT202012)
        self._registry = Registry().with_resource("urn:openapi", resource)

    def operation(self, request: Request) -> Operation | None:
        """The operation a request means; None for one that is no operation, such as OPTIONS or an unknown path."""
        path = request.target.partition(b"?")[0].decode("latin-1")
        return next((o for o in self.operations if o.method == request.method and o.pattern.fullmatch(path)), None)

    def name_of(self, request: Request) -> str:
        """The operation's name for people and for the ledger."""
        operation = self.operation(request)
        return operation.name if operation else f"{request.method} (no operation)"

    def observe(self, role: str, request: Request, response: Response) -> None:
        """Note an outcome, and each way in which it is not as documented."""
        operation = self.operation(request)
        if operation is None or response.failure:
            return
        self.seen.add((role, operation.name, response.status))
        if response.status not in operation.responses:
            self.faults.add(f"{role}: {operation.name} answered {response.status}, which is not documented")
            return
        if fault := self._misfit(operation, response):
            self.faults.add(f"{role}: {operation.name} {response.status}: {fault}")

    def unseen(
        self, roles: tuple[str, ...], *, shared: frozenset[int], without: frozenset[str] = frozenset()
    ) -> list[str]:
        """Each operation and status that a target should have answered and did not, and each of the `shared` statuses
        that is documented somewhere and was seen nowhere. Operations of the tags in `without` could not be asked."""
        documented = {status for operation in self.operations for status in operation.responses}
        nowhere = [
            f"{role}: no operation answered {status}, which is documented and never seen"
            for role in roles
            for status in sorted(shared & documented)
            if not any((role, operation.name, status) in self.seen for operation in self.operations)
        ]
        return nowhere + [
            f"{role}: {operation.name} {status} was documented and never seen"
            for role in roles
            for operation in self.operations
            if not operation.tags & without
            for status in sorted(operation.own_statuses)
            if (role, operation.name, status) not in self.seen
        ]

    def _misfit(self, operation: Operation, response: Response) -> str | None:
        content = self._resolved(operation.responses[response.status]).get("content", {})
        media_type = (response.header("content-type") or b"").decode("latin-1").partition(";")[0]
        if not content and not response.body:
            return None
        if media_type not in content and "*/*" not in content:
            return f"media type {media_type or 'none'} is not documented"
        if not media_type.endswith("json") or media_type not in content:
            return None
        try:
            value = json.loads(response.body)
        except ValueError:  # UnicodeDecodeError is one, too
            return "the body is not JSON"
        errors = self._validator(operation, response.status, media_type).iter_errors(value)
        return next((f"{error.json_path} does not fit its schema ({error.validator})" for error in errors), None)

    def _validator(self, operation: Operation, status: int, media_type: str) -> Draft202012Validator:
        key = (operation.name, status, media_type)
        if key not in self._validators:
            schema = self._resolved(operation.responses[status])["content"][media_type].get("schema", {})
            absolute = json.loads(json.dumps(schema).replace('"#/', '"urn:openapi#/'))
            self._validators[key] = Draft202012Validator(absolute, registry=self._registry)
        return self._validators[key]

    def _resolved(self, response: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in response:
            return response
        name = response["$ref"].rpartition("/")[2]
        resolved: dict[str, Any] = self.spec["components"]["responses"][name]
        return resolved


def _operation(path: str, method: str, item: dict[str, Any]) -> Operation:
    pattern = re.compile(re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(path)))
    responses = {int(status): response for status, response in item["responses"].items()}
    tags = frozenset(item.get("tags", ()))
    return Operation(f"{method.upper()} {path}", method.upper(), pattern, responses, tags)
