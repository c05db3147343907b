"""The original's routing: placeholders, rules that overlap, slashes, a mounted app."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, Response, jsonify, request
from werkzeug.middleware.dispatcher import DispatcherMiddleware

blueprint = Blueprint("routing", __name__, url_prefix="/routing")
nested = Blueprint("nested", __name__, url_prefix="/nested")


def seen(view: str, **values: Any) -> Response:
    """Which view ran, with what."""
    told = {name: f"{type(value).__name__} {value}" for name, value in values.items()}
    return jsonify(view=view, values=told, method=request.method)


@blueprint.get("/int/<int:id>")
def take_int(id: int) -> Response:
    return seen("take_int", id=id)


@blueprint.get("/signed/<int(signed=True):id>")
def take_signed(id: int) -> Response:
    return seen("take_signed", id=id)


@blueprint.get("/year/<int(fixed_digits=4):year>")
def take_year(year: int) -> Response:
    return seen("take_year", year=year)


@blueprint.get("/page/<int(min=1, max=99):page>")
def take_page(page: int) -> Response:
    return seen("take_page", page=page)


@blueprint.get("/float/<float:x>")
def take_float(x: float) -> Response:
    return seen("take_float", x=x)


@blueprint.get("/offset/<float(signed=True, max=1.5):x>")
def take_offset(x: float) -> Response:
    return seen("take_offset", x=x)


@blueprint.get("/uuid/<uuid:u>")
def take_uuid(u: Any) -> Response:
    return seen("take_uuid", u=u)


@blueprint.get('/any/<any(about, help, "a.b"):page>')
def take_any(page: str) -> Response:
    return seen("take_any", page=page)


@blueprint.get("/language/<string(length=2):code>")
def take_language(code: str) -> Response:
    return seen("take_language", code=code)


@blueprint.get("/name/<string(minlength=2, maxlength=4):name>")
def take_name(name: str) -> Response:
    return seen("take_name", name=name)


@blueprint.get("/path/<path:path>")
def take_path(path: str) -> Response:
    return seen("take_path", path=path)


@blueprint.get("/path/<path:path>/edit")
def edit_path(path: str) -> Response:
    return seen("edit_path", path=path)


@blueprint.get("/tree/<path:path>/")
def take_tree(path: str) -> Response:
    return seen("take_tree", path=path)


@blueprint.get("/file/<name>.<kind>")
def take_file(name: str, kind: str) -> Response:
    return seen("take_file", name=name, kind=kind)


# Declared from the general to the particular: the order of declaration would choose the other view.
@blueprint.get("/over/<name>")
def over_name(name: str) -> Response:
    return seen("over_name", name=name)


@blueprint.get("/over/<int:id>")
def over_int(id: int) -> Response:
    return seen("over_int", id=id)


@blueprint.get("/over/me")
def over_me() -> Response:
    return seen("over_me")


@blueprint.get("/over/v-<name>")
def over_version(name: str) -> Response:
    return seen("over_version", name=name)


@blueprint.post("/over/<int:id>")
def over_post(id: int) -> Response:
    return seen("over_post", id=id)


@blueprint.get("/deep/<path:path>")
def deep_path(path: str) -> Response:
    return seen("deep_path", path=path)


@blueprint.get("/deep/<a>/<b>")
def deep_two(a: str, b: str) -> Response:
    return seen("deep_two", a=a, b=b)


@blueprint.get("/deep/<a>/end")
def deep_end(a: str) -> Response:
    return seen("deep_end", a=a)


@blueprint.get("/deep/start/<b>/")
def deep_start(b: str) -> Response:
    return seen("deep_start", b=b)


@blueprint.put("/deep/start/<b>")
def deep_put(b: str) -> Response:
    return seen("deep_put", b=b)


@blueprint.get("/folder/")
def get_folder() -> Response:
    return seen("get_folder")


@blueprint.post("/folder/")
def post_folder() -> Response:
    return seen("post_folder")


@blueprint.delete("/folder")
def delete_folder() -> Response:
    return seen("delete_folder")


@blueprint.get("/leaf")
def get_leaf() -> Response:
    return seen("get_leaf")


@blueprint.get("/übung/<name>/")
def exercise(name: str) -> Response:
    return seen("exercise", name=name)


@nested.get("/<name>/items/")
def nested_items(name: str) -> Response:
    return seen("nested_items", name=name)


@nested.get("/one/items/<int:id>")
def nested_item(id: int) -> Response:
    return seen("nested_item", id=id)


@nested.get("/<name>/items/first")
def nested_first(name: str) -> Response:
    return seen("nested_first", name=name)


blueprint.register_blueprint(nested)


def make_mounted() -> Flask:
    app = Flask(__name__, static_folder=None)

    @app.get("/")
    def mounted_root() -> Response:
        return seen("mounted_root")

    @app.get("/<name>")
    def mounted_name(name: str) -> Response:
        return seen("mounted_name", name=name)

    @app.get("/folder/")
    def mounted_folder() -> Response:
        return seen("mounted_folder")

    return app


def install(app: Flask) -> None:
    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/routing/mounted": make_mounted()})  # type: ignore[method-assign]
