"""What handlers depend on: the services, the session, and who is signed in."""

from __future__ import annotations

from collections import UserDict
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Request

from shared_core.services import Services
from shared_core.visits import Visit


def get_services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


App = Annotated[Services, Depends(get_services)]


class CookieSession(UserDict[str, Any]):
    """Starlette's session as the core's rules take one: all of it travels in the cookie, so it has no id to renew."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.data = values
        self.sid = "cookie"

    def regenerate(self) -> None:
        self.sid += "+"


def get_visit(request: Request, app: App) -> Visit:
    session = CookieSession(request.session)
    return Visit(session, regenerate=session.regenerate, now=app.clock())


Visitor = Annotated[Visit, Depends(get_visit)]


def get_login_id(visit: Visitor) -> str:
    if visit.login_id is None:
        raise HTTPException(401, detail="Not authenticated")
    return visit.login_id


SignedIn = Annotated[str, Depends(get_login_id)]
