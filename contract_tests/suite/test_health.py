"""GET /healthz and GET /readyz"""


def test_the_process_is_up(api):
    assert api.get("/healthz").content == b'{"status":"ok"}'


def test_the_database_is_reachable_and_migrated(api):
    answer = api.get("/readyz")
    assert answer.status_code == 200
    assert answer.content == b'{"status":"ready"}'
