"""Reads what a request brings: the services behind the app, the body, the query."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, FastAPI, Path, Query, Request
from starlette.convertors import Convertor, register_url_convertor

from fastapi_app import wire
from shared_core import schemas
from shared_core.schemas import PageIn, UserIn
from shared_core.services import Services


class IdConvertor(Convertor[int]):
    """`{id:id}`: an int as the database can hold one."""

    regex = schemas.ID_PATTERN

    def convert(self, value: str) -> int:
        return int(value)

    def to_string(self, value: int) -> str:
        return str(value)


register_url_convertor("id", IdConvertor())


class Route(wire.Route):
    """Reads requests as the original does, JSON by the core's parser."""

    loads = staticmethod(schemas.parse_json)


def place_services(app: FastAPI, services: Services) -> None:
    app.state.services = services


async def get_services(request: Request) -> Services:
    """The services of the app that answers this request."""
    services: Services = request.app.state.services
    return services


App = Annotated[Services, Depends(get_services)]
Id = Annotated[int, Path(ge=0, le=schemas.MAX_ID)]
Page = Annotated[PageIn, Query()]


@dataclass(frozen=True, slots=True)
class Registration:
    """A UserIn whose password is hashed already."""

    name: str
    email: str
    password_hash: str


async def hash_password(user: UserIn, app: App) -> Registration:
    """Wait for Argon2 here, on the loop: a handler that waited would hold one of the shared threads."""
    return Registration(user.name, user.email, await app.passwords.hash_async(user.password))


NewUser = Annotated[Registration, Depends(hash_password)]
