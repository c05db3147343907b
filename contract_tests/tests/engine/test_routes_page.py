"""The board as a page, in a real browser: without a network, by keyboard, on a phone; security findings first"""

import json
import os
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from contract_tests.__main__ import main
from contract_tests.tests import browser as browsers
from contract_tests.tests.house.desk import write_desk
from contract_tests.tests.house.test_house import ROOT

HOSTILE = """
@app.get("/hostile/</script><img src=x onerror=document.title=1>\\u202e")
def hostile():
    return ""
"""
# What the last run said of two routes of the desk.
REPORT = {
    "coverage": [
        {"operation": "GET /about/", "status": 200, "count": 3},
        {"operation": "POST /tickets", "status": 201, "count": 2},
        {"operation": "POST /tickets", "status": 403, "count": 1},
    ],
    "differences": [{"fingerprint": "POST /tickets 201 json $.id value"}],
}


def written(folder, *arguments):
    """Write the board's page of the desk and its port."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        made = CliRunner().invoke(
            main, ["routes", "desk", "desk_port", "--no-cache", "--format", "html", "--out", "board.html", *arguments]
        )
    finally:
        os.chdir(before)
    assert made.exit_code in (0, 1), made.output
    return folder / "board.html"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("board")
    write_desk(folder)
    (folder / "desk/hostile.py").write_text("from flask import Flask\napp = Flask(__name__)\n" + HOSTILE)
    (folder / "run").mkdir()
    (folder / "run/report.json").write_text(json.dumps(REPORT))
    (folder / "run/report.html").write_text("the last run")
    return folder


@pytest.fixture(scope="module")
def page(folder):
    return written(folder, "--report", "run/report.json")


@pytest.fixture(scope="module")
def browser():
    program = browsers.found()
    if program is None:
        assert not browsers.REQUIRED, browsers.MISSING
        pytest.skip(browsers.MISSING)
    opened = browsers.Browser(program)
    yield opened
    opened.close()


def shown(browser):
    return browser.ask("[...document.querySelectorAll('.route button')].map((each) => each.textContent)")


def counted(browser):
    return [int(each) for each in re.findall(r"\d+", browser.ask("document.getElementById('count').textContent"))]


def test_both_pages_have_one_palette():
    """The engine's report and the board know nothing of each other, and look alike."""

    def palette(path):
        style = (ROOT / "contract_tests" / path / "page.css").read_text()
        return style[: style.index("* { box-sizing")]

    assert palette("parity/report") == palette("migration/routes")


def test_the_page_is_linked_with_the_last_run(folder, page, tmp_path):
    assert '"report":"run/report.html"' in page.read_text()
    (tmp_path / "report.json").write_text("{}")
    assert '"report":null' in written(folder, "--report", str(tmp_path / "report.json")).read_text()
    written(folder, "--report", "run/report.json")


@pytest.mark.browser
def test_it_asks_for_nothing_and_no_script_fails(browser, page):
    browser.open(page)
    browser.ask("document.querySelectorAll('.route button').forEach((each) => each.click())")
    assert browser.asked_for() == [page.as_uri()]
    assert browser.complaints() == []


@pytest.mark.browser
def test_nothing_hostile_is_run_or_becomes_an_element(browser, page):
    browser.open(page, "#q=hostile")
    browser.ask("document.querySelector('.route button').click()")
    (name,) = shown(browser)
    assert name == "GET /hostile/</script><img src=x onerror=document.title=1>\\u202e"
    assert browser.ask("document.title") == "Board: The gate is shut"
    assert browser.ask("document.querySelectorAll('img, main script').length") == 0


