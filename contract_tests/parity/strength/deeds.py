"""What an app can do wrong while each answer looks right: writes lost or done twice, reads of yesterday, mix-ups."""

from __future__ import annotations

from dataclasses import replace

from contract_tests.parity.messages import Request, Response, Target

_CREDENTIALS = (b"cookie", b"authorization")


def path_of(request: Request) -> bytes:
    return request.target.partition(b"?")[0]


def succeeded(response: Response) -> bool:
    return response.failure is None and 200 <= response.status < 400


def asking(request: Request, target: bytes) -> Request:
    """A GET by whoever sent this request."""
    left_out = (b"content-length", b"content-type", b"transfer-encoding")
    headers = tuple(header for header in request.headers if header[0].lower() not in left_out)
    return Request("GET", target, headers)


class Lost:
    """A write by one of these methods is answered and not carried out: what could be read before can be read still."""

    def __init__(self, *methods: str) -> None:
        self._methods = methods
        self._before: dict[bytes, Response] = {}

    def send(self, request: Request, target: Target) -> tuple[Response, bool]:
        path = path_of(request)
        if request.method in self._methods:
            before = {place: target.send(asking(request, place)) for place in (path, path.rpartition(b"/")[0]) if place}
            response = target.send(request)
            lost = {place: seen for place, seen in before.items() if seen.failure is None and seen.status == 200}
            if succeeded(response):
                self._before |= lost
            return response, succeeded(response)
        if request.method == "GET" and request.target in self._before:
            return self._before[request.target], False
        if request.method in ("PUT", "PATCH", "DELETE", "POST"):
            self._before.pop(path, None)
        return target.send(request), False


class LostInsert:
    """What a POST made is answered with its id, and is not there."""

    def __init__(self) -> None:
        self._gone: set[bytes] = set()
        self._lists: dict[bytes, Response] = {}

    def send(self, request: Request, target: Target) -> tuple[Response, bool]:
        if request.method == "POST":
            before = target.send(asking(request, path_of(request)))
            response = target.send(request)
            location = response.header("Location")
            if response.status == 201 and location:
                self._gone.add(location)
                self._lists |= {path_of(request): before} if before.status == 200 else {}
            return response, response.status == 201
        if path_of(request) in self._gone:
            return Response(404, ((b"Content-Length", b"0"),)), False
        if request.method == "GET" and request.target in self._lists:
            return self._lists[request.target], False
        return target.send(request), False


class Twice:
    """A POST is carried out twice and answered once."""

    def send(self, request: Request, target: Target) -> tuple[Response, bool]:
        response = target.send(request)
        again = request.method == "POST" and succeeded(response)
        if again:
            target.send(request)
        return response, again


class Stale:
    """A read is answered as it was the first time, whatever was written since."""

    def __init__(self) -> None:
        self._first: dict[tuple[bytes, tuple[bytes, ...]], Response] = {}

    def send(self, request: Request, target: Target) -> tuple[Response, bool]:
        response = target.send(request)
        if request.method != "GET":
            return response, succeeded(response) and request.method not in ("HEAD", "OPTIONS")
        return self._first.setdefault((request.target, credentials(request)), response), False


class OthersAnswer:
    """A read is answered with what was answered to whoever asked first."""

    def __init__(self) -> None:
        self._first: dict[bytes, Response] = {}

    def send(self, request: Request, target: Target) -> tuple[Response, bool]:
        response = target.send(request)
        if request.method != "GET" or not succeeded(response):
            return response, False
        return self._first.setdefault(request.target, response), bool(credentials(request))


class Forgotten:
    """Who is signed in is not looked at."""

    def send(self, request: Request, target: Target) -> tuple[Response, bool]:
        plain = tuple(header for header in request.headers if header[0].lower() not in _CREDENTIALS)
        return target.send(replace(request, headers=plain)), plain != request.headers


class Failing:
    """The operation that is asked for the second time fails; each other one works."""

    def __init__(self) -> None:
        self._asked: dict[tuple[str, bytes], int] = {}

    def send(self, request: Request, target: Target) -> tuple[Response, bool]:
        asked = (request.method, request.target)
        self._asked[asked] = self._asked.get(asked, 0) + 1
        if self._asked[asked] == 2:
            return Response(500, ((b"Content-Length", b"0"),)), True
        return target.send(request), False


def credentials(request: Request) -> tuple[bytes, ...]:
    return tuple(value for name, value in request.headers if name.lower() in _CREDENTIALS)
