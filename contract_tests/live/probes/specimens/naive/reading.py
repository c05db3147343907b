"""The naive handlers read the core's strict shapes, by the core's parser and in Flask's order."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel

from contract_tests.live.probes.specimens.naive import models
from contract_tests.suite.targets import wire
from shared_core import schemas

Endpoint = Callable[..., Any]

BODIES: dict[Any, type[BaseModel]] = {
    models.NewUser: schemas.UserIn,
    models.ChangedUser: schemas.UserChanges,
    models.Credentials: schemas.Credentials,
    models.Kept: schemas.KeptValue,
}
QUERIES: dict[str, type[BaseModel]] = {
    "list_users": schemas.PageIn,
    "begin_signin": schemas.SignInStart,
    "get_file": schemas.TagIn,
}


class StrictRoute(wire.Route):
    loads = staticmethod(schemas.parse_json)


def read_strictly(endpoint: Endpoint) -> Endpoint:
    """The endpoint, its body of the core's shape, and its query parameters the fields of one."""
    query = QUERIES.get(endpoint.__name__)
    fields = query.model_fields if query else {}
    given = inspect.signature(endpoint).parameters.values()
    kept = [each.replace(annotation=strict(each.annotation)) for each in given if each.name not in fields]
    if query is None and kept == list(given):
        return endpoint
    if query is not None:
        kept.append(inspect.Parameter("asked", inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[query, Query()]))

    def read(**values: Any) -> Any:
        asked = values.pop("asked", ())
        return endpoint(**values, **dict(asked))

    read.__signature__ = inspect.Signature(kept)
    return read


def strict(annotation: Any) -> Any:
    return BODIES.get(annotation, annotation)
