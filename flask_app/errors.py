"""Turns every error into a problem; which status it has is the core's word."""

from __future__ import annotations

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from flask_app import outputs
from shared_core import problems
from shared_core.errors import ServiceError


def register_error_handlers(app: Flask) -> None:
    app.register_error_handler(ServiceError, on_service_error)
    app.register_error_handler(HTTPException, on_http_exception)


def on_service_error(error: ServiceError) -> Response:
    """What the business refuses."""
    return outputs.problem(problems.of_error(error))


def on_http_exception(error: HTTPException) -> Response:
    """What Flask itself refuses; an unhandled error arrives here too, as the cause of an InternalServerError.

    A business error does so where it arises outside the handlers: in saving the session.
    """
    cause = getattr(error, "original_exception", None)
    if isinstance(cause, ServiceError):
        return on_service_error(cause)
    response = outputs.problem(problems.of_status(error.code or 500))
    if allow := dict(error.get_headers()).get("Allow"):
        response.headers["Allow"] = allow
    return response
