"""Every use of Flask's globals is found by resolving names, and nothing else is; the way from each route is told"""

import csv
import hashlib
import json
import os
import sys
from collections import Counter
from pathlib import Path

import pytest

from contract_tests.migration.survey.survey import survey
from contract_tests.tests.house.globals_specimens import APP, DEEP, globals_of, write_specimens
from contract_tests.tests.house.test_house import ROOT

SAMPLES = ROOT / "contract_tests/tests/specimens/globals/checked.tsv"


@pytest.fixture(scope="module")
def specimens(tmp_path_factory):
    """The labels, and what is found in each labelled tree."""
    folder = tmp_path_factory.mktemp("specimens")
    names, labels = write_specimens(folder)
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield labels, {name: survey([folder / name], jobs=1) for name in names}
    finally:
        os.chdir(before)


def found(data):
    return [(use["what"], use["place"]) for use in data["uses"]]


def told(use):
    default = f" = {use['default']}" if use["default"] is not None else ""
    return f"{use['place']} {use['access']} {use['what']}{default}"


def test_every_labelled_use_is_found_and_nothing_else(specimens):
    """Precision and recall of 1 on the labelled trees."""
    labels, found = specimens
    uses = Counter((use["path"], use["line"], told(use)) for data in found.values() for use in data["uses"])
    assert labels.hits.total() >= 200
    assert uses - labels.hits == Counter(), "found, and not labelled"
    assert labels.hits - uses == Counter(), "labelled, and not found"


def test_what_needs_the_context_is_found_in_a_class_of_its_own(specimens):
    labels, found = specimens
    needs = Counter(
        (n["path"], n["line"], f"{n['place']} {n['name']}") for data in found.values() for n in data["needs_context"]
    )
    assert labels.context.total() >= 13
    assert needs == labels.context


def test_files_that_are_no_python_are_told_and_the_rest_goes_on(specimens):
    unreadable = specimens[1]["odd"]["unreadable"]
    assert [(each["path"], each["line"]) for each in unreadable] == [
        ("odd/odd/broken.py", 2),
        ("odd/odd/lying.py", 2),
        ("odd/odd/python2.py", 2),
    ]


def test_a_column_counts_characters(specimens):
    (use,) = [use for use in specimens[1]["odd"]["uses"] if use["path"].endswith("latin.py")]
    assert (use["line"], use["column"], use["key"]) == (6, 25, "größe")


def ways(data, function):
    names = [each["name"] for each in data["functions"]]
    return {
        (data["entries"][way["entry"]]["name"], *(names[call] for call in way["calls"][:-1]))
        for way in data["ways"][function]
    }


def test_the_way_from_each_entry_to_a_deep_use_is_told(specimens):
    shop = specimens[1]["shop"]
    assert ways(shop, "shop.pricing.currency") == {
        ("GET,POST /orders/", "shop.orders.orders", "shop.pricing.total"),
        ("GET /orders/<int:id>", "shop.orders.order", "shop.pricing.total"),
        ("POST /admin/items", "shop.admin.views.Items.post"),
        ("command purge", "shop.admin.views.purge"),
    }
    assert ways(shop, "shop.pricing.discount") == {
        ("GET /orders/<int:id>", "shop.orders.order", "shop.services.Basket.__init__")
    }
    assert ways(shop, "shop.services.tags.first") == {("GET,POST /orders/", "shop.orders.orders", "shop.services.tags")}


def test_a_way_leads_through_decorators_and_methods(specimens):
    shop = specimens[1]["shop"]
    assert ways(shop, "shop.admin.views.role.decorate.guarded") == {("GET /admin/users", "shop.admin.views.users")}
    assert ways(shop, "shop.admin.views.Items._filtered") == {("GET /admin/items", "shop.admin.views.Items.get")}
    assert ways(shop, "shop.admin.views.public.wrapper") == {
        ("GET /admin/items", "shop.admin.views.Items.get"),
        ("POST /admin/items", "shop.admin.views.Items.post"),
    }


def test_a_way_leads_to_the_methods_that_override_one(specimens):
    assert ways(specimens[1]["shop"], "shop.overrides.Below._own") == {
        ("GET /run", "shop.overrides.run", "shop.overrides.Base.run")
    }


def test_routes_have_the_prefixes_of_their_blueprints(specimens):
    names = {entry["name"] for entry in specimens[1]["shop"]["entries"] if entry["kind"] == "view"}
    assert names == {
        "GET /",
        "GET,POST /orders/",
        "GET /orders/<int:id>",
        "POST /orders/<int:id>/pay",
        "GET /orders/plain",
        "GET /admin/users",
        "GET /admin/items",
        "POST /admin/items",
        "GET /admin/old",
        "GET /run",
        "GET ? (first)",
        "GET ? (second)",
    }


