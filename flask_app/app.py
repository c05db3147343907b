"""Builds the original; nothing is made at import."""

from __future__ import annotations

import atexit
from typing import Any

from flask import Flask

from flask_app import docs, files, health, hello, metrics, session, signin, users
from flask_app.access import install_access
from flask_app.errors import register_error_handlers
from flask_app.inputs import IdConverter, KeyConverter, place_services
from flask_app.middleware import DrainBody, refuse_cross_site
from flask_app.plugins import install_cors, install_limits, install_sessions
from flask_app.server_log import quiet_server_log
from shared_core import logs
from shared_core.errors import ServiceError
from shared_core.services import Services, services_from_environment


class Original(Flask):
    """Flask, but a failure is logged without its message: that may hold what a client sent."""

    def log_exception(self, exc_info: Any) -> None:
        # A business error comes here from outside the handlers, and was logged where it arose.
        if not isinstance(exc_info[1], ServiceError):
            logs.log_failure(exc_info[1])


def create_app(services: Services | None = None) -> Flask:
    """The app over the given Services, or over Services built from the environment."""
    app = Original(__name__, static_folder=None)
    if services is None:
        services = services_from_environment()
        atexit.register(services.close)
    place_services(app, services)
    # One byte more than is allowed: Werkzeug cuts a chunked body here in silence, and inputs.body must see it.
    app.config["MAX_CONTENT_LENGTH"] = services.settings.max_body_bytes + 1
    app.url_map.converters |= {"id": IdConverter, "key": KeyConverter}
    # The order of the checks: 429, 403, 503; a session is opened before them all.
    install_cors(app, services)
    install_limits(app, services)
    app.before_request(refuse_cross_site)
    install_sessions(app, services)
    for module in (hello, users, session, signin, files, health, metrics, docs):
        app.register_blueprint(module.blueprint)
    register_error_handlers(app)
    app.wsgi_app = DrainBody(app.wsgi_app)  # type: ignore[method-assign]
    install_access(app, services)
    quiet_server_log()
    return app
