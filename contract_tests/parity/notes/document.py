"""An API document as routes, whatever its version: parameters, bodies, answers and who may ask, in one form each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from contract_tests.parity.notes.forms import Reader

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY")
ANY = "*/*"
_BRACES = re.compile(r"\{[^{}]*\}")
# A document may not describe these as parameters (OpenAPI 3, "Parameter Object").
_NO_PARAMETERS = frozenset({"accept", "content-type", "authorization"})
_STYLES = {"query": "form", "cookie": "form", "path": "simple", "header": "simple"}
_COLLECTIONS = {"csv": None, "multi": "form, exploded", "ssv": "spaces", "pipes": "pipes", "tsv": "tabs"}

# One way to be let in: what each scheme wants of a request, with its scopes.
Way = frozenset[tuple[str, frozenset[str]]]


class DocumentError(ValueError):
    """What makes a document unfit to be compared: one line for the user."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """`place` is query, path, header or cookie; `style` how a list is written in it."""

    name: str
    place: str
    schema: Any
    required: bool
    style: str

    @property
    def told(self) -> str:
        return f"{self.place} parameter"


@dataclass(frozen=True, slots=True)
class Answer:
    """The schemas of an answer by media type, and of its headers by name; whether each header is always there."""

    bodies: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, tuple[Any, bool]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Route:
    """A method on a path. `ways` are the ways to be let in, None where the document knows of no sign-in at all."""

    method: str
    template: str
    parameters: tuple[Parameter, ...] = ()
    bodies: Mapping[str, Any] = field(default_factory=dict)
    body_required: bool = False
    answers: Mapping[str, Answer] = field(default_factory=dict)
    ways: tuple[Way, ...] | None = None
    deprecated: bool = False

    @property
    def name(self) -> str:
        return f"{self.method} {self.template}"

    @property
    def shape(self) -> str:
        return shape_of(self.name)


def shape_of(operation: str) -> str:
    """What two documents' spellings of one operation have in common: names in paths are nobody's but theirs."""
    return _BRACES.sub("{}", operation)


class Described:
    """A document and its routes, by their shape. Raises DocumentError."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.reader = Reader(document)
        self.document = document
        self._is_2 = "swagger" in document
        self._schemes = self._read_schemes()
        self.routes = {route.shape: route for route in reversed(list(self._routes()))}
        self.routes = dict(reversed(self.routes.items()))

    @property
    def title(self) -> str:
        info = _mapping(self.document.get("info"))
        return " ".join(str(info[key]) for key in ("title", "version") if info.get(key)) or "without a title"

    @property
    def knows_sign_in(self) -> bool:
        return bool(self._schemes)

    def _routes(self) -> Iterator[Route]:
        for path, item in _mapping(self.document.get("paths")).items():
            whole = _mapping(self.reader.resolved(item))
            for method in METHODS:
                operation = whole.get(method.lower())
                if isinstance(operation, Mapping) and str(path).startswith("/"):
                    yield self._route(method, self._base(operation, whole) + str(path), operation, whole)

    def _base(self, *inner_first: Mapping[str, Any]) -> str:
        """The path that stands before a path: of the first server, the nearest list of them."""
        if self._is_2:
            return str(self.document.get("basePath") or "").rstrip("/")
        servers: Any = next((each["servers"] for each in (*inner_first, self.document) if each.get("servers")), [])
        first = _mapping(servers[0]) if isinstance(servers, list) and servers else {}
        url = str(first.get("url") or "")
        for name, variable in _mapping(first.get("variables")).items():
            url = url.replace(f"{{{name}}}", str(_mapping(variable).get("default", "")))
        try:
            return urlsplit(url).path.rstrip("/") if "://" in url or url.startswith("/") else ""
        except ValueError:
            raise DocumentError("the address of a server is none that can be read (servers, url)") from None

    def _route(self, method: str, template: str, operation: Mapping[str, Any], item: Mapping[str, Any]) -> Route:
        given = {}
        for each in (*_list(item.get("parameters")), *_list(operation.get("parameters"))):
            parameter = _mapping(self.reader.resolved(each))
            place, name = parameter.get("in"), parameter.get("name")
            if isinstance(place, Mapping | list) or isinstance(name, Mapping | list):
                raise DocumentError(f"{method} {template}: a parameter has an `in` or a `name` that is no text")
            given[place, name] = parameter
        bodies, required = self._body(operation, given.values())
        read = [self._parameter(each) for each in given.values() if each.get("in") in _STYLES]
        return Route(
            method,
            template,
            tuple(each for each in read if not (each.place == "header" and each.name.lower() in _NO_PARAMETERS)),
            bodies,
            required,
            {str(status): self._answer(each, operation) for status, each in self._answers(operation)},
            self._ways(operation),
            operation.get("deprecated") is True,
        )

    def _parameter(self, given: Mapping[str, Any]) -> Parameter:
        place, name = str(given.get("in")), str(given.get("name"))
        content = _mapping(given.get("content"))
        schema = given.get("schema") if "schema" in given else _mapping(next(iter(content.values()), {})).get("schema")
        if schema is None:
            schema = {key: value for key, value in given.items() if key not in ("in", "name", "required")}
        return Parameter(name, place, schema, given.get("required") is True or place == "path", _style(given, place))

    def _body(self, operation: Mapping[str, Any], given: Iterable[Mapping[str, Any]]) -> tuple[dict[str, Any], bool]:
        if not self._is_2:
            body = _mapping(self.reader.resolved(operation.get("requestBody")))
            return self._schemas(body.get("content")), body.get("required") is True
        kinds = [str(kind) for kind in _list(operation.get("consumes", self.document.get("consumes")))]
        whole = next((each for each in given if each.get("in") == "body"), None)
        fields = [each for each in given if each.get("in") == "formData"]
        if whole is not None:
            return {essence(kind): whole.get("schema", {}) for kind in kinds or [ANY]}, whole.get("required") is True
        if not fields:
            return {}, False
        required = [each.get("name") for each in fields if each.get("required") is True]
        schema = {"type": "object", "properties": {each.get("name"): _field(each) for each in fields}}
        forms = [kind for kind in kinds if "form" in kind] or ["application/x-www-form-urlencoded"]
        return {essence(kind): schema | {"required": required} for kind in forms}, bool(required)

    def _answers(self, operation: Mapping[str, Any]) -> Iterator[tuple[Any, Mapping[str, Any]]]:
        for status, answer in _mapping(operation.get("responses")).items():
            if not str(status).startswith("x-"):
                yield status, _mapping(self.reader.resolved(answer))

    def _answer(self, answer: Mapping[str, Any], operation: Mapping[str, Any]) -> Answer:
        bodies = self._schemas(answer.get("content"))
        if self._is_2 and "schema" in answer:
            kinds = [str(kind) for kind in _list(operation.get("produces", self.document.get("produces")))]
            bodies = {essence(kind): answer["schema"] for kind in kinds or [ANY]}
        headers = {}
        for name, given in _mapping(answer.get("headers")).items():
            header = _mapping(self.reader.resolved(given))
            schema = header if self._is_2 else header.get("schema", {})
            headers[str(name).lower()] = (schema, header.get("required") is True)
        return Answer(bodies, headers)

    def _schemas(self, content: Any) -> dict[str, Any]:
        return {
            essence(str(kind)): _mapping(self.reader.resolved(each)).get("schema", {})
            for kind, each in _mapping(content).items()
        }

    def _read_schemes(self) -> dict[str, str]:
        components = _mapping(self.document.get("components"))
        schemes = self.document.get("securityDefinitions") if self._is_2 else components.get("securitySchemes")
        return {str(name): _wants(_mapping(self.reader.resolved(each))) for name, each in _mapping(schemes).items()}

    def _ways(self, operation: Mapping[str, Any]) -> tuple[Way, ...] | None:
        if not self._schemes:
            return None
        listed = operation.get("security", self.document.get("security"))
        ways = [
            frozenset(
                (self._schemes.get(str(name), str(name)), frozenset(map(str, _list(scopes))))
                for name, scopes in each.items()
            )
            for each in _list(listed)
            if isinstance(each, Mapping)
        ]
        return tuple(dict.fromkeys(ways)) or (frozenset(),)


