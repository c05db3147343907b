"""Settings: the same for both apps; a wrong value stops the start with one line; production refuses the insecure"""

import os
import sqlite3
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

from contract_tests.tests import children
from shared_core.settings import Settings, SettingsError, load_settings

PRODUCTION = {
    "APP_ENV": "production",
    "DATABASE_URL": "postgresql://service:s3cret@db.example.com/service",
    "SESSION_STORE": "redis://:s3cret@cache.example.com/0",
    "PUBLIC_BASE_URL": "https://api.example.com",
}
MSAL = {
    "MSAL_CLIENT_ID": "an-id",
    "MSAL_CLIENT_SECRET": "s3cret",
    "MSAL_AUTHORITY": "https://login.microsoftonline.com/tenant/v2.0",
}
SERVERS = {
    "original": ["gunicorn", "flask_app:create_app()", "--no-control-socket", "--bind", "127.0.0.1:0"],
    "port": ["uvicorn", "fastapi_app:create_app", "--factory", "--port", "0"],
}


def unset():
    """The environment without any setting."""
    return {name: value for name, value in os.environ.items() if name.lower() not in Settings.model_fields}


def serve(role, folder, **values):
    """Start a server that refuses to start, with these settings and no other; gives how it ended."""
    return subprocess.run(
        [sys.executable, "-m", *SERVERS[role]],
        cwd=folder,
        env=unset() | values,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def load(monkeypatch, tmp_path):
    """Loads the settings from an environment that holds these values alone."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)

    def load(**values):
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        return load_settings()

    return load


def test_everything_has_a_default(load):
    settings = load()
    assert settings.embedded
    assert (settings.threads, settings.pool_size, settings.max_body_bytes) == (16, 16, 1 << 20)


def test_a_file_named_env_is_read_and_the_environment_comes_first(load, tmp_path):
    (tmp_path / ".env").write_text("THREADS=5\nPOOL_SIZE=6\n")
    settings = load(POOL_SIZE="7")
    assert (settings.threads, settings.pool_size) == (5, 7)


def test_the_example_is_what_is_there_without_settings(load, tmp_path, monkeypatch):
    from contract_tests.tests.house.test_house import ROOT

    defaults = load()
    (tmp_path / ".env").write_text((ROOT / ".env.example").read_text())
    assert load() == defaults


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("APP_ENV", "staging"),
        ("DATABASE_URL", "mysql://localhost/x"),
        ("DATABASE_URL", "sqlite:/x"),
        ("DATABASE_URL", "service.db"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("DATABASE_URL", "postgresql://h:abc/db"),
        ("THREADS", "many"),
        ("THREADS", "0"),
        ("POOL_SIZE", "-1"),
        ("POOL_TIMEOUT", "-2"),
        ("MAX_BODY_BYTES", "1MB"),
        ("PUBLIC_BASE_URL", "service.example.com"),
        ("PUBLIC_BASE_URL", "https://api.example.com/v1"),
        ("PUBLIC_BASE_URL", "https://user:pw@api.example.com"),
        ("PUBLIC_BASE_URL", "https://api.example.com:abc"),
        ("LOG_LEVEL", "LOUD"),
        ("TRUSTED_PROXIES", "proxy.example.com"),
        ("TRUSTED_PROXIES", "10.0.0.1/8"),
        ("TRUSTED_PROXIES", "*"),
        ("ACCESS_LOG", "perhaps"),
        ("SESSION_STORE", "memcached://h"),
        ("SESSION_STORE", "sqlite:///:memory:"),
        ("SESSION_STORE", "var/sessions.db"),
        ("SESSION_SECONDS", "5"),
        ("LOGIN_SECONDS", "99999999"),
        ("SIGN_IN_ATTEMPTS", "0"),
        ("SIGN_IN_WINDOW_SECONDS", "0"),
        ("CORS_ORIGINS", "*"),
        ("CORS_ORIGINS", "null"),
        ("CORS_ORIGINS", "shop.example"),
        ("CORS_ORIGINS", "https://App.example"),
        ("CORS_ORIGINS", "https://app.example/"),
        ("CORS_ORIGINS", "https://app.example:443"),
        ("CORS_ORIGINS", "https://*.app.example"),
        ("CORS_ORIGINS", "https://user:pw@app.example"),
        ("CORS_ORIGINS", "https://good.example, https://app.example:abc"),
        ("RATE_LIMIT", "often"),
        ("RATE_LIMIT", "0/minute"),
        ("RATE_LIMIT", "10/fortnight"),
        ("RATE_LIMIT", "-5/minute"),
        ("RATE_LIMIT", "5/minute;100/hour"),
        ("RATE_LIMIT", "5/9 years"),
        ("RATE_LIMIT_STORE", "memory://"),
        ("RATE_LIMIT_STORE", "sqlite:///:memory:"),
        ("RATE_LIMIT_KEY_PREFIX", "p" * 101),
        ("MSAL_AUTHORITY", "http://login.example.com/tenant"),
        ("MSAL_AUTHORITY", "https://login.example.com"),
        ("PASSWORD_TIME_COST", "0"),
        ("PASSWORD_MEMORY_KIB", "1"),
    ],
)
def test_a_wrong_value_is_told_by_name_in_one_line_without_the_value(load, name, value):
    with pytest.raises(SettingsError) as refused:
        load(**{name: value})
    told = str(refused.value)
    assert told.startswith(f"{name}: ")
    assert "\n" not in told
    assert value not in told.removeprefix(name)


def test_every_wrong_value_is_told_at_once(load):
    with pytest.raises(SettingsError, match=r"THREADS: .*; POOL_SIZE: "):
        load(THREADS="x", POOL_SIZE="y")


@pytest.mark.parametrize(
    ("value", "origins"),
    [
        ("", ()),
        (" , ", ()),
        ("https://app.example", ("https://app.example",)),
        ("https://app.example , http://localhost:3000,", ("https://app.example", "http://localhost:3000")),
        ("http://[::1]:3000", ("http://[::1]:3000",)),
        ("http://app.example:443", ("http://app.example:443",)),
    ],
)
def test_the_origins_are_those_that_browsers_send(load, value, origins):
    assert load(CORS_ORIGINS=value).allowed_origins == origins


@pytest.mark.parametrize("value", ["600/minute", "1 per 5 minutes", "", " 10 / hour "])
def test_a_limit_is_told_in_the_words_of_limits(load, value):
    assert load(RATE_LIMIT=value).rate_limit == value.strip()


def test_production_takes_secure_settings(load):
    assert load(**PRODUCTION).app_env == "production"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "sqlite:///var/service.sqlite3"),
        ("SESSION_STORE", "sqlite:///var/sessions.sqlite3"),
        ("PUBLIC_BASE_URL", "http://api.example.com"),
        ("CORS_ORIGINS", "https://app.example,http://localhost:3000"),
        ("PASSWORD_TIME_COST", "1"),
        ("PASSWORD_MEMORY_KIB", "19455"),
    ],
)
def test_production_refuses_what_is_insecure(load, name, value):
    with pytest.raises(SettingsError, match=f"{name} is not fit for APP_ENV=production"):
        load(**PRODUCTION | {name: value})


@pytest.mark.parametrize("missing", sorted(MSAL))
def test_the_settings_of_msal_come_together(load, missing):
    with pytest.raises(SettingsError, match=f"{missing} must be set where the other MSAL settings are"):
        load(**MSAL | {missing: ""})


def test_sign_in_is_offered_where_it_is_configured_and_only_there(load):
    from shared_core.services import make_session_store, make_signin
    from shared_core.signin import NoSignIn, SignIn

    store = make_session_store(load())
    assert isinstance(make_signin(load(), store), NoSignIn)
    assert isinstance(make_signin(load(**MSAL), store), SignIn)


def test_an_authority_of_many_tenants_is_refused(load):
    """Its issuer could not be checked."""
    from shared_core.services import make_session_store, make_signin

    many = load(**MSAL | {"MSAL_AUTHORITY": "https://login.microsoftonline.com/common/v2.0"})
    with pytest.raises(SettingsError, match="MSAL_AUTHORITY: "):
        make_signin(many, make_session_store(many))


@pytest.mark.parametrize(
    ("url", "name", "secure"),
    [("http://localhost:8000", "session", False), ("https://api.example.com", "__Host-session", True)],
)
def test_the_cookie_is_hardened_where_clients_come_over_tls(load, url, name, secure):
    from shared_core.services import session_policy

    policy = session_policy(load(PUBLIC_BASE_URL=url))
    assert (policy.cookie_name, policy.secure) == (name, secure)
    assert (policy.http_only, policy.same_site, policy.domain) == (True, "Lax", None)


def test_a_password_in_a_url_is_never_shown(load):
    settings = load(**PRODUCTION | MSAL)
    assert "s3cret" not in repr(settings) + str(settings.model_dump())


@pytest.mark.servers
@pytest.mark.parametrize("role", sorted(SERVERS))
def test_a_wrong_value_stops_the_server_with_one_clear_line(role, tmp_path):
    run = serve(role, tmp_path, POOL_SIZE="plenty")
    assert run.returncode == 3
    assert run.stderr.count("The service cannot start: POOL_SIZE: Input should be a valid integer") == 1
    assert "Traceback" not in run.stderr
    assert "plenty" not in run.stderr


@pytest.mark.parametrize("role", sorted(SERVERS))
def test_an_app_made_from_the_environment_migrates_the_embedded_database(role, tmp_path):
    run = children.run(check_database, role, cwd=tmp_path, env=unset())
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "var/service.sqlite3").exists()


@pytest.mark.servers
@pytest.mark.parametrize("role", sorted(SERVERS))
def test_a_database_of_a_newer_version_stops_the_server_with_one_clear_line(role, tmp_path):
    (tmp_path / "var").mkdir()
    with sqlite3.connect(tmp_path / "var/service.sqlite3") as database:
        database.execute("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        database.execute("INSERT INTO alembic_version VALUES ('9999')")
    database.close()
    run = serve(role, tmp_path)
    assert run.returncode == 3
    assert run.stderr.count("The service cannot start: the database is not of this version") == 1
    assert "Traceback" not in run.stderr


def check_database(role):
    """In a child: make an app from the environment, and use its database."""
    services_from_environment(role).database.check()


def count_connections(role):
    """In a child: make an app from the environment, and print how many connections it keeps."""
    print(services_from_environment(role).database.engine.pool.checkedin())  # noqa: T201


def services_from_environment(role):
    from contract_tests.suite import targets

    warnings.simplefilter("error")
    app = {"original": targets.flask_app, "port": targets.fastapi_app}[role].create_app()
    return app.extensions["services"] if hasattr(app, "extensions") else app.state.services


def make_from_environment(role, folder, database_url):
    """Make an app as a server's worker does, over this database; gives how many connections it keeps, and its log."""
    run = children.run(count_connections, role, cwd=folder, env=unset() | {"DATABASE_URL": database_url})
    assert run.returncode == 0, run.stderr
    return int(run.stdout), run.stderr


UNMIGRATED = (
    "the database is not migrated; requests that need it are answered 503 until you run:"
    " python -m shared_core.migrations\n"
)


@pytest.mark.parametrize("role", sorted(SERVERS))
def test_a_database_that_is_not_migrated_is_told_at_the_start_in_one_line_with_the_command(role, tmp_path):
    kept, log = make_from_environment(role, tmp_path, f"sqlite:///{tmp_path / 'hunter2.sqlite3'}")
    assert log.endswith(f"ERROR - {UNMIGRATED}")
    assert log.count("\n") == 1
    assert "hunter2" not in log
    assert kept == 0  # a worker may fork


@pytest.mark.parametrize("role", sorted(SERVERS))
def test_a_database_that_does_not_answer_at_the_start_is_no_reason_not_to_start(role, tmp_path):
    _, log = make_from_environment(role, tmp_path, "postgresql://hunter2@127.0.0.1:1/nowhere")
    assert log.endswith("WARNING - the database cannot answer: OperationalError\n")
    assert log.count("\n") == 1


def test_a_migrated_database_is_not_worth_a_line(tmp_path):
    from contract_tests.suite.world import settings
    from shared_core.database import make_engine
    from shared_core.migrations import migrate

    url = f"sqlite:///{tmp_path / 'service.sqlite3'}"
    engine = make_engine(settings(database_url=url))
    migrate(engine)
    engine.dispose()
    assert make_from_environment("original", tmp_path, url) == (0, "")


def test_workers_that_start_together_migrate_once(tmp_path):
    with ThreadPoolExecutor(4) as pool:
        workers = list(pool.map(lambda _: children.run(migrate_from_environment, cwd=tmp_path, env=unset()), range(4)))
    assert [worker.returncode for worker in workers] == [0, 0, 0, 0], workers


def migrate_from_environment():
    """In a child: what a server's worker does first."""
    from shared_core.database import make_engine
    from shared_core.migrations import migrate

    engine = make_engine(Settings())
    migrate(engine)
    engine.dispose()
