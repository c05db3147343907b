"""The naive port's routing: placeholders, paths that overlap, slashes, a mounted app."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI

from contract_tests.live.probes.specimens.quirks.both_ports import routing as views

router = APIRouter(prefix="/routing")
nested = APIRouter(prefix="/nested")

ROUTES = (
    ("GET", "/int/{id}", views.take_int),
    ("GET", "/signed/{id}", views.take_signed),
    ("GET", "/year/{year}", views.take_year),
    ("GET", "/page/{page}", views.take_page),
    ("GET", "/float/{x:float}", views.take_float),
    ("GET", "/offset/{x}", views.take_offset),
    ("GET", "/uuid/{u:uuid}", views.take_uuid),
    ("GET", "/any/{page}", views.take_any),
    ("GET", "/language/{code}", views.take_language),
    ("GET", "/name/{name}", views.take_name),
    ("GET", "/path/{path:path}", views.take_path),
    ("GET", "/path/{path:path}/edit", views.edit_path),
    ("GET", "/tree/{path:path}/", views.take_tree),
    ("GET", "/file/{name}.{kind}", views.take_file),
    # Declared from the general to the particular: the order of declaration would choose the other view.
    ("GET", "/over/{name}", views.over_name),
    ("GET", "/over/{id}", views.over_int),
    ("GET", "/over/me", views.over_me),
    ("GET", "/over/v-{name}", views.over_version),
    ("POST", "/over/{id}", views.over_post),
    ("GET", "/deep/{path:path}", views.deep_path),
    ("GET", "/deep/{a}/{b}", views.deep_two),
    ("GET", "/deep/{a}/end", views.deep_end),
    ("GET", "/deep/start/{b}/", views.deep_start),
    ("PUT", "/deep/start/{b}", views.deep_put),
    ("GET", "/folder/", views.get_folder),
    ("POST", "/folder/", views.post_folder),
    ("DELETE", "/folder", views.delete_folder),
    ("GET", "/leaf", views.get_leaf),
    ("GET", "/übung/{name}/", views.exercise),
)
NESTED = (
    ("GET", "/{name}/items/", views.nested_items),
    ("GET", "/one/items/{id}", views.nested_item),
    ("GET", "/{name}/items/first", views.nested_first),
)

for method, path, view in ROUTES:
    router.add_api_route(path, view, methods=[method])
for method, path, view in NESTED:
    nested.add_api_route(path, view, methods=[method])
router.include_router(nested)


def make_mounted() -> FastAPI:
    app = FastAPI(openapi_url=None)
    app.get("/")(views.mounted_root)
    app.get("/{name}")(views.mounted_name)
    app.get("/folder/")(views.mounted_folder)
    return app


def install(app: FastAPI) -> None:
    app.mount("/routing/mounted", make_mounted())
