"""The table of what blocks: callables, methods and contexts, by their dotted names."""

from __future__ import annotations

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
        sqlalchemy.orm.Session: begin begin_nested bulk_insert_mappings bulk_save_objects bulk_update_mappings commit
            delete exec execute flush get get_one merge refresh rollback scalar scalars
        sqlalchemy.orm.Query: all count delete exists first get one one_or_none scalar update
        alembic.command: current downgrade revision stamp upgrade
        redis.Redis: * - close connection_pool from_url get_encoder lock pipeline pubsub register_script
        redis.Pipeline: execute
        redis.lock.Lock: acquire extend reacquire release
        pymongo.Collection: * - aggregate database find full_name name with_options
        pymongo.Database: command create_collection drop_collection list_collection_names list_collections
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
LIBRARIES = frozenset(name.partition(".")[0] for name in _BLOCKING)


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
