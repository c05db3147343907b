"""The original's routing: placeholders, rules that overlap, slashes, a mounted app."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import Blueprint, Flask, Response, jsonify, request
from werkzeug.middleware.dispatcher import DispatcherMiddleware

blueprint = Blueprint("routing", __name__, url_prefix="/routing")
nested = Blueprint("nested", __name__, url_prefix="/nested")


def seen(view: str, **values: Any) -> Response:
    """Which view ran, with what."""
    told = {name: f"{type(value).__name__} {value}" for name, value in values.items()}
    return jsonify(view=view, values=told, method=request.method)


RULES = (
    ("GET", "/int/<int:id>", "take_int"),
    ("GET", "/signed/<int(signed=True):id>", "take_signed"),
    ("GET", "/year/<int(fixed_digits=4):year>", "take_year"),
    ("GET", "/page/<int(min=1, max=99):page>", "take_page"),
    ("GET", "/float/<float:x>", "take_float"),
    ("GET", "/offset/<float(signed=True, max=1.5):x>", "take_offset"),
    ("GET", "/uuid/<uuid:u>", "take_uuid"),
    ("GET", '/any/<any(about, help, "a.b"):page>', "take_any"),
    ("GET", "/language/<string(length=2):code>", "take_language"),
    ("GET", "/name/<string(minlength=2, maxlength=4):name>", "take_name"),
    ("GET", "/path/<path:path>", "take_path"),
    ("GET", "/path/<path:path>/edit", "edit_path"),
    ("GET", "/tree/<path:path>/", "take_tree"),
    ("GET", "/file/<name>.<kind>", "take_file"),
    # Declared from the general to the particular: the order of declaration would choose the other view.
    ("GET", "/over/<name>", "over_name"),
    ("GET", "/over/<int:id>", "over_int"),
    ("GET", "/over/me", "over_me"),
    ("GET", "/over/v-<name>", "over_version"),
    ("POST", "/over/<int:id>", "over_post"),
    ("GET", "/deep/<path:path>", "deep_path"),
    ("GET", "/deep/<a>/<b>", "deep_two"),
    ("GET", "/deep/<a>/end", "deep_end"),
    ("GET", "/deep/start/<b>/", "deep_start"),
    ("PUT", "/deep/start/<b>", "deep_put"),
    ("GET", "/folder/", "get_folder"),
    ("POST", "/folder/", "post_folder"),
    ("DELETE", "/folder", "delete_folder"),
    ("GET", "/leaf", "get_leaf"),
    ("GET", "/übung/<name>/", "exercise"),
)
NESTED = (
    ("GET", "/<name>/items/", "nested_items"),
    ("GET", "/one/items/<int:id>", "nested_item"),
    ("GET", "/<name>/items/first", "nested_first"),
)

for method, rule, view in RULES:
    blueprint.add_url_rule(rule, view, partial(seen, view), methods=[method])
for method, rule, view in NESTED:
    nested.add_url_rule(rule, view, partial(seen, view), methods=[method])
blueprint.register_blueprint(nested)


def make_mounted() -> Flask:
    app = Flask(__name__, static_folder=None)
    app.add_url_rule("/", "mounted_root", partial(seen, "mounted_root"))
    app.add_url_rule("/<name>", "mounted_name", partial(seen, "mounted_name"))
    app.add_url_rule("/folder/", "mounted_folder", partial(seen, "mounted_folder"))
    return app


def install(app: Flask) -> None:
    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/routing/mounted": make_mounted()})  # type: ignore[method-assign]
