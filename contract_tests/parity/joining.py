"""Causes of a whole run that are one after all, or follow from another: seen only when all of them are known."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from .cause import Cause
from .reason import Reason
from .segments import segment_of

# What follows a write that one side alone has made, in the same case.
_FOLLOWING = frozenset(
    {"status", "elements", "crash", "value", "type", "format", "null-member", "text", "markup-part",
     "markup-value", "cookie", "input"}
)  # fmt: skip
# What occurs on many answers is one cause there, and under another difference, too.
_EVERYWHERE = frozenset({"header", "cookie", "media-type", "bytes"})
# More sorts of refusal by one operation than these are told as one: their words differ with every input.
_WORDS, _RULES = 3, 8
# What a refusal says of any field, or of none.
_GENERAL = frozenset(
    {"a", "an", "and", "are", "bad", "be", "body", "check", "content", "data", "entity", "error", "expected",
     "failed", "field", "fields", "for", "found", "fully", "given", "in", "input", "invalid", "is", "it",
     "json", "malformed", "missing", "must", "no", "not", "of", "or", "parameter", "parameters", "payload",
     "please", "request", "required", "some", "something", "that", "the", "this", "unprocessable", "valid",
     "validation", "value", "values", "was", "were", "wrong", "your"}
)  # fmt: skip


def join(found: dict[Reason, Cause], groups: Iterable[list[Reason]]) -> None:
    """Join the causes of each group with its first."""
    for first, *others in groups:
        for reason in others:
            found[first].take(found.pop(reason))


def error_bodies(found: Mapping[Reason, Cause]) -> list[list[Reason]]:
    """Error bodies whose members overlap on both sides are one: some errors have a member more."""
    groups: list[tuple[set[str], set[str], list[Reason]]] = []
    for reason in found:
        if reason.name != "error-body":
            continue
        ours, theirs = (set(marks.split(", ")) for marks in reason.marks)
        for known in groups:
            if known[0] & ours and known[1] & theirs:
                known[0].update(ours)
                known[1].update(theirs)
                known[2].append(reason)
                break
        else:
            groups.append((ours, theirs, [reason]))
    return [reasons for _, _, reasons in groups]


def many_words(found: Mapping[Reason, Cause], refusing: Collection[str] = ()) -> list[list[Reason]]:
    """Refusals of one operation and one pair of statuses that come in too many words.

    Where the port is among the `refusing`, each rule that it lacks is one; where it refuses nothing, it checks nothing.
    """
    by_operation: dict[tuple[str, ...], list[Reason]] = {}
    for reason in found:
        if reason.name == "status":
            by_operation.setdefault(reason.marks[:3], []).append(reason)
    return [
        reasons
        for (operation, *_), reasons in by_operation.items()
        if len(reasons) > (_RULES if operation in refusing else _WORDS)
    ]


def same_words(found: Mapping[Reason, Cause]) -> list[list[Reason]]:
    """One rule that is lost in each operation of a collection: the words are the same, and speak of something."""
    groups: dict[tuple[str, ...], list[Reason]] = {}
    for reason in found:
        if reason.name != "status" or reason.marks[1:3] not in (("400", "taken"), ("422", "taken")):
            continue
        words = reason.marks[3]
        if {*re.findall(r"[a-z_]\w*", words.lower())} - _GENERAL:
            groups.setdefault((segment_of(reason.marks[0]), reason.marks[1], words), []).append(reason)
    return list(groups.values())


def stale_groups(found: Mapping[Reason, Cause]) -> list[list[Reason]]:
    """A write that no read shows is one, and so is a read that shows no write: whichever are fewer."""
    reasons = [reason for reason in found if reason.name == "stale"]
    writes, reads = ({reason.marks[side] for reason in reasons} for side in (0, 1))
    side = 0 if len(writes) <= len(reads) else 1
    groups: dict[tuple[str, ...], list[Reason]] = {}
    for reason in reasons:
        groups.setdefault((reason.marks[side], *reason.marks[2:]), []).append(reason)
    return list(groups.values())


def fold_usual(found: dict[Reason, Cause]) -> None:
    """What was thought to lie in unusual requests alone, and is seen with usual ones, too, lies elsewhere."""
    for reason, cause in list(found.items()):
        own = [found[each] for each in cause.plain if each in found]
        # A usual cause that has taken an unusual one has its own reason there. Each sighting must have its usual one:
        # what is left over would be laid to another's cause. What follows a write says nothing of the request.
        if reason in cause.plain or not own or cause.plain.total() + cause.after.total() < cause.seen:
            continue
        if len(own) == len(cause.plain) and not any(each.name == "text" for each in cause.plain):
            own[0].take(found.pop(reason))
    pages = [each for each in found if each.name == "elements"]
    for reason in pages:
        # A page of a list that comes in another order has other elements.
        order = next((each for each in found if each.name == "list-order" and each.marks == reason.marks), None)
        if order is not None:
            found[order].take(found.pop(reason))


def fold_unguarded(found: dict[Reason, Cause]) -> None:
    """Whom the original keeps out and the port lets in meets whatever lies behind: that follows from the open door."""
    for reason, cause in list(found.items()):
        if reason.name != "status" or reason.marks[1] not in ("401", "403"):
            continue
        path = reason.marks[0].partition(" ")[2]
        door = next(
            (each for each in found if each.name == "guard" and each.marks[:2] == (path, reason.marks[1])), None
        )
        if door is not None:
            _fold(found, cause, found[door])


def fold_heads(found: dict[Reason, Cause]) -> None:
    """HEAD tells the length and the type of GET's body: where that differs, HEAD follows, where each has such a GET."""
    bodies = [each for each in found.values() if each.level in ("json", "bytes", "media-type")]
    for reason, cause in list(found.items()):
        if cause.level != "header" or not all(op.startswith("HEAD ") for op in cause.operations):
            continue
        if reason.marks[:2] not in (("Content-Length", "value"), ("ETag", "value")):
            continue
        gets = {operation: f"GET {operation.partition(' ')[2]}" for operation in cause.operations}
        body_of = {
            operation: body for operation, get in gets.items() for body in reversed(bodies) if get in body.operations
        }
        # Where one HEAD is left over, it tells of the header itself, in all of them.
        if body_of.keys() == gets.keys():
            told = dict.fromkeys(cause.fingerprints, cause.reason) | cause.folded
            for fingerprint, why in told.items():
                operation = next((each for each in body_of if fingerprint.startswith(f"{each} ")), None)
                body_of[operation or next(iter(body_of))].folded[fingerprint] = why
            del found[reason]


