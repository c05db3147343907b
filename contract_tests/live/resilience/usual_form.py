"""The usual FastAPI form, which stops answering for good at 200 connections, and its cure: kept to prove the check.

Pool 5 and 10 more, 40 thread tokens, as SQLAlchemy and AnyIO come; the URL is the service's own DATABASE_URL.
"""

from typing import Annotated

import sqlalchemy as sa
from fastapi import Depends, FastAPI
from pydantic import BaseModel
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

from shared_core.settings import load_settings


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    email: Mapped[str]


class UserOut(BaseModel):
    name: str
    email: str


def create_app() -> FastAPI:
    """`GET /user/{id}` in the form of the tutorials, `GET /cured/{id}` with the session inside the one call."""
    app = FastAPI(telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False})
    engine = sa.create_engine(load_settings().database_url.get_secret_value(), pool_size=5, max_overflow=10)
    make_session = sessionmaker(engine)

    def get_db():
        db = make_session()
        try:
            yield db
        finally:
            db.close()

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/user/{id}", response_model=UserOut)
    def get_user(id: int, db: Annotated[Session, Depends(get_db)]):
        return db.get(User, id)

    @app.get("/cured/{id}", response_model=UserOut)
    def get_user_in_one_call(id: int):
        with make_session() as db:
            return UserOut.model_validate(db.get(User, id), from_attributes=True)

    return app
