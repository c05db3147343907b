"""The recorder takes a bounded place in memory and on the disk, writes no secret, and fails no request"""

import base64
import gzip
import json
import logging
import os
import threading
import time

import pytest

from contract_tests.parity.cases import load_cases
from contract_tests.parity.recording import Recorder
from contract_tests.parity.recording.captured import Body, Captured
from contract_tests.parity.recording.lines import Lines
from contract_tests.parity.recording.rotation import Rotation


def captured(key="r-1", target="/", *, sent=b"", got=b"", asked=(), told=(), limit=1 << 16):
    made = Captured(key, "POST" if sent else "GET", target, [(b"host", b"x"), *asked], limit)
    if sent:
        made.request_body = Body(limit)
        made.request_body.add(sent)
    made.status, made.headers = 200, told
    made.answer.add(got)
    return made


def written(folder):
    return [json.loads(line) for file in sorted(folder.glob("*")) for line in file.read_text().splitlines()]


# --- the queue


def test_what_does_not_fit_into_memory_is_dropped_and_counted(tmp_path):
    recorder = Recorder(tmp_path, queue=3)
    recorder._something.set()  # as if the thread were busy
    for number in range(5):
        recorder.put(captured(f"r-{number}"))
    assert recorder.dropped == 2
    recorder.close()
    assert [line["case"] for line in written(tmp_path)] == ["r-0", "r-1", "r-2"]
    assert written(tmp_path)[-1]["recorded"]["dropped"] == 2


def test_bodies_count_against_the_queues_bytes(tmp_path):
    recorder = Recorder(tmp_path, queue_bytes=10_000)
    recorder._something.set()
    for number in range(3):
        recorder.put(captured(f"r-{number}", got=b"x" * 5000))
    assert recorder.dropped == 2
    recorder.close()
    recorder.put(captured("later"))
    recorder.close()
    assert [line["case"] for line in written(tmp_path)] == ["r-0", "later"]


def test_a_request_never_waits_for_the_disk(tmp_path, monkeypatch):
    held = threading.Event()
    monkeypatch.setattr(Rotation, "write", lambda *_: held.wait(20))
    recorder = Recorder(tmp_path, queue=10)
    began = time.monotonic()
    for number in range(1000):
        recorder.put(captured(f"r-{number}"))
    assert time.monotonic() - began < 5
    held.set()
    recorder.close()


def test_a_thread_writes_by_itself_and_begins_with_the_first_request(tmp_path):
    before = threading.active_count()
    recorder = Recorder(tmp_path)
    assert threading.active_count() == before
    recorder.put(captured())
    until = time.monotonic() + 20
    while not any(tmp_path.glob("*")) and time.monotonic() < until:
        time.sleep(0.02)
    assert [line["case"] for line in written(tmp_path)] == ["r-1"]
    recorder.close()


def test_a_disk_that_fails_is_told_once_and_counted_and_recording_goes_on(tmp_path, caplog):
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the folder should be")
    recorder = Recorder(blocked)
    with caplog.at_level(logging.ERROR, logger="parity.recording"):
        for number in range(3):
            recorder.put(captured(f"r-{number}"))
            recorder.flush()
    assert recorder.lost == 3
    assert len(caplog.records) == 1
    blocked.unlink()
    recorder.put(captured("later"))
    recorder.close()
    assert [line["case"] for line in written(blocked)] == ["later"]
    assert written(blocked)[0]["recorded"]["dropped"] == 3


def test_what_cannot_be_written_down_is_counted_and_its_text_is_not_logged(tmp_path, caplog):
    recorder = Recorder(tmp_path)
    recorder.put(captured("bad", asked=[("hunter2", object())]))
    recorder.put(captured("good"))
    recorder.close()
    assert recorder.lost == 1
    assert "hunter2" not in caplog.text
    assert [line["case"] for line in written(tmp_path)] == ["good"]


def test_a_full_disk_leaves_no_half_line(tmp_path, monkeypatch):
    rotation = Rotation(tmp_path, file_bytes=1000, files=3)
    rotation.write(b"whole\n")
    real = os.write

    def full(file, data):
        real(file, bytes(data)[:3])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        with pytest.raises(OSError):
            rotation.write(b"lost line\n")
    rotation.write(b"next\n")
    rotation.close()
    assert "".join(file.read_text() for file in sorted(tmp_path.glob("*"))) == "whole\nnext\n"


# --- the files


def test_files_have_a_bounded_size_and_number_and_the_oldest_go(tmp_path):
    (tmp_path / "mine.jsonl").write_text("not the recorder's")
    rotation = Rotation(tmp_path, file_bytes=100, files=3)
    for number in range(10):
        rotation.write(b"%040d\n" % number * 2)
    rotation.close()
    files = sorted(tmp_path.glob("recording-*"))
    assert len(files) == 3
    assert all(file.stat().st_size <= 100 for file in files)
    assert int(files[-1].read_text().split()[-1]) == 9
    assert (tmp_path / "mine.jsonl").exists()


def test_a_recording_is_for_its_owner_alone(tmp_path):
    rotation = Rotation(tmp_path, file_bytes=100, files=3)
    rotation.write(b"x\n")
    rotation.close()
    assert next(tmp_path.glob("*")).stat().st_mode & 0o077 == 0


