"""Reads what a request brings: the services behind the app, the body, the query."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Path, Query, Request, Response
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import ClientDisconnect

from fastapi_app import wire
from fastapi_app.access import note_route
from fastapi_app.sessions import get_session
from shared_core import logins, schemas, uploads
from shared_core.http.conditional import Field
from shared_core.logins import Candidate
from shared_core.passwords import Verdict
from shared_core.schemas import Credentials, PageIn, SignInStart, TagIn, UserChanges, UserIn
from shared_core.services import Services
from shared_core.visits import Visit


class IdConvertor(Convertor[int]):
    """`{id:id}`: an int as the database can hold one."""

    regex = schemas.ID_PATTERN

    def convert(self, value: str) -> int:
        return int(value)

    def to_string(self, value: int) -> str:
        return str(value)


class KeyConvertor(Convertor[str]):
    """`{key:key}`: under what a session keeps a value."""

    regex = schemas.KEY_PATTERN

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("id", IdConvertor())
register_url_convertor("key", KeyConvertor())


class Route(wire.ThreadRoute, wire.Route):
    """Reads requests as the original does, JSON by the core's parser; what refuses before it leaves no route noted."""

    loads = staticmethod(schemas.parse_json)

    def get_route_handler(self) -> wire.Handler:
        handle = super().get_route_handler()

        async def handle_noted(request: Request) -> Response:
            note_route(request, self.path_format)
            return await handle(request)

        return handle_noted


def place_services(app: FastAPI, services: Services) -> None:
    app.state.services = services


async def get_services(request: Request) -> Services:
    """The services of the app that answers this request."""
    services: Services = request.app.state.services
    return services


App = Annotated[Services, Depends(get_services)]
Id = Annotated[int, Path(ge=0, le=schemas.MAX_ID)]
Key = Annotated[str, Path(pattern=f"^{schemas.KEY_PATTERN}$")]
Page = Annotated[PageIn, Query()]
Start = Annotated[SignInStart, Query()]


async def get_visit(request: Request, app: App) -> Visit:
    """The session of this request, as the rules see it."""
    session = await get_session(request)
    return Visit(session, regenerate=session.regenerate, now=app.clock())


Visitor = Annotated[Visit, Depends(get_visit)]


async def get_login_id(visit: Visitor) -> str:
    """The login that the session names. Raises NotSignedIn where it names none."""
    return visit.get_login_id()


SignedIn = Annotated[str, Depends(get_login_id)]


async def get_answers(request: Request) -> list[tuple[str, str]]:
    """Every pair of the query, repeated keys too: whoever must know that there is one reads them here."""
    return request.query_params.multi_items()


Answers = Annotated[list[tuple[str, str]], Depends(get_answers)]


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


@dataclass(frozen=True, slots=True)
class Changes:
    """UserChanges whose password is hashed already."""

    name: str | None
    email: str | None
    password_hash: str | None


async def hash_new_password(_: SignedIn, changes: UserChanges, app: App) -> Changes:
    """Wait for Argon2 here, on the loop, for someone who is signed in."""
    return Changes(changes.name, changes.email, await app.passwords.hash_given_async(changes.password))


async def receive_upload(request: Request, _: SignedIn, app: App) -> AsyncIterator[uploads.Upload]:
    """The body as a file of a form, streamed to the upload folder on the loop: a hop for each chunk would cost more
    than it writes. Gone again unless it is kept. Raises HTTPException, Malformed, TooLarge or Invalid.
    """
    content_type = request.headers.get("content-type", "")
    if not uploads.is_form_data(content_type):
        raise HTTPException(415)
    wire.BodyLimit.lift(request.scope, app.uploads.most_body_bytes)
    with app.uploads.receive(content_type) as upload:
        try:
            async for chunk in request.stream():
                upload.write(chunk)
        except ClientDisconnect:
            raise HTTPException(400) from None
        upload.finish()
        yield upload


Upload = Annotated[uploads.Upload, Depends(receive_upload)]
Tag = Annotated[TagIn, Query()]


async def get_method(request: Request) -> str:
    """The method that the client sent; HEAD is routed as GET."""
    return str(request.scope.get("wire.method", request.method))


async def get_fields(request: Request) -> Field:
    """Gives a header field of the request; None where it has none."""
    return lambda name: wire.field(request.scope, name.lower().encode())


Method = Annotated[str, Depends(get_method)]
Fields = Annotated[Field, Depends(get_fields)]

UserUpdate = Annotated[Changes, Depends(hash_new_password)]


@dataclass(frozen=True, slots=True)
class Claim:
    """Who someone says they are, and the password that is to prove it."""

    candidate: Candidate
    password: str
    now: datetime


async def find_candidate(credentials: Credentials, app: App) -> Claim:
    """The first of a sign-in's two short transactions, in a hop of its own: over before the password is verified."""

    def begin(now: datetime) -> Candidate:
        with app.database.begin() as db:
            return logins.begin_sign_in(db, email=credentials.email, now=now, limit=app.settings.sign_in_limit)

    now = app.clock()
    return Claim(await wire.run(begin, now), credentials.password, now)


@dataclass(frozen=True, slots=True)
class Judged:
    """A candidate, and whether the password was the right one."""

    candidate: Candidate
    verdict: Verdict
    now: datetime


async def verify_password(claim: Annotated[Claim, Depends(find_candidate)], app: App) -> Judged:
    """Wait for Argon2 here, on the loop and between two hops: a handler that waited would hold a shared thread."""
    verdict = await app.passwords.verify_async(claim.candidate.password_hash, claim.password)
    return Judged(claim.candidate, verdict, claim.now)


Attempt = Annotated[Judged, Depends(verify_password)]
