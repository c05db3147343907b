"""The bodies in and out, as plain Pydantic models."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel


class NewUser(BaseModel):
    name: str
    email: str
    password: str


class ChangedUser(BaseModel):
    name: str | None = None
    email: str | None = None
    password: str | None = None


class Credentials(BaseModel):
    email: str
    password: str


class Kept(BaseModel):
    value: Any


class User(BaseModel):
    name: str
    email: str


class UserWithId(User):
    id: int


class Profile(User):
    subject: str


class FileInfo(BaseModel):
    id: int
    name: str
    media_type: str
    size: int
    sha256: str
    tag: str
    timestamp: datetime
