"""What is known of Flask and its extensions by name: proxies, what needs the context, and what registers functions."""

from __future__ import annotations

# Where a proxy is found, by its full name.
_NAMES = ("request", "g", "session", "current_app")
_OLD = ("_request_ctx_stack", "_app_ctx_stack", "request_ctx", "app_ctx")
PROXIES = {f"{module}.{name}": name for module in ("flask", "flask.globals") for name in (*_NAMES, *_OLD)}
PROXIES |= {f"ckan.{module}.{name}": name for module in ("common", "plugins.toolkit") for name in _NAMES}

_FLASK = (
    "url_for", "flash", "get_flashed_messages", "jsonify", "abort", "redirect", "make_response", "render_template",
    "render_template_string", "stream_template", "stream_template_string", "send_file", "send_from_directory",
    "after_this_request", "stream_with_context", "has_request_context", "has_app_context",
    "copy_current_request_context", "get_template_attribute",
)  # fmt: skip
_LOGIN = (
    "current_user", "login_user", "logout_user", "login_required", "fresh_login_required", "login_fresh",
    "confirm_login", "login_remembered",
)  # fmt: skip
_BY_MODULE = {
    "flask": _FLASK, "flask.helpers": _FLASK, "flask.templating": _FLASK, "flask.json": ("jsonify",),
    "flask.ctx": _FLASK, "flask_login": _LOGIN, "flask_login.utils": _LOGIN,
    "flask_security": (
        *_LOGIN, "auth_required", "auth_token_required", "http_auth_required", "roles_required", "roles_accepted",
        "permissions_required", "permissions_accepted", "verify_password", "hash_password", "url_for_security",
    ),
    "flask_jwt_extended": (
        "current_user", "get_current_user", "get_jwt", "get_jwt_identity", "get_jwt_header", "jwt_required",
        "verify_jwt_in_request", "create_access_token", "create_refresh_token", "set_access_cookies",
        "set_refresh_cookies", "unset_jwt_cookies", "decode_token",
    ),
    "flask_babel": (
        "gettext", "ngettext", "pgettext", "npgettext", "get_locale", "get_timezone", "format_date", "format_datetime",
        "format_time", "format_timedelta", "format_number", "format_decimal", "format_currency", "format_percent",
        "to_user_timezone", "to_utc", "refresh", "force_locale", "get_translations",
    ),
    "flask_wtf.csrf": ("generate_csrf", "validate_csrf"),
    "flask_principal": ("identity_changed",),
}  # fmt: skip
CONTEXT = {f"{module}.{name}": name for module, names in _BY_MODULE.items() for name in names}
CONTEXT |= {
    full.replace("flask_babel.", "flask_babelex."): name for full, name in CONTEXT.items() if "flask_babel." in full
}

# Extensions that have a module or an object of their own by this name.
_OWN_SESSIONS = frozenset({"flask_sqlalchemy", "flask_session", "flask_sessionstore", "flask_sqlalchemy_session"})

# What an object of an extension does only within an application's context.
_SQL = (
    "session",
    "engine",
    "engines",
    "create_all",
    "drop_all",
    "get_or_404",
    "first_or_404",
    "one_or_404",
    "paginate",
)
BOUND = {"flask_sqlalchemy.SQLAlchemy": frozenset(_SQL)}
# What an extension's object does at any time: it is set up, or hands out classes and decorators.
FREE = frozenset(
    [
        "init_app",
        "cli",
        "user_loader",
        "request_loader",
        "unauthorized_handler",
        "user_identity_loader",
        "user_lookup_loader",
        "add_resource",
        "route",
        "namespace",
        "add_namespace",
        "expose",
        "errorhandler",
        "error_handler",
        "limit",
        "exempt",
        "shared_limit",
        "cached",
        "memoize",
        "require",
        "register",
        "init",
        "localeselector",
        "timezoneselector",
        "add_view",
        "add_views",
        "add_link",
        "add_category",
        "add_menu_item",
        "register_blueprint",
        "add_url_rule",
        "command",
        "option",
        "context_processor",
        "schema",
        "model",
        "fields",
        "expect",
        "doc",
        "response",
        "param",
        "Schema",
        "Model",
        "request_filter",
        "login_required",
        "oauth_required",
        "token_getter",
        "tokengetter",
        "clientgetter",
        "grantgetter",
        "remote_app",
        "on",
        "on_event",
        "event",
        "on_namespace",
        "on_error",
        "on_error_default",
        "run",
    ]
)

