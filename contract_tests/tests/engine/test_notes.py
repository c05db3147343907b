"""What changes between two API documents, and whom it breaks, in each dialect of such documents"""

import pytest

from contract_tests.parity import Ledger
from contract_tests.parity.notes.command import made
from contract_tests.parity.notes.document import Described
from contract_tests.tests.engine.documents import NUMBER, TEXT, WHOLE, answering, asking, document, item


def given(parameter):
    return document({"/items": {"get": {"parameters": [parameter], "responses": {"200": {}}}}})


def told(original, port, ledger=""):
    """All changes, as `weight: where: text`."""
    found = made(Described(original), Described(port), Ledger.loads(ledger))
    return [
        f"{each.weight}: {f'{each.where}: ' * bool(each.where)}{each.text}"
        for changes in found.routes.values()
        for each in changes
    ]


# A value on the original and on the port; what it means in a request, and in an answer. None: nothing changed.
VALUES = {
    "wider type": (WHOLE, NUMBER, "other", "breaking", "`integer` is now `number`"),
    "narrower type": (NUMBER, WHOLE, "breaking", "other", "`number` is now `integer`"),
    "another type": (WHOLE, TEXT, "breaking", "breaking", "`integer` is now `string`"),
    "null": (TEXT, TEXT | {"nullable": True}, "other", "breaking", "may be null"),
    "no null": (TEXT | {"nullable": True}, TEXT, "breaking", "other", "may not be null any more"),
    "fewer values": (TEXT | {"enum": ["a", "b"]}, TEXT | {"enum": ["a"]}, "breaking", "other", 'no longer `"b"`'),
    "more values": (TEXT | {"enum": ["a"]}, TEXT | {"enum": ["a", "b"]}, "other", "breaking", 'may be `"b"`'),
    "values": (TEXT, TEXT | {"enum": ["a"]}, "breaking", "other", 'is one of `"a"` now'),
    "a format": (TEXT, TEXT | {"format": "date"}, "breaking", "other", "format `date` (none before)"),
    "no format": (TEXT | {"format": "date"}, TEXT, "other", "breaking", "format `date` is gone"),
    "another format": (
        TEXT | {"format": "date"},
        TEXT | {"format": "uuid"},
        "breaking",
        "breaking",
        "format `date` is now `uuid`",
    ),
    "a lower maximum": (
        TEXT | {"maxLength": 9},
        TEXT | {"maxLength": 5},
        "breaking",
        "other",
        "maximum length `9` is now `5`",
    ),
    "a lower minimum": (WHOLE | {"minimum": 2}, WHOLE | {"minimum": 1}, "other", "breaking", "minimum `2` is now `1`"),
    "a pattern": (TEXT, TEXT | {"pattern": "^a"}, "breaking", "other", "pattern `^a` (none before)"),
    "items": (
        {"type": "array", "items": WHOLE},
        {"type": "array", "items": TEXT},
        "breaking",
        "breaking",
        "`integer` is now `string`",
    ),
    "an alternative": (
        {"oneOf": [item(a=TEXT)]},
        {"oneOf": [item(a=TEXT), item(b=TEXT)]},
        "other",
        "breaking",
        "may be an object with `b`",
    ),
    "int64": (WHOLE | {"format": "int64"}, WHOLE, None, None, ""),
    "not described any more": (TEXT, {}, "other", "other", "is no longer described"),
}


@pytest.mark.parametrize(("one", "other", "asked", "answered", "text"), VALUES.values(), ids=VALUES)
def test_what_is_narrower_breaks_a_request_and_what_is_wider_an_answer(one, other, asked, answered, text):
    name = "`v[]`" if one.get("type") == "array" else "`v`"
    between = " " if text.startswith(("is ", "may ")) else ": "
    expected = [f"{asked}: request body: {name}{between}{text}"] if asked else []
    assert told(asking(item(v=one)), asking(item(v=other))) == expected
    expected = [f"{answered}: answer `200`: {name}{between}{text}"] if answered else []
    assert told(answering(item(v=one)), answering(item(v=other))) == expected


