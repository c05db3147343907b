"""A target stands behind an httpx.Client: what httpx sends and what the target answers both arrive unchanged."""

from __future__ import annotations

import httpx

from contract_tests.parity.messages import Request, Response, Target

_ERRORS: dict[str, type[httpx.TransportError]] = {
    "refused": httpx.ConnectError,
    "timeout": httpx.ReadTimeout,
    "reset": httpx.ReadError,
    "truncated": httpx.RemoteProtocolError,
}


class TargetTransport(httpx.BaseTransport):
    """The transport that sends every request to one target, whatever host its URL names.

    Redirects are left to the client, which follows none unless told to. The target outlives the client:
    whoever made it closes it.
    """

    def __init__(self, target: Target) -> None:
        self._target = target

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The target's response; a failure is raised as httpx's own error for it."""
        return httpx_response(self._target.send(request_of(request)), request)


def request_of(request: httpx.Request) -> Request:
    """The request as a value, with its body read whole and its headers in order, repeated ones apart.

    The target is the raw path of the URL, which httpx has normalised, or the request's own extension
    `target` (bytes), which nothing has.
    """
    body = request.read()
    target = request.extensions.get("target", request.url.raw_path)
    return Request(request.method, target, tuple(request.headers.raw), body)


def httpx_response(response: Response, request: httpx.Request) -> httpx.Response:
    """The response as httpx has it, undecoded; the application's exception, if any, in extensions["exception"].

    Raises the httpx error for a failure: ConnectError (refused), ReadTimeout (timeout), ReadError (reset),
    RemoteProtocolError (truncated).
    """
    if response.failure is not None:
        raise _ERRORS[response.failure](_told(response), request=request) from response.exception
    return httpx.Response(
        response.status,
        headers=list(response.headers),
        stream=httpx.ByteStream(response.body),
        extensions={} if response.exception is None else {"exception": response.exception},
        request=request,
    )


def _told(response: Response) -> str:
    if not response.status:
        return f"{response.failure}: no response"
    return f"{response.failure}: status {response.status} and {len(response.body)} bytes of the body arrived"