LOCAL_PROXIES = frozenset(
    {"werkzeug.local.LocalProxy", "werkzeug.LocalProxy", "flask.globals.LocalProxy", "flask.LocalProxy"}
)
CASTS = frozenset({"typing.cast", "typing_extensions.cast", "t.cast"})
PARTIALS = frozenset({"functools.partial", "functools.partialmethod"})
# The first parts of all names outside that are, or may give, a proxy; those of Flask's extensions begin with `flask`.
LEADING = frozenset(name.partition(".")[0] for name in (*PROXIES, *CONTEXT, *BOUND, *LOCAL_PROXIES, *CASTS, *PARTIALS))

HOOKS = frozenset(
    [
        "before_request",
        "after_request",
        "teardown_request",
        "teardown_appcontext",
        "before_first_request",
        "before_app_request",
        "after_app_request",
        "teardown_app_request",
        "before_app_first_request",
        "context_processor",
        "app_context_processor",
        "errorhandler",
        "app_errorhandler",
        "register_error_handler",
        "url_value_preprocessor",
        "app_url_value_preprocessor",
        "url_defaults",
        "app_url_defaults",
        "template_filter",
        "app_template_filter",
        "template_global",
        "app_template_global",
        "template_test",
        "app_template_test",
        "add_template_filter",
        "add_template_global",
        "add_template_test",
        "add_app_template_filter",
        "add_app_template_global",
        "add_app_template_test",
        "shell_context_processor",
        "user_loader",
        "request_loader",
        "unauthorized_handler",
        "needs_refresh_handler",
        "user_lookup_loader",
        "user_identity_loader",
        "token_in_blocklist_loader",
        "localeselector",
        "timezoneselector",
        "error_handler",
        "identity_loader",
    ]
)
REGISTERS = HOOKS | frozenset(
    [
        "route",
        "add_url_rule",
        "connect",
        "command",
        "register_blueprint",
        "add_resource",
        "expose",
        "listens_for",
        "add_command",
    ]
)
VERBS = ("get", "post", "put", "patch", "delete")
METHODS = (*VERBS, "head", "options", "trace")
# Objects whose routes are no routes of Flask.
FOREIGN = (
    "fastapi",
    "starlette",
    "aiohttp",
    "bottle",
    "quart",
    "sanic",
    "django",
    "tornado",
    "falcon",
    "litestar",
    "httpx",
    "requests",
)
VIEWS = frozenset(
    {
        "flask.views.View",
        "flask.views.MethodView",
        "flask_restful.Resource",
        "flask_restx.Resource",
        "flask_restplus.Resource",
        "flask_classful.FlaskView",
        "flask_smorest.MethodView",
        "flask_classy.FlaskView",
    }
)
# Tops of names that a folder of the same name among the given ones does not hide, unless it stands at the top itself.
OUTSIDE = frozenset(
    [
        "flask",
        "werkzeug",
        "jinja2",
        "click",
        "sqlalchemy",
        "fastapi",
        "starlette",
        "django",
        "quart",
        "flask_login",
        "flask_sqlalchemy",
        "flask_babel",
        "flask_wtf",
    ]
)


def proxy_of(full: str) -> str | None:
    """The proxy of a full name: Flask's own, or one that a module of Flask or of an extension has by importing it."""
    found = PROXIES.get(full)
    if found:
        return found
    if not full.startswith("flask"):
        return None
    module, _, last = full.rpartition(".")
    top = module.partition(".")[0]
    if last in _NAMES and (top == "flask" or top.startswith("flask_")) and module.islower():
        return None if top in _OWN_SESSIONS and last == "session" else last
    return None


def canonical(full: str) -> str:
    """`flask.ext.login` of old is `flask_login`."""
    if full.startswith("flask.ext."):
        return "flask_" + full.removeprefix("flask.ext.")
    return full
