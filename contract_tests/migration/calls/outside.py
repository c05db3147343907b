"""The table of what blocks, and of what outside calls and members are: everything known of code that is not given."""

from __future__ import annotations

import sys

_HTTP = "get post put patch delete head options request"

# Why, and who: a name, then the members that block; `*` is every member, less those after `-`.
_BLOCKERS: dict[str, str] = {
    "sleeps": """
        time: sleep
    """,
    "waits for the network": f"""
        requests: {_HTTP}
        requests.Session: {_HTTP} send
        httpx: {_HTTP} stream
        httpx.Client: {_HTTP} send stream
        urllib.request: urlopen urlretrieve
        urllib3: request
        urllib3.PoolManager: request urlopen
        http.client.HTTPConnection: connect request getresponse
        http.client.HTTPSConnection: connect request getresponse
        socket: create_connection getaddrinfo gethostbyname gethostbyname_ex gethostbyaddr getfqdn
        socket.socket: accept connect recv recv_into recvfrom recvmsg send sendall sendto sendfile
        ssl.SSLSocket: accept connect do_handshake read recv send sendall write
        select: select
        smtplib: SMTP SMTP_SSL
        smtplib.SMTP: connect ehlo login quit send_message sendmail starttls
        ftplib: FTP FTP_TLS
        ftplib.FTP: *
        imaplib: IMAP4 IMAP4_SSL
        poplib: POP3 POP3_SSL
        boto3.client(): * - meta exceptions close generate_presigned_url generate_presigned_post get_paginator
        boto3.resource(): * - meta
        openai: OpenAI()
        anthropic: Anthropic()
        elasticsearch.Elasticsearch: * - options
        paramiko.SSHClient: connect exec_command
        dns.resolver: query resolve
        celery.result.AsyncResult: get wait
    """,
    "waits for a database": """
        sqlite3: connect
        sqlite3.Connection: backup commit execute executemany executescript rollback
        sqlite3.Cursor: execute executemany executescript fetchall fetchmany fetchone
        psycopg: connect
        psycopg.Connection: commit connect execute rollback transaction
        psycopg.Cursor: copy execute executemany fetchall fetchmany fetchone
        psycopg_pool.ConnectionPool: connection getconn open wait
        psycopg2: connect
        psycopg2.extensions.connection: commit rollback
        psycopg2.extensions.cursor: callproc execute executemany fetchall fetchmany fetchone
        pymysql: connect
        pymysql.connections.Connection: commit ping query rollback
        pymysql.cursors.Cursor: execute executemany fetchall fetchmany fetchone
        mysql.connector: connect
        sqlalchemy.Engine: begin connect raw_connection
        sqlalchemy.Connection: commit exec_driver_sql execute rollback scalar scalars
        sqlalchemy.Transaction: commit rollback
        sqlalchemy.MetaData: create_all drop_all reflect
        sqlalchemy.orm.sessionmaker: begin
        sqlalchemy.orm.Session: begin begin_nested bulk_insert_mappings bulk_save_objects bulk_update_mappings commit delete
            exec execute flush get get_one merge refresh rollback scalar scalars
        sqlalchemy.orm.Query: all count delete exists first get one one_or_none scalar update
        alembic.command: current downgrade revision stamp upgrade
        redis.Redis: * - close connection_pool from_url get_encoder lock pipeline pubsub register_script
        redis.Pipeline: execute
        redis.lock.Lock: acquire extend reacquire release
        pymongo.Collection: * - aggregate database find full_name name with_options
        pymongo.Database: command create_collection drop_collection list_collection_names list_collections validate_collection
        pymongo.MongoClient: drop_database list_database_names list_databases server_info start_session
        pymongo.Cursor: next to_list
    """,
    "waits for another process": """
        subprocess: call check_call check_output getoutput getstatusoutput run
        subprocess.Popen: communicate wait
        os: popen system wait wait3 wait4 waitid waitpid
        multiprocessing.Process: join
        multiprocessing.Pool: apply join map starmap
        multiprocessing.Queue: get put
    """,
    "waits for a file": """
        builtins: open
        io: open
        codecs: open
        gzip: open
        bz2: open
        lzma: open
        os: fsync fdatasync
        pathlib.Path: open read_bytes read_text write_bytes write_text
        shutil: copy copy2 copyfile copyfileobj copytree make_archive move rmtree unpack_archive
        tempfile.SpooledTemporaryFile: read write
        fcntl: flock lockf
        filelock.FileLock: acquire
    """,
    "waits for another thread": """
        threading.Lock: acquire
        threading.RLock: acquire
        threading.Condition: acquire wait wait_for
        threading.Semaphore: acquire
        threading.BoundedSemaphore: acquire
        threading.Event: wait
        threading.Barrier: wait
        threading.Thread: join
        queue.Queue: get join put
        concurrent.futures: as_completed wait
        concurrent.futures.Future: exception result
        concurrent.futures.Executor: map
    """,
    "computes for long": """
        argon2.PasswordHasher: hash verify
        argon2.low_level: hash_secret hash_secret_raw verify_secret
        bcrypt: checkpw hashpw kdf
        passlib.context.CryptContext: hash verify verify_and_update
        passlib.hash.bcrypt: hash verify
        pwdlib.PasswordHash: hash verify verify_and_update
        werkzeug.security: check_password_hash generate_password_hash
        hashlib: pbkdf2_hmac scrypt
        zipfile.ZipFile: extractall
    """,
    "waits for a person": """
        builtins: input
        getpass: getpass
    """,
}

