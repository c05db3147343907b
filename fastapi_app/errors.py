"""Turns every error into a problem; which status it has is the core's word."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from fastapi_app import outputs
from shared_core import logs, problems, schemas
from shared_core.errors import Malformed, ServiceError


def register_error_handlers(app: FastAPI) -> None:
    app.add_exception_handler(ServiceError, on_service_error)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, on_http_exception)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, on_validation_error)  # type: ignore[arg-type]
    app.add_exception_handler(Exception, on_unhandled_error)


def answer_to(error: Exception) -> Response:
    """The answer to an error outside the handlers."""
    if isinstance(error, ServiceError):
        return outputs.problem(problems.of_error(error))
    logs.log_failure(error)
    return outputs.problem(problems.of_status(500))


async def on_service_error(_: Request, error: ServiceError) -> Response:
    """What the business refuses."""
    return outputs.problem(problems.of_error(error))


async def on_http_exception(request: Request, error: HTTPException) -> Response:
    """What FastAPI itself refuses; an error of the core's JSON parser arrives here too, as the cause of a 400."""
    if isinstance(error.__cause__, ServiceError):
        return await on_service_error(request, error.__cause__)
    response = outputs.problem(problems.of_status(error.status_code))
    if allow := (error.headers or {}).get("Allow"):
        response.headers["Allow"] = allow
    return response


async def on_validation_error(request: Request, error: RequestValidationError) -> Response:
    """What does not fit its model; an absent body is no well-formed JSON. FastAPI's own answer would echo the input."""
    found = error.errors()
    if any(violation["type"] == "missing" and violation["loc"] == ("body",) for violation in found):
        return await on_service_error(request, Malformed(schemas.UNREADABLE))
    return await on_service_error(request, schemas.invalid(found))


async def on_unhandled_error(_: Request, __: Exception) -> Response:
    """What nobody expected."""
    return outputs.problem(problems.of_status(500))
