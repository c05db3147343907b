"""`parity shadow`: two recordings of the same traffic, joined by request id and compared as live answers are"""

import json

import pytest
from click.testing import CliRunner

from contract_tests.__main__ import main


class Traffic:
    """Two recordings, written as the recorder writes them."""

    def __init__(self, folder):
        self.original, self.port = folder / "original.jsonl", folder / "port.jsonl"
        self.original.touch()
        self.port.touch()
        self.moment = 1000.0

    def both(self, key, step, ours, theirs=None, **late):
        self.moment += 1
        self.one(self.original, key, step, ours)
        self.one(self.port, key, late.pop("port_step", step), theirs or ours, time=self.moment + late.pop("late", 0.0))

    def one(self, path, key, step, answer, **told):
        if isinstance(step, str):
            method, target = step.split()
            step = {"method": method, "target": target, "headers": [["Host", "x"]]}
        answer = dict(answer) if isinstance(answer, dict) else {"json": answer}
        body = answer.pop("json", None)
        told = {"time": self.moment, "seconds": 0.001, "status": 200, "key": "k1"} | told
        text = json.dumps(body) if body is not None else ""
        headers = [["Content-Type", "application/json"], ["Content-Length", str(len(text))]]
        told |= {"headers": headers, "body": text} | answer
        with path.open("a") as file:
            file.write(json.dumps({"case": key, "steps": [step], "recorded": told}) + "\n")

    def shadow(self, *options):
        return CliRunner().invoke(main, ["shadow", str(self.original), str(self.port), *map(str, options)])


@pytest.fixture
def traffic(tmp_path):
    return Traffic(tmp_path)


def routes(output):
    rows = [line.split() for line in output.splitlines() if line.startswith(("GET /", "POST /", "PUT /"))]
    return {f"{row[0]} {row[1]}": [int(cell) for cell in row[2:]] for row in rows if row[-1].isdigit()}


def test_alike_traffic_is_alike_and_each_route_is_counted(traffic):
    for number in range(3):
        traffic.both(f"a-{number}", "GET /users", [1, 2])
    traffic.both("b", "GET /user/7", {"json": {"id": 7}})
    ran = traffic.shadow()
    assert ran.exit_code == 0, ran.output
    assert routes(ran.output) == {"GET /users": [3, 3, 3, 0, 0, 0], "GET /user/{id}": [1, 1, 1, 0, 0, 0]}
    assert "ALIKE (4 requests" in ran.output


@pytest.mark.parametrize(
    ("theirs", "fingerprint"),
    [
        ({"json": {"id": 7, "name": "Bob"}}, "GET /user/{id} json $.name value"),
        ({"json": {"id": 8, "name": "Ada"}}, None),
        ({"json": {"id": 7, "name": "Ada"}, "status": 404}, "GET /user/{id} status status value"),
        ({"json": {"id": 7, "name": "Ada"}, "failure": "truncated"}, "GET /user/{id} transport failure extra"),
        ({"json": {"id": 7, "name": "Ada"}, "headers": []}, "GET /user/{id} media-type Content-Type missing"),
    ],
)
def test_a_difference_is_found(traffic, theirs, fingerprint):
    traffic.both("a", "GET /user/7", {"json": {"id": 7, "name": "Ada"}}, theirs)
    ran = traffic.shadow()
    if fingerprint is None:
        # An id of its own is a partner at its own place.
        assert ran.exit_code == 0, ran.output
    else:
        assert ran.exit_code == 1, ran.output
        assert fingerprint in ran.output


def test_an_id_at_a_place_that_refers_is_bound_over_the_whole_recording(traffic):
    traffic.both("a", "GET /users", {"json": [{"id": 7}, {"id": 9}]}, {"json": [{"id": 17}, {"id": 19}]})
    traffic.both("b", "GET /files", {"json": [{"id": 1, "user_id": 7}]}, {"json": [{"id": 1, "user_id": 17}]})
    assert traffic.shadow().exit_code == 0
    traffic.both("c", "GET /files", {"json": [{"id": 1, "user_id": 7}]}, {"json": [{"id": 1, "user_id": 19}]})
    ran = traffic.shadow()
    assert ran.exit_code == 1
    assert "GET /files json $[*].user_id binding" in ran.output