# Entering or leaving these in a `with` blocks.
_CONTEXTS = {
    **dict.fromkeys(
        ("threading." + name for name in ("Lock", "RLock", "Condition", "Semaphore", "BoundedSemaphore")),
        "waits for another thread",
    ),
    "concurrent.futures.Executor": "waits for all its threads at the end",
    "subprocess.Popen": "waits for another process at the end",
    "filelock.FileLock": "waits for a file",
    "redis.lock.Lock": "waits for a database",
    "multiprocessing.Lock": "waits for another process",
}

# Other names of the same thing; one that ends in a dot is the beginning of a name.
_ALIASES = {
    "typing_extensions.": "typing.", "sqlmodel.Session": "sqlalchemy.orm.Session", "sqlmodel.create_engine": "sqlalchemy.create_engine",
    "sqlalchemy.orm.session.": "sqlalchemy.orm.",
    "sqlalchemy.orm.scoping.": "sqlalchemy.orm.", "sqlalchemy.orm.scoped_session.": "sqlalchemy.orm.Session.",
    "sqlalchemy.engine.base.": "sqlalchemy.", "sqlalchemy.engine.": "sqlalchemy.",
    "sqlalchemy.schema.": "sqlalchemy.", "redis.client.": "redis.", "redis.StrictRedis": "redis.Redis",
    "redis.RedisCluster": "redis.Redis", "redis.cluster.RedisCluster": "redis.Redis", "redis.sentinel.": "redis.",
    "pymongo.mongo_client.": "pymongo.", "pymongo.collection.": "pymongo.", "pymongo.database.": "pymongo.",
    "requests.sessions.": "requests.", "requests.session": "requests.Session", "requests.api.": "requests.",
    "concurrent.futures.thread.": "concurrent.futures.", "concurrent.futures._base.": "concurrent.futures.",
    "concurrent.futures.ThreadPoolExecutor": "concurrent.futures.Executor",
    "concurrent.futures.ProcessPoolExecutor": "concurrent.futures.Executor",
    "queue.SimpleQueue": "queue.Queue", "queue.LifoQueue": "queue.Queue", "queue.PriorityQueue": "queue.Queue",
    "threading.Timer": "threading.Thread", "multiprocessing.pool.": "multiprocessing.", "multiprocessing.context.": "multiprocessing.",
    "multiprocessing.queues.": "multiprocessing.", "smtplib.SMTP_SSL.": "smtplib.SMTP.", "ftplib.FTP_TLS.": "ftplib.FTP.",
    "openai.AzureOpenAI": "openai.OpenAI", "openai.Client": "openai.OpenAI", "psycopg2.connection": "psycopg2.extensions.connection",
    "pymysql.Connection": "pymysql.connections.Connection", "pathlib.PosixPath": "pathlib.Path",
    "mysql.connector.connect": "pymysql.connect", "MySQLdb.connect": "pymysql.connect", "fastapi.datastructures.": "fastapi.",
    "starlette.datastructures.UploadFile": "fastapi.UploadFile", "filelock.UnixFileLock": "filelock.FileLock",
    "filelock.SoftFileLock": "filelock.FileLock", "psycopg.rows.": "psycopg.",
}  # fmt: skip

