"""Sessions, engines and drivers."""

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Annotated

import psycopg
import redis
import redis.asyncio as aredis
from fastapi import Depends
from pymongo import MongoClient
from sqlalchemy import create_engine, select
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session, sessionmaker

engine = create_engine("sqlite://")
make_session = sessionmaker(bind=engine)
make_async_session = sessionmaker(create_async_engine("sqlite+aiosqlite://"), class_=AsyncSession)
mongo = MongoClient()
people = mongo["crm"].people


def get_db() -> Iterator[Session]:
    """A plain generator: FastAPI runs it in a thread."""
    db = make_session()
    try:
        db.execute(select(1))  # innocent
        yield db
    finally:
        db.commit()  # innocent


async def get_async_db() -> AsyncIterator[AsyncSession]:
    async with make_async_session() as session:
        yield session
        await session.commit()  # innocent


def get_untyped_db():
    with make_session() as db:
        yield db


Db = Annotated[Session, Depends(get_db)]
AsyncDb = Annotated[AsyncSession, Depends(get_async_db)]


async def get_own_db():
    db = make_session()
    try:
        yield db
    finally:
        db.rollback()  # planted: sqlalchemy.orm.Session.rollback


@contextmanager
def transaction():
    with engine.begin() as connection:  # planted: sqlalchemy.Engine.begin
        yield connection


class Users:
    """A repository that keeps its session."""

    def __init__(self, db: Session) -> None:
        self.db = db

    def all(self):
        return self.db.query(object).filter_by(active=True).all()  # planted: sqlalchemy.orm.Query.all

    def add(self, user):
        self.db.add(user)
        self._save()

    def _save(self):
        self.db.commit()  # planted: sqlalchemy.orm.Session.commit


class Cache:
    def __init__(self, url: str) -> None:
        self.client = redis.Redis.from_url(url)
        self.awaited = aredis.from_url(url)

    @property
    def size(self) -> int:
        return self.client.dbsize()  # planted: redis.Redis.dbsize

    def read(self, key: str):
        return self.client.get(key)  # planted: redis.Redis.get

    def in_one(self):
        pipe = self.client.pipeline()  # innocent
        pipe.incr("a")
        return pipe.execute()  # planted: redis.Pipeline.execute

    async def read_awaited(self, key: str):
        return await self.awaited.get(key)  # innocent


def count_rows(path: str) -> int:
    with sqlite3.connect(path) as connection:  # planted: sqlite3.connect
        cursor = connection.execute("SELECT 1")  # planted: sqlite3.Connection.execute
        return cursor.fetchone()  # planted: sqlite3.Cursor.fetchone


def look_up(dsn: str):
    with psycopg.connect(dsn) as connection, connection.cursor() as cursor:  # planted: psycopg.connect
        cursor.execute("SELECT 1")  # planted: psycopg.Cursor.execute
        return people.find_one({})  # planted: pymongo.Collection.find_one


async def look_up_awaited(dsn: str):
    connection = await psycopg.AsyncConnection.connect(dsn)  # innocent
    return await connection.execute("SELECT 1")  # innocent
