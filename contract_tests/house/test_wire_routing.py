"""Which view runs, and what is answered where none does, is Werkzeug's choice; and each piece works on any app."""

import random
import re

import pytest
from fastapi import APIRouter, FastAPI, Request
from starlette.responses import JSONResponse
from werkzeug.exceptions import HTTPException as Refused
from werkzeug.exceptions import MethodNotAllowed
from werkzeug.routing import Map, RequestRedirect
from werkzeug.routing import Rule as WerkzeugRule

from contract_tests.house.wire import ask, three
from contract_tests.parity import asgi
from fastapi_app.wire import convertors
from fastapi_app.wire.convertors import AnyOf, Float, Int, Text
from fastapi_app.wire.routing import Routing, Table

UUID = "1B4E28BA-2FA1-11D2-883F-0016D3CCA427"
VALUES = {
    "int": ["0", "5", "007", "-5", "+5", "1_000", "%205", "5.0", "abc", "", "%D9%A1%D9%A2", "9" * 5000, "5%0A", "1e3"],
    "signed": ["5", "-5", "--5", "-", "+5", "-0", "%E2%88%925"],
    "year": ["2026", "0026", "26", "20260", "%D9%A1%D9%A2%D9%A3%D9%A4"],
    "page": ["0", "1", "99", "100", "1000"],
    "float": ["5", "5.0", ".5", "5.", "1.5e3", "-1.5", "1_0.5", "nan", "inf", "9" * 400 + ".0", "%D9%A1.%D9%A2"],
    "offset": ["-1.5", "1.5", "1.6", "-2", "-0.0"],
    "uuid": [UUID, UUID.lower(), UUID.replace("-", ""), "{" + UUID + "}", f"urn:uuid:{UUID}", "1"],
    "any": ["about", "help", "a.b", "axb", "abou", "aboutx", ""],
    "language": ["de", "d", "deu", "%C3%A9e", "%F0%9F%98%80e", "%20%20", "a%2F"],
    "name": ["a", "ab", "abcd", "abcde"],
    "path": ["", "a", "a/b", "a//b", "/a", "%2Fa", "a/", "a%2Fb", "a/edit", "a/b/edit", "edit", "a%0Ab", "a%0A", "..", "."],
    "tree": ["", "a", "a/", "a/b", "a/b/", "a//", "a//b/", "a%2F"],
    "file": ["a.b", "a.b.c", ".b", "a.", "ab", ".", "..."],
    "over": ["me", "ME", "5", "v-1", "v-", "x", "", "me/", "5/", "-5"],
    "deep": ["a", "a/b", "a/end", "start/end", "start/b", "start/b/", "start/b/c", "a/b/", "a/end/", "/a/b", "start//b"],
    "folder": ["", "/", "x"],
    "%C3%BCbung": ["a", "a/", "%C3%A9", "%C3%A9/", "a'\"<", "a%25b", "%FF", "a;b,c=d@e:f!g$h&i(j)*k+l~m"],
    "nested": ["one/items/1", "one/items", "one/items/", "x/items", "one/items/first", "x/items/1", "one//items/1"],
    "mounted": ["", "/", "a", "folder", "folder/", "nowhere/x", "/a", "a/"],
}
TARGETS = [f"/routing/{area}/{value}" for area, values in VALUES.items() for value in values]
TARGETS += ["/routing/folder", "/routing/mounted", "/routing/leaf", "/routing/leaf/", "/routing//leaf", "//routing/leaf"]
TARGETS += ["/routing/folder?a=1&b=%20", "/routing//folder?a", "/routing%2Fleaf", "/routing/%2Fleaf", "/%72outing/leaf"]
TARGETS += ["/", "//", "/routing", "/routing/", "/routing/deep/a//b?x=%2F", "/routing/../routing/leaf", "/routing/leaf;a=1"]
METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND"]
CASES = [(method, target) for target in TARGETS for method in (METHODS if "%" not in target else METHODS[:4])]


@pytest.fixture(scope="module")
def apps():
    with three() as apps:
        yield apps


def test_every_target_is_answered_alike(apps):
    different = {
        f"{method} {target[:80]}": [str(each) for each in found]
        for method, target in CASES
        if (found := apps.differences(ask(target, method)))
    }
    for k,v in different.items(): print(k,v)
    assert not different