def test_a_request_in_the_originals_ids_is_left_out_where_the_port_has_others(traffic):
    traffic.both("a", "GET /users", {"json": [{"id": 7}]}, {"json": [{"id": 17}]})
    traffic.both("b", "GET /user/7", {"json": {"id": 7}}, {"status": 404})
    ran = traffic.shadow("--at-least", 50)
    assert ran.exit_code == 0, ran.output
    assert "1 requests whose ids or session are the original's, and not the port's left out" in ran.output
    assert "never compared: GET /user/{id}" in ran.output


def test_the_ledger_accepts_and_shows_what_is_accepted_and_an_old_entry_is_told(traffic, tmp_path):
    entry = (
        '[[accepted]]\noperations = ["GET /a"]\nlevel = "json"\npath = "$.v"\nkind = "value"\n'
        'reason = "so"\ndecision = "0001"\nowner = "me"\n'
    )
    ledger = tmp_path / "ledger.toml"
    ledger.write_text(entry)
    traffic.both("a", "GET /a", {"json": {"v": 1}}, {"json": {"v": 2}})
    ran = traffic.shadow("--ledger", ledger)
    assert ran.exit_code == 0, ran.output
    assert "accepted 1 times: GET /a json $.v value" in ran.output
    ledger.write_text(entry + "expires = 2020-01-01\n")
    assert traffic.shadow("--ledger", ledger).exit_code == 3


def test_unsafe_requests_are_compared_only_where_that_is_declared(traffic):
    traffic.both("a", "GET /a", [1])
    traffic.both("b", "POST /search", {"json": [1]}, {"json": [2]})
    traffic.both("c", "POST /user", {"json": {"id": 1, "v": 1}}, {"json": {"id": 1, "v": 2}})
    ran = traffic.shadow()
    assert ran.exit_code == 0, ran.output
    assert "2 requests of unsafe methods left out" in ran.output
    declared = traffic.shadow("--safe", "POST /search")
    assert (declared.exit_code, "POST /search json" in declared.output) == (1, True)
    assert "POST /user json" not in declared.output
    assert "POST /user json $.v value" in traffic.shadow("--port-has-own-database").output


def test_what_is_missing_on_a_side_is_counted_by_route_and_too_little_is_inconclusive(traffic):
    for number in range(8):
        traffic.both(f"a-{number}", "GET /a", [1])
    for number in range(2):
        traffic.one(traffic.original, f"b-{number}", "GET /b", [1])
    traffic.one(traffic.port, "c", "GET /c", [1])
    ran = traffic.shadow()
    assert ran.exit_code == 4, ran.output
    assert "8 of the original's 10 requests are compared, 80 % (--at-least 90)" in ran.output
    assert routes(ran.output)["GET /b"] == [2, 0, 0, 0, 2, 0]
    assert routes(ran.output)["GET /c"] == [0, 1, 0, 0, 0, 1]
    assert traffic.shadow("--at-least", 80).exit_code == 0


def test_too_little_is_graver_than_a_difference(traffic):
    traffic.both("a", "GET /a", [1], [2])
    traffic.one(traffic.original, "b", "GET /a", [1])
    ran = traffic.shadow()
    assert ran.exit_code == 4
    assert "1 new difference" in ran.output


def test_an_id_that_is_not_unique_joins_nothing(traffic):
    for number in range(20):
        traffic.both(f"a-{number}", "GET /a", [1])
    traffic.both("twice", "GET /a", [1], [2])
    traffic.one(traffic.port, "twice", "GET /a", [1])
    ran = traffic.shadow()
    assert ran.exit_code == 0, ran.output
    assert "not unique: twice, 1 times on the original, 2 on the port" in ran.output


def test_an_id_used_for_another_request_joins_nothing(traffic):
    for number in range(20):
        traffic.both(f"a-{number}", "GET /a", [1])
    step = {"method": "GET", "target": "/b"}
    traffic.both("x", "GET /a", [1], [2], port_step=step)
    ran = traffic.shadow()
    assert ran.exit_code == 0, ran.output
    assert "1 requests that asked the two for different things left out" in ran.output


