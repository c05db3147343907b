"""Wire shapes in and out, and the one JSON parser for both apps: nothing is coerced, unknown fields are ignored."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Self, TypeVar

import pydantic_core
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

from shared_core.errors import Invalid, Malformed, Violation

# Eighteen digits always fit a 64-bit column; ASCII only, since \d would admit every script's digits.
ID_PATTERN = "[0-9]{1,18}"
MAX_ID = 10**18 - 1

# Under what a session keeps a value.
KEY_PATTERN = "[A-Za-z0-9_-]{1,64}"

# PostgreSQL cannot store NUL in text.
NO_NUL = r"^[^\x00]*$"

Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=NO_NUL)]
Email = Annotated[str, StringConstraints(min_length=3, max_length=254, pattern=r"^[^@\s\x00]+@[^@\s\x00]+$")]
Password = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
Id = Annotated[int, Field(ge=1, le=MAX_ID)]


def _digits(value: object) -> object:
    """Query values are text: only plain digits are a number (pydantic alone would take "1_0", " 5" and "5.0")."""
    if isinstance(value, str):
        if not re.fullmatch(ID_PATTERN, value):
            raise pydantic_core.PydanticCustomError("digits", "Input should be 1 to 18 decimal digits")
        return int(value)
    return value


class Shape(BaseModel):
    """What crosses the wire: strict, immutable, unknown fields ignored."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", from_attributes=True)

    @classmethod
    def of(cls, value: object) -> Self:
        """The shape of a business value: its attributes of the same names, and no other."""
        return cls.model_validate(value)


class Message(Shape):
    message: str


class Status(Shape):
    status: str


class UserIn(Shape):
    """A person who registers."""

    name: Name
    email: Email
    password: Password = Field(json_schema_extra={"format": "password", "writeOnly": True})


class UserCreated(Shape):
    message: str
    id: Id


class UserOut(Shape):
    """A user as others see one: never the password, nor its hash."""

    name: str
    email: str


class UserItem(Shape):
    id: Id
    name: str
    email: str


class UserChanges(Shape):
    """What changes of a user; what is absent stays."""

    name: Name | None = None
    email: Email | None = None
    password: Password | None = Field(default=None, json_schema_extra={"format": "password", "writeOnly": True})


class Credentials(Shape):
    """Who wants to sign in."""

    email: Email
    password: Password = Field(json_schema_extra={"format": "password", "writeOnly": True})


class KeptValue(Shape):
    """A small JSON value that a session keeps."""

    value: Any


class SignInStart(Shape):
    """Where to come back to after a sign-in elsewhere: a path of this service, or else its front page."""

    next: Annotated[str, StringConstraints(max_length=500)] = "/"


class ProfileOut(Shape):
    """What a sign-in provider says of who is signed in."""

    subject: str
    name: str
    email: str


class FileOut(Shape):
    """A file with what is said of it now; `timestamp` is ISO 8601."""

    id: Id
    name: str
    media_type: str
    size: int
    sha256: str
    tag: str
    timestamp: str


class TagIn(Shape):
    """What to call a file."""

    tag: Annotated[str, StringConstraints(max_length=200)] = "unidentified"


class PageIn(Shape):
    """Which users to list: at most `limit` of those whose id is above `after`."""

    limit: Annotated[int, Field(ge=1, le=100), BeforeValidator(_digits)] = 20
    after: Annotated[int, Field(ge=0, le=MAX_ID), BeforeValidator(_digits)] = 0


class UserPage(Shape):
    """Users in the order of their ids; `next` is the `after` of the following page, null on the last one."""

    items: tuple[UserItem, ...]
    next: Id | None


class ViolationOut(Shape):
    pointer: str
    detail: str
    type: str


class ProblemOut(Shape):
    """A problem detail (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[ViolationOut] | None = None


Model = TypeVar("Model", bound=BaseModel)

UNREADABLE = "The request body is not well-formed JSON."
UNFIT = "The request does not fit."

# Pydantic's own words for these name a Python class or speak of Python objects.
REWORDED = {
    "model_type": ("Input should be an object", "object_type"),
    "model_attributes_type": ("Input should be an object", "object_type"),
}


def parse_json(body: bytes) -> Any:
    """The value of a JSON text (RFC 8259). Raises Malformed, also for NaN, a BOM, lone surrogates and UTF-16."""
    try:
        return pydantic_core.from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise Malformed(UNREADABLE) from error


def parse(model: type[Model], body: bytes) -> Model:
    """A JSON body as a wire shape. Raises Malformed or Invalid."""
    return _validate(model, parse_json(body), "body")


def parse_query(model: type[Model], values: Mapping[str, str]) -> Model:
    """The first value of each query key as a wire shape. Raises Invalid."""
    return _validate(model, dict(values), "query")


def invalid(errors: Iterable[Mapping[str, Any]], *, within: tuple[str, ...] = ()) -> Invalid:
    """Pydantic's errors as one Invalid. What the client sent (`input`, `ctx`) is left behind."""
    return Invalid(UNFIT, violations=tuple(_violation(error, within) for error in errors))


def dump(shape: BaseModel) -> bytes:
    """A wire shape as JSON: declared key order, no white space, UTF-8."""
    return shape.__pydantic_serializer__.to_json(shape)


def _validate(model: type[Model], value: object, place: str) -> Model:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        raise invalid(found, within=(place,)) from None


def _violation(error: Mapping[str, Any], within: tuple[str, ...]) -> Violation:
    detail, kind = REWORDED.get(error["type"], (error["msg"], error["type"]))
    return Violation(pointer=_pointer((*within, *error["loc"])), detail=detail, type=kind)


def _pointer(location: tuple[int | str, ...]) -> str:
    """A location as a JSON Pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)
