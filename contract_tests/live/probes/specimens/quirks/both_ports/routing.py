"""The handlers of the area `routing`: each says that it ran, and with what. Their paths are what differs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import Request, Response

from contract_tests.live.probes.specimens.quirks.both_ports.answers import as_json


def seen(request: Request, view: str, **values: Any) -> Response:
    """Which view ran, with what."""
    told = {name: f"{type(value).__name__} {value}" for name, value in values.items()}
    method = request.scope.get("wire.method", request.method)
    return as_json({"method": method, "values": told, "view": view})


def take_int(request: Request, id: int) -> Response:
    return seen(request, "take_int", id=id)


def take_signed(request: Request, id: int) -> Response:
    return seen(request, "take_signed", id=id)


def take_year(request: Request, year: int) -> Response:
    return seen(request, "take_year", year=year)


def take_page(request: Request, page: int) -> Response:
    return seen(request, "take_page", page=page)


def take_float(request: Request, x: float) -> Response:
    return seen(request, "take_float", x=x)


def take_offset(request: Request, x: float) -> Response:
    return seen(request, "take_offset", x=x)


def take_uuid(request: Request, u: UUID) -> Response:
    return seen(request, "take_uuid", u=u)


def take_any(request: Request, page: str) -> Response:
    return seen(request, "take_any", page=page)


def take_language(request: Request, code: str) -> Response:
    return seen(request, "take_language", code=code)


def take_name(request: Request, name: str) -> Response:
    return seen(request, "take_name", name=name)


def take_path(request: Request, path: str) -> Response:
    return seen(request, "take_path", path=path)


def edit_path(request: Request, path: str) -> Response:
    return seen(request, "edit_path", path=path)


def take_tree(request: Request, path: str) -> Response:
    return seen(request, "take_tree", path=path)


def take_file(request: Request, name: str, kind: str) -> Response:
    return seen(request, "take_file", name=name, kind=kind)


def over_name(request: Request, name: str) -> Response:
    return seen(request, "over_name", name=name)


def over_int(request: Request, id: int) -> Response:
    return seen(request, "over_int", id=id)


def over_me(request: Request) -> Response:
    return seen(request, "over_me")


def over_version(request: Request, name: str) -> Response:
    return seen(request, "over_version", name=name)


def over_post(request: Request, id: int) -> Response:
    return seen(request, "over_post", id=id)


def deep_path(request: Request, path: str) -> Response:
    return seen(request, "deep_path", path=path)


def deep_two(request: Request, a: str, b: str) -> Response:
    return seen(request, "deep_two", a=a, b=b)


def deep_end(request: Request, a: str) -> Response:
    return seen(request, "deep_end", a=a)


def deep_start(request: Request, b: str) -> Response:
    return seen(request, "deep_start", b=b)


def deep_put(request: Request, b: str) -> Response:
    return seen(request, "deep_put", b=b)


def get_folder(request: Request) -> Response:
    return seen(request, "get_folder")


def post_folder(request: Request) -> Response:
    return seen(request, "post_folder")


def delete_folder(request: Request) -> Response:
    return seen(request, "delete_folder")


def get_leaf(request: Request) -> Response:
    return seen(request, "get_leaf")


def exercise(request: Request, name: str) -> Response:
    return seen(request, "exercise", name=name)


def nested_items(request: Request, name: str) -> Response:
    return seen(request, "nested_items", name=name)


def nested_item(request: Request, id: int) -> Response:
    return seen(request, "nested_item", id=id)


def nested_first(request: Request, name: str) -> Response:
    return seen(request, "nested_first", name=name)


def mounted_root(request: Request) -> Response:
    return seen(request, "mounted_root")


def mounted_name(request: Request, name: str) -> Response:
    return seen(request, "mounted_name", name=name)


def mounted_folder(request: Request) -> Response:
    return seen(request, "mounted_folder")
