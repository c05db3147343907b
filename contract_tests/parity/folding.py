"""What follows from another difference of the same exchange is folded under it: one reason, told once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import unquote

from . import shapes
from .difference import Difference
from .keeping import element_at
from .messages import Response

# What describes a body follows from the body.
_OF_THE_BODY = frozenset({"content-length", "etag", "content-md5", "digest", "content-disposition", "last-modified"})
_MEMBER = re.compile(r'(?P<parent>.*?)(?:\.(?P<name>[^.\[\]]+)|\["(?P<quoted>(?:[^"\\]|\\.)*)"\])')
# An element of a list, the members that tell which one it is, and what counts them.
_ELEMENT = re.compile(r"(?P<list>\$(?:\.[^.\[\]]+)*)\[\d+\]")
_IDENTITY = re.compile(r"\.(?:_?id|uuid|slug|pk|key|code)", re.IGNORECASE)
_OWN = re.compile(r"\$(?:\.\w+)?(?:\[\d+\])?\.(?:_?id|uuid|pk)", re.IGNORECASE)
_COUNTED = re.compile(r"\$(?:\.\w+)*\.(?:total|count|size|length|total_\w+|num_\w+)")
_REDIRECTS = range(300, 400)
_ERRORS = range(400, 600)
_MOVED = frozenset({301, 302, 303, 307, 308})
_LARGEST = 200_000
# An OpenAPI document has these members; other bodies with more members missing or extra than these are another one.
_DESCRIBES = frozenset({"openapi", "paths"})
_MANY = 20
# An element is another one where this many members, and more than 1 / _MOST of its texts and numbers, are others.
_TOLD, _MOST = 3, 2
# A value of more characters than these is hardly that of two members by chance.
_TELLING = 5


def folded(
    differences: Sequence[Difference], original: Response, port: Response, *, apart: Iterable[Difference] = ()
) -> dict[Difference, Difference]:
    """The differences of one exchange that follow from another, each with the one that it follows from.

    `apart` are differences that stand for themselves whatever else differs, such as a secret that is shown.
    """
    alone = set(apart)
    rest = [each for each in differences if each not in alone]
    # How a connection is left follows from the answer; where the answers are alike it stands for itself.
    whole = next((each for each in rest if each.level == "status" or each.path == "failure"), None)
    if whole is not None and whole.level == "status" and {original.status, port.status} <= _MOVED:
        # Another code of redirect brings neither another page nor another way.
        return dict(_under([each for each in rest if each != whole], original, port))
    if whole is not None:
        return {each: whole for each in rest if each != whole}
    return dict(_under(rest, original, port))


def _under(rest: list[Difference], original: Response, port: Response) -> Iterator[tuple[Difference, Difference]]:
    """What follows where both have one status."""
    leader = _leader(rest, original)
    if leader is not None:
        yield from ((each, leader) for each in rest if each != leader and _describes(each, leader))
        return
    yield from _lifetimes(each for each in rest if each.level == "cookie")
    walked = [each for each in rest if each.level == "json"]
    born = next((each for each in walked if each.kind == "value" and is_identity(each)), None)
    if born is not None:
        yield from ((each, born) for each in rest if _names(each, born))
    yield from _bodies(walked, original, port)
    body = next((each for each in rest if each.level in ("json", "bytes")), None)
    if body is not None:
        yield from ((each, body) for each in rest if _is_of_the_body(each))


def _lifetimes(cookies: Iterable[Difference]) -> Iterator[tuple[Difference, Difference]]:
    """A cookie that lives by Expires here and by Max-Age there has one lifetime, told in two ways."""
    by_name: dict[str, list[Difference]] = {}
    for each in cookies:
        name, _, attribute = each.path.rpartition(".")
        if attribute in ("Expires", "Max-Age") and each.kind in ("missing", "extra"):
            by_name.setdefault(name, []).append(each)
    for pair in by_name.values():
        if len({each.kind for each in pair}) > 1:
            yield pair[1], pair[0]


def _leader(rest: list[Difference], original: Response) -> Difference | None:
    """Where a redirect leads, else the media type: its body follows."""
    if original.status in _REDIRECTS:
        location = next((each for each in rest if (each.level, each.path) == ("header", "Location")), None)
        if location is not None and not is_one_place(location.original, location.port):
            return location
    return next((each for each in rest if (each.level, each.path) == ("media-type", "Content-Type")), None)


def _names(difference: Difference, born: Difference) -> bool:
    """Whether a Location leads to what was made, by its id: it follows from the id."""
    if (difference.level, difference.path) != ("header", "Location"):
        return False
    ours, theirs = ((each or "").strip('"') for each in (born.original, born.port))
    return (difference.original or "").replace(ours, theirs) == difference.port


def is_one_place(original: str | None, port: str | None) -> bool:
    """Whether two Locations lead to one place, written in two ways: as a path or whole, or with other escapes."""
    ours, theirs = (unquote(re.sub(r"^(?:[a-z][a-z0-9+.-]*:)?//[^/?#]*", "", each or "")) for each in (original, port))
    return ours == theirs and bool(ours)


def _describes(difference: Difference, leader: Difference) -> bool:
    return (
        difference.level in ("json", "bytes", "media-type")
        or _is_of_the_body(difference)
        or (leader.level == "media-type" and difference.path == "X-Content-Type-Options")
    )


def _is_of_the_body(difference: Difference) -> bool:
    """Whether a header tells of the body alone; one that is there on one side only tells of the app."""
    if difference.level != "header" or difference.kind != "value" or difference.path.lower() not in _OF_THE_BODY:
        return False
    return difference.path.lower() != "etag" or _form(difference.original) == _form(difference.port)


def _form(tag: str | None) -> str:
    return re.sub(r"[0-9a-zA-Z]", "x", (tag or "").replace("W/", "weak "))


def _bodies(walked: list[Difference], original: Response, port: Response) -> Iterator[tuple[Difference, Difference]]:
    """What follows within two JSON bodies: members of an object that has become another one, and renamed members."""
    top = keys(original.body), keys(port.body)
    if is_another_document(walked, *top):
        yield from ((each, walked[0]) for each in walked[1:] if each.kind != "order")
        return
    if original.status in _ERRORS and top[0] is not None and top[1] is not None and top[0] != top[1]:
        leader = next((each for each in walked if each.kind in ("missing", "extra") and depth(each) == 1), None)
        if leader is not None:
            yield from ((each, leader) for each in walked if each != leader and each.kind != "order")
        return
    selected = dict(_selections(walked, original.body))
    yield from selected.items()
    for members in _by_parent(each for each in walked if each not in selected).values():
        yield from _renamed(members)


def _selections(walked: list[Difference], body: bytes) -> Iterator[tuple[Difference, Difference]]:
    """Where a list has other elements, by their ids, all that their members say follows; counts beside it, too.

    What an element says that has its id on both sides does not: it is the same one.
    """
    leaders: dict[str, Difference] = _replaced(walked, body)
    for each in walked:
        found = _ELEMENT.match(each.path)
        if found and is_selection(each) is not None:
            known = leaders.setdefault(found["list"], each)
            if known.kind == "value" != each.kind:
                # That there are more or fewer says more than which one comes first.
                leaders[found["list"]] = each
    same = _same_elements(walked, body) if leaders else frozenset()
    for each in walked:
        found = _ELEMENT.match(each.path)
        if found:
            leader = leaders.get(found["list"])
            # What differs in form, such as a time, does so whichever element it stands in.
            follows = each.kind != "order" and not _is_form(each) and found[0] not in same
            if leader is not None and each != leader and follows:
                yield each, leader
        elif each.kind == "value" and leaders and _counts(each, walked):
            yield each, next(iter(leaders.values()))


def _replaced(walked: list[Difference], body: bytes) -> dict[str, Difference]:
    """For each list that holds another element at a place, by nearly all that it says, one of these differences."""
    told: dict[str, list[Difference]] = {}
    for each in walked:
        found = _ELEMENT.match(each.path)
        if (
            found
            and each.kind in ("value", "type")
            and _MEMBER.fullmatch(each.path[found.end() :])
            and not _is_form(each)
        ):
            told.setdefault(found[0], []).append(each)
    leaders: dict[str, Difference] = {}
    for path, members in told.items():
        element = _element_of(body, path) if len(members) >= _TOLD else None
        scalars = sum(not isinstance(value, (dict, list)) for value in element.values()) if element else 0
        if scalars and len(members) * _MOST > scalars:
            leaders.setdefault(path.rpartition("[")[0], min(members, key=lambda each: each.path))
    return leaders


def _element_of(body: bytes, path: str) -> dict[str, Any] | None:
    try:
        value = json.loads(body) if len(body) <= _LARGEST else None
    except (ValueError, RecursionError):
        return None
    found = element_at(value, path)
    return found if isinstance(found, dict) else None


def _same_elements(walked: list[Difference], body: bytes) -> frozenset[str]:
    """The paths of elements that differ but have an id, which does not; what stands at one index is compared."""
    differ = {found[0] for each in walked if (found := _ELEMENT.match(each.path))}
    other = {found[0] for each in walked if (found := _ELEMENT.match(each.path)) and is_selection(each) is not None}
    try:
        whole = json.loads(body) if len(body) <= _LARGEST else None
    except (ValueError, RecursionError):
        whole = None
    return frozenset(each for each in differ - other if _has_identity(whole, each))


def _has_identity(whole: Any, path: str) -> bool:
    element = element_at(whole, path)
    return isinstance(element, dict) and any(_IDENTITY.fullmatch(f".{name}") for name in element)


def is_identity(difference: Difference) -> bool:
    """Whether a difference is that of a thing's own id."""
    return difference.level == "json" and _OWN.fullmatch(difference.path) is not None


