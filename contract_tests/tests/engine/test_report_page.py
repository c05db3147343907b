"""The page of the report in a real browser: without a network, by keyboard, on a phone, and with thousands"""

import base64

import pytest

from contract_tests.parity.report import html
from contract_tests.tests import browser as browsers

from .reports import SECRET, run_of

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser():
    program = browsers.found()
    if program is None:
        assert not browsers.REQUIRED, browsers.MISSING
        pytest.skip(browsers.MISSING)
    opened = browsers.Browser(program)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The page of 200 differences: more than it shows at once."""
    return written(tmp_path_factory, 200)


@pytest.fixture(scope="module")
def large_page(tmp_path_factory):
    """The page of 2000 differences."""
    return written(tmp_path_factory, 2000)


def written(tmp_path_factory, differences):
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(html.of(run_of(differences).as_json()), encoding="utf-8")
    return path


def cards(browser):
    return browser.ask("document.querySelectorAll('article').length")


def counted(browser):
    return browser.ask("document.getElementById('count').textContent")


def test_it_asks_for_nothing_and_no_script_fails(browser, page):
    browser.open(page)
    browser.ask("document.querySelectorAll('article details').forEach((each) => each.open = true)")
    assert browser.asked_for() == [page.as_uri()]
    assert browser.complaints() == []


def test_nothing_hostile_is_run_or_becomes_an_element(browser, page):
    for view in ("causes", "differences", "accepted", "coverage"):
        browser.open(page, f"#view={view}")
        browser.ask("document.querySelectorAll('article details').forEach((each) => each.open = true)")
        browser.wait("document.querySelectorAll('article pre').length > 0 || document.querySelector('table')")
        assert browser.ask("document.title").startswith("Parity: DIFFERENT")
        assert browser.ask("document.querySelectorAll('#list img, #list script').length") == 0
        text = browser.ask("document.body.innerText")
        assert not [char for char in text if char in "\x00\x1b\u202e"]
    assert "<script>document.title" in browser.ask(
        "JSON.parse(document.getElementById('run').textContent).exchanges[0].original.body"
    )


def test_no_secret_is_shown(browser, page):
    browser.open(page, "#view=differences")
    browser.ask("document.querySelectorAll('article details').forEach((each) => each.open = true)")
    assert SECRET not in browser.ask("document.documentElement.outerHTML")
    assert "<secret:1>" in browser.ask("document.body.innerText")


def test_thousands_are_there_in_steps(browser, large_page):
    browser.resize(1280, 900)
    browser.open(large_page, "#view=differences")
    assert counted(browser).endswith("in all")
    assert int(counted(browser).split()[0]) >= 2000
    assert cards(browser) <= 100
    browser.ask("document.getElementById('more').click()")
    before = cards(browser)
    assert 100 <= before <= 200
    browser.ask("window.scrollTo(0, document.body.scrollHeight)")
    browser.wait(f"document.querySelectorAll('article').length > {before}")


def test_filters_need_no_network_and_stand_in_the_address(browser, large_page):
    browser.open(large_page, "#view=differences")
    whole = int(counted(browser).split()[0])
    browser.ask(
        "{ const s = document.getElementById('level'); s.value = 'header'; s.dispatchEvent(new Event('change')); }"
    )
    headers = int(counted(browser).split()[0])
    assert 0 < headers < whole
    assert browser.ask(
        "[...document.querySelectorAll('article .title')].every((each) => / header /.test(each.textContent))"
    )
    browser.ask(
        "{ const q = document.getElementById('q'); q.value = 'thing12/x x-hostile';"
        " q.dispatchEvent(new Event('input')); }"
    )
    browser.wait("document.querySelectorAll('article').length === 1")
    place = browser.ask("location.hash")
    browser.open(large_page, place)
    assert cards(browser) == 1
    assert browser.asked_for() == [large_page.as_uri()]


@pytest.mark.parametrize(
    ("place", "every"),
    [
        ("#view=differences&source=generated", "GET /thing"),
        ("#view=differences&level=json", "json"),
        ("#view=differences&status=follows", "follows from cause"),
        ("#view=differences&status=accepted", "accepted"),
        ("#view=causes&operation=GET%20/thing3/x", "operation"),
    ],
)
def test_each_filter_keeps_what_fits(browser, page, place, every):
    browser.open(page, place)
    shown = browser.ask("[...document.querySelectorAll('article > details > summary')].map((each) => each.innerText)")
    assert shown
    assert all(every in text for text in shown)
    kept, _, whole = counted(browser).partition(" of ")
    assert int(kept) < int(whole)


def test_it_is_used_by_keyboard(browser, page):
    browser.open(page)
    browser.press("j")
    browser.press("j")
    assert browser.ask("document.activeElement.querySelector('.number').textContent") == "2"
    browser.press("k")
    assert browser.ask("document.activeElement.querySelector('.number').textContent") == "1"
    browser.press("Enter")
    browser.wait("document.querySelector('article details').open && document.querySelector('article .inside')")
    browser.press("/")
    assert browser.ask("document.activeElement.id") == "q"
    for letter in "stock":
        browser.press(letter)
    browser.wait("document.getElementById('count').textContent.includes(' of ')")
    assert browser.ask("document.getElementById('q').value") == "stock"


def test_a_card_has_both_answers_their_diff_and_a_line_that_asks_again(browser, page):
    browser.open(page, "#view=differences&q=thing1/x%20$.price")
    browser.ask("document.querySelector('article details').open = true")
    browser.wait("document.querySelector('article .inside')")
    inside = browser.ask("document.querySelector('article .inside').innerText")
    for word in (
        "ask again",
        "curl -i",
        "the request",
        "GET /thing1/x?token=<secret:1>",
        "the original answered",
        "cases",
    ):
        assert word in inside
    lines = browser.ask("[...document.querySelectorAll('article .diff span')].map((each) => each.textContent)")
    assert '-   "price": 1,' in lines
    assert '+   "price": 1.0,' in lines


def test_what_was_accepted_has_the_ledgers_word(browser, page):
    browser.open(page, "#view=accepted")
    browser.ask("document.querySelector('article details').open = true")
    browser.wait("document.querySelector('article .inside')")
    assert "Accepted: each side has its own clock </script> (decision 0007, ada), 1 times" in browser.ask(
        "document.querySelector('article .inside').innerText"
    )


def test_coverage_has_what_was_reached_masked_and_never_reached(browser, page):
    browser.open(page, "#view=coverage")
    rows = browser.ask(
        "[...document.querySelectorAll('tbody tr')].map((row) => [...row.cells].map((cell) => cell.textContent))"
    )
    assert rows[0][:5] == ["GET /thing0/x", "200", "application/json", "cases", "1"]
    assert rows[0][6] == "header"
    assert ["GET /never/asked"] in rows


SCHEMES = ("light", "dark")


def test_a_phone_shows_it_without_a_bar_to_the_side(browser, page):
    for view in ("causes", "differences", "accepted", "coverage"):
        browser.resize(390, 844, phone=True)
        browser.open(page, f"#view={view}")
        browser.ask("document.querySelectorAll('article details').forEach((each) => each.open = true)")
        for scheme in SCHEMES:
            browser.resize(390, 844, phone=True, scheme=scheme)
            assert browser.ask("document.documentElement.scrollWidth") <= 390, (view, scheme)
    browser.resize(1280, 900)


def test_what_is_written_can_be_read_on_its_ground(browser, page):
    """WCAG 2.2, 1.4.3: a ratio of 4.5 between a text and what is behind it."""
    browser.resize(1280, 900)
    browser.open(page)
    browser.ask("document.querySelector('article details').open = true")
    browser.wait("document.querySelector('article .inside')")
    for scheme in SCHEMES:
        browser.resize(1280, 900, scheme=scheme)
        assert browser.ask("matchMedia('(prefers-color-scheme: dark)').matches") == (scheme == "dark")
        assert browser.ask(browsers.CONTRAST) >= 4.5, scheme
    browser.resize(1280, 900)


def test_a_picture_of_it_can_be_made(browser, page):
    browser.resize(1280, 900)
    browser.open(page)
    picture = base64.b64decode(browser.call("Page.captureScreenshot")["data"])
    assert picture.startswith(b"\x89PNG")