def fold_after_writes(found: dict[Reason, Cause], asked: Collection[str]) -> None:
    """What was only ever seen behind a write that one side alone made follows from that write.

    A value of other things, such as a balance, must have been `asked` for without the write, too: then it was alike.
    """
    for cause in list(found.values()):
        if cause.reason.name not in _FOLLOWING or not cause.after:
            continue
        first, _ = cause.after.most_common(1)[0]
        alone = cause.after.total() == cause.seen and all(each in asked for each in cause.elsewhere)
        if alone and first in found and found[first] is not cause:
            _fold(found, cause, found[first])


def _fold(found: dict[Reason, Cause], cause: Cause, under: Cause) -> None:
    under.folded |= dict.fromkeys(cause.fingerprints, cause.reason) | cause.folded
    del found[next(reason for reason, each in found.items() if each is cause)]


def adopt(found: Mapping[Reason, Cause]) -> None:
    """What follows from one difference, and is a cause of its own elsewhere, belongs there."""
    for cause in found.values():
        for fingerprint, reason in list(cause.folded.items()):
            own = found.get(reason)
            if own is not None and own is not cause and own.level in _EVERYWHERE:
                own.fingerprints.setdefault(fingerprint)
                own.operations[" ".join(fingerprint.split(" ")[:2])] += 1
                del cause.folded[fingerprint]