def is_count(difference: Difference) -> bool:
    """Whether a difference is that of a number that counts things, such as a `total`."""
    return difference.kind == "count" or _COUNTED.fullmatch(difference.path) is not None


def _counts(difference: Difference, walked: list[Difference]) -> bool:
    """Whether a number is another one by just as many elements as a list has more or less."""
    numbers = [each or "" for each in (difference.original, difference.port)]
    if not _COUNTED.fullmatch(difference.path) or not all(re.fullmatch(r"\d{1,9}", each) for each in numbers):
        return False
    whole = [each for each in walked if (found := _ELEMENT.match(each.path)) and found.end() == len(each.path)]
    more = sum(each.kind == "extra" for each in whole) - sum(each.kind == "missing" for each in whole)
    return more != 0 and int(numbers[1]) - int(numbers[0]) == more


def _is_form(difference: Difference) -> bool:
    if difference.kind in ("value", "type"):
        ours, theirs = shapes.shape(difference.original), shapes.shape(difference.port)
        return shapes.is_format(ours, theirs)
    return difference.kind in ("missing", "extra") and "null" in (difference.original, difference.port)


def is_selection(difference: Difference) -> str | None:
    """The list whose elements are others, where a difference says so: its path."""
    found = _ELEMENT.match(difference.path)
    if found is None or difference.level != "json" or difference.kind not in ("value", "missing", "extra"):
        return None
    rest = difference.path[found.end() :]
    return found["list"] if not rest or (difference.kind == "value" and _IDENTITY.fullmatch(rest)) else None


