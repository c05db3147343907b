"""Handlers, dependencies, middleware and the lifespan."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial, wraps
from typing import Annotated

import anyio
import anyio.to_thread
import requests
from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI, Request, UploadFile, WebSocket
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from starlette.middleware.base import BaseHTTPMiddleware

from contract_tests.tests.specimens.blocked import services
from contract_tests.tests.specimens.blocked.database import (
    AsyncDb,
    Cache,
    Db,
    Users,
    count_rows,
    get_own_db,
    get_untyped_db,
    look_up,
    look_up_awaited,
    transaction,
)  # fmt: skip

from .services import Mail, Pool, fetch_all, finished, retried

router = APIRouter()


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.cache = Cache("redis://")
    app.state.mail = Mail()
    requests.get("https://example.org/ready")  # planted: requests.get
    yield


app = FastAPI(lifespan=lifespan)


class Slow(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        time.sleep(0.1)  # planted: time.sleep
        return await call_next(request)


class Pure:
    def __init__(self, app):
        self.app = app
        self.lock = threading.Lock()

    async def __call__(self, scope, receive, send):
        with self.lock:  # planted: with threading.Lock
            await self.app(scope, receive, send)


@app.exception_handler(ValueError)
async def on_value_error(request: Request, error: ValueError):
    open("errors.log", "a")  # planted: builtins.open


def timed(handler):
    @wraps(handler)
    async def wrapper(*arguments, **named):
        time.sleep(0.01)  # planted: time.sleep
        return await handler(*arguments, **named)

    return wrapper


async def current_user(request: Request):
    return request.app.state.cache.in_one()


class Limiter:
    async def __call__(self, request: Request):
        time.sleep(0.1)  # planted: time.sleep


def plain_dependency():
    time.sleep(1)  # innocent


@router.get("/deep", dependencies=[Depends(Limiter()), Depends(plain_dependency)])
@timed
async def deep(user: Annotated[str, Depends(current_user)], own: Annotated[object, Depends(get_own_db)]):
    services.one()
    fetch_all("https://example.org")
    services.run_tools()
    services.read_files("a")
    services.wait_for_threads()
    services.check_password(b"", b"")
    return user


@router.get("/database")
async def database(db: Db, request: Request, untyped=Depends(get_untyped_db)):
    users = Users(db)
    users.add(object())
    cache: Cache = request.app.state.cache
    untyped.flush()  # planted: sqlalchemy.orm.Session.flush
    with transaction() as connection:
        connection.execute("SELECT 1")  # planted: sqlalchemy.Connection.execute
    return users.all(), count_rows("a"), look_up("b"), cache.size, cache.read("c")


@router.get("/mail")
async def mail():
    with Mail() as sender:
        await sender.send_soon("text")
        sender()
    retried(time.sleep, 1)  # planted: time.sleep
    await run_in_threadpool(time.sleep(1))  # planted: time.sleep


@router.websocket("/socket")
async def socket(websocket: WebSocket):
    def callback():
        time.sleep(1)  # planted: time.sleep

    asyncio.get_running_loop().call_soon(callback)


@router.post("/upload")
async def upload(file: UploadFile, tasks: BackgroundTasks):
    file.file.read()  # planted: tempfile.SpooledTemporaryFile.read
    tasks.add_task(later)
    tasks.add_task(plain_dependency)  # innocent
    await file.read()  # innocent


async def later():
    time.sleep(1)  # planted: time.sleep


async def added():
    for _ in numbers():
        pass


def numbers():
    time.sleep(1)  # planted: time.sleep
    yield 1


app.add_api_route("/added", added)


@router.get("/accepted")
async def accepted():
    time.sleep(0)  # blocks: for no time at all
    time.sleep(1)  # planted: time.sleep  # blocks:


@router.get("/innocent")
async def innocent(db: AsyncDb):
    def not_called():
        time.sleep(1)  # innocent

    await db.execute("SELECT 1")  # innocent
    await asyncio.sleep(1)  # innocent
    await anyio.sleep(1)  # innocent
    await anyio.to_thread.run_sync(partial(fetch_all, "https://example.org"))  # innocent
    await run_in_threadpool(services.one)  # innocent
    await Pool().hash("password")
    await look_up_awaited("dsn")
    services.spare_calls("a")
    await finished(asyncio.create_task(asyncio.sleep(1)), asyncio.Queue())
    async with asyncio.Lock():  # innocent
        pass
    return StreamingResponse(rows())  # innocent


def rows():
    time.sleep(1)  # innocent
    yield b"row"


@router.get("/plain")
def plain(db: Db):
    time.sleep(1)  # innocent
    return db.execute("SELECT 1")  # innocent
