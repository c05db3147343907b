"""The talk's four forms of `GET /` answer alike; only one of them holds up every other request"""

from concurrent.futures import ThreadPoolExecutor

import pytest

from contract_tests.parity import Request, asgi
from contract_tests.tests.specimens import async_forms

HELLO = Request("GET", b"/", ((b"Host", b"testserver"),))
FORMS = ("tutorial", "problem", "solution", "other_solution")


@pytest.mark.parametrize("form", FORMS)
def test_every_form_answers_as_on_the_slides(form):
    make = getattr(async_forms, form)
    with asgi(make() if form == "tutorial" else make(0.01)) as target:
        response = target.send(HELLO)
    assert (response.status, response.body) == (200, b'{"message":"Hello World"}')


def events_of(form):
    """What comes to pass when three requests come at once, as "begun" and "answered" in their order."""
    events = []
    app = getattr(async_forms, form)(0.5)

    async def noted(scope, receive, send):
        async def send_noted(message):
            if message["type"] == "http.response.start":
                events.append("answered")
            await send(message)

        if scope["type"] == "http":
            events.append("begun")
        await app(scope, receive, send_noted)

    with asgi(noted) as target, ThreadPoolExecutor(3) as pool:
        assert {response.status for response in pool.map(target.send, [HELLO] * 3)} == {200}
    return events


@pytest.fixture(scope="module")
def events():
    """Of each form, which only sleeps: they are asked at the same time."""
    with ThreadPoolExecutor(len(FORMS)) as pool:
        return {form: pool.submit(events_of, form) for form in FORMS[1:]}


@pytest.mark.parametrize(("form", "together"), [("problem", False), ("solution", True), ("other_solution", True)])
def test_only_the_problem_takes_one_request_after_the_other(events, form, together):
    seen = events[form].result()
    assert len(seen) == 6
    assert (seen[:2] == ["begun", "begun"]) == together
