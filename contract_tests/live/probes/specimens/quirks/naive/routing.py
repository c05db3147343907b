"""The naive port's routing: placeholders, paths that overlap, slashes, a mounted app."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from fastapi import APIRouter, FastAPI, Request, Response

router = APIRouter(prefix="/routing")
nested = APIRouter(prefix="/nested")


def seen(request: Request, view: str, **values: Any) -> Response:
    """Which view ran, with what."""
    told = {name: f"{type(value).__name__} {value}" for name, value in values.items()}
    method = request.scope.get("wire.method", request.method)
    text = json.dumps({"method": method, "values": told, "view": view}, sort_keys=True, separators=(",", ":"))
    return Response(text + "\n", media_type="application/json")


@router.get("/int/{id}")
def take_int(request: Request, id: int) -> Response:
    return seen(request, "take_int", id=id)


@router.get("/signed/{id}")
def take_signed(request: Request, id: int) -> Response:
    return seen(request, "take_signed", id=id)


@router.get("/year/{year}")
def take_year(request: Request, year: int) -> Response:
    return seen(request, "take_year", year=year)


@router.get("/page/{page}")
def take_page(request: Request, page: int) -> Response:
    return seen(request, "take_page", page=page)


@router.get("/float/{x:float}")
def take_float(request: Request, x: float) -> Response:
    return seen(request, "take_float", x=x)


@router.get("/offset/{x}")
def take_offset(request: Request, x: float) -> Response:
    return seen(request, "take_offset", x=x)


@router.get("/uuid/{u:uuid}")
def take_uuid(request: Request, u: UUID) -> Response:
    return seen(request, "take_uuid", u=u)


@router.get("/any/{page}")
def take_any(request: Request, page: str) -> Response:
    return seen(request, "take_any", page=page)


@router.get("/language/{code}")
def take_language(request: Request, code: str) -> Response:
    return seen(request, "take_language", code=code)


@router.get("/name/{name}")
def take_name(request: Request, name: str) -> Response:
    return seen(request, "take_name", name=name)


@router.get("/path/{path:path}")
def take_path(request: Request, path: str) -> Response:
    return seen(request, "take_path", path=path)


@router.get("/path/{path:path}/edit")
def edit_path(request: Request, path: str) -> Response:
    return seen(request, "edit_path", path=path)


@router.get("/tree/{path:path}/")
def take_tree(request: Request, path: str) -> Response:
    return seen(request, "take_tree", path=path)


@router.get("/file/{name}.{kind}")
def take_file(request: Request, name: str, kind: str) -> Response:
    return seen(request, "take_file", name=name, kind=kind)


# Declared from the general to the particular: the order of declaration would choose the other view.
@router.get("/over/{name}")
def over_name(request: Request, name: str) -> Response:
    return seen(request, "over_name", name=name)


@router.get("/over/{id}")
def over_int(request: Request, id: int) -> Response:
    return seen(request, "over_int", id=id)


@router.get("/over/me")
def over_me(request: Request) -> Response:
    return seen(request, "over_me")


@router.get("/over/v-{name}")
def over_version(request: Request, name: str) -> Response:
    return seen(request, "over_version", name=name)


@router.post("/over/{id}")
def over_post(request: Request, id: int) -> Response:
    return seen(request, "over_post", id=id)


@router.get("/deep/{path:path}")
def deep_path(request: Request, path: str) -> Response:
    return seen(request, "deep_path", path=path)


@router.get("/deep/{a}/{b}")
def deep_two(request: Request, a: str, b: str) -> Response:
    return seen(request, "deep_two", a=a, b=b)


@router.get("/deep/{a}/end")
def deep_end(request: Request, a: str) -> Response:
    return seen(request, "deep_end", a=a)


@router.get("/deep/start/{b}/")
def deep_start(request: Request, b: str) -> Response:
    return seen(request, "deep_start", b=b)


@router.put("/deep/start/{b}")
def deep_put(request: Request, b: str) -> Response:
    return seen(request, "deep_put", b=b)


@router.get("/folder/")
def get_folder(request: Request) -> Response:
    return seen(request, "get_folder")


@router.post("/folder/")
def post_folder(request: Request) -> Response:
    return seen(request, "post_folder")


@router.delete("/folder")
def delete_folder(request: Request) -> Response:
    return seen(request, "delete_folder")


@router.get("/leaf")
def get_leaf(request: Request) -> Response:
    return seen(request, "get_leaf")


@router.get("/übung/{name}/")
def exercise(request: Request, name: str) -> Response:
    return seen(request, "exercise", name=name)


@nested.get("/{name}/items/")
def nested_items(request: Request, name: str) -> Response:
    return seen(request, "nested_items", name=name)


@nested.get("/one/items/{id}")
def nested_item(request: Request, id: int) -> Response:
    return seen(request, "nested_item", id=id)


@nested.get("/{name}/items/first")
def nested_first(request: Request, name: str) -> Response:
    return seen(request, "nested_first", name=name)


router.include_router(nested)


def make_mounted() -> FastAPI:
    app = FastAPI(openapi_url=None)

    @app.get("/")
    def mounted_root(request: Request) -> Response:
        return seen(request, "mounted_root")

    @app.get("/{name}")
    def mounted_name(request: Request, name: str) -> Response:
        return seen(request, "mounted_name", name=name)

    @app.get("/folder/")
    def mounted_folder(request: Request) -> Response:
        return seen(request, "mounted_folder")

    return app


def install(app: FastAPI) -> None:
    app.mount("/routing/mounted", make_mounted())
