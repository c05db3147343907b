"""The slides' FastAPI app: a model in, a model out, and a session by `yield` from a dependency."""

import sqlite3
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel
from sqlalchemy import QueuePool, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker


class Base(DeclarativeBase):
    """SQLAlchemy's registry of the tables below."""


class User(Base):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    email: Mapped[str]
    password: Mapped[str]


class UserIn(BaseModel):
    name: str
    email: str
    password: str


class UserOut(BaseModel):
    name: str
    email: str


class UserCreated(BaseModel):
    message: str
    id: int


def create_app() -> FastAPI:
    """The app with an empty database of its own."""
    app = FastAPI()
    engine = create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(":memory:", check_same_thread=False),
        poolclass=QueuePool,
        pool_size=1,
        max_overflow=0,
    )
    Base.metadata.create_all(engine)
    make_session = sessionmaker(engine)

    def get_db() -> Iterator[Session]:
        with make_session() as db:
            yield db

    @app.post("/user", status_code=201, response_model=UserCreated)
    def create_user(user: UserIn, db: Annotated[Session, Depends(get_db)]) -> dict[str, object]:
        created = User(name=user.name, email=user.email, password=user.password)
        db.add(created)
        db.commit()
        return {"message": "User created successfully", "id": created.id}

    @app.get("/user/{id}", response_model=UserOut)
    def get_user(id: int, db: Annotated[Session, Depends(get_db)]) -> User:
        user = db.get(User, id)
        if user is None:
            raise HTTPException(404)
        return user

    @app.get("/files/{name}")
    def get_file(name: str, tag: str = "unidentified") -> dict[str, str]:
        return {"name": name, "tag": tag, "timestamp": datetime.utcnow().isoformat()}

    return app
