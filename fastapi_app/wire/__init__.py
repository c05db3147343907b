"""Flask's wire behaviour for any FastAPI app: one named piece a difference; it knows neither this service nor Flask.

Each piece says which difference it closes, as measured against Flask 3.1 and FastAPI 0.165, and when it can go.
What this service does without is imported from its own module: convertors, cookies, headers, pages.
"""

from .bodies import FlaskRequest, Route, is_json
from .failures import QuietErrors
from .fields import field
from .limits import BodyLimit
from .query import FirstValues, Handler, Lenient, QueryRoute
from .redirects import canonical, host_of
from .routing import Routing

__all__ = [
    "BodyLimit",
    "FirstValues",
    "FlaskRequest",
    "Handler",
    "Lenient",
    "QueryRoute",
    "QuietErrors",
    "Route",
    "Routing",
    "canonical",
    "field",
    "host_of",
    "is_json",
]