@pytest.mark.browser
def test_what_is_unguarded_stands_first_with_its_guard(browser, page):
    browser.open(page)
    assert shown(browser)[:2] == ["POST /admin/users", "POST /tickets"]
    findings = browser.ask("[...document.querySelectorAll('.finding')].map((each) => each.innerText)")
    assert len(findings) == 2
    assert "POST /admin/users" in findings[0]
    assert "guarded by hook only_admins (desk/admin.py:8)" in findings[0]
    assert "port: desk_port/admin.py:18" in findings[0]
    above = "(a, b) => !!(a.compareDocumentPosition(b) & Node.DOCUMENT_POSITION_FOLLOWING)"
    assert browser.ask(f"({above})(document.getElementById('findings'), document.getElementById('list'))")
    assert "2 routes are guarded in the original" in browser.ask("document.getElementById('fails').innerText")


@pytest.mark.browser
def test_each_step_tells_how_far_it_is_and_shows_what_is_left(browser, page):
    browser.open(page)
    steps = browser.ask("[...document.querySelectorAll('#steps button')].map((each) => each.innerText)")
    assert [" ".join(each.split()) for each in steps] == [
        "1 test cases 2 of 27", "2 in the port 19 of 27", "3, 4 no globals below the view 21 of 27",
        "5 models 3 of 27", "6 implemented 16 of 27", "6 alike in the last run 1 of 27",
    ]  # fmt: skip
    left = {}
    for number in range(6):
        browser.ask(f"document.querySelectorAll('#steps button')[{number}].click()")
        left[number], _ = counted(browser)
        assert (
            browser.ask(f"document.querySelectorAll('#steps button')[{number}].getAttribute('aria-pressed')") == "true"
        )
    assert left == {0: 25, 1: 8, 2: 6, 3: 16, 4: 11, 5: 1}
    browser.ask("document.querySelectorAll('#steps button')[5].click()")
    assert counted(browser)[0] == 27


@pytest.mark.browser
def test_filters_need_no_network_and_stand_in_the_address(browser, page):
    browser.open(page)
    whole = counted(browser)[1]
    browser.ask(
        "{ const s = document.getElementById('method'); s.value = 'POST'; s.dispatchEvent(new Event('change')); }"
    )
    assert 0 < counted(browser)[0] < whole
    assert all(each.startswith("POST ") for each in shown(browser))
    browser.ask(
        "{ const q = document.getElementById('q'); q.value = 'only_admins'; q.dispatchEvent(new Event('input')); }"
    )
    found = shown(browser)
    assert found == ["POST /admin/users"]
    browser.open(page, browser.ask("location.hash"))
    assert shown(browser) == found
    browser.ask("document.querySelector('button[type=reset]').click()")
    assert counted(browser) == [whole, whole]
    assert browser.asked_for() == [page.as_uri()]


@pytest.mark.browser
def test_a_route_opens_by_keyboard_and_tells_both_places(browser, page):
    browser.open(page, "#below=%2Ftickets&method=POST")
    browser.press("/")
    assert browser.ask("document.activeElement.id") == "q"
    browser.ask("document.querySelector('.route button').focus()")
    browser.press("Enter")
    browser.wait("document.querySelector('tr.inside')")
    inside = browser.ask("document.querySelector('tr.inside').innerText")
    for word in (
        "desk/tickets.py",
        "decorator member_only (desk/access.py:6)",
        "desk_port/tickets.py:26",
        "none",
        "201: 2, 403: 1",
    ):
        assert word in inside
    browser.press("Enter")
    browser.wait("!document.querySelector('tr.inside')")


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_it_without_a_bar_to_the_side_and_it_can_be_read(browser, page, scheme):
    """WCAG 2.2, 1.4.3: a ratio of 4.5 between a text and what is behind it."""
    for width, height, phone in ((390, 844, True), (320, 640, True), (1280, 900, False)):
        browser.resize(width, height, phone=phone, scheme=scheme)
        browser.open(page)
        browser.ask("document.querySelectorAll('.route button').forEach((each) => each.click())")
        assert browser.ask("document.documentElement.scrollWidth") <= width
        assert browser.ask(browsers.CONTRAST) >= 4.5
    browser.resize(1280, 900)
