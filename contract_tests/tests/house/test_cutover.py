"""After the cutover `git rm -r flask_app` leaves a working service, that neither imports nor installs Flask"""

import subprocess
import sys
import tomllib
from importlib.metadata import requires

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from contract_tests.tests.house.test_house import ROOT, tracked

SCRIPT = """
import asyncio, sys
sys.modules["flask"] = sys.modules["werkzeug"] = sys.modules["gunicorn"] = None
from fastapi_app import create_app
app = create_app()
sent = []

async def main():
    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}
    async def send(message):
        sent.append(message)
    for path in ("/", "/readyz", "/docs/start.js", "/docs/swagger-ui.css"):
        scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"",
                 "headers": [], "scheme": "http", "http_version": "1.1", "root_path": ""}
        async with app.router.lifespan_context(app):
            pass
        await app(scope, receive, send)

asyncio.run(main())
print([message["status"] for message in sent if message["type"] == "http.response.start"])
"""


def test_the_port_works_without_the_original(tmp_path):
    for path in tracked("shared_core", "fastapi_app"):
        copy = tmp_path / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    run = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{SCRIPT}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert run.stdout == "[200, 200, 200, 200]\n", run.stderr


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]


def brought(*extras):
    """The names of all that an installation with these extras brings, whatever requires it."""
    found = {}
    asked = [
        Requirement(each) for each in [*PROJECT["dependencies"], *(each for name in extras for each in EXTRAS[name])]
    ]
    while asked:
        requirement = asked.pop()
        key = (canonicalize_name(requirement.name), frozenset(requirement.extras))
        if key not in found:
            inner = found[key] = [Requirement(each) for each in requires(requirement.name) or ()]
            asked += [each for each in inner if is_needed(each, requirement.extras)]
    return {name for name, _ in found}


def is_needed(requirement, extras):
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras))


@pytest.mark.parametrize(
    ("extra", "framework", "others"),
    [
        ("fastapi", {"fastapi", "starlette", "uvicorn"}, {"flask", "werkzeug", "gunicorn"}),
        ("flask", {"flask", "werkzeug", "gunicorn"}, {"fastapi", "starlette", "uvicorn"}),
    ],
)
def test_an_app_s_requirements_bring_no_part_of_the_other_s_framework(extra, framework, others):
    names = brought("service", extra, "msal", "postgres", "redis")
    assert framework <= names
    assert not names & others