# Python warns of what a server with workers does, and what is tested here.
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_after_a_fork_each_process_has_a_thread_and_a_file_of_its_own(tmp_path):
    recorder = Recorder(tmp_path, key="k")
    recorder.put(captured("parent-1"))
    recorder.flush()
    recorder.put(captured("parent-2"))
    child = os.fork()
    if not child:
        try:
            recorder.put(captured("child"))
            recorder.close()
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    recorder.close()
    files = [[json.loads(line)["case"] for line in file.read_text().splitlines()] for file in tmp_path.glob("*")]
    assert sorted(files) == [["child"], ["parent-1", "parent-2"]]


@pytest.mark.parametrize("options", [{"sample": 1.5}, {"sample": -1}, {"queue": 0}, {"files": 0}, {"body_bytes": 0}])
def test_a_bound_that_makes_no_sense_is_refused(tmp_path, options):
    with pytest.raises(ValueError):
        Recorder(tmp_path, **options)


# --- secrets

SECRETS = ("hunter2-long", "sid-of-ada-9", "token-of-ada-9", "key-of-ada-9", "new-session-9", "DE89370400440532013000")


def exchange_with_secrets():
    return captured(
        target="/login?api_key=key-of-ada-9&next=/a",
        sent=b'{"name": "ada", "password": "hunter2-long", "iban": "DE89370400440532013000", "pin": 1234}',
        got=b'{"access_token": "token-of-ada-9", "said": "hunter2-long and sid-of-ada-9"}',
        asked=[
            (b"cookie", b"sid=sid-of-ada-9"), (b"authorization", b"Bearer token-of-ada-9"),
            (b"x-api-key", b"key-of-ada-9"), (b"content-type", b"application/json"),
        ],
        told=[(b"set-cookie", b"sid=new-session-9; Path=/"), (b"x-echo", b"key-of-ada-9"), (b"content-length", b"75")],
    )  # fmt: skip


def test_no_secret_is_written_and_equal_ones_have_one_number():
    line = Lines(key=b"k", names=["iban"]).line(exchange_with_secrets()).decode()
    assert [secret for secret in SECRETS if secret in line] == []
    read = json.loads(line)
    body, answer = json.loads(read["steps"][0]["body"]), json.loads(read["recorded"]["body"])
    headers = dict(read["steps"][0]["headers"])
    assert answer["said"].split(" and ") == [body["password"], headers["cookie"].partition("=")[2]]
    assert headers["authorization"] == f"Bearer {answer['access_token']}"
    assert dict(read["recorded"]["headers"])["x-echo"] == headers["x-api-key"]
    assert int(dict(read["recorded"]["headers"])["content-length"]) == len(read["recorded"]["body"])


def test_numbers_follow_from_the_key():
    same = [Lines(key=key).line(exchange_with_secrets()) for key in (b"one", b"one", b"two")]
    read = [json.loads(line)["steps"][0]["target"] for line in same]
    assert read[0] == read[1] != read[2]


def test_a_line_read_twice_from_memory_is_the_same_line():
    lines = Lines(key=b"k")
    texts = [json.loads(lines.line(exchange_with_secrets()))["steps"] for _ in range(3)]
    assert texts[0] == texts[1] == texts[2]


def test_a_secret_that_the_bound_cuts_in_two_is_not_written():
    got = b'{"said": "hunter2-long"}'
    for bound in range(12, len(got)):
        made = captured(sent=b'{"password": "hunter2-long"}', got=got, limit=100)
        made.answer = Body(bound)
        made.answer.add(got)
        assert "hunter2-" not in Lines(key=b"k").line(made).decode(), bound


def test_a_compressed_body_is_not_written_for_no_one_sees_the_secrets_in_it():
    packed = gzip.compress(b'{"access_token": "token-of-ada-9"}')
    made = captured(got=packed, told=[(b"content-encoding", b"gzip")])
    recorded = json.loads(Lines(key=b"k").line(made))["recorded"]
    assert "body" not in recorded
    assert "body_base64" not in recorded
    assert recorded["cut"] is True


def test_a_form_with_a_file_hides_its_password_and_keeps_its_bytes():
    form = b'--x\r\nContent-Disposition: form-data; name="password"\r\n\r\nhunter2-long\r\n--x\r\n\xff\xfe\r\n--x--'
    line = json.loads(Lines(key=b"k").line(captured(sent=form)))
    body = base64.b64decode(line["steps"][0]["body_base64"])
    assert b"hunter2" not in body
    assert b"\xff\xfe" in body


# --- what parity check reads


def test_a_recording_is_a_file_of_cases_without_what_was_cut(tmp_path):
    recorder = Recorder(tmp_path)
    recorder.put(captured("whole", "/a", sent=b'{"password": "hunter2-long"}', asked=[(b"content-length", b"28")]))
    cut = captured("cut", sent=b"x" * 10, limit=4)
    recorder.put(cut)
    recorder.close()
    (case,) = load_cases(next(tmp_path.glob("*")))
    (step,) = case.steps
    assert (case.name, step.method, step.target) == ("whole", "POST", b"/a")
    assert dict(step.headers)[b"Content-Length"] == b"%d" % len(step.body)
    assert json.loads(step.body)["password"].startswith("<secret:")
