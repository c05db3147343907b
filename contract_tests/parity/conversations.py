"""Two conversations are compared answer by answer, with framing, interim responses and the connection's end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .binding import Bindings
from .compare import compare
from .difference import Difference
from .drivers.raw import Answer, Conversation
from .messages import Request
from .rules import DEFAULT, Rules

# Names of a status that servers choose between; most RFC 9110 gave anew.
RENAMED = {
    (203, "non authoritative information"): "non-authoritative information",
    (413, "request entity too large"): "content too large",
    (413, "payload too large"): "content too large",
    (414, "request-uri too long"): "uri too long",
    (416, "requested range not satisfiable"): "range not satisfiable",
    (422, "unprocessable entity"): "unprocessable content",
}
# How a request was meant that the probe itself did not send: the last one, or one that a server saw on its own.
_UNASKED = Request("GET", b"/")


def compare_conversations(
    requests: Sequence[Request],
    original: Conversation,
    port: Conversation,
    *,
    bindings: Bindings,
    rules: Rules = DEFAULT,
) -> tuple[tuple[str, Difference], ...]:
    """Every difference between what two servers answered to one probe, with its operation, in order.

    `requests` are the probe's, as the original was sent them; `bindings` know which ids are partners.
    """
    found = {(bindings.operation(requests[0]), each) for each in _connection(original, port)}
    received = (original.received, port.received)
    for at, (ours, theirs) in enumerate(zip(original.answers, port.answers, strict=False)):
        request = requests[at] if at < len(requests) else _UNASKED
        learned = bindings.learn(request, ours.response, theirs.response)
        seen = compare(ours.response, learned.port, rules=rules, received=received)
        operation = bindings.operation(request)
        found.update((operation, each) for each in (*learned.differences, *seen, *_seen_beside(ours, theirs)))
    return tuple(sorted(found))


def _connection(original: Conversation, port: Conversation) -> Iterator[Difference]:
    if original.ending != port.ending:
        yield Difference("transport", "connection", "value", original.ending, port.ending)
    if len(original.answers) != len(port.answers):
        yield Difference("transport", "answers", "count", _statuses(original), _statuses(port))


def _seen_beside(original: Answer, port: Answer) -> Iterator[Difference]:
    """What a client sees beside status, headers and body. The case of a reason phrase says nothing."""
    pairs = {
        "framing": (original.framing, port.framing),
        "interim": (_listed(original.interim), _listed(port.interim)),
    }
    if original.response.status == port.response.status:
        pairs["version"] = (original.version, port.version)
        pairs["reason"] = (_phrase(original), _phrase(port))
    for name, (ours, theirs) in pairs.items():
        if ours != theirs:
            yield Difference("transport", name, "value", ours, theirs)


def _phrase(answer: Answer) -> str:
    """A reason phrase, whose case says nothing; of the names that a status has had, the newest."""
    phrase = answer.reason.lower()
    return RENAMED.get((answer.response.status, phrase), phrase)


def _statuses(conversation: Conversation) -> str:
    return _listed([answer.response.status for answer in conversation.answers])


def _listed(statuses: Sequence[int]) -> str:
    return " ".join(map(str, statuses)) or "none"