def list_of_another(difference: Difference, followers: Sequence[Difference]) -> str | None:
    """The list that holds another element, where a difference stands for it with others of that element."""
    found = _ELEMENT.match(difference.path)
    if found is None or difference.kind not in ("value", "type"):
        return None
    akin = sum(each.path.startswith(f"{found[0]}.") and each.kind in ("value", "type") for each in followers)
    return found["list"] if akin >= _TOLD - 1 else None


def is_another_document(
    walked: Sequence[Difference], original: frozenset[str] | None, port: frozenset[str] | None
) -> bool:
    """Whether two bodies are two documents, such as two descriptions of an API, rather than two forms of one."""
    if not walked:
        return False
    described = all(names and names >= _DESCRIBES for names in (original, port))
    return described or len({each.pattern for each in walked if each.kind in ("missing", "extra")}) > _MANY


def _by_parent(walked: Iterable[Difference]) -> dict[str, list[Difference]]:
    found: dict[str, list[Difference]] = {}
    for each in walked:
        if each.kind in ("missing", "extra") and (member := _MEMBER.fullmatch(each.path)):
            found.setdefault(member["parent"], []).append(each)
    return found


def _renamed(members: list[Difference]) -> Iterator[tuple[Difference, Difference]]:
    """An extra member with the value of a missing one follows from it, and so do those that lay within it."""
    missing = [each for each in members if each.kind == "missing"]
    extra = [each for each in members if each.kind == "extra"]
    for one in missing:
        same = next((other for other in extra if _is_renamed(one, other)), None)
        if same is not None:
            extra.remove(same)
            yield same, one
            continue
        within = _within(one.original, extra)
        extra = [other for other in extra if other not in within]
        yield from ((other, one) for other in within)


def _is_renamed(missing: Difference, extra: Difference) -> bool:
    """Whether two members are one by another name. Small values are alike by chance: their names must be akin, too."""
    if missing.original != extra.port:
        return False
    ours, theirs = (re.sub(r"[^a-z0-9]", "", name_of(each.path).lower()) for each in (missing, extra))
    telling = len(missing.original or "") > _TELLING
    return telling or ours in theirs or theirs in ours


def _within(text: str | None, extra: list[Difference]) -> list[Difference]:
    """The extra members that are members of an object: an envelope was taken off."""
    value = _read((text or "").encode(errors="surrogatepass"))
    if not isinstance(value, dict) or not value:
        return []
    found = [each for each in extra if name_of(each.path) in value]
    return found if len(found) == len(value) else []


def renamed_to(missing: Difference, followers: Iterable[Difference]) -> str | None:
    """The new name of a missing member, where it has one."""
    return next((name_of(each.path) for each in followers if each.port == missing.original), None)


def name_of(path: str) -> str:
    """The last name in a JSON path, with the `[*]` behind it."""
    plain = re.sub(r"\[\d+\]", "[*]", path)
    found = re.search(r'(?:\.([^.\[\]]+)|\["((?:[^"\\]|\\.)*)"\]|\$)((?:\[\*\])*)$', plain)
    return (found[1] or found[2] or "") + found[3] if found else plain


def depth(difference: Difference) -> int:
    return len(re.findall(r'\.[^.\[\]]+|\["(?:[^"\\]|\\.)*"\]|\[\d+\]', difference.path))


def keys(body: bytes) -> frozenset[str] | None:
    """The names of an object's members, None for what is no object."""
    value = _read(body)
    return frozenset(value) if isinstance(value, dict) else None


def _read(body: bytes) -> Any:
    if body.lstrip()[:1] != b"{" or len(body) > _LARGEST:
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
