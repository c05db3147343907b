"""Bodies are compared as JSON where they are JSON, and byte for byte always; neither hides the other."""

from __future__ import annotations

from collections.abc import Iterator

from .difference import Difference
from .html_parts import parts
from .json_text import Document, NotJsonError, read
from .json_values import Comparison
from .media_types import is_json
from .messages import Response
from .texts import CUT, excerpt, first_difference

_NEIGHBOUR = 40


def differences(original: Response, port: Response) -> Iterator[Difference]:
    """Compare two bodies at the levels json and bytes."""
    if original.body == port.body:
        return
    if _to_be_json(original, port):
        yield from _json(original.body, port.body)
    else:
        yield from _bytes(original.body, port.body)


def _to_be_json(original: Response, port: Response) -> bool:
    if any(is_json(_content_type(response)) for response in (original, port)):
        return True
    return all(response.body.lstrip()[:1] in (b"{", b"[") for response in (original, port))


def _content_type(response: Response) -> str:
    return (response.header("Content-Type") or b"").decode("latin-1")


def _json(original: bytes, port: bytes) -> Iterator[Difference]:
    ours, theirs = _read(original), _read(port)
    if isinstance(ours, Document) and isinstance(theirs, Document):
        yield from _documents(ours, theirs, original, port)
    elif isinstance(ours, Document) or isinstance(theirs, Document):
        yield _one_side_only(original, port, ours, theirs)
    else:
        yield from _bytes(original, port)


def _read(body: bytes) -> Document | NotJsonError:
    try:
        return read(body)
    except NotJsonError as error:
        return error


def _one_side_only(
    original: bytes, port: bytes, ours: Document | NotJsonError, theirs: Document | NotJsonError
) -> Difference:
    if not port:
        return Difference("json", "$", "missing", _verdict(original, ours), None)
    if not original:
        return Difference("json", "$", "extra", None, _verdict(port, theirs))
    return Difference("json", "$", "type", _verdict(original, ours), _verdict(port, theirs))


def _verdict(body: bytes, read: Document | NotJsonError) -> str:
    # Whole, since an entry that accepts exactly this must not accept another body that begins alike.
    text = body.decode("utf-8", "backslashreplace")
    return f"JSON: {text}" if isinstance(read, Document) else f"not JSON, {read}: {text}"


def _documents(original: Document, port: Document, ours: bytes, theirs: bytes) -> Iterator[Difference]:
    comparison = Comparison(original, port)
    found = list(comparison.differences())
    yield from found
    if original.marked != port.marked:
        words = ("JSON", "JSON after a byte order mark")
        yield Difference("json", "$", "type", words[original.marked], words[port.marked])
    elif not found:
        yield from _bytes(ours, theirs)
    else:
        yield from _writing(comparison)


def _writing(comparison: Comparison) -> Iterator[Difference]:
    """What differs in the way of writing beside a difference in value: spelling of equal scalars, white space."""
    for pair in (comparison.respelled, _spaced(comparison.original, comparison.port)):
        if pair is not None:
            yield Difference("bytes", "body", "value", *pair)


def _spaced(original: Document, port: Document) -> tuple[str, str] | None:
    if original.gaps == port.gaps:
        return None
    if _marks(original) == _marks(port):
        at = next(at for at, gap in enumerate(original.gaps) if gap != port.gaps[at])
        return _around(original, at), _around(port, at)
    ours, theirs = _spacing(original), _spacing(port)
    for place in sorted(ours.keys() & theirs.keys()):
        if ours[place].isdisjoint(theirs[place]):
            return _at(place, ours[place]), _at(place, theirs[place])
    return None


def _marks(document: Document) -> list[str]:
    return [token if token in "[]{},:" else "a value" for token in document.tokens]


def _spacing(document: Document) -> dict[tuple[str, str], set[str]]:
    """The white space that stands at each sort of place: between which two sorts of token."""
    kinds = _marks(document)
    places = zip(["the start", *kinds], [*kinds, "the end"], document.gaps, strict=True)
    found: dict[tuple[str, str], set[str]] = {}
    for before, after, gap in places:
        found.setdefault((before, after), set()).add(gap)
    return found


def _around(document: Document, at: int) -> str:
    """The white space before a token, between its neighbours."""
    before, after = document.tokens[at - 1 : at] if at else [], document.tokens[at : at + 1]
    return f"{document.gaps[at]!r} between {_neighbour(before, 'the start')} and {_neighbour(after, 'the end')}"


def _neighbour(tokens: list[str], edge: str) -> str:
    return tokens[0][:_NEIGHBOUR] + CUT * (len(tokens[0]) > _NEIGHBOUR) if tokens else edge


def _at(place: tuple[str, str], gaps: set[str]) -> str:
    return f"{min(gaps)!r} between {place[0]} and {place[1]}"


def _bytes(original: bytes, port: bytes) -> Iterator[Difference]:
    if not original or not port:
        kind = "missing" if original else "extra"
        yield Difference("bytes", "body", kind, _whole(original), _whole(port))
        return
    offset = first_difference(original, port)
    yield Difference("bytes", "body", "value", excerpt(original, offset), excerpt(port, offset))
    # The first place is told by the bytes; the others of a page must not hide behind it.
    for part in parts(original, port)[1:]:
        yield Difference("bytes", f"body {part.place}", part.kind, part.original, part.port)


def _whole(body: bytes) -> str | None:
    return excerpt(body, 0) if body else None
