"""What stands under deploy/, each file read as what it is."""

import json
import re
from dataclasses import dataclass

import yaml

from contract_tests.tests.house.test_house import ROOT
from shared_core.settings import Settings

DEPLOY = ROOT / "deploy"
IMAGES = {"original": "flask", "port": "fastapi"}
UNITS = ("original", "port", "migrate")
SETTINGS = {name.upper() for name in Settings.model_fields}


@dataclass(frozen=True)
class Instruction:
    """One instruction of a Dockerfile, its continuation lines joined."""

    name: str
    text: str

    @property
    def words(self):
        """The exec form's words. Raises ValueError for the shell form."""
        return json.loads(self.text)


def dockerfile(role):
    text = re.sub(r"^#.*\n", "", (DEPLOY / f"{IMAGES[role]}.Dockerfile").read_text(), flags=re.M)
    lines = text.replace("\\\n", " ").splitlines()
    return [Instruction(*line.split(maxsplit=1)) for line in lines if line.strip()]


def last_stage(role):
    found = dockerfile(role)
    return found[max(at for at, each in enumerate(found) if each.name == "FROM") :]


def only(role, name):
    (found,) = [each for each in last_stage(role) if each.name == name]
    return found.text


def image_command(role):
    return json.loads(only(role, "CMD"))


def probe(role):
    """The options and the command of an image's health check."""
    options, _, command = only(role, "HEALTHCHECK").partition("CMD ")
    return dict(re.findall(r"--([\w-]+)=(\S+)", options)), json.loads(command)


def unit(name):
    """(section, key, value) of a unit's lines, its continuation lines joined."""
    section, found = "", []
    for line in (DEPLOY / f"systemd/{name}.service").read_text().replace("\\\n", " ").splitlines():
        if line.startswith("["):
            section = line
        elif line and not line.startswith("#"):
            key, equals, value = line.partition("=")
            assert equals, line
            found.append((section, key, value))
    return found


def told(name, key):
    (value,) = [value for _, each, value in unit(name) if each == key]
    return value


def compose():
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def default_of(value):
    """What compose puts in for a value where .env says nothing; what it demands is given."""
    demanded = {"PUBLIC_BASE_URL": "https://api.example.com", "POSTGRES_PASSWORD": "s3cret"}

    def fill(found):
        return demanded[found["name"]] if found["how"] == ":?" else found["default"]

    return re.sub(r"\$\{(?P<name>\w+)(?P<how>:-|:\?)(?P<default>[^}]*)\}", fill, str(value))


def compose_values():
    """The settings of both apps, as arguments of Settings."""
    values = compose()["x-settings"]
    return {name.lower(): default_of(value) for name, value in values.items() if name in SETTINGS} | {"_env_file": None}


@dataclass(frozen=True)
class Directive:
    words: tuple[str, ...]
    block: tuple["Directive", ...] = ()

    @property
    def name(self):
        return self.words[0]

    def all(self, name):
        return [each for each in self.block if each.name == name]

    def value(self, name):
        """The words after the one directive of this name."""
        (found,) = self.all(name)
        return " ".join(found.words[1:])


def nginx(path):
    tokens = iter(re.findall(r'"[^"]*"|[{};]|[^\s{};]+', re.sub(r"(^|\s)#.*", "", path.read_text())))

    def block():
        found, words = [], []
        for token in tokens:
            if token == "}":
                break
            if token in ("{", ";"):
                found.append(Directive(tuple(words), block() if token == "{" else ()))
                words = []
            else:
                words.append(token.strip('"'))
        assert words == [], words
        return tuple(found)

    return Directive(("main",), block())


SITE = nginx(DEPLOY / "nginx.conf")
TRAFFIC = {way: DEPLOY / f"nginx/{way}/traffic.conf" for way in ("compose", "systemd")}


def proxy():
    """The server that speaks TLS."""
    (found,) = [server for server in SITE.all("server") if server.all("ssl_certificate")]
    return found


def seconds(text):
    return float(re.fullmatch(r"(\d+)s?", text)[1])
