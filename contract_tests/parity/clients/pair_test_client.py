"""Starlette's TestClient for two apps: the same arguments and manners, over httpx alone."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import httpx

from contract_tests.parity.applications import target_of
from contract_tests.parity.drivers import framing
from contract_tests.parity.exchange import Exchange
from contract_tests.parity.messages import Target
from contract_tests.parity.pair_transport import PairTransport
from contract_tests.parity.specs import resolve


class PairTestClient(httpx.Client):
    """`TestClient(app)` becomes `PairTestClient(original, app)`; each request goes to both, and is compared.

    Each app is a WSGI or ASGI object, a SPEC or a Target. As with TestClient, `with` runs the lifespans, redirects
    are followed, and an app's unhandled exception is raised unless `raise_server_exceptions=False`: after the two
    answers are compared, the original's first. `options` are PairTransport's. WebSockets are not compared.
    """

    __test__ = False

    def __init__(
        self,
        original: Any,
        port: Any,
        base_url: str = "http://testserver",
        raise_server_exceptions: bool = True,
        *,
        cookies: Any = None,
        headers: dict[str, str] | None = None,
        follow_redirects: bool = True,
        on_exchange: Callable[[Exchange], object] | None = None,
        **options: Any,
    ) -> None:
        self.raise_server_exceptions = raise_server_exceptions
        self._made = ExitStack()
        self._asked = on_exchange or (lambda _: None)
        self._raised: BaseException | None = None
        targets = (self._target(original), self._target(port))
        transport = _Reached(PairTransport(*targets, on_exchange=self._saw, **options), self)
        super().__init__(
            base_url=base_url,
            headers={"user-agent": "testclient", **(headers or {})},
            transport=transport,
            follow_redirects=follow_redirects,
            cookies=cookies,
            trust_env=False,
        )

    def websocket_connect(self, url: str, *_: Any, **__: Any) -> Any:
        raise NotImplementedError(f"{url}: a WebSocket has no answer that could be compared; use TestClient for it")

    def close(self) -> None:
        """End what this client made: targets that were given are their owner's."""
        try:
            super().close()
        finally:
            self._made.close()

    def __exit__(self, *exc: Any) -> None:
        with self._made:
            super().__exit__(*exc)

    def _target(self, given: Any) -> Target:
        if hasattr(given, "send") and hasattr(given, "reset"):
            target: Target = given
            return target
        made = resolve(given) if isinstance(given, str) else target_of(given, framing.name_of(given))
        return self._made.enter_context(made)

    def _saw(self, exchange: Exchange) -> None:
        self._raised = exchange.original.exception or exchange.port.exception
        self._asked(exchange)

    def unhandled(self) -> None:
        """Raise what an app raised in the last exchange, if this client tells that."""
        raised, self._raised = self._raised, None
        if raised is not None and self.raise_server_exceptions:
            raise raised


class _Reached(httpx.BaseTransport):
    """Both apps are reached as the URL says: by http at testserver, unless the suite says otherwise."""

    def __init__(self, transport: PairTransport, client: PairTestClient) -> None:
        self._transport, self._client = transport, client

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        with framing.reached_by(url.scheme, url.host, url.port or {"https": 443}.get(url.scheme, 80)):
            response = self._transport.handle_request(request)
        self._client.unhandled()
        return response

    def close(self) -> None:
        self._transport.close()

    def __exit__(self, *exc: Any) -> None:
        self._transport.__exit__(*exc)
