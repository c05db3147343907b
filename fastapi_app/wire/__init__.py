"""Flask's wire behaviour for any FastAPI app: each named piece closes one kind of difference.

It knows neither this service nor Flask. docs/architecture-wire-kit.md shows where each piece stands on a request's way.
Each piece says which difference it closes, as measured against Flask 3.1 and FastAPI 0.165, and when it can go.
What this service uses is named here; the other pieces are in their modules, so that an app imports what it needs.
"""

from .bodies import FlaskRequest, Route, is_json
from .draining import DrainBody
from .failures import QuietErrors
from .fields import field
from .heads import HeadLimits, RefuseHeads
from .limits import BodyLimit
from .query import FirstValues, Handler, Lenient, QueryRoute
from .redirects import canonical, host_of
from .routing import Routing
from .threads import ThreadRoute, Threads, run

__all__ = [
    "BodyLimit",
    "DrainBody",
    "FirstValues",
    "FlaskRequest",
    "Handler",
    "HeadLimits",
    "Lenient",
    "QueryRoute",
    "QuietErrors",
    "RefuseHeads",
    "Route",
    "Routing",
    "ThreadRoute",
    "Threads",
    "canonical",
    "field",
    "host_of",
    "is_json",
    "run",
]
