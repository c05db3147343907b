"""A refusal says which field it is about and what it wants: so a good request is found where no document says how"""

import json
import re

import pytest
from flask import Flask, jsonify, request

from contract_tests.parity import Response
from contract_tests.parity.hints import hints_of
from contract_tests.parity.sources.refusals import Tries, missing_fields, wanted

SIZES = {"small": 1, "large": 2}


def refusal(text):
    return Response(400, (), json.dumps({"error": text}).encode())


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("name is required", ["name"]),
        ("price must be a number", ["price"]),
        ("title cannot be blank", ["title"]),
        ("unknown colour", ["colour"]),
        ("please provide a valid email", ["email"]),
        ("missing: day", ["day"]),
        ("amount: not a number", ["amount"]),
        ("'start' should be before 'end'", ["start", "end"]),
        ("no name given", ["name"]),
        ("something is wrong", []),
    ],
)
def test_the_fields_that_a_refusal_is_about(text, fields):
    found = missing_fields(refusal(text))
    assert [name for name in found if name != "something"][: len(fields)] == fields


def test_a_name_that_is_known_to_be_a_field_comes_first():
    assert missing_fields(refusal("Bad quantity"), ["price", "quantity"])[0] == "quantity"
    assert missing_fields(refusal("The Colour that was given is no good"), ["colour"])[0] == "colour"


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("status must be one of: open, closed", "open"),
        ("role must be either 'admin' or 'user'", "admin"),
        ("price must be a number", 1.5),
        ("quantity must be a positive integer", 1),
        ("tags must be a list", ["paritya"]),
        ("active must be a boolean", True),
        ("email is not valid", "paritya@example.com"),
        ("day must be a date", "2026-03-04"),
    ],
)
def test_what_a_refusal_wants(text, first):
    assert next(wanted(text)) == first


def test_a_text_is_made_as_long_as_it_must_be():
    assert len(next(wanted("password must be at least 30 characters"))) == 30


def settled(rule, names=(), choices=None, body=None):
    """The body that a rule, which gives a refusal or None, takes at last."""
    tries = Tries(names, choices)
    body = tries.guessed(names) if body is None else body
    for _ in range(20):
        text = rule(body)
        if text is None:
            return body
        body = tries.better(body, refusal(text))
        if body is None:
            break
    return None


def test_a_field_is_tried_in_other_sorts_and_left_out():
    def rule(body):
        if not isinstance(body.get("name"), str):
            return "name is required"
        if not isinstance(body.get("at"), dict):
            return "at is wrong"
        return "unknown colour" if body.get("colour") not in (None, "teal") else None

    assert settled(rule, body={"colour": "red"})["at"] == {}
    assert "colour" not in settled(rule, body={"colour": "red"})


def test_nothing_is_tried_for_ever():
    assert settled(lambda _: "name is required") is None


def app():
    made = Flask(__name__)

    def checked(data):
        if data.get("size") not in SIZES:
            return "size is wrong"
        return "kind is wrong" if data.get("kind") not in ("a", "b") else None

    @made.post("/things")
    def create():
        wrong = checked(request.get_json())
        return (jsonify(error=wrong), 400) if wrong else (jsonify(id=1), 201)

    return made


def test_the_values_that_a_handler_takes_are_read_from_its_source():
    hints = hints_of(app())["POST", "/things"]
    assert hints.choices == {"size": ["large", "small"], "kind": ["a", "b"]}
    assert Tries(hints.body, hints.choices).guessed(hints.body) == {"size": "large", "kind": "a"}


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("isbn must be 13 digits", r"[1-9]{13}"),
        ("pin: 4-digit number", r"[1-9]{4}"),
        ("code must be 6 characters", r".{6}"),
    ],
)
def test_a_text_of_so_many_digits_is_made(text, form):
    assert re.fullmatch(form, next(wanted(text)))
