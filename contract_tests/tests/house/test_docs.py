"""The documentation is true: its code runs, its commands and links exist, what it shows is what is said"""

import ast
import difflib
import re
import shlex
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import click
import pytest

from contract_tests import __main__ as parity_command
from contract_tests.live import __main__ as live
from contract_tests.migration.gateway.tables import read_table
from contract_tests.parity import Ledger
from contract_tests.tests.house.test_house import ROOT, tracked

PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]

FENCE = re.compile(r"(?:^<!-- (?P<note>.*?) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.M | re.S)
LINK = re.compile(r"\]\((?P<path>[^)#\s]*)(?:#(?P<anchor>[^)\s]*))?\)")
# A link to a test file, a test's name, or both in one: `test_x.py: test_y`.
NAMED = re.compile(r"\]\([^)\s]*?(?P<linked>test_\w+\.py)\)|`(?:(?P<file>[\w/]+\.py): )?(?P<test>test_\w+)`")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page, with the HTML comment directly before it."""

    page: Path
    line: int
    note: str
    language: str
    text: str

    @property
    def runs(self):
        return self.language == "python" and not self.note.startswith("not run: ")

    def told(self, what):
        """The file that the note names, where it begins with these words."""
        found = re.fullmatch(rf"(?:not run: )?{what} (\S+)", self.note)
        return found and found[1]


@cache
def blocks(page):
    text = page.read_text()
    return [
        Block(page, text.count("\n", 0, found.start("text")) + 1, found["note"] or "", found["language"], found["text"])
        for found in FENCE.finditer(text)
    ]


def every_block(*languages):
    return [block for page in PAGES for block in blocks(page) if block.language in languages]


def prose(page):
    return FENCE.sub("", page.read_text())


def named(page):
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", [page for page in PAGES if any(block.runs for block in blocks(page))], ids=named)
def test_the_python_of_a_page_runs_from_top_to_bottom(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "docs"}
    for block in blocks(page):
        if block.runs:
            source = "\n" * (block.line - 1) + block.text
            exec(compile(source, str(page), "exec", dont_inherit=True), names)


def test_the_settings_of_sessions_stand_in_the_docs_with_their_defaults():
    rows = re.findall(r"^\| `([A-Z_]+)` \| (?:`([^`]*)`|none) \|", (ROOT / "docs/sessions.md").read_text(), re.M)
    example = re.findall(r"^(\w+)=(.*)$", (ROOT / ".env.example").read_text(), re.M)
    assert len(rows) > 8
    assert set(rows) <= set(example)
    assert {name for name, _ in example if name.startswith(("SESSION", "LOGIN", "SIGN_IN", "MSAL"))} <= dict(
        rows
    ).keys()


def test_a_block_that_is_not_run_says_why():
    reasons = ("the new file", "at the end of", "an excerpt of")
    exempt = [block for block in every_block("python") if not block.runs]
    assert [block for block in exempt if block.note.startswith("not run: ")] == exempt
    for block in exempt:
        known = any(block.told(reason) for reason in reasons)
        assert known or len(block.note.removeprefix("not run: ").split()) > 2, block


def test_an_excerpt_stands_word_for_word_in_its_file():
    found = [(block, block.told("an excerpt of")) for block in every_block("python")]
    assert [block.line for block, path in found if path and block.text not in (ROOT / path).read_text()] == []


def test_every_ledger_and_table_in_the_docs_can_be_read():
    for block in every_block("toml"):
        if block.note == "a table of parity gateway":
            assert read_table(block.text, name=named(block.page)).routes
            continue
        Ledger.loads(block.text, name=f"{named(block.page)}:{block.line}", decisions=ROOT / "docs/decisions")


def commands(text):
    """What stands after a `$`, its continuation lines joined."""
    return re.findall(r"^\$ (.*)$", text.replace("\\\n", " "), re.M)


CONSOLE = [
    (block.page, command) for block in every_block("console", "", "sh", "bash") for command in commands(block.text)
]
INLINE = [
    (page, found)
    for page in PAGES
    for found in re.findall(r"`((?:make|parity|python -m|docker compose|systemctl|journalctl) [^`\n]+)`", prose(page))
    if "..." not in found
]


@pytest.mark.parametrize(("page", "command"), [*CONSOLE, *INLINE], ids=lambda value: str(value)[-60:])
def test_a_command_names_only_what_exists(page, command, pytestconfig):
    words = [word for word in shlex.split(command) if not re.fullmatch(r"[A-Z_]+=\S*", word)]
    name, arguments = re.sub(r"^(/opt/service/)?(\.venv|try)/bin/", "", words[0]), words[1:]
    if name == "python" and arguments[:1] == ["-m"]:
        name, arguments = arguments[1], arguments[2:]
    check = {"make": made, "parity": checked, "contract_tests.live": lived, "pytest": lambda a: asked(a, pytestconfig)}
    check |= {"docker": contained, "systemctl": supervised, "journalctl": supervised}
    check |= dict.fromkeys(("cp", "install", "pip"), copied)
    if name in check:
        check[name](arguments)
    elif name.startswith(("contract_tests.", "shared_core.")):
        assert (ROOT / name.replace(".", "/")).with_suffix(".py").exists() or (ROOT / name.replace(".", "/")).is_dir()
    else:
        assert name in {"curl", "diff", "git", ".", "nginx", "haproxy", "envoy", "useradd", "python3"}, (
            f"{named(page)}: {command}"
        )


def made(arguments):
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M)
    assert arguments
    assert set(arguments) <= set(targets)


def checked(arguments):
    main = parity_command.main
    command = main if arguments[0].startswith("-") else main.get_command(None, arguments[0])
    if isinstance(command, click.Group) and arguments[1:]:
        command = command.commands[arguments[1]]
    options_exist(command, arguments)


def lived(arguments):
    options_exist(live.main, arguments)
    paths_exist(word for word in arguments if word.startswith("contract_tests/"))


def contained(arguments):
    """Docker gets files that exist, and services that the compose file has."""
    import yaml

    paths_exist(arguments[at + 1] for at, word in enumerate(arguments) if word == "-f")
    if arguments[0] == "compose":
        services = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())["services"]
        _, _, _, env_file, _, action, *rest = arguments
        assert env_file == "--env-file"
        assert action in {"up", "ps", "logs", "exec", "stop"}
        asked_for = [word for word in rest if not word.startswith("-")]
        assert set(asked_for[:1] if action == "exec" else asked_for) <= set(services)


def supervised(arguments):
    """systemd gets units that exist."""
    known = {"start", "stop", "enable", "daemon-reload", "reload", "haproxy"} | {"-u", "--now"}
    units = {path.stem for path in (ROOT / "deploy/systemd").glob("*.service")}
    assert set(arguments) <= known | units


def copied(arguments):
    """What is copied or installed from the checkout exists."""
    paths_exist(word for word in arguments if word.startswith(("deploy/", "requirements/", ".env")))


def options_exist(command, arguments):
    known = {"--help", "--version"} | {option for each in command.params for option in each.opts}
    assert {word for word in arguments if re.match(r"--?[a-z]", word)} <= known


def asked(arguments, config):
    for word in arguments:
        if re.match(r"--?[a-z]", word):
            config.getoption(word.partition("=")[0])
    paths_exist(word.partition("::")[0] for word in arguments if word.startswith("contract_tests/"))


def paths_exist(paths):
    new = {block.told("the new file") for block in every_block("python")}
    assert not [path for path in paths if not (ROOT / path).exists() and path not in new]


SHOWN = [
    block
    for block in every_block("console", "")
    if re.match(
        r"\$ (?:(\.venv/bin/)?parity (check|globals|routes|models|scaffold)|\.venv/bin/parity notes) ", block.text
    )
]


@pytest.mark.parametrize("block", SHOWN, ids=lambda block: f"{named(block.page)}:{block.line}")
def test_what_parity_says_is_what_the_page_shows(block, monkeypatch, tmp_path):
    """Seconds aside; `...` stands for lines that are left out."""
    from click.testing import CliRunner

    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (command,) = commands(block.text)
    arguments = [re.sub(r"^(?=contract_tests/)", f"{ROOT}/", each) for each in shlex.split(command)[1:]]
    if "--out" in arguments:
        # What a page writes to its reader's folder is written elsewhere.
        at = arguments.index("--out") + 1
        arguments[at] = str(tmp_path / arguments[at])
    said = plain(CliRunner().invoke(parity_command.main, arguments).output.replace(f"{tmp_path}/", ""))
    shown = block.text.replace("\\\n", " ").splitlines()[1:]
    assert [line for line in shown if line != "..." and plain(line) not in said] == []


def plain(text):
    return re.sub(r" in \d+ s\b", " in 0 s", text)


def test_every_relative_link_leads_somewhere():
    lost = []
    for page in PAGES:
        for link in LINK.finditer(prose(page)):
            if link["path"].startswith(("http:", "https:", "mailto:")):
                continue
            target = (page.parent / link["path"]).resolve() if link["path"] else page
            if not target.exists() or (link["anchor"] and link["anchor"] not in anchors(target)):
                lost.append((named(page), link[0]))
    assert lost == []


def anchors(page):
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@cache
def collected():
    """The names of the test functions of each test file."""
    return {
        path: {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)}
        for path in tracked("contract_tests/**/test_*.py")
    }


def names_of(page):
    """The tests that a page names: the file's name, where one is linked or written before it, and the test's."""
    for paragraph in re.split(r"\n\n|(?<=\|)\n", prose(page)):
        file = None
        for found in NAMED.finditer(paragraph):
            file = found["linked"] or found["file"] or file
            if found["test"]:
                yield file, found["test"]


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_test_that_a_page_names_exists(page):
    unknown = [
        (file, test)
        for file, test in names_of(page)
        if not any(
            test in names and (file is None or str(path).endswith(f"/{file}")) for path, names in collected().items()
        )
    ]
    assert unknown == []


def test_every_piece_of_the_wire_kit_that_a_page_names_exists():
    modules = [ast.parse(module.read_text()) for module in (ROOT / "fastapi_app/wire").glob("*.py")]
    pieces = {node.name for module in modules for node in module.body if hasattr(node, "name")}
    named_pieces = {piece for page in PAGES for piece in re.findall(r"`wire\.([A-Z]\w+)`", prose(page))}
    assert named_pieces
    assert named_pieces <= pieces


@pytest.mark.parametrize(
    ("page", "room"),
    [("architecture-wire-kit.md", "fastapi_app/wire"), ("architecture-engine.md", "contract_tests/parity")],
)
def test_an_architecture_page_names_every_module_of_its_room(page, room):
    modules = {str(path.relative_to(ROOT / room)) for path in tracked(f"{room}/*.py")}
    rows = re.findall(r"^\| `([\w/]+\.py)` \|", (ROOT / "docs" / page).read_text(), re.M)
    assert sorted(rows) == sorted(path for path in modules if not path.endswith("__init__.py"))
    assert f"docs/{page}" in ast.get_docstring(ast.parse((ROOT / room / "__init__.py").read_text()))


FOLDERS = r"contract_tests|shared_core|flask_app|fastapi_app|deploy|docs|requirements"


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "CHANGELOG.md"], ids=named)
def test_every_path_that_a_page_names_exists(page):
    """What an inline code names from the project's root; a changelog speaks of what was."""
    new = {block.told("the new file") for block in every_block("python")}
    paths = set(re.findall(rf"`((?:{FOLDERS})/[\w./-]*)`", prose(page)))
    # An operator puts the certificate and its key here.
    made_by_hand = {"deploy/tls/service.crt", "deploy/tls/service.key"}
    assert sorted(path for path in paths - new - made_by_hand if not (ROOT / path).exists()) == []


def test_every_page_opens_with_who_needs_it():
    opened = r"# .+\n\n\*\*Who needs this page:\*\* .+\n(?:.+\n)*?\*\*After it you can:\*\* .+\n"
    pages = [page for page in PAGES if page.parent.name != "decisions" and page.name != "CHANGELOG.md"]
    assert [named(page) for page in pages if not re.match(opened, page.read_text())] == []


def test_every_row_of_the_talk_has_its_test_or_says_not_yet():
    rows = re.findall(r"^\| (?!the talk|---)(.*) \|$", (ROOT / "docs/talk.md").read_text(), re.M)
    assert len(rows) > 30
    for row in rows:
        proof = row.split(" | ")[-1]
        assert proof == "not yet" or re.search(r"\]\([^)]*test_\w+\.py\): `test_\w+`", proof), row


def test_every_decision_names_the_check_that_enforces_it():
    pages = sorted((ROOT / "docs/decisions").glob("*.md"))
    assert [page.name[:4] for page in pages] == [f"{number:04}" for number in range(1, len(pages) + 1)]
    for page in pages:
        assert list(names_of(page)), named(page)
        assert len(page.read_text().splitlines()) <= 45, named(page)


def test_the_readme_shows_the_twins_as_they_differ():
    shown = re.search(r"```diff\n(.*?)```", (ROOT / "README.md").read_text(), re.S)[1].splitlines()
    twins = [(ROOT / app / "users.py").read_text().splitlines() for app in ("flask_app", "fastapi_app")]
    real = list(difflib.unified_diff(*twins, lineterm="", n=10))
    at = real.index(shown[0])
    assert real[at : at + len(shown)] == shown