@pytest.mark.parametrize(
    ("read", "parameter"),
    [
        ("request.args.get('tag', 'unidentified')", 'tag: str = "unidentified"'),
        ("request.args['tag']", "tag: str"),
        ("request.args.get('tag')", "tag: str | None = None"),
        ("request.args.get('page', 1, type=int)", "page: int = 1"),
        ("int(request.form['age'])", "age: int"),
        ("request.args.getlist('tag')", "tag: list[str]"),
        ("request.headers['X-Request-ID']", "x_request_id: str"),
        ("request.cookies.get('class')", "class_: str | None = None"),
        ("request.files['picture']", "picture: FileStorage"),
        ("request.get_json()", "body: Any"),
        ("request.get_json()['name']", "name: Any"),
        ("request.method", "method: str"),
        ("request.args", "args: Mapping[str, str]"),
        ("f(request)", "request: Request"),
        ("g.user", "user: Any"),
        ("g.get('user')", "user: Any = None"),
        ("session['id']", "id: Any"),
        ("session.pop('id')", "session: MutableMapping[str, Any]"),
        ("current_app.config['MAX']", "max: Any"),
        ("current_app.logger.info('x')", "logger: logging.Logger"),
        ("f(current_app)", "app: Flask"),
        ("setattr(g, 'user', 1)", "-> user"),
    ],
)
def test_the_parameter_that_would_carry_a_deep_use(write, read, parameter):
    write({"deep.py": f"from flask import current_app, g, request, session\ndef deep(f):\n    return {read}\n"})
    (use,) = survey([write({})], jobs=1)["uses"]
    assert use["parameter"] == parameter


def test_what_is_read_of_a_value_later_is_told_with_it(write):
    text = (
        "from flask import request\ndef f():\n    data = request.get_json()\n    return data['name'], data.get('age')\n"
    )
    (use,) = survey([write({"app.py": text})], jobs=1)["uses"]
    assert use["then"] == ["data['name']", "data.get()"]


def test_calls_that_are_not_resolved_are_listed_with_what_they_may_be(write):
    unknown = "def view(thing):\n    thing.tag()\n    thing.other()\n    thing.append(1)\n"
    data = survey([write({"deep.py": DEEP, "unknown.py": unknown})], jobs=1)
    assert [(each["name"], each["line"], each["may_be"]) for each in data["unresolved"]["listed"]] == [
        ("tag", 2, ["deep.tag"])
    ]
    assert (data["unresolved"]["leads_to_no_use"], data["unresolved"]["builtin_methods"]) == (1, 1)


def test_nothing_of_the_code_is_run(write):
    folder = write({"app.py": "import sys\nfrom flask import g\nsys.exit(9)\ng.x\n"})
    assert found(survey([folder], jobs=1)) == [("g.x", "import")]
    assert "app" not in sys.modules


def test_a_file_is_read_once_also_where_links_lead_in_circles(write):
    folder = write({"app/deep.py": DEEP})
    (folder / "app/again").symlink_to(folder / "app")
    (folder / "app/copy.py").symlink_to(folder / "app/deep.py")
    (folder / "app/nowhere.py").symlink_to(folder / "missing.py")
    assert [use["path"] for use in survey([folder], jobs=1)["uses"]] == ["app/deep.py"]


@pytest.mark.parametrize("glob", ["tests", "tests/*", "tests/deep.py", "d??p.py", "tests/"])
def test_what_is_excluded_is_not_read(write, glob):
    write({"tests/deep.py": DEEP, "app.py": "from flask import g\ng.x\n"})
    data = json.loads(globals_of(".", "--exclude", glob, "--format", "json").output)
    assert [use["path"] for use in data["uses"]] == ["app.py"]


def test_two_processes_find_what_one_finds(write, monkeypatch):
    from contract_tests.migration.survey import reading

    begun, pool = [], reading.ProcessPoolExecutor
    monkeypatch.setattr(reading, "ProcessPoolExecutor", lambda *args, **kw: begun.append(args) or pool(*args, **kw))
    # So much is worth a process, and comments are soon read.
    filler = f"# {'x' * 110}\n" * 2_000
    folder = write({"deep.py": DEEP + filler, "app.py": APP + filler, "broken.py": "def :"})
    assert survey([folder], jobs=2) == survey([folder], jobs=1)
    assert [workers for workers, *_ in begun] == [2]


