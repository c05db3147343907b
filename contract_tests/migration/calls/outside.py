"""What is known of code that is not among the given: other names, what calls give, and what members are."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from contract_tests.migration.calls import blockers

# In each table: what it is <- the names that stand for it.

# Other names of the same thing; one that ends in a dot is the beginning of a name.
_ALIASES = """
    typing. <- typing_extensions.
    sqlalchemy.orm.Session <- sqlmodel.Session
    sqlalchemy.create_engine <- sqlmodel.create_engine
    sqlalchemy.orm. <- sqlalchemy.orm.session. sqlalchemy.orm.scoping.
    sqlalchemy.orm.Session. <- sqlalchemy.orm.scoped_session.
    sqlalchemy. <- sqlalchemy.engine.base. sqlalchemy.engine. sqlalchemy.schema.
    redis. <- redis.client. redis.sentinel.
    redis.Redis <- redis.StrictRedis redis.RedisCluster redis.cluster.RedisCluster
    pymongo. <- pymongo.mongo_client. pymongo.collection. pymongo.database.
    requests. <- requests.sessions. requests.api.
    requests.Session <- requests.session
    concurrent.futures. <- concurrent.futures.thread. concurrent.futures._base.
    concurrent.futures.Executor <- concurrent.futures.ThreadPoolExecutor concurrent.futures.ProcessPoolExecutor
    queue.Queue <- queue.SimpleQueue queue.LifoQueue queue.PriorityQueue
    threading.Thread <- threading.Timer
    multiprocessing. <- multiprocessing.pool. multiprocessing.context. multiprocessing.queues.
    smtplib.SMTP. <- smtplib.SMTP_SSL.
    ftplib.FTP. <- ftplib.FTP_TLS.
    openai.OpenAI <- openai.AzureOpenAI openai.Client
    psycopg2.extensions.connection <- psycopg2.connection
    pymysql.connections.Connection <- pymysql.Connection
    pathlib.Path <- pathlib.PosixPath
    pymysql.connect <- mysql.connector.connect MySQLdb.connect
    fastapi. <- fastapi.datastructures.
    fastapi.UploadFile <- starlette.datastructures.UploadFile
    filelock.FileLock <- filelock.UnixFileLock filelock.SoftFileLock
    psycopg. <- psycopg.rows.
