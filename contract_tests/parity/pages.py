"""What an HTML page lets its reader do: the links to follow and the forms to send, as a browser would."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

_BASE = "https://testserver"
_RESOURCES = {"link": "href", "script": "src", "img": "src"}
_LIMITS = frozenset({"min", "max", "maxlength", "minlength", "pattern"})


@dataclass(slots=True)
class Field:
    """One input of a form: its type is the input's, or "select" or "textarea"."""

    name: str
    type: str
    value: str = ""
    required: bool = False
    choices: list[str] = field(default_factory=list)
    limits: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Form:
    """A form: where it goes (None: to the page's own address), how, and its fields in order."""

    action: str | None
    method: str
    multipart: bool
    fields: list[Field] = field(default_factory=list)


class Page(HTMLParser):
    """The links and forms of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.links: list[str] = []
        # What a browser fetches for a page by itself.
        self.resources: list[str] = []
        self.forms: list[Form] = []
        self._form: Form | None = None
        self._area: Field | None = None
        self._meta: dict[str, str] = {}

    @classmethod
    def of(cls, body: bytes) -> Page:
        """The page in a body; one without links and forms where the body is none."""
        return _page(body)

    def hidden(self, name: str) -> str | None:
        """The value of the first input of this name, or of a meta element: where pages keep their CSRF tokens."""
        fields = (each for form in self.forms for each in form.fields)
        return next((each.value for each in fields if each.name == name), self._meta.get(name))

    def link(self, pattern: str) -> str | None:
        """The first link whose path has this text within it."""
        return next((link for link in self.links if pattern in link), None)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in ("a", "link") and given.get("href") and given.get("rel") != "stylesheet":
            self.links.append(given["href"])
        elif tag in _RESOURCES and given.get(_RESOURCES[tag]):
            self.resources.append(given[_RESOURCES[tag]])
        elif tag == "meta" and "name" in given:
            self._meta[given["name"]] = given.get("content", "")
        elif tag == "form":
            multipart = "multipart" in given.get("enctype", "")
            self._form = Form(given.get("action") or None, given.get("method", "get").upper(), multipart)
            self.forms.append(self._form)
        elif self._form is not None:
            self._input(tag, given)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "textarea":
            self._area = None

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self._area.value += data

    def _input(self, tag: str, given: dict[str, str]) -> None:
        assert self._form is not None
        fields = self._form.fields
        if tag == "option" and fields and fields[-1].type == "select":
            fields[-1].choices.append(given.get("value", ""))
            if "selected" in given or not fields[-1].value:
                fields[-1].value = given.get("value", "")
        elif tag in ("input", "select", "textarea", "button") and given.get("name"):
            kind = given.get("type", "text").lower() if tag in ("input", "button") else tag
            limits = {key: value for key, value in given.items() if key in _LIMITS}
            made = Field(given["name"], kind, given.get("value", ""), "required" in given, limits=limits)
            fields.append(made)
            self._area = made if tag == "textarea" else None


@lru_cache(256)
def _page(body: bytes) -> Page:
    page = Page()
    page.feed(body.decode("utf-8", "replace"))
    return page


def here(link: str, page: str) -> str | None:
    """The path and query that a link of a page leads to on the same site; None where it leads elsewhere."""
    whole = urlsplit(urljoin(_BASE + page, link.strip()))
    if whole.scheme not in ("http", "https") or (whole.hostname or "") not in ("testserver", "localhost", "127.0.0.1"):
        return None
    path = re.sub(r"[^!-~]", lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), whole.path or "/")
    return f"{path}?{whole.query}" if whole.query else path
