"""A session that is signed into a cookie is compared by what it says, whatever its ids, its second and its text"""

import itsdangerous
import pytest
from flask.json.tag import TaggedJSONSerializer

from contract_tests.parity import Bindings, Pair, Request, Response
from contract_tests.tests.engine.toys import json_answer

TOKENS = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"


def signed(content, *, key="one", at=1_800_000_000, signer=itsdangerous.URLSafeTimedSerializer):
    """As Flask writes a session."""

    class AtThatTime(itsdangerous.TimestampSigner):
        def get_timestamp(self):
            return at

    return signer(key, salt="cookie-session", serializer=TaggedJSONSerializer(), signer=AtThatTime).dumps(content)


def cookie(value):
    return Response(200, ((b"Set-Cookie", f"session={value}; Path=/".encode()),), b"")


class Scripted:
    def __init__(self, name, *answers):
        self.name, self.answers, self.sent = name, list(answers), []

    def send(self, request):
        self.sent.append(request)
        return self.answers.pop(0)

    def reset(self):
        pass

    def close(self):
        pass


def found(*answers, bindings=None):
    """The fingerprints that a story of pairs of answers shows."""
    original, port = (Scripted(*each) for each in zip(("original", "port"), *answers, strict=True))
    pair = Pair(original, port, bindings=bindings or Bindings())
    return [each for _ in answers for each in pair.exchange(Request("POST", b"/users")).fingerprints]


BORN = json_answer({"id": 7}, status=201), json_answer({"id": 7001}, status=201)


def test_the_ids_in_it_are_partners_whatever_its_length():
    sessions = [cookie(signed({"user_id": id, "name": "Ada", "cart": [1, 2]})) for id in (7, 7001)]
    assert found(BORN, sessions) == []


@pytest.mark.parametrize(
    "port",
    [
        {"user_id": 7002, "name": "Ada"},
        {"user_id": 7001, "name": "Eve"},
        {"user_id": 7001},
        {"user_id": 7001, "name": "Ada", "admin": True},
        {"user_id": "7001", "name": "Ada"},
    ],
)
def test_what_it_says_otherwise_is_told(port):
    sessions = cookie(signed({"user_id": 7, "name": "Ada"})), cookie(signed(port))
    assert found(BORN, sessions) == ["POST /users cookie session.value binding"]


def test_the_content_of_equally_long_values_is_compared_too():
    sessions = cookie(signed({"role": "user1"})), cookie(signed({"role": "admin"}))
    assert found(sessions) == ["POST /users cookie session.value binding"]


def test_random_tokens_in_it_are_bound():
    one, other = (cookie(signed({"csrf": token})) for token in TOKENS)
    assert found((one, other), (one, other)) == []
    assert found((one, other), (one, cookie(signed({"csrf": "00112233445566778899aabbccddeeff"})))) == [
        "POST /users cookie session.value binding"
    ]


def test_it_may_be_signed_a_second_later_and_not_an_hour_earlier():
    content, later = {"n": 1}, 1_800_000_001
    again = cookie(signed(content)), cookie(signed(content, at=later))
    assert found(again, again, (cookie(signed(content, at=later)), again[1])) == []
    stale = cookie(signed(content)), cookie(signed(content, at=later - 3600))
    assert found(stale) == ["POST /users cookie session.value binding"]


def test_times_in_it_lie_together():
    def seen(at, text):
        return cookie(signed({"seen": at, "since": text, "visits": 3}))

    ours = seen(1_800_000_000.25, "2027-01-15T08:00:00.123456+00:00")
    assert found((ours, seen(1_800_000_000.5, "2027-01-15T08:00:00.223456+00:00"))) == []
    assert found((ours, seen(1_800_000_000, "2027-01-15T08:00:00.223456+00:00"))) != []
    assert found((ours, seen(1_800_003_600.5, "2027-01-15T08:00:00.123456+00:00"))) != []
    assert found((ours, seen(1_800_000_000.25, "2027-01-15 08:00:00.123456+00:00"))) != []


def test_each_side_is_sent_its_own():
    texts = [[signed({"user_id": id}, at=at) for at in (1_800_000_000, 1_800_000_001)] for id in (7, 7001)]
    answers = [BORN, (cookie(texts[0][0]), cookie(texts[1][0])), (cookie(texts[0][1]), cookie(texts[1][0]))]
    original, port = (
        Scripted(*each, Response(200, (), b"")) for each in zip(("original", "port"), *answers, strict=True)
    )
    pair = Pair(original, port, bindings=Bindings())
    for _ in answers:
        assert not pair.exchange(Request("POST", b"/users")).differences
    pair.exchange(Request("GET", b"/", ((b"Cookie", f"session={texts[0][1]}".encode()),)))
    assert port.sent[-1].headers == ((b"Cookie", f"session={texts[1][0]}".encode()),)


def test_a_large_session_is_unpacked():
    sessions = [cookie(signed({"user_id": id, "text": "word " * 200})) for id in (7, 7001)]
    assert all(b"session=." in each.headers[0][1] for each in sessions)
    assert found(BORN, sessions) == []


def test_another_way_of_writing_it_is_another_value():
    starlettes = itsdangerous.TimestampSigner("one").sign(b"eyJ1c2VyX2lkIjogN30=").decode()
    assert found((cookie(signed({"user_id": 7})), cookie(starlettes))) == ["POST /users cookie session.value value"]


def test_what_only_looks_signed_is_a_token():
    alike = [cookie(f"{word}.Zz3456.{'x' * 27}") for word in ("abcdefghijkl", "mnopqrstuvwx")]
    assert found(alike) == []