"""

# The class of what a call gives, by the name of what is called (`X()`: an object of X is called); `.*` any member.
_GIVES = """
    sqlite3.Connection <- sqlite3.connect
    sqlite3.Cursor <- sqlite3.Connection.cursor sqlite3.Connection.execute
    psycopg.Connection <- psycopg.connect psycopg.Connection.connect psycopg_pool.ConnectionPool.connection
        psycopg_pool.ConnectionPool.getconn
    psycopg.Cursor <- psycopg.Connection.cursor psycopg.Connection.execute
    psycopg2.extensions.connection <- psycopg2.connect
    psycopg2.extensions.cursor <- psycopg2.extensions.connection.cursor
    pymysql.connections.Connection <- pymysql.connect
    pymysql.cursors.Cursor <- pymysql.connections.Connection.cursor
    sqlalchemy.Engine <- sqlalchemy.create_engine sqlalchemy.engine_from_config
        sqlalchemy.Engine.execution_options
    sqlalchemy.Connection <- sqlalchemy.Engine.begin sqlalchemy.Engine.connect
        sqlalchemy.Connection.execution_options sqlalchemy.orm.Session.connection
    sqlalchemy.Transaction <- sqlalchemy.Connection.begin
    sqlalchemy.orm.sessionmaker <- sqlalchemy.orm.sessionmaker
    sqlalchemy.orm.Session <- sqlalchemy.orm.sessionmaker() sqlalchemy.orm.sessionmaker.begin
        sqlalchemy.orm.scoped_session()
    sqlalchemy.orm.scoped_session <- sqlalchemy.orm.scoped_session
    sqlalchemy.orm.Query <- sqlalchemy.orm.Session.query sqlalchemy.orm.Query.*
    sqlalchemy.orm.DeclarativeBase <- sqlalchemy.orm.declarative_base
        sqlalchemy.ext.declarative.declarative_base
    redis.Redis <- redis.from_url redis.Redis.from_url redis.Sentinel.master_for redis.Sentinel.slave_for
    redis.Pipeline <- redis.Redis.pipeline
    redis.lock.Lock <- redis.Redis.lock
    pymongo.Cursor <- pymongo.Collection.find
    pymongo.Database <- pymongo.MongoClient.get_database pymongo.MongoClient.get_default_database
    pymongo.Collection <- pymongo.Database.get_collection
    boto3.client() <- boto3.client boto3.Session.client boto3.session.Session.client
    boto3.resource() <- boto3.resource boto3.resource().* boto3.Session.resource
    concurrent.futures.Future <- concurrent.futures.Executor.submit asyncio.run_coroutine_threadsafe
    socket.socket <- socket.create_connection
    multiprocessing.Pool <- multiprocessing.Pool
    pathlib.Path <- pathlib.Path.cwd pathlib.Path.home pathlib.Path.joinpath pathlib.Path.resolve
        pathlib.Path.absolute pathlib.Path.expanduser pathlib.Path.with_suffix pathlib.Path.with_name
    pwdlib.PasswordHash <- pwdlib.PasswordHash.recommended
    threading.Lock <- threading.Lock
    threading.RLock <- threading.RLock
    multiprocessing.Lock <- multiprocessing.Lock
    tempfile.SpooledTemporaryFile <- tempfile.SpooledTemporaryFile
"""

# The class of a member that is no method; `[]` is what stands under a key or an index.
_MEMBERS = """
    sqlalchemy.MetaData <- sqlalchemy.orm.DeclarativeBase.metadata sqlmodel.SQLModel.metadata
    pymongo.Database <- pymongo.MongoClient.[] pymongo.MongoClient.*
    pymongo.Collection <- pymongo.Database.[] pymongo.Database.*
    pathlib.Path <- pathlib.Path.parent
    tempfile.SpooledTemporaryFile <- fastapi.UploadFile.file
    openai.OpenAI <- openai.OpenAI.*
    anthropic.Anthropic <- anthropic.Anthropic.*
"""


def _pairs(table: str) -> Iterator[tuple[str, str]]:
    what = ""
    for word in table.replace(" <- ", "<- ").split():
        if word.endswith("<-"):
            what = word.removesuffix("<-")
        else:
            yield word, what


_ALIAS, _GIVEN, _MEMBER = (dict(_pairs(table)) for table in (_ALIASES, _GIVES, _MEMBERS))
KNOWN = (
    blockers.LIBRARIES | {"anyio", "fastapi", "sqlmodel", "starlette", "typing_extensions"} | sys.stdlib_module_names
)


def canonical(name: str) -> str:
    """The one name of a thing that goes by several."""
    if name in _ALIAS:
        return _ALIAS[name]
    for end in range(len(name) - 1, 0, -1):
        if name[end] == ".":
            for beginning in (name[: end + 1], name[:end]):
                if beginning in _ALIAS:
                    return _ALIAS[beginning] + name[len(beginning) :]
    return name


def given_by(name: str) -> str | None:
    """The class of what a call of this name gives."""
    if name in _GIVEN:
        return _GIVEN[name]
    owner, _, last = name.rpartition(".")
    if f"{owner}.*" in _GIVEN:
        return _GIVEN[f"{owner}.*"]
    return name if last[:1].isupper() else None


def member(name: str) -> str | None:
    """The class of a member that is not a method, by its name."""
    owner, _, last = name.rpartition(".")
    if name in _MEMBER:
        return _MEMBER[name]
    if last.startswith("_") or blockers.why_blocking(name) or name in _GIVEN:
        return None
    return _MEMBER.get(f"{owner}.*")
