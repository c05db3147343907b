"""A case is a line of JSON; a line that is none is told by its number"""

import base64
import json

import pytest

from contract_tests.parity.cases import CaseError, load_cases


@pytest.fixture
def load(tmp_path):
    def load(*lines):
        path = tmp_path / "cases.jsonl"
        text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
        path.write_bytes(text.encode())
        return load_cases(path)

    return load


def step(**members):
    return {"case": "a case", "steps": [{"method": "GET", "target": "/", **members}]}


def test_a_case_is_its_name_and_its_requests_in_order(load):
    (case,) = load(
        {"case": "two", "steps": [{"method": "GET", "target": "/a?b=%20"}, {"method": "PUT", "target": "/c"}]}
    )
    assert case.name == "two"
    assert [(request.method, request.target) for request in case.steps] == [("GET", b"/a?b=%20"), ("PUT", b"/c")]


def test_a_json_body_is_declared_as_json(load):
    (case,) = load(step(json={"a": 1}))
    assert case.steps[0].body == b'{"a": 1}'
    assert (b"Content-Type", b"application/json") in case.steps[0].headers
    assert (b"Content-Length", b"8") in case.steps[0].headers


def test_headers_keep_their_order_and_their_repetitions(load):
    (case,) = load(step(headers=[["X-A", "1"], ["host", "example.com"], ["X-A", "2"]]))
    assert case.steps[0].headers == ((b"X-A", b"1"), (b"host", b"example.com"), (b"X-A", b"2"))


def test_a_body_may_be_text_or_any_bytes(load):
    text, binary = load(step(body="é"), step(body_base64=base64.b64encode(b"\xff\x00").decode()))
    assert text.steps[0].body == "é".encode()
    assert binary.steps[0].body == b"\xff\x00"


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\u0085"])
def test_a_text_may_have_any_separator_of_lines_but_the_newline(load, separator):
    (case,) = load(json.dumps(step(body=f"a{separator}b"), ensure_ascii=False))
    assert case.steps[0].body == f"a{separator}b".encode()


def test_lines_may_end_as_on_windows_and_are_counted(load):
    assert len(load(json.dumps(step()) + "\r", "\r", json.dumps(step()) + "\r")) == 2
    with pytest.raises(CaseError, match=r"cases\.jsonl:3: "):
        load(json.dumps(step()) + "\r", "\r", "{")


def test_a_file_that_is_no_utf_8_is_told(tmp_path):
    (tmp_path / "cases.jsonl").write_bytes(b"\xff\xfe{}")
    with pytest.raises(CaseError, match="not UTF-8"):
        load_cases(tmp_path / "cases.jsonl")


def test_empty_lines_are_passed_over(load):
    assert len(load(step(), "", "  ", step())) == 2


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "this is not JSON"),
        ("[]", "a case is an object"),
        ({"case": "a"}, "steps is missing"),
        ({"steps": []}, "case is missing"),
        ({"case": "a", "steps": []}, "steps is empty"),
        ({"case": "a", "steps": [{"target": "/"}]}, "method is missing"),
        (step(verb="GET"), "unknown key verb"),
        (step(body="a", json=1), "a step has one of"),
        (step(body_base64="%"), "body_base64 is not base64"),
        (step(headers=[["a"]]), "headers is a list of [name, value] pairs"),
        (step(headers={"TE": "x"}), "headers is a list of [name, value] pairs"),
        (step(headers=[["a", "€"]]), "headers is a list of [name, value] pairs"),
        (step(target="users"), "target is a raw path"),
        (step(target="/a b"), "target is a raw path"),
        (step(target="/€"), "target is a raw path"),
        (step(target=7), "target is a raw path"),
        (step(method="GE T"), "method is a word"),
        (step(method=5), "method is a word"),
        (step(body=5), "body is a text"),
        ({"case": None, "steps": [{"method": "GET", "target": "/"}]}, "case is a text"),
        ({"case": "a", "step": [], "steps": [{"method": "GET", "target": "/"}]}, "unknown key step"),
        ({"case": "a", "steps": ["GET /"]}, "a step is an object"),
        ({"case": "a", "steps": {}}, "steps is a list"),
    ],
)
def test_a_line_that_is_no_case_is_told_by_its_number(load, line, told):
    with pytest.raises(CaseError, match=r"cases\.jsonl:2: ") as refused:
        load(step(), line)
    assert told in str(refused.value)


def test_a_file_without_a_case_is_an_error(load):
    with pytest.raises(CaseError, match="no case"):
        load("")