SAME = {
    "3.0 and 3.1": (TEXT | {"nullable": True}, {"type": ["string", "null"]}),
    "3.0 and Pydantic": (TEXT | {"nullable": True}, {"anyOf": [TEXT, {"type": "null"}]}),
    "a reference that may be null": (
        {"nullable": True, "allOf": [{"$ref": "#/components/schemas/A"}]},
        {"anyOf": [{"$ref": "#/components/schemas/B"}, {"type": "null"}]},
    ),
    "a reference, and written out": ({"$ref": "#/components/schemas/A"}, item(n=TEXT)),
    "joined, and in one": ({"allOf": [item(a=TEXT), item(b=WHOLE)]}, item(b=WHOLE, a=TEXT)),
    "a constant": ({"const": "a"}, TEXT | {"enum": ["a"]}),
    "an exclusive bound": (WHOLE | {"minimum": 1, "exclusiveMinimum": True}, WHOLE | {"exclusiveMinimum": 1}),
    "a file": (TEXT | {"format": "binary"}, TEXT | {"contentMediaType": "application/octet-stream"}),
    "alternatives in another order": ({"anyOf": [TEXT, WHOLE]}, {"anyOf": [WHOLE, TEXT]}),
    "a type and its absence": (item(a=TEXT), {"properties": {"a": TEXT}}),
}


@pytest.mark.parametrize(("one", "other"), SAME.values(), ids=SAME)
def test_two_spellings_of_one_schema_are_no_change(one, other):
    schemas = {"components": {"schemas": {"A": item(n=TEXT), "B": item(n=TEXT)}}}
    assert told(asking(item(v=one)) | schemas, asking(item(v=other)) | schemas) == []
    assert told(answering(one) | schemas, answering(other) | schemas) == []


MEMBERS = {
    "removed": (item(a=TEXT, b=TEXT), item(a=TEXT), "breaking: {}: `b` is gone", "breaking: {}: `b` is gone"),
    "added": (item(a=TEXT), item(a=TEXT, b=TEXT), "addition: {}: `b`: new", "addition: {}: `b`: new"),
    "added, and required": (
        item(a=TEXT),
        item(a=TEXT, b=TEXT) | {"required": ["b"]},
        "breaking: {}: `b`: new, and required",
        "addition: {}: `b`: new",
    ),
    "required": (
        item(a=TEXT),
        item(a=TEXT) | {"required": ["a"]},
        "breaking: {}: `a` is required now",
        "other: {}: `a` is required now",
    ),
    "optional": (
        item(a=TEXT) | {"required": ["a"]},
        item(a=TEXT),
        "other: {}: `a` is optional",
        "breaking: {}: `a` may be missing",
    ),
    "closed": (
        item(a=TEXT),
        item(a=TEXT) | {"additionalProperties": False},
        "breaking: {}: other members are refused",
        "other: {}: other members are refused",
    ),
}


@pytest.mark.parametrize(("one", "other", "asked", "answered"), MEMBERS.values(), ids=MEMBERS)
def test_members_come_and_go(one, other, asked, answered):
    assert told(asking(one), asking(other)) == [asked.format("request body")]
    assert told(answering(one), answering(other)) == [answered.format("answer `200`")]


def test_what_only_answers_have_is_no_part_of_a_request_and_the_reverse():
    read, written = item(id=WHOLE | {"readOnly": True}), item(pin=TEXT | {"writeOnly": True})
    assert told(asking(item()), asking(read)) == []
    assert told(answering(item()), answering(written)) == []
    assert told(asking(item()), asking(written)) == ["addition: request body: `pin`: new"]


def test_a_schema_that_holds_itself_is_compared_and_told_once():
    def tree(kind):
        node = item(value=kind, left={"$ref": "#/components/schemas/Node"}, right={"$ref": "#/components/schemas/Node"})
        return answering({"$ref": "#/components/schemas/Node"}) | {"components": {"schemas": {"Node": node}}}

    assert told(tree(WHOLE), tree(TEXT)) == ["breaking: answer `200`: `value`: `integer` is now `string`"]


