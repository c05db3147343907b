"""API documents of one route, for tests of what changes between two of them."""


def document(paths, **more):
    return {"openapi": "3.0.3", "info": {"title": "Shop", "version": "1"}, "paths": paths, **more}


def asking(schema, **operation):
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    return document({"/items": {"post": {"requestBody": body, "responses": {"200": {}}, **operation}}})


def answering(schema, status="200", kind="application/json", headers=None):
    answer = {"description": "", "content": {kind: {"schema": schema}}, "headers": headers or {}}
    return document({"/items": {"get": {"responses": {status: answer}}}})


def item(**members):
    return {"type": "object", "properties": members}


TEXT, WHOLE, NUMBER = {"type": "string"}, {"type": "integer"}, {"type": "number"}
