"""What a write changes is seen by every read that was made before it, on the same app and on the other one

Each test makes all reads, so that whatever could be kept is kept. Then it writes, and makes all reads again. A read
that the write's row names must show the change. Every other read must answer as before.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from contract_tests.suite.test_session import session_of
from contract_tests.suite.test_signin import begin, come_back, sign_in
from contract_tests.suite.visitors import Visitor, credentials
from contract_tests.suite.world import SignInProvider

SPEC = Path(__file__).parents[2] / "shared_core" / "openapi.json"
SAFE = {"get", "head", "options"}


@dataclass(frozen=True)
class Shown:
    """What an answer must be after the write."""

    status: int
    texts: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    def __call__(self, answer: httpx.Response) -> bool:
        return (
            answer.status_code == self.status
            and all(text in answer.text for text in self.texts)
            and not any(text in answer.text for text in self.without)
        )


def shows(*texts: str, without: tuple[str, ...] = ()) -> Shown:
    return Shown(200, texts, without)


REFUSED, GONE = Shown(401), Shown(404)


@dataclass(frozen=True)
class Read:
    """One GET by one person, and the status of its first answer.

    `path` may name ids: {ann}, {file}, and {next_user} and {next_file}, which are not taken yet.
    """

    operation: str
    who: str
    path: str
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


# A person's cookie is that of before the write; "guest now" asks with the one that the guest has after it.
READS = {
    "user": Read("get_user", "nobody", "/user/{ann}"),
    "next user": Read("get_user", "nobody", "/user/{next_user}", 404),
    "users": Read("list_users", "nobody", "/users"),
    "first user": Read("list_users", "nobody", "/users?limit=1"),
    "later users": Read("list_users", "nobody", "/users?after={ann}"),
    "export": Read("export_users", "bea", "/users.csv"),
    "whoami": Read("whoami", "ann", "/whoami"),
    "whoami elsewhere": Read("whoami", "ann elsewhere", "/whoami"),
    "whoami of bea": Read("whoami", "bea", "/whoami"),
    "whoami of olga": Read("whoami", "olga", "/whoami"),
    "whoami of guest": Read("whoami", "guest", "/whoami", 401),
    "whoami of guest now": Read("whoami", "guest now", "/whoami", 401),
    "value": Read("get_value", "ann", "/session/data/colour"),
    "no value": Read("get_value", "ann", "/session/data/size", 404),
    "value elsewhere": Read("get_value", "ann elsewhere", "/session/data/colour"),
    "value of guest": Read("get_value", "guest", "/session/data/colour"),
    "value of guest now": Read("get_value", "guest now", "/session/data/colour"),
    "file": Read("get_file", "ann", "/files/{file}"),
    "tagged file": Read("get_file", "ann", "/files/{file}?tag=new"),
    "file elsewhere": Read("get_file", "ann elsewhere", "/files/{file}"),
    "next file": Read("get_file", "ann", "/files/{next_file}", 404),
    "content": Read("get_content", "ann", "/files/{file}/content"),
    "part": Read("get_content", "ann", "/files/{file}/content", 206, {"Range": "bytes=1-2"}),
    "content elsewhere": Read("get_content", "ann elsewhere", "/files/{file}/content"),
    "next content": Read("get_content", "ann", "/files/{next_file}/content", 404),
    "profile": Read("get_profile", "olga", "/signin/profile"),
}

# Reads that no write changes, and what else holds them to the truth.
STANDING = {
    "hello": "says one thing",
    "get_health": "says that the process is up",
    "get_readiness": "asks the database at each request: test_health",
    "get_metrics": "counts requests, which each process does for itself: test_metrics",
    "get_openapi": "is a file of the release",
    "get_docs": "is a page of the release",
    "get_docs_asset": "is a file of the release",
    "begin_signin": "makes a state of its own at each request: test_signin",
}


def sign_in_as_ann(client: httpx.Client, scene: Scene) -> httpx.Response:
    return client.post("/session", json=credentials(scene.ann))


def come_back_as_ada(client: httpx.Client, scene: Scene) -> httpx.Response:
    answer: httpx.Response = come_back(client, scene.provider.answer(begin(client), account="ada"))
    return answer


def patch(**changes: str) -> Callable[[httpx.Client, Scene], httpx.Response]:
    return lambda client, scene: client.patch(scene.url("/user/{ann}"), json=changes)


def put(key: str, value: str) -> Callable[[httpx.Client, Scene], httpx.Response]:
    return lambda client, _: client.put(f"/session/data/{key}", json={"value": value})


def upload(client: httpx.Client, _: Scene) -> httpx.Response:
    return client.post("/files", files={"file": ("second.txt", b"second", "text/plain")})


def send(method: str, path: str) -> Callable[[httpx.Client, Scene], httpx.Response]:
    return lambda client, scene: client.request(method, scene.url(path))


@dataclass(frozen=True)
class Write:
    """One operation by one person, its status, and which reads show it."""

    operation: str
    who: str
    send: Callable[[httpx.Client, Scene], httpx.Response]
    status: int
    changes: dict[str, Shown]


FILES_OF_ANN = ("file", "tagged file", "content", "part", "next file", "next content")
HERE_NO_MORE = {"whoami": REFUSED, "value": GONE} | dict.fromkeys(FILES_OF_ANN, REFUSED)
ELSEWHERE_NO_MORE = dict.fromkeys(
    ("whoami elsewhere", "value elsewhere", "file elsewhere", "content elsewhere"), REFUSED
)
OLGA_NO_MORE = {"whoami of olga": REFUSED, "profile": REFUSED}

WRITES = {
    "register": Write(
        "create_user",
        "nobody",
        lambda client, scene: client.post("/user", json=scene.person("Eve")),
        201,
        dict.fromkeys(("next user", "users", "later users", "export"), shows("Eve")),
    ),
    "rename": Write(
        "update_user",
        "ann",
        patch(name="Zoe"),
        200,
        dict.fromkeys(
            ("user", "users", "first user", "export", "whoami", "whoami elsewhere"),
            shows("Zoe", without=('"Ann"', ",Ann,")),
        ),
    ),
    "change the email": Write(
        "update_user",
        "ann",
        patch(email="zoe@example.com"),
        200,
        dict.fromkeys(
            ("user", "users", "first user", "export", "whoami", "whoami elsewhere"),
            shows("zoe@example.com", without=("ann@example.com",)),
        ),
    ),
    "change the password": Write("update_user", "ann", patch(password="new"), 200, ELSEWHERE_NO_MORE),
    "delete the account": Write(
        "delete_user",
        "ann",
        send("DELETE", "/user/{ann}"),
        204,
        {"user": GONE, "users": shows("Bea", without=('"Ann"',)), "first user": shows("Bea", without=('"Ann"',))}
        | {"export": shows("Bea", without=("ann@example.com",))}
        | HERE_NO_MORE
        | ELSEWHERE_NO_MORE,
    ),
    "sign in": Write(
        "create_session",
        "guest",
        sign_in_as_ann,
        200,
        {"whoami of guest now": shows("Ann"), "value of guest": GONE},
    ),
    "sign in again": Write("create_session", "ann", sign_in_as_ann, 200, HERE_NO_MORE),
    "sign in as someone else": Write(
        "create_session", "ann", lambda client, scene: client.post("/session", json=scene.bea), 200, HERE_NO_MORE
    ),
    "sign out": Write("delete_session", "ann", send("DELETE", "/session"), 204, HERE_NO_MORE),
    "sign out everywhere": Write(
        "delete_sessions", "ann", send("DELETE", "/sessions"), 204, HERE_NO_MORE | ELSEWHERE_NO_MORE
    ),
    "sign out everywhere else": Write(
        "delete_sessions",
        "ann elsewhere",
        send("DELETE", "/sessions"),
        204,
        HERE_NO_MORE | ELSEWHERE_NO_MORE | {"value": REFUSED, "no value": REFUSED, "value elsewhere": GONE},
    ),
    "keep another value": Write("put_value", "ann", put("colour", "red"), 200, {"value": shows("red")}),
    "keep a value": Write("put_value", "ann", put("size", "big"), 200, {"no value": shows("big")}),
    "forget a value": Write("delete_value", "ann", send("DELETE", "/session/data/colour"), 204, {"value": GONE}),
    "sign in at the provider": Write(
        "finish_signin",
        "guest",
        come_back_as_ada,
        303,
        {"whoami of guest now": shows("ada@contoso.example"), "value of guest": GONE}
        | dict.fromkeys(("next user", "users", "later users", "export"), shows("ada@contoso.example")),
    ),
    "sign out at the provider": Write("signout", "olga", send("POST", "/signout"), 303, OLGA_NO_MORE),
    "sign out everywhere of the provider's": Write(
        "delete_sessions", "olga", send("DELETE", "/sessions"), 204, OLGA_NO_MORE
    ),
    "upload": Write(
        "create_file", "ann", upload, 201, {"next file": shows("second.txt"), "next content": shows("second")}
    ),
    "delete a file": Write(
        "delete_file",
        "ann",
        send("DELETE", "/files/{file}"),
        204,
        dict.fromkeys(("file", "tagged file", "content", "part", "file elsewhere", "content elsewhere"), GONE),
    ),
}


# The time stamp of enrich_file (decision 0023).
MOMENT = re.compile(rb'(?<="timestamp":")\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?\+00:00(?=")')


class Scene:
    """The people of a test on one pair of apps, each with a session, and what they own."""

    person: Callable[..., dict[str, Any]]
    provider: SignInProvider
    ann: dict[str, Any]
    bea: dict[str, Any]

    def __init__(
        self, visitor: Callable[[], Visitor], person: Callable[..., dict[str, Any]], provider: SignInProvider
    ) -> None:
        self.person, self.provider = person, provider
        self.ann, bea = person("Ann"), person("Bea")
        self.bea = credentials(bea)
        self._reader = visitor()
        self.people = {name: visitor() for name in ("nobody", "ann", "ann elsewhere", "bea", "olga", "guest")}
        clients = {name: browser.here for name, browser in self.people.items()}
        ids = [clients["nobody"].post("/user", json=known).json()["id"] for known in (self.ann, bea)]
        for name, known in (("ann", self.ann), ("ann elsewhere", self.ann), ("bea", bea)):
            assert clients[name].post("/session", json=credentials(known)).status_code == 200
        sign_in(clients["olga"], provider, account="bea")
        for name in ("ann", "ann elsewhere", "guest"):
            assert put("colour", "blue")(clients[name], self).status_code == 200
        stored = clients["ann"].post("/files", files={"file": ("first.txt", b"first", "text/plain")}).json()["id"]
        self._ids = {"ann": ids[0], "next_user": ids[1] + 2, "file": stored, "next_file": stored + 1}
        self._cookies = {name: self._cookie(name) for name in self.people}

    def url(self, path: str) -> str:
        return path.format(**self._ids)

    def read(self, read: Read, *, known: httpx.Response | None = None) -> httpx.Response:
        """Read on the app that does not write; with `known`, only if the answer is another by now."""
        now = read.who.removesuffix(" now")
        cookie = self._cookies[read.who] if now == read.who else self._cookie(now)
        reader = self._reader.there
        # An answer may delete the cookie of a session that is over: the next read must send it all the same.
        reader.cookies.clear()
        headers = read.headers | ({"Cookie": f"__Host-session={cookie}"} if cookie else {})
        if known is not None:
            headers |= {"If-None-Match": known.headers.get("etag", '"none"')}
        return reader.get(self.url(read.path), headers=headers)

    def _cookie(self, name: str) -> str | None:
        client = self.people[name].here
        return session_of(client) if client.cookies else None


def told(answer: httpx.Response) -> tuple[int, str | None, bytes]:
    """What an answer says, but for the moment at which a file is shown: on a server that is another each time."""
    return answer.status_code, answer.headers.get("etag"), MOMENT.sub(b"(the moment)", answer.content)


@pytest.mark.shared
@pytest.mark.provider
@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_what_a_write_changes_every_earlier_read_shows(visitor, person, provider, write):
    scene = Scene(visitor, person, provider)
    before = {name: scene.read(read) for name, read in READS.items()}
    assert {name: answer.status_code for name, answer in before.items()} == {
        name: read.status for name, read in READS.items()
    }
    assert write.send(scene.people[write.who].here, scene).status_code == write.status
    stale = []
    for name, read in READS.items():
        again = scene.read(read)
        expected = write.changes.get(name)
        if expected is None:
            seen = told(again) == told(before[name])
        else:
            # A precondition that the client's copy is the newest must find that it is not.
            seen = expected(again) and told(scene.read(read, known=before[name])) == told(again)
        if not seen:
            stale.append(f"{name}: {read.operation} answered {told(before[name])}, then {told(again)}")
    assert stale == []


def operations() -> dict[str, str]:
    """The method of each operation that the document lists, by the operation's name."""
    document = json.loads(SPEC.read_bytes())
    return {
        operation["operationId"]: method
        for path in document["paths"].values()
        for method, operation in path.items()
        if isinstance(operation, dict)
    }


def test_each_read_of_the_document_is_made_before_and_after_each_write():
    reads = {name for name, method in operations().items() if method in SAFE} - {"finish_signin"}
    assert {read.operation for read in READS.values()} | STANDING.keys() == reads


def test_each_write_of_the_document_has_a_row():
    writes = {name for name, method in operations().items() if method not in SAFE} | {"finish_signin"}
    assert {write.operation for write in WRITES.values()} == writes


def test_each_kind_of_read_is_changed_by_some_write():
    changed = {READS[name].operation for write in WRITES.values() for name in write.changes}
    assert changed == {read.operation for read in READS.values()}