def test_a_second_place_with_the_same_schemas_points_at_the_first():
    def order(kind):
        refers = {"$ref": "#/components/schemas/Address"}
        schemas = {"components": {"schemas": {"Address": item(zip=kind, city=kind)}}}
        return answering(item(home=refers, work=refers)) | schemas

    assert told(order(WHOLE), order(TEXT)) == [
        "breaking: answer `200`: `home.zip`: `integer` is now `string`",
        "breaking: answer `200`: `home.city`: `integer` is now `string`",
        "breaking: answer `200`: `work`: the same changes as in `home`",
    ]


QUERY = {"name": "limit", "in": "query", "schema": WHOLE}


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (None, QUERY, ["addition: query parameter `limit`: new"]),
        (None, QUERY | {"required": True}, ["breaking: query parameter `limit`: new, and required"]),
        (QUERY, None, ["breaking: query parameter `limit`: is gone"]),
        (QUERY, QUERY | {"in": "header"}, ["breaking: query parameter `limit`: is a header parameter now"]),
        (QUERY, QUERY | {"required": True}, ["breaking: query parameter `limit`: is required now"]),
        (
            QUERY,
            QUERY | {"schema": WHOLE | {"maximum": 9}},
            ["breaking: query parameter `limit`: maximum `9` (none before)"],
        ),
        (
            QUERY | {"schema": {"type": "array", "items": WHOLE}},
            QUERY | {"schema": {"type": "array", "items": WHOLE}, "explode": False},
            ["breaking: query parameter `limit`: how a list is written: `form, exploded` is now `form`"],
        ),
        ({"name": "X-Key", "in": "header"}, {"name": "x-key", "in": "header"}, []),
    ],
)
def test_parameters_are_compared(one, other, expected):
    assert told(*(given(each) if each else document({"/items": {"get": {"responses": {"200": {}}}}}) for each in (one, other))) == expected  # fmt: skip  # noqa: E501


def test_routes_come_and_go_and_a_slash_is_told():
    def has(*paths):
        return document({path: {"get": {"responses": {"200": {}}}} for path in paths})

    assert told(has("/a", "/b/", "/u/{id}"), has("/b", "/c", "/u/{user_id}")) == [
        "breaking: the operation is gone",
        "breaking: the operation is gone, and `/b` is there",
        "addition: new operation",
        "addition: new operation",
    ]


def test_a_parameter_in_a_path_is_known_by_its_turn_and_not_by_its_name():
    def has(name, schema):
        parameter = {"name": name, "in": "path", "required": True, "schema": schema}
        return document({f"/u/{{{name}}}": {"get": {"parameters": [parameter], "responses": {"200": {}}}}})

    assert told(has("id", WHOLE), has("user_id", WHOLE)) == []
    assert told(has("id", TEXT), has("user_id", WHOLE)) == ["breaking: path parameter `id`: `string` is now `integer`"]


def test_a_path_is_compared_with_what_stands_before_it():
    one = document({"/a": {"get": {"responses": {"200": {}}}}}) | {"servers": [{"url": "https://old.example/api/"}]}
    assert told(one, document({"/api/a": {"get": {"responses": {"200": {}}}}})) == []


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (["200"], ["201"], ["breaking: answer: `200` is now `201`"]),
        (["200", "400"], ["200", "422"], ["breaking: answer: `400` is now `422`"]),
        (["200"], ["200", "404"], ["other: answer: may be `404`"]),
        (["200", "404"], ["200"], ["other: answer: `404` is no longer documented"]),
        (["200", "204"], ["200"], ["breaking: answer: `204` is no longer documented"]),
        (["200"], ["2XX"], []),
    ],
)
def test_other_statuses_are_told(one, other, expected):
    made = [document({"/a": {"get": {"responses": {each: {} for each in statuses}}}}) for statuses in (one, other)]
    assert told(*made) == expected


def test_media_types_and_headers_of_an_answer_are_compared():
    assert told(answering(TEXT), answering(TEXT, kind="text/html")) == [
        "breaking: answer `200`: media type `application/json` is now `text/html`"
    ]
    assert told(answering(TEXT), answering(TEXT, kind="application/json; charset=utf-8")) == []
    one, other = ({name: {"schema": WHOLE}} for name in ("X-Total", "X-Count"))
    assert told(answering(TEXT, headers=one), answering(TEXT, headers=other)) == [
        "breaking: answer `200`: header `X-Total` is gone",
        "addition: answer `200`: header `X-Count` is new",
    ]


