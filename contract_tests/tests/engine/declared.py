"""Which names are ids, as tests of bindings declare it."""

from __future__ import annotations

from contract_tests.parity import Bindings
from contract_tests.parity.binding import Declared

from .toys import answer, json_answer, request

DECLARED = Declared.of(
    {
        "paths": ["/user/{id}", "/user/{user_id}/files", "/files/{id}/content"],
        "texts": ["Stored as file {file_id}"],
        "names": {"owner": "user"},
    }
)


def bound(declared: Declared = DECLARED) -> Bindings:
    """Bindings that know user 5 as the port's 105, file 5 as 905, and one token."""
    bindings = Bindings(declared)
    bindings.learn(request("POST", "/user"), json_answer({"id": 5}), json_answer({"id": 105}))
    bindings.learn(request("POST", "/files"), json_answer({"id": 5}), json_answer({"id": 905}))
    cookies = (answer(b"", ("Set-Cookie", f"session={letter * 24}; Path=/")) for letter in "ab")
    bindings.learn(request("POST", "/login"), *cookies)
    return bindings
