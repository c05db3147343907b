"""Runs to be reported: as large as asked for, and with what is hostile in every place that an app may fill."""

from __future__ import annotations

import json

from contract_tests.parity import Bindings, Ledger, Pair, Request, Response
from contract_tests.parity.verdict import Run

from .toys import Toy

# Ends a script, turns the direction of what follows, clears a terminal, and is no text of XML.
HOSTILE = (
    "</script><script>document.title='owned'</script>\u202egnp.exe\x1b[2J\x00"
    "<img src=x onerror=\"document.title='owned'\">--><!--"
)
SECRET = "hunter2-of-the-report"
LEDGER = """
[[accepted]]
operations = ["GET /thing0/x"]
level = "header"
path = "X-Made"
kind = "value"
reason = "each side has its own clock </script>"
decision = "0007"
owner = "ada"
"""


def json_response(value, *headers, status=200):
    body = json.dumps(value, ensure_ascii=False).encode()
    length = (b"Content-Length", str(len(body)).encode())
    return Response(status, ((b"Content-Type", b"application/json"), length, *headers), body)


def run_of(differences):
    """A run of at least so many differences, each ten operations of them with other values."""
    answers = {}
    original = Toy(lambda _: answers["original"], name="flask.app.Flask")
    port = Toy(lambda _: answers["port"], name="fastapi.applications.FastAPI")
    pair = Pair(original, port, bindings=Bindings.none(), accepted=Ledger.loads(LEDGER))
    run = Run({"original": original.name, "port": port.name}, noun="case")
    at = 0
    while len(run.differences) < differences:
        answers["original"] = json_response(ours(at), (b"X-Made", b"1"), (b"X-Hostile", HOSTILE.encode()))
        answers["port"] = json_response(
            theirs(at), (b"X-Made", b"2"), (b"X-Hostile", b"fine"), status=200 if at % 7 else 500
        )
        found(run, pair, Request("GET", b"/thing%d/x?token=%s" % (at, SECRET.encode()), HEADERS), at)
        at += 1
    run.never_reached.append("GET /never/asked")
    run.notes.append("not rewound between cases")
    return run


HEADERS = (
    (b"Host", b"localhost"),
    (b"Authorization", b"Bearer " + SECRET.encode()),
    (b"Cookie", b"s=" + SECRET.encode()),
)


def ours(at):
    return {"name": HOSTILE, "price": at, "list": [1, 2, 3], "stock": at, "nested": {"a": at}, HOSTILE: "a key"}


def theirs(at):
    return {"price": float(at), "name": HOSTILE + "!", "list": [1, 2], "stock": at + 1, "nested": {"a": str(at)}}


def found(run, pair, request, at):
    exchange = pair.exchange(request)
    source, case = ("cases", "generated", "framework")[at % 3], f"case {at}"
    run.found(exchange, case, pair.secrets, source=source)
    run.saw(exchange, source)
    run.count("cases", "both", "failed")
    for _, entry in exchange.accepted:
        run.accepted[str(entry)] = run.accepted.get(str(entry), 0) + 1