def secured(security, **schemes):
    return asking(TEXT, security=security) | {"components": {"securitySchemes": schemes}}


BEARER, BASIC = {"type": "http", "scheme": "bearer"}, {"type": "http", "scheme": "basic"}


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (secured([{"a": []}], a=BEARER), secured([{"b": []}], b={"type": "oauth2", "flows": {}}), []),
        (
            secured([{"a": []}], a=BEARER),
            secured([{"b": []}], b=BASIC),
            ["breaking: sign-in: `Authorization: Bearer` is now `Authorization: Basic`"],
        ),
        (
            secured([], a=BEARER),
            secured([{"a": []}], a=BEARER),
            ["breaking: sign-in: no sign-in is now `Authorization: Bearer`"],
        ),
        (
            secured([{"a": []}], a=BEARER),
            secured([{"a": []}, {"b": []}], a=BEARER, b=BASIC),
            ["other: sign-in: `Authorization: Bearer` is now `Authorization: Bearer` or `Authorization: Basic`"],
        ),
        (asking(TEXT), secured([{"a": []}], a=BEARER), []),
    ],
)
def test_who_may_ask_is_compared_by_what_a_request_carries(one, other, expected):
    assert told(one, other) == expected


SWAGGER = {
    "swagger": "2.0",
    "info": {"title": "Shop", "version": "1"},
    "basePath": "/api",
    "consumes": ["application/json"],
    "produces": ["application/json"],
    "paths": {
        "/items": {
            "post": {
                "parameters": [
                    {"name": "body", "in": "body", "required": True, "schema": {"$ref": "#/definitions/Item"}},
                    {"name": "tag", "in": "query", "type": "array", "items": TEXT, "collectionFormat": "multi"},
                ],
                "responses": {"200": {"description": "", "schema": {"$ref": "#/definitions/Item"}}},
            }
        },
        "/files": {
            "post": {
                "consumes": ["multipart/form-data"],
                "parameters": [{"name": "file", "in": "formData", "type": "file", "required": True}],
                "responses": {"204": {"description": ""}},
            }
        },
    },
    "definitions": {"Item": item(name=TEXT | {"x-nullable": True})},
}


def test_a_swagger_2_document_is_compared_with_an_openapi_3_1_document():
    schema = item(name={"anyOf": [TEXT, {"type": "null"}]})
    content = {"application/json": {"schema": schema}}
    upload = item(file={"type": "string", "contentMediaType": "application/octet-stream"}) | {"required": ["file"]}
    port = {
        "openapi": "3.1.0",
        "info": {"title": "Shop", "version": "2"},
        "paths": {
            "/api/items": {
                "post": {
                    "parameters": [{"name": "tag", "in": "query", "schema": {"type": "array", "items": TEXT}}],
                    "requestBody": {"required": True, "content": content},
                    "responses": {"200": {"description": "", "content": content}},
                }
            },
            "/api/files": {
                "post": {
                    "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": upload}}},
                    "responses": {"204": {"description": ""}},
                }
            },
        },
    }
    assert told(SWAGGER, port) == []
    port["paths"]["/api/items"]["post"]["parameters"][0]["schema"]["items"] = WHOLE
    assert told(SWAGGER, port) == ["breaking: query parameter `tag`: `[]`: `string` is now `integer`"]


@pytest.mark.parametrize("schema", [None, [], 3, "text", {"$ref": "#/paths"}, {"$ref": 3}, {"type": 7}, {"allOf": 3}, {"enum": 3}, {"properties": []}, {"items": []}, {"required": True}, {"$ref": "#/components/schemas/Loop"}])  # fmt: skip  # noqa: E501
def test_a_broken_schema_breaks_nothing(schema):
    loop = {"components": {"schemas": {"Loop": {"$ref": "#/components/schemas/Loop"}}}}
    for make in (asking, answering):
        told(make(schema) | loop, make(item(a=TEXT)))
        told(make(item(a=schema)) | loop, make(schema) | loop)
