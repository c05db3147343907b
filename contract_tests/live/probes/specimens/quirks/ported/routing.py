"""The port's routing: placeholders, paths that overlap, slashes, a mounted app."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI

from contract_tests.live.probes.specimens.quirks.both_ports import routing as views
from fastapi_app.wire import convertors
from fastapi_app.wire.convertors import AnyOf, Float, Int, Text
from fastapi_app.wire.pages import Pages
from fastapi_app.wire.routing import Routing

router = APIRouter(prefix="/routing")
nested = APIRouter(prefix="/nested")

convertors.register(
    signed=Int(signed=True),
    year=Int(fixed_digits=4),
    page=Int(min=1, max=99),
    offset=Float(signed=True, max=1.5),
    topic=AnyOf("about", "help", "a.b"),
    language=Text(length=2),
    short=Text(minlength=2, maxlength=4),
)

ROUTES = (
    ("GET", "/int/{id:flask_int}", views.take_int),
    ("GET", "/signed/{id:signed}", views.take_signed),
    ("GET", "/year/{year:year}", views.take_year),
    ("GET", "/page/{page:page}", views.take_page),
    ("GET", "/float/{x:flask_float}", views.take_float),
    ("GET", "/offset/{x:offset}", views.take_offset),
    ("GET", "/uuid/{u:flask_uuid}", views.take_uuid),
    ("GET", "/any/{page:topic}", views.take_any),
    ("GET", "/language/{code:language}", views.take_language),
    ("GET", "/name/{name:short}", views.take_name),
    ("GET", "/path/{path:flask_path}", views.take_path),
    ("GET", "/path/{path:flask_path}/edit", views.edit_path),
    ("GET", "/tree/{path:flask_path}/", views.take_tree),
    ("GET", "/file/{name}.{kind}", views.take_file),
    # Declared from the general to the particular: the order of declaration would choose the other view.
    ("GET", "/over/{name}", views.over_name),
    ("GET", "/over/{id:flask_int}", views.over_int),
    ("GET", "/over/me", views.over_me),
    ("GET", "/over/v-{name}", views.over_version),
    ("POST", "/over/{id:flask_int}", views.over_post),
    ("GET", "/deep/{path:flask_path}", views.deep_path),
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
    ("GET", "/one/items/{id:flask_int}", views.nested_item),
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
    Pages.install(app)
    Routing.install(app)
    return app


def install(app: FastAPI) -> None:
    app.mount("/routing/mounted", make_mounted())
    Routing.install(app)
