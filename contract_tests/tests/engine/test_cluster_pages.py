"""What a page tells everybody is known on a cluster as in one process, also where both sides show the page alike"""

import pytest

from contract_tests.parity.cases import Case
from contract_tests.parity.checking import Check
from contract_tests.parity.cluster.gathering import Gathering
from contract_tests.parity.cluster.shards import Setting, Sides, _Sender
from contract_tests.parity.ledger import Ledger
from contract_tests.parity.messages import Request, Response

PAGE, FORM = ((b"Content-Type", b"text/html"),), ((b"Content-Type", b"application/x-www-form-urlencoded"),)
TOKEN = b"tok123456789abc"
INPUT = b'<input type="hidden" name="csrf_token" value="%s">' % TOKEN
SIDES = Sides(("a:create()", None), ("b:create()", None), rewinds=True, anew=True, timeout=1)
CASE = Case("a form", (Request("GET", b"/form"), Request("POST", b"/form", FORM, b"csrf_token=" + TOKEN)), (), "cases")


class Pages:
    app = None

    def __init__(self, name, page, done):
        self.name, self.page, self.done = name, page, done

    def send(self, request):
        return Response(200, PAGE, self.page if request.method == "GET" else self.done)

    def reset(self):
        return


class Worker:
    """Shards of one worker, which is this process."""

    def __init__(self, original, port):
        self.sender = _Sender(original, port, Setting("run", SIDES, {}))

    def told(self, case, **_):
        return self.sender.told(case)


def exposed(page):
    """Who gives a secret away: in one process, and on a cluster."""

    def pair():
        return Pages("original", page, b"<p>done</p>"), Pages("port", page, b"<p>done %s</p>" % TOKEN)

    alone = Check(*pair(), Ledger.empty(), own_ids=False, rewinds=True)
    gathered = Gathering(*pair(), Worker(*pair()), Ledger.empty(), SIDES)
    for check in (alone, gathered):
        check.take(CASE)
    return [[finding.exposes for finding in check.findings()] for check in (alone, gathered)]


@pytest.mark.parametrize(
    "page",
    [
        b"<form>%s</form>" % INPUT,
        b"<form class=hidden>%s</form>" % INPUT.replace(b"hidden", b"HIDDEN"),
        b"<form>%s</form>" % INPUT + b" " * 99_000,
    ],
    ids=["a form", "in capitals", "a long page"],
)
def test_a_page_s_token_is_no_secret_on_a_cluster_either(page):
    assert exposed(page) == [[None], [None]]


@pytest.mark.parametrize("page", [b"<p>no form</p>", INPUT + b" " * 100_000], ids=["none", "too long"])
def test_a_token_that_no_page_told_is_a_secret_on_both(page):
    assert exposed(page) == [["port"], ["port"]]


def test_of_pages_that_are_alike_only_the_hidden_fields_are_sent_back():
    page = b"<form>%s</form>" % INPUT + b"x" * 50_000
    heard, _ = Worker(*(Pages(name, page, b"") for name in "ab")).told(CASE).heard
    assert heard.exchange.original.body == heard.exchange.port.body == b""
    assert sum(map(len, heard.pages)) < 500