# The cache


def test_a_second_run_says_the_same_and_reads_nothing_anew(write, tmp_path, monkeypatch):
    from contract_tests.migration.survey import reading

    folder, kept = write({"app/deep.py": DEEP, "app/app.py": APP}) / "app", tmp_path / "kept"
    first = survey([folder], cache=kept, jobs=1)
    monkeypatch.setattr(reading, "summarize", lambda _, name: pytest.fail(f"{name} is read again"))
    assert survey([folder], cache=kept, jobs=1) == first


def test_only_what_has_changed_is_read_anew(write, tmp_path, monkeypatch):
    from contract_tests.migration.survey import reading

    folder, kept, read = write({"app/deep.py": DEEP, "app/app.py": APP}) / "app", tmp_path / "kept", []
    survey([folder], cache=kept, jobs=1)
    summarize = reading.summarize
    monkeypatch.setattr(reading, "summarize", lambda raw, name: read.append(name) or summarize(raw, name))
    write({"app/app.py": APP + "\n@app.get('/again')\ndef again():\n    return tag()\n"})
    data = survey([folder], cache=kept, jobs=1)
    assert read == ["app/app.py"]
    assert {entry for entry, *_ in ways(data, "deep.tag")} == {"GET /tag", "GET /again"}


@pytest.mark.parametrize(
    "broken",
    [
        lambda _: b"",
        lambda _: b"\xff\x00" * 100,
        lambda _: b"{" * 100_000,
        lambda raw: raw[:-1],
        lambda raw: raw[:40] + bytes([raw[40] ^ 1]) + raw[41:],
        lambda raw: hashlib.sha256(b"another" + raw[32:]).digest() + raw[32:],
    ],
)
def test_a_cache_that_is_broken_is_as_if_it_were_not_there(write, tmp_path, broken):
    folder, kept = write({"app/deep.py": DEEP}) / "app", tmp_path / "kept"
    first = survey([folder], cache=kept, jobs=1)
    files = list(kept.rglob("*.kept"))
    assert len(files) == 2
    for path in files:
        path.write_bytes(broken(path.read_bytes()))
    assert survey([folder], cache=kept, jobs=1) == first


def test_what_an_interrupted_run_has_read_is_not_read_again(write, tmp_path, monkeypatch):
    from contract_tests.migration.survey import reading

    folder = write({f"app/m{number}.py": f"n = {number}\n" for number in range(9)}) / "app"
    kept, read, summarize = tmp_path / "kept", [], reading.summarize

    def until_the_fifth(raw, name):
        if len(read) == 5:
            raise KeyboardInterrupt
        read.append(name)
        return summarize(raw, name)

    monkeypatch.setattr(reading, "summarize", until_the_fifth)
    with pytest.raises(KeyboardInterrupt):
        survey([folder], cache=kept, jobs=1)
    first, read = read, []
    monkeypatch.setattr(reading, "summarize", lambda raw, name: read.append(name) or summarize(raw, name))
    survey([folder], cache=kept, jobs=1)
    assert (len(first), len(read)) == (5, 4)
    assert not set(first) & set(read)


def test_a_cache_does_not_grow_with_each_change(write, tmp_path):
    kept, sizes = tmp_path / "kept", []
    for number in range(24):
        survey([write({"app/app.py": f"n = {number:02}\n"}) / "app"], cache=kept, jobs=1)
        sizes.append(sum(path.stat().st_size for path in kept.rglob("*.kept")))
    assert max(sizes[12:]) <= max(sizes[:12])


def test_a_cache_that_cannot_be_written_is_none(write, tmp_path):
    (tmp_path / "kept").write_text("a file")
    assert found(survey([write({"app/deep.py": DEEP}) / "app"], cache=tmp_path / "kept", jobs=1))


# What was read by hand


def test_the_samples_that_were_read_are_as_the_docs_say():
    """Each project's 50 uses and 50 near misses, and how many of them the tool told rightly."""
    with SAMPLES.open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    drawn = Counter((row["round"], row["project"], row["drawn from"]) for row in rows)
    right = Counter(
        (row["round"], row["project"], row["drawn from"])
        for row in rows
        if row["verdict"] == {"hit": "use", "near miss": "none"}[row["drawn from"]]
    )
    assert set(drawn.values()) == {50}
    page = (ROOT / "docs/globals.md").read_text()
    for when, project in {(row["round"], row["project"]) for row in rows}:
        hits, misses = right[when, project, "hit"], right[when, project, "near miss"]
        assert f"| {when} | {project} | {hits} of 50 | {misses} of 50 |" in page