def essence(kind: str) -> str:
    """A media type without its parameters."""
    return kind.partition(";")[0].strip().lower()


def _wants(scheme: Mapping[str, Any]) -> str:
    """What a scheme wants a request to carry: how a client came to have it is another matter."""
    kind = str(scheme.get("type"))
    if kind == "apiKey":
        return f"{scheme.get('in')} {scheme.get('name')}"
    if kind == "basic" or str(scheme.get("scheme")).lower() == "basic":
        return "Authorization: Basic"
    if kind in ("oauth2", "openIdConnect") or str(scheme.get("scheme")).lower() == "bearer":
        return "Authorization: Bearer"
    return "a client certificate" if kind == "mutualTLS" else f"Authorization: {scheme.get('scheme')}"


def _style(given: Mapping[str, Any], place: str) -> str:
    if "collectionFormat" in given or (given.get("type") == "array" and "schema" not in given):
        told = _COLLECTIONS.get(str(given.get("collectionFormat", "csv")))
        return told or ("form" if place in ("query", "cookie") else "simple")
    style = str(given.get("style") or _STYLES[place])
    exploded = given.get("explode", style == "form") is True and style in ("form", "deepObject")
    return {"spaceDelimited": "spaces", "pipeDelimited": "pipes"}.get(style, style) + (", exploded" * exploded)


def _field(given: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in given.items() if key not in ("in", "name", "required")}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