# What a call gives, by the name of what is called (`X()` is an object of X that is called itself); `.*`: any member.
_GIVES = {
    "sqlite3.connect": "sqlite3.Connection", "sqlite3.Connection.cursor": "sqlite3.Cursor", "sqlite3.Connection.execute": "sqlite3.Cursor",
    "psycopg.connect": "psycopg.Connection", "psycopg.Connection.connect": "psycopg.Connection", "psycopg.Connection.cursor": "psycopg.Cursor",
    "psycopg.Connection.execute": "psycopg.Cursor", "psycopg_pool.ConnectionPool.connection": "psycopg.Connection",
    "psycopg_pool.ConnectionPool.getconn": "psycopg.Connection", "psycopg2.connect": "psycopg2.extensions.connection",
    "psycopg2.extensions.connection.cursor": "psycopg2.extensions.cursor", "pymysql.connect": "pymysql.connections.Connection",
    "pymysql.connections.Connection.cursor": "pymysql.cursors.Cursor", "sqlalchemy.create_engine": "sqlalchemy.Engine",
    "sqlalchemy.engine_from_config": "sqlalchemy.Engine", "sqlalchemy.Engine.begin": "sqlalchemy.Connection",
    "sqlalchemy.Engine.connect": "sqlalchemy.Connection", "sqlalchemy.Engine.execution_options": "sqlalchemy.Engine",
    "sqlalchemy.Connection.execution_options": "sqlalchemy.Connection", "sqlalchemy.Connection.begin": "sqlalchemy.Transaction",
    "sqlalchemy.orm.sessionmaker": "sqlalchemy.orm.sessionmaker", "sqlalchemy.orm.sessionmaker()": "sqlalchemy.orm.Session",
    "sqlalchemy.orm.sessionmaker.begin": "sqlalchemy.orm.Session", "sqlalchemy.orm.scoped_session": "sqlalchemy.orm.scoped_session",
    "sqlalchemy.orm.scoped_session()": "sqlalchemy.orm.Session", "sqlalchemy.orm.Session.query": "sqlalchemy.orm.Query",
    "sqlalchemy.orm.Query.*": "sqlalchemy.orm.Query", "sqlalchemy.orm.Session.connection": "sqlalchemy.Connection",
    "sqlalchemy.orm.declarative_base": "sqlalchemy.orm.DeclarativeBase", "sqlalchemy.ext.declarative.declarative_base": "sqlalchemy.orm.DeclarativeBase",
    "redis.from_url": "redis.Redis", "redis.Redis.from_url": "redis.Redis", "redis.Redis.pipeline": "redis.Pipeline",
    "redis.Redis.lock": "redis.lock.Lock", "redis.Sentinel.master_for": "redis.Redis", "redis.Sentinel.slave_for": "redis.Redis",
    "pymongo.Collection.find": "pymongo.Cursor", "pymongo.MongoClient.get_database": "pymongo.Database",
    "pymongo.MongoClient.get_default_database": "pymongo.Database", "pymongo.Database.get_collection": "pymongo.Collection",
    "boto3.client": "boto3.client()", "boto3.resource": "boto3.resource()", "boto3.resource().*": "boto3.resource()",
    "boto3.Session.client": "boto3.client()",
    "boto3.Session.resource": "boto3.resource()", "boto3.session.Session.client": "boto3.client()",
    "concurrent.futures.Executor.submit": "concurrent.futures.Future",
    "asyncio.run_coroutine_threadsafe": "concurrent.futures.Future", "socket.create_connection": "socket.socket",
    "multiprocessing.Pool": "multiprocessing.Pool", "pathlib.Path.cwd": "pathlib.Path", "pathlib.Path.home": "pathlib.Path",
    "pathlib.Path.joinpath": "pathlib.Path", "pathlib.Path.resolve": "pathlib.Path", "pathlib.Path.absolute": "pathlib.Path",
    "pathlib.Path.expanduser": "pathlib.Path", "pathlib.Path.with_suffix": "pathlib.Path", "pathlib.Path.with_name": "pathlib.Path",
    "pwdlib.PasswordHash.recommended": "pwdlib.PasswordHash", "threading.Lock": "threading.Lock", "threading.RLock": "threading.RLock",
    "multiprocessing.Lock": "multiprocessing.Lock", "tempfile.SpooledTemporaryFile": "tempfile.SpooledTemporaryFile",
}  # fmt: skip