def test_clocks_apart_are_inconclusive_and_one_that_came_late_is_left_out(traffic):
    for number in range(20):
        traffic.both(f"a-{number}", "GET /a", [1])
    traffic.both("late", "GET /a", [1], [2], late=60)
    ran = traffic.shadow()
    assert ran.exit_code == 0, ran.output
    assert "1 requests too far apart in time left out" in ran.output
    for number in range(40):
        traffic.both(f"b-{number}", "GET /a", [1], late=125)
    ran = traffic.shadow()
    assert ran.exit_code == 4
    assert "the clocks are 125.0 s apart (--window 10)" in ran.output


def test_a_client_that_went_away_says_nothing(traffic):
    for number in range(20):
        traffic.both(f"a-{number}", "GET /a", [1])
    traffic.both("gone", "GET /a", {"json": [1], "failure": "disconnected"}, {"json": [2]})
    assert "1 requests whose client went away left out" in traffic.shadow().output
    assert traffic.shadow().exit_code == 0


def test_secrets_of_one_key_are_compared_and_of_two_keys_not(traffic):
    traffic.both("a", "GET /a", {"json": {"said": "<secret:1>"}}, {"json": {"said": "<secret:2>"}})
    assert "json $.said value" in traffic.shadow().output
    traffic.port.write_text(traffic.port.read_text().replace('"k1"', '"k2"'))
    ran = traffic.shadow()
    assert ran.exit_code == 0, ran.output
    assert "secrets not compared, for the two recordings have no key in common" in ran.output


def test_a_session_that_each_side_makes_for_itself_is_bound(traffic):
    def cookie(number):
        return {"json": [1], "headers": [["Set-Cookie", f"sid=<secret:{number}>; Path=/"]]}

    traffic.both("a", "GET /a", cookie(1), cookie(2))
    assert traffic.shadow().exit_code == 0
    traffic.both("b", "GET /a", cookie(1), cookie(3))
    assert "GET /a cookie sid.value binding" in traffic.shadow().output


def test_bodies_that_are_cut_are_compared_as_far_as_they_are_known(traffic):
    def csv(body, **more):
        return {"headers": [["Content-Type", "text/csv"]], "body": body, "cut": True, "length": 99, **more}

    traffic.both("a", "GET /a.csv", csv("a;b;c"), csv("a;b"))
    assert traffic.shadow().exit_code == 0
    traffic.both("b", "GET /a.csv", csv("a;b;c"), csv("a;x"))
    traffic.both("c", "GET /c.csv", csv("a;b;c"), csv("a;b", length=98))
    told = traffic.shadow().output
    assert "GET /a.csv bytes body value" in told
    assert "GET /c.csv bytes length value" in told


def test_a_broken_line_is_a_usage_error_and_nothing_is_written(traffic, tmp_path):
    traffic.both("a", "GET /a", [1])
    traffic.port.write_text("{\n" + traffic.port.read_text())
    ran = traffic.shadow("--report", tmp_path / "report")
    assert ran.exit_code == 2
    assert "port.jsonl:1: this is not JSON" in ran.output
    assert not (tmp_path / "report").exists()


@pytest.mark.parametrize("options", [("--safe", "search"), ("--ledger", "nowhere.toml")])
def test_what_cannot_be_read_is_a_usage_error(traffic, options):
    traffic.both("a", "GET /a", [1])
    assert traffic.shadow(*options).exit_code == 2


@pytest.mark.parametrize("report", [__file__, f"{__file__}/below"])
def test_a_report_that_cannot_be_written_is_a_usage_error_before_anything_is_read(traffic, report):
    ran = traffic.shadow("--report", report)
    assert ran.exit_code == 2
    assert ran.output.startswith(f"parity: --report {report}: ")
    assert len(ran.output.splitlines()) == 1


def test_one_recording_twice_is_a_usage_error(traffic):
    traffic.both("a", "GET /a", [1])
    ran = CliRunner().invoke(main, ["shadow", str(traffic.original), str(traffic.original)])
    assert (ran.exit_code, "both recordings are one" in ran.output) == (2, True)


def test_the_report_has_what_was_said(traffic, tmp_path):
    traffic.both("a", "GET /a", [1], [2])
    assert traffic.shadow("--report", tmp_path / "report").exit_code == 1
    report = json.loads((tmp_path / "report/report.json").read_text())
    assert (report["code"], report["differences"][0]["cases"]) == (1, ["a"])
    assert report["areas"]["GET /a"]["both"] == {"failed": 1}
