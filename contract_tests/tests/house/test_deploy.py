"""deploy/ fits the settings, the servers of `make parity` and itself: no container, unit or proxy is started here"""

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from contract_tests.live.servers import SERVERS
from contract_tests.parity.servers import Server
from contract_tests.suite.world import environment, settings
from contract_tests.tests.house.deployment import (
    DEPLOY,
    IMAGES,
    SETTINGS,
    TRAFFIC,
    UNITS,
    compose,
    compose_values,
    dockerfile,
    image_command,
    last_stage,
    nginx,
    only,
    probe,
    seconds,
    told,
    unit,
)
from contract_tests.tests.house.test_house import ROOT, tracked
from shared_core.settings import Settings

# What else may stand under deploy/ in capitals: read by the servers, the images, the shell, or words of systemd.
OTHERS = {
    "WEB_CONCURRENCY",
    "POSTGRES_DB",
    "POSTGRES_USER",
    "POSTGRES_PASSWORD",
    "PATH",
    "AF_INET",
    "AF_INET6",
    "AF_UNIX",
    "START_REFUSED",
}


@pytest.mark.parametrize("path", [*tracked("deploy/**"), ROOT / ".dockerignore"], ids=lambda path: path.name)
def test_every_variable_is_a_setting_or_known(path):
    text = path.read_text()
    words = re.findall(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b", text) + re.findall(r"\$\{?([A-Z]\w*)", text)
    assert set(words) <= SETTINGS | OTHERS


def test_every_file_of_deploy_is_one_that_these_tests_read():
    read = {DEPLOY / "gunicorn.conf.py", DEPLOY / "compose.yaml", DEPLOY / "nginx.conf", *TRAFFIC.values()}
    read |= {DEPLOY / f"{image}.Dockerfile" for image in IMAGES.values()}
    read |= {DEPLOY / f"systemd/{name}.service" for name in UNITS}
    # These two folders are what test_monitoring.py has a real Prometheus read.
    read |= {DEPLOY / f"prometheus/{name}.yml" for name in ("prometheus", "rules", "rules.test")}
    read |= {DEPLOY / "grafana/original-and-port.json"}
    assert set(tracked("deploy/**")) == read


# What the servers are told: effective values, not text.


@pytest.fixture
def effective(monkeypatch, tmp_path):
    """What a server makes of a command: its settings by name. No variable of the shell and no .env counts."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(ROOT))
    (tmp_path / "deploy").symlink_to(DEPLOY)
    for name in (*SETTINGS, "WEB_CONCURRENCY", "GUNICORN_CMD_ARGS"):
        monkeypatch.delenv(name, raising=False)

    def effective(command):
        words = list(command)
        if Path(words[0]).name == "gunicorn":
            from gunicorn.app.wsgiapp import WSGIApplication

            monkeypatch.setattr(sys, "argv", words)
            app = WSGIApplication()
            return {"app": app.app_uri, **{name: each.get() for name, each in app.cfg.settings.items()}}
        from uvicorn.main import main

        return main.make_context("uvicorn", words[1:]).params

    return effective


def deployed(role):
    return {"image": image_command(role), "unit": shlex.split(told(role, "ExecStart"))}


ADDRESS = {"bind", "host", "port", "config", "chdir"}


@pytest.mark.parametrize("way", ["image", "unit"])
@pytest.mark.parametrize("role", sorted(IMAGES))
def test_what_is_deployed_is_what_parity_proves(role, way, effective):
    """Every option of the servers that `make parity` starts holds for those that are deployed."""
    proved = effective(SERVERS[role].format(port=8000).split())
    defaults = effective([SERVERS[role].split()[0], "flask_app:create_app()"])
    chosen = {name: value for name, value in proved.items() if value != defaults[name]} | {"app": proved["app"]}
    deploys = effective(deployed(role)[way])
    assert {name: deploys[name] for name in chosen if name not in ADDRESS} == {
        name: value for name, value in chosen.items() if name not in ADDRESS
    }


@pytest.mark.parametrize("role", sorted(IMAGES))
def test_image_and_unit_serve_alike(role, effective):
    image, unit = (effective(command) for command in deployed(role).values())
    assert {name for name in image if repr(image[name]) != repr(unit[name])} <= ADDRESS


def test_the_two_servers_are_told_the_same(effective, monkeypatch):
    original, port = (effective(image_command(role)) for role in IMAGES)
    pairs = {
        "graceful_timeout": "timeout_graceful_shutdown",
        "keepalive": "timeout_keep_alive",
        "timeout": "timeout_worker_healthcheck",
    }
    assert {one: original[one] for one in pairs} == {one: port[other] for one, other in pairs.items()}
    assert (original["accesslog"], port["access_log"]) == (None, False)
    assert (original["forwarded_allow_ips"], original["secure_scheme_headers"], port["proxy_headers"]) == (
        [],
        {},
        False,
    )
    for other in pairs.values():
        assert f"--{other.replace('_', '-')}" in (DEPLOY / "gunicorn.conf.py").read_text()


def test_gunicorn_has_the_threads_that_the_setting_says(effective, monkeypatch):
    command = image_command("original")
    assert effective(command)["threads"] == Settings.model_fields["threads"].default
    monkeypatch.setenv("THREADS", "5")
    assert effective(command)["threads"] == 5


def test_each_worker_builds_its_own_app_and_nothing_is_written_to_a_home(effective):
    original = effective(image_command("original"))
    assert (original["preload_app"], original["control_socket_disable"]) == (False, True)


def test_both_servers_count_their_processes_by_one_variable():
    """gunicorn reads it when it is imported."""
    code = (
        "from gunicorn.config import Config; from uvicorn import Config as Other;"
        " print(Config().workers, Other('x').workers)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "WEB_CONCURRENCY": "3"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.split() == ["3", "3"]


# Images.


@pytest.mark.parametrize("role", sorted(IMAGES))
def test_an_image_is_built_of_what_is_pinned_and_of_nothing_secret(role):
    instructions = dockerfile(role)
    assert {each.name for each in instructions} <= {
        "FROM", "COPY", "RUN", "ENV", "WORKDIR", "USER", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "CMD",
    }  # fmt: skip
    assert {each.text.split()[0] for each in instructions if each.name == "FROM"} == {"python:3.11-slim"}
    run = " ".join(each.text for each in instructions if each.name == "RUN")
    assert "--require-hashes" in run
    assert "--only-binary :all:" in run
    assert not re.search(r"://|curl|wget", run)
    names = [each.text.partition("=")[0] for each in instructions if each.name == "ENV"]
    assert names == ["PATH"]


@pytest.mark.parametrize("role", sorted(IMAGES))
def test_an_image_runs_as_nobody_special(role):
    uid, gid = only(role, "USER").split(":")
    assert int(uid) == int(gid) >= 10000
    (made,) = [each.text for each in last_stage(role) if each.name == "RUN"]
    assert f"useradd --uid {uid} --gid {gid}" in made
    assert f"install -d -o {uid} -g {gid} {Settings(**compose_values()).upload_dir}" in made
    assert only("original", "USER") == only("port", "USER")
    assert only(role, "STOPSIGNAL") == "SIGTERM"


@pytest.mark.parametrize("role", sorted(IMAGES))
def test_an_image_has_the_core_and_its_own_app_and_what_the_build_may_see(role):
    copies = [each.text for each in dockerfile(role) if each.name == "COPY" and not each.text.startswith("--from")]
    sources = {copy.split()[0].rstrip("/") for copy in copies}
    configuration = {"deploy/gunicorn.conf.py"} if role == "original" else set()
    assert sources == {"requirements/run.lock", "shared_core", f"{IMAGES[role]}_app"} | configuration
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert next(line for line in ignored if not line.startswith("#")) == "*"
    assert sources <= {line[1:] for line in ignored if line.startswith("!")}


def test_the_lock_of_the_images_is_part_of_the_one_that_was_tested():
    run, dev = ((ROOT / f"requirements/{name}.lock").read_text() for name in ("run", "dev"))
    pins = [set(re.findall(r"^[\w.-]+==[^ \n]+", text, re.M)) for text in (run, dev)]
    assert pins[0] < pins[1]
    names = {pin.partition("==")[0] for pin in pins[0]}
    assert {"gunicorn", "uvicorn", "uvloop", "httptools", "psycopg-binary", "redis", "msal", "pyjwt"} <= names
    assert not names & {"pytest", "httpx", "hatchling", "rich"}


def image_folder(role, folder):
    """What the image has in its working directory."""
    for each in last_stage(role):
        source, _, target = each.text.partition(" ")
        if each.name == "COPY" and not source.startswith("--from"):
            (folder / target).parent.mkdir(parents=True, exist_ok=True)
            if source.endswith("/"):
                shutil.copytree(ROOT / source, folder / target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                (folder / target).mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / source, folder / target)
    return folder


def isolated(command, port="{port}"):
    """An image's command without this checkout: -S leaves out the .pth file that would lend it the project."""
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    name, *arguments = [word.replace("0.0.0.0:8000", f"127.0.0.1:{port}") for word in command]
    arguments = [{"0.0.0.0": "127.0.0.1", "8000": port}.get(word, word) for word in arguments]
    code = f"import runpy, sys; sys.path.append({packages!r}); "
    code += f"runpy.run_module({name!r}, run_name='__main__', alter_sys=True)"
    return [sys.executable, "-S", "-c", code, *arguments]


@pytest.mark.servers
@pytest.mark.parametrize("role", sorted(IMAGES))
def test_the_command_of_an_image_serves_what_the_image_holds_and_its_probe_sees_it(role, tmp_path):
    folder = image_folder(role, tmp_path / "app")
    env = environment(settings(threads=3)) | {"PYTHONPATH": "", "WEB_CONCURRENCY": "1"}
    with Server(isolated(image_command(role)), env=env, cwd=folder, ready="/healthz") as server:
        assert run_probe(role, server.port) == 0
    assert run_probe(role, server.port) != 0


def test_the_image_that_migrates_holds_what_that_needs(tmp_path):
    migrate = compose()["services"]["migrate"]
    assert migrate["image"] == compose()["services"]["fastapi"]["image"]
    python, m, module = migrate["command"]
    assert (python, m) == ("python", "-m")
    folder = image_folder("port", tmp_path / "app")
    run = subprocess.run(
        isolated([module]), cwd=folder, env={"PATH": os.defpath}, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert (folder / "var/service.sqlite3").exists()


def run_probe(role, port):
    options, (python, *arguments) = probe(role)
    assert python == "python"
    assert float(options["timeout"].removesuffix("s")) > float(re.search(r"timeout=(\d+)", arguments[1])[1])
    words = [word.replace("127.0.0.1:8000/healthz", f"127.0.0.1:{port}/healthz") for word in arguments]
    assert words != arguments
    env = {**os.environ, "http_proxy": "http://127.0.0.1:9"}
    return subprocess.run([sys.executable, *words], env=env, capture_output=True, check=False, timeout=30).returncode


PERSON = b'{"name": "Ada", "email": "ada@example.com", "password": "test"}'


@pytest.mark.servers
@pytest.mark.parametrize("role", sorted(IMAGES))
def test_several_workers_let_a_request_finish_that_sigterm_meets(role, tmp_path):
    """As systemd and Docker stop a server: the signal goes to the first process alone."""
    (tmp_path / "deploy").symlink_to(DEPLOY)
    command = [sys.executable, "-m", *local(image_command(role))]
    env = environment(settings()) | {"WEB_CONCURRENCY": "2", "PYTHONPATH": str(ROOT)}
    with Server(command, env=env, cwd=tmp_path, ready="/readyz") as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
            head = b"POST /user HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
            client.sendall(head % len(PERSON) + PERSON[:20])
            # Once someone else was answered, this request was taken up, too.
            assert run_probe(role, server.port) == 0
            os.kill(server._process.pid, signal.SIGTERM)
            threading.Event().wait(1)
            client.sendall(PERSON[20:])
            assert client.recv(12) == b"HTTP/1.1 201"
        # It stays a zombie, for the server's own end.
        ended = os.waitid(os.P_PID, server._process.pid, os.WEXITED | os.WNOWAIT)
        assert ended.si_status in (0, signal.SIGTERM)


def local(command):
    words = [word.replace("0.0.0.0:8000", "127.0.0.1:{port}") for word in command]
    return [{"0.0.0.0": "127.0.0.1", "8000": "{port}"}.get(word, word) for word in words]


def test_the_proxy_gives_up_an_idle_connection_before_the_servers_do(effective):
    for path in TRAFFIC.values():
        for upstream in nginx(path).all("upstream"):
            role = upstream.words[1]
            server = effective(image_command(role))
            assert seconds(upstream.value("keepalive_timeout")) < (
                server.get("keepalive") or server["timeout_keep_alive"]
            )


# Units.


def test_the_two_units_differ_in_what_they_start_alone():
    original, port = (
        [each for each in unit(name) if each[1] not in {"Description", "ExecStart"}] for name in ("original", "port")
    )
    assert original == port


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_is_one_user_s_with_one_folder_and_one_file_of_settings(name):
    assert told(name, "User") == told(name, "Group") == "service"
    assert told(name, "StateDirectory") == "service"
    assert told(name, "EnvironmentFile") == "/etc/service/settings.env"
    for key, value in {"NoNewPrivileges": "yes", "ProtectSystem": "strict", "PrivateTmp": "yes"}.items():
        assert told(name, key) == value
    assert told(name, "ExecStart").startswith(f"{told(name, 'WorkingDirectory')}/.venv/bin/")
    assert not [value for _, key, value in unit(name) if key == "Environment"]


def test_a_unit_and_a_container_wait_longer_than_the_server_does(effective):
    for role, image in IMAGES.items():
        server = effective(image_command(role))
        wait = server.get("graceful_timeout") or server["timeout_graceful_shutdown"]
        assert seconds(told(role, "TimeoutStopSec")) > wait
        assert seconds(compose()["services"][image]["stop_grace_period"]) > wait
        assert (told(role, "KillSignal"), told(role, "KillMode")) == ("SIGTERM", "mixed")


def test_a_refused_start_is_no_reason_to_start_again():
    from shared_core.services import START_REFUSED

    for role in IMAGES:
        assert told(role, "Restart") == "on-failure"
        assert told(role, "RestartPreventExitStatus") == str(START_REFUSED)


def run_in_bin(line, folder, **values):
    """What stands in a unit, with this interpreter and no setting but these; gives how it ended."""
    program, *arguments = shlex.split(line)
    name = Path(program).name
    command = [sys.executable, *([] if name == "python" else ["-m", name]), *arguments]
    env = {key: value for key, value in os.environ.items() if key not in SETTINGS | {"WEB_CONCURRENCY"}}
    env |= {"PYTHONPATH": str(ROOT), **values}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.servers
@pytest.mark.parametrize(
    ("name", "key"), [("original", "ExecStartPre"), ("original", "ExecStart"), ("migrate", "ExecStart")]
)
def test_a_wrong_setting_ends_a_unit_with_one_line(name, key, tmp_path):
    (tmp_path / "deploy").symlink_to(DEPLOY)
    run = run_in_bin(told(name, key), tmp_path, POOL_SIZE="plenty", WEB_CONCURRENCY="2")
    assert run.returncode == (3 if key == "ExecStart" and name == "original" else 1)
    assert run.stderr.count("POOL_SIZE: Input should be a valid integer") == 1
    assert len(run.stderr.splitlines()) == 1


def test_the_unit_that_migrates_does(tmp_path):
    run = run_in_bin(told("migrate", "ExecStart"), tmp_path, DATABASE_URL=f"sqlite:///{tmp_path}/service.sqlite3")
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "service.sqlite3").exists()


@pytest.mark.services
def test_systemd_understands_the_units(tmp_path):
    if not shutil.which("systemd-analyze"):
        # Required in CI, skipped elsewhere.
        missing = "systemd-analyze is not installed; on Debian: apt-get install systemd"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(missing)
    for name in UNITS:
        text = re.sub(r"/opt/service/\.venv/bin/\w+", "/bin/true", (DEPLOY / f"systemd/{name}.service").read_text())
        (tmp_path / f"{name}.service").write_text(text)
    command = ["systemd-analyze", "verify", *(f"./{name}.service" for name in UNITS)]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert [line for line in run.stderr.splitlines() if any(f"{name}.service" in line for name in UNITS)] == []