# What a member that is no method is, by its name; `[]` is what stands under a key or an index.
_MEMBERS = {
    "sqlalchemy.orm.DeclarativeBase.metadata": "sqlalchemy.MetaData", "sqlmodel.SQLModel.metadata": "sqlalchemy.MetaData",
    "pymongo.MongoClient.[]": "pymongo.Database", "pymongo.Database.[]": "pymongo.Collection", "pymongo.Database.*": "pymongo.Collection",
    "pymongo.MongoClient.*": "pymongo.Database", "pathlib.Path.parent": "pathlib.Path", "fastapi.UploadFile.file": "tempfile.SpooledTemporaryFile",
    "openai.OpenAI.*": "openai.OpenAI", "anthropic.Anthropic.*": "anthropic.Anthropic",
}  # fmt: skip


def _parsed() -> dict[str, tuple[str, frozenset[str]]]:
    parsed: dict[str, tuple[str, frozenset[str]]] = {}
    owner = ""
    for why, text in _BLOCKERS.items():
        for line in text.splitlines():
            name, colon, members = line.strip().partition(": ")
            owner, words = (name, members) if colon else (owner, line)
            blocking, _, free = words.partition(" - ")
            for member in blocking.split():
                parsed[f"{owner}.{member}"] = why, frozenset(free.split())
    return parsed


_BLOCKING = _parsed()
KNOWN = frozenset(name.partition(".")[0] for name in _BLOCKING) | {"typing_extensions", "sqlmodel", "fastapi", "starlette", "anyio"}
KNOWN |= sys.stdlib_module_names


def canonical(name: str) -> str:
    """The one name of a thing that goes by several."""
    if name in _ALIASES:
        return _ALIASES[name]
    for end in range(len(name) - 1, 0, -1):
        if name[end] == ".":
            for beginning in (name[: end + 1], name[:end]):
                if beginning in _ALIASES:
                    return _ALIASES[beginning] + name[len(beginning) :]
    return name


def why_blocking(name: str) -> str | None:
    """Why a call of this name blocks; None where it does not, or is not known."""
    if name in _BLOCKING:
        return _BLOCKING[name][0]
    owner, _, member = name.rpartition(".")
    why, free = _BLOCKING.get(f"{owner}.*", (None, frozenset()))
    # boto3's `Table` and its like only name what is asked for later.
    return None if member in free or member.startswith("_") or member[:1].isupper() else why


def why_context_blocks(name: str) -> str | None:
    """Why entering or leaving an object of this class in a `with` blocks."""
    return _CONTEXTS.get(name)


def given_by(name: str) -> str | None:
    """The class of what a call of this name gives."""
    if name in _GIVES:
        return _GIVES[name]
    owner, _, last = name.rpartition(".")
    if f"{owner}.*" in _GIVES:
        return _GIVES[f"{owner}.*"]
    return name if last[:1].isupper() else None


def member(name: str) -> str | None:
    """The class of a member that is not a method, by its name."""
    owner, _, last = name.rpartition(".")
    if name in _MEMBERS:
        return _MEMBERS[name]
    if last.startswith("_") or name in _BLOCKING or name in _GIVES:
        return None
    return _MEMBERS.get(f"{owner}.*")
