"""GET /"""


def test_the_first_route_says_hello_world(api):
    answer = api.get("/")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.content == b'{"message":"Hello World"}'
