"""Models are drafted from what views read and answer, and from what was recorded; what is written imports"""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from pydantic import BaseModel

from contract_tests.__main__ import main
from contract_tests.tests.house.desk import write_desk

IMPORTS = "from flask import Flask, abort, jsonify, make_response, redirect, request\napp = Flask(__name__)\n"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def drafted(here):
    """Writes a view's body, and gives the models drafted of it, by their names."""

    def drafted(body, *options, before="", path="/a", method="post"):
        lines = "".join(f"    {line}\n" for line in body.splitlines())
        (here / "old.py").write_text(f"{IMPORTS}{before}\n@app.{method}('{path}')\ndef a(**fields):\n{lines}")
        return loaded(text_of("old.py", *options))

    return drafted


def models_of(*arguments):
    return CliRunner().invoke(main, ["models", "--no-cache", *map(str, arguments)])


def text_of(*arguments):
    result = models_of(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def loaded(text):
    """What a drafted module has when it is run, by its names; and its text."""
    names = {"__name__": "drafted", "text": text}
    exec(compile(text, "drafted.py", "exec", dont_inherit=True), names)
    return names


def told(model):
    """A model in short: `name: type`, with `= default` where the field may be left out."""
    found = {}
    for name, field in model.model_fields.items():
        kind = str(field.annotation) if "[" in str(field.annotation) or "|" in str(field.annotation) else None
        kind = (kind or getattr(field.annotation, "__name__", str(field.annotation))).replace("drafted.", "")
        default = "" if field.is_required() else f" = {field.get_default(call_default_factory=True)!r}"
        found[field.alias or name] = kind.replace("typing.", "") + default
    return found


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("x = request.get_json()['name']", {"name": "Any"}),
        ("x = request.get_json().get('name')", {"name": "Any = None"}),
        ("x = request.json.get('name', 'Ada')", {"name": "str = 'Ada'"}),
        ("data = request.get_json()\nx = data.get('n', 3)", {"n": "int = 3"}),
        ("data = request.get_json(silent=True) or {}\nx = data['a']\ny = data.get('a')", {"a": "Any"}),
        ("data = request.get_json()\nif 'a' in data:\n    x = int(data['a'])", {"a": "int | None = None"}),
        ("data = request.get_json()\nif not data.get('a'):\n    abort(400)\nx = data['a']", {"a": "Any"}),
        ("if (data := request.get_json()):\n    x = str(data.pop('a', None))", {"a": "str | None = None"}),
        ("x = request.get_json()['user']['name']", {"user": "AUser"}),
        ("for each in request.json['rows']:\n    x = each['id']", {"rows": "list[ARowsItem]"}),
        ("x = [each['id'] for each in request.json['rows']]", {"rows": "list[ARowsItem]"}),
        ("x = request.json['class']\ny = request.json['X-Y']\nz = request.json['_z']",
         {"class": "Any", "X-Y": "Any", "_z": "Any"}),
        ("read(request.get_json())", {"deep": "float"}),
        ("data = loads()\nx = data['deep']", {"deep": "Any"}),
    ],
)  # fmt: skip
def test_what_a_view_reads_of_its_json_is_a_field(drafted, body, expected):
    before = "def read(data):\n    return float(data['deep'])\n\ndef loads():\n    return request.get_json()\n"
    assert told(drafted(body + "\nreturn ''", before=before)["AIn"]) == expected


@pytest.mark.parametrize(
    ("body", "model", "expected"),
    [
        ("x = request.args['q']", "AQuery", {"q": "str"}),
        ("x = request.args.get('n', 1, type=int)", "AQuery", {"n": "int = 1"}),
        ("x = request.args.get('n', type=int)", "AQuery", {"n": "int | None = None"}),
        ("x = request.args.getlist('t', type=int)", "AQuery", {"t": "list[int] = []"}),
        ("x = int(request.values['v'])", "AQuery", {"v": "int"}),
        ("tag()", "AQuery", {"tag": "str = 'none'"}),
        ("x = request.form['f']\ny = request.form.get('g', '')", "AForm", {"f": "str", "g": "str = ''"}),
        ("x = request.headers['X-Id']", "AHeaders", {"x_id": "str"}),
        ("x = request.cookies.get('c')", "ACookies", {"c": "str | None = None"}),
    ],
)
def test_each_part_of_a_request_has_its_model(drafted, body, model, expected):
    before = "def tag():\n    return request.args.get('tag', 'none')\n"
    assert told(drafted(body + "\nreturn ''", before=before)[model]) == expected


def test_files_raw_bodies_and_aborts_are_told(drafted):
    text = drafted("x = request.files['up']\ny = request.get_data()\nabort(404)\nreturn ''")["text"]
    assert "#   a file: up (code)\n#   the body as bytes (code)\n#   200: nothing\n#   aborts with 404\n" in text


@pytest.mark.parametrize(
    ("body", "model", "expected"),
    [
        ("return {'id': 1, 'ok': True, 'at': f'{1}'}", "AOut", {"id": "int", "ok": "bool", "at": "str"}),
        ("return jsonify({'id': 1.5}), 201", "AOut", {"id": "float"}),
        ("return jsonify(id=len([]))", "AOut", {"id": "int"}),
        ("return make_response({'x': 'a'}, 202)", "AOut", {"x": "str"}),
        ("return {'why': 'no'}, 409", "ARefused409", {"why": "str"}),
        ("answer = {'a': 1}\nanswer['b'] = 'x'\nreturn answer", "AOut", {"a": "int", "b": "str"}),
        ("rows = []\nrows.append({'a': 1})\nreturn {'rows': rows}", "AOut", {"rows": "list[ARowsItem]"}),
        ("return {**base(), 'b': 1}", "AOut", {"a": "str", "b": "int"}),
        ("return jsonify(base())", "AOut", {"a": "str"}),
        ("return jsonify(enrich({'n': 1}))", "AOut", {"n": "int", "tag": "str"}),
        ("return {'a': None}", "AOut", {"a": "Any"}),
        ("return {'a': 1 if fields else None}", "AOut", {"a": "int | None"}),
        ("return {'echo': request.json['e'], 'q': request.args.get('q')}", "AOut", {"echo": "Any", "q": "str | None"}),
    ],
)
def test_what_a_view_answers_is_a_model(drafted, body, model, expected):
    before = "def base():\n    return {'a': 'x'}\n\ndef enrich(file):\n    file['tag'] = 'x'\n    return file\n"
    assert told(drafted(body, before=before)[model]) == expected


