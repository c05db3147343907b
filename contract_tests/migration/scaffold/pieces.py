"""Which pieces of the wire kit a route may need, by what the original's code does there.

docs/wire.md says what each does. Named in comments only: a team may have no kit, and each piece is a decision.
"""

from __future__ import annotations

from collections.abc import Iterable

from contract_tests.migration.models.drafts import Draft

# The classes that a router may be made with, the one that reads most first.
_BODY, _FORM, _QUERY = "wire.Route", "wire.forms.FormRoute", "wire.QueryRoute"
_WHY = {
    "wire.Route": "JSON that is not declared, or cannot be read, is refused as Flask does",
    "wire.forms.FormRoute": "forms and uploads are read as Werkzeug does",
    "wire.QueryRoute": "of a repeated key the first value counts",
    "wire.Routing": "HEAD, OPTIONS, Allow and slashes are answered as Flask does",
    "wire.redirects.redirect": "a redirect is 302, in Werkzeug's form",
    "wire.files.send_file": "a file is sent with Flask's headers, ranges and conditions",
    "wire.before.BeforeRequest": "what is asked before every route, by one hook",
    "wire.handlers.abort": "an abort has the page that Flask makes",
    "wire.json.FlaskJSON": "JSON is written as jsonify writes it",
}


def route_class(drafts: Iterable[Draft]) -> str | None:
    """The class for a router with these routes; None where they read nothing."""
    found = {_class_of(draft) for draft in drafts}
    return next((each for each in (_BODY, _FORM, _QUERY) if each in found), None)


def pieces_of(draft: Draft, guards: Iterable[object]) -> list[str]:
    """The pieces that apply to one route."""
    found = [_class_of(draft)]
    others = set(draft.answers.other.values())
    found += ["wire.redirects.redirect"] if "a redirect" in others else []
    found += ["wire.files.send_file"] if "a file" in others else []
    found += ["wire.json.FlaskJSON"] if draft.answers.json else []
    found += ["wire.handlers.abort"] if draft.answers.aborts else []
    found += ["wire.before.BeforeRequest"] if any(getattr(each, "kind", "") == "hook" for each in guards) else []
    return [each for each in found if each]


def why(piece: str) -> str:
    return _WHY[piece]


def _class_of(draft: Draft) -> str:
    reads = draft.reads
    if reads.body.is_known:
        return _BODY
    if reads.form.fields or reads.files.fields:
        return _FORM
    return _QUERY if reads.query.fields else ""
