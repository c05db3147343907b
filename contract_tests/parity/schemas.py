"""An OpenAPI document's schemas, each standing for itself: its references are followed, its combinations joined."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

_DEEP = 6


class Document:
    """An OpenAPI 3 document (or Swagger 2, as far as operations go)."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document

    @property
    def base(self) -> str:
        """The path that stands before all of its paths."""
        servers = self.document.get("servers") or [{}]
        url = servers[0].get("url", "") if isinstance(servers[0], dict) else ""
        base = self.document.get("basePath") or urlsplit(str(url)).path
        return str(base).rstrip("/")

    def resolved(self, value: Any) -> dict[str, Any]:
        """An object, or what it refers to."""
        seen = 0
        while isinstance(value, dict) and "$ref" in value and seen < _DEEP:
            value, seen = self._at(str(value["$ref"])), seen + 1
        return value if isinstance(value, dict) else {}

    def schema_of(self, parameter: Mapping[str, Any]) -> dict[str, Any]:
        """The schema of a parameter; in Swagger 2 its own keys are one."""
        given = parameter.get("schema")
        if given is None:
            content: dict[str, Any] = next(iter(parameter.get("content", {}).values()), {})
            given = content.get("schema") or {k: v for k, v in parameter.items() if k not in ("in", "name", "required")}
        return self.whole(given)

    def bodies_of(self, operation: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """The schema of each media type that an operation takes."""
        content = self.resolved(operation.get("requestBody")).get("content")
        if isinstance(content, dict):
            return {kind: self.whole(self.resolved(each).get("schema", {})) for kind, each in content.items()}
        given = [self.resolved(each) for each in operation.get("parameters", ())]
        bodies = [each for each in given if each.get("in") == "body"]
        return {"application/json": self.whole(bodies[0].get("schema", {}))} if bodies else {}

    def whole(self, schema: Any, deep: int = 0) -> dict[str, Any]:
        """The schema without references, its allOf joined; what lies too deep may hold anything."""
        if deep > _DEEP or not isinstance(schema, dict):
            return {}
        found = dict(self.resolved(schema))
        for part in found.pop("allOf", ()):
            found = _merged(found, self.whole(part, deep + 1))
        for key in ("anyOf", "oneOf"):
            if key in found:
                found[key] = [self.whole(each, deep + 1) for each in found[key]]
        if isinstance(found.get("properties"), dict):
            found["properties"] = {name: self.whole(each, deep + 1) for name, each in found["properties"].items()}
        for key in ("items", "additionalProperties"):
            if isinstance(found.get(key), dict):
                found[key] = self.whole(found[key], deep + 1)
        return found

    def _at(self, pointer: str) -> Any:
        found: Any = self.document
        for part in pointer.removeprefix("#/").split("/"):
            key = part.replace("~1", "/").replace("~0", "~")
            found = found.get(key) if isinstance(found, dict) else None
        return found


def _merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    joined = {**other, **one}
    if "properties" in one and "properties" in other:
        joined["properties"] = {**other["properties"], **one["properties"]}
    if "required" in one and "required" in other:
        joined["required"] = [*other["required"], *one["required"]]
    return joined