def recorded(here, *pairs):
    request = {"method": "POST", "target": "/a"}
    lines = [{"request": {**request, "json": sent}, "response": {"status": 200, "json": got}} for sent, got in pairs]
    (here / "seen.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return ("--recorded", "seen.jsonl")


def test_traffic_says_what_is_optional_nullable_and_a_union(drafted, here):
    options = recorded(
        here,
        ({"n": 1, "u": 1, "o": "x", "l": [{"k": 1}, {}]}, {"id": 1}),
        ({"n": None, "u": "a", "l": []}, {"id": 2.5}),
    )
    names = drafted("x = request.json['n']\ny = request.json['c']\nreturn ''", *options)
    assert told(names["AIn"]) == {
        "n": "int | None", "c": "Any", "u": "int | str", "o": "str | None = None", "l": "list[ALItem]",
    }  # fmt: skip
    assert told(names["ALItem"]) == {"k": "int | None = None"}
    assert told(names["AOut"]) == {"id": "float"}


def test_each_field_says_where_it_was_seen(drafted, here):
    options = recorded(here, ({"both": 1, "sent": 2}, {"x": 1}))
    text = drafted("x = request.json['both']\ny = request.json['read']\nreturn ''", *options)["text"]
    assert "    both: int  # code, traffic\n    read: Any  # code\n    sent: int  # traffic\n" in text


def test_a_har_file_is_read(drafted, here):
    sent = {"mimeType": "application/json", "text": '{"s": 1}'}
    answered = {"mimeType": "application/json", "text": "eyJpZCI6IDF9", "encoding": "base64"}
    entry = {
        "request": {"method": "POST", "url": "https://x.test/a?q=1", "postData": sent},
        "response": {"status": 201, "content": answered},
    }
    (here / "seen.har").write_text(json.dumps({"log": {"entries": [entry]}}))
    names = drafted("return ''", "--recorded", "seen.har")
    assert [told(names[each]) for each in ("AIn", "AQuery", "AOut")] == [{"s": "int"}, {"q": "str"}, {"id": "int"}]


def test_the_cases_of_parity_check_are_read(drafted, here):
    case = {"case": "one", "steps": [{"method": "POST", "target": "/a", "json": {"s": "x"}}]}
    (here / "cases.jsonl").write_text(json.dumps(case))
    assert told(drafted("return ''", "--recorded", "cases.jsonl")["AIn"]) == {"s": "str"}


def test_what_was_refused_is_no_input(drafted, here):
    line = {"request": {"method": "POST", "target": "/a", "json": {"wrong": 1}}, "response": {"status": 422}}
    (here / "seen.jsonl").write_text(json.dumps(line))
    assert "AIn" not in drafted("return ''", "--recorded", "seen.jsonl")


def test_names_are_pythons_and_the_wires_own_stay_as_aliases(drafted):
    body = "".join(
        f"x = request.json[{key!r}]\n" for key in ("class", "a b", "a-b", "2nd", "_id", "json", "model_x", "é")
    )
    model = drafted(body + "return ''")["AIn"]
    sent = {"class": 1, "a b": 2, "a-b": 3, "2nd": 4, "_id": 5, "json": 6, "model_x": 7, "é": 8}
    assert model(**sent).model_dump(by_alias=True) == sent
    assert all(name.isidentifier() and not name.startswith("_") for name in model.model_fields)


@pytest.fixture
def desk(here):
    write_desk(here)
    return here


def test_the_draft_of_the_specimen_imports_and_is_formatted(desk):
    assert models_of("desk", "--out", "drafted.py").exit_code == 0
    text = (desk / "drafted.py").read_text()
    models = [each for each in loaded(text).values() if isinstance(each, type) and issubclass(each, BaseModel)]
    assert len(models) > 15
    ruff = Path(sys.executable).with_name("ruff")
    run = subprocess.run(
        [ruff, "format", "--isolated", "--diff", "drafted.py"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout


def test_the_slides_draft_shows_the_password_in_the_answer():
    """Learning 1 of the talk: who writes the model sees the leak."""
    from contract_tests.tests.house.test_house import ROOT

    names = loaded(text_of(ROOT / "contract_tests/tests/specimens/slides"))
    assert "password" in names["GetUserOut"].model_fields
    assert told(names["GetFileQuery"]) == {"tag": "str = 'unidentified'"}
    assert told(names["CreateUserOut"]) == {"message": "str", "id": "int"}


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["nowhere"], "nowhere: no such file"),
        (["desk", "--route", "GET /none"], "no route of that name"),
        (["desk", "--recorded", "desk/pages.py"], "desk/pages.py:1: no recorded exchange"),
        (["desk", "--out", "desk/pages.py"], "is there already: nothing is written over it"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(desk, arguments, reason):
    before = (desk / "desk/pages.py").read_text()
    result = models_of(*arguments)
    assert (result.exit_code, reason in result.stderr) == (2, True), result.output
    assert len(result.stderr.splitlines()) == 1
    assert (desk / "desk/pages.py").read_text() == before
