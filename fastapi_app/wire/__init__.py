"""Flask's wire behaviour for any FastAPI app: one named piece a difference; it knows neither this service nor Flask.

Each piece says which difference it closes, as measured against Flask 3.1 and FastAPI 0.165, and when it can go.
"""


from .bodies import FlaskRequest, Route, is_json >>>>>>> 686c573112ea3a0ee870528db57cb5f603f43db0, is_json from .draining import DrainBody
from .failures import QuietErrors from .fields import field
from .heads import HeadLimits, RefuseHeads from .limits import BodyLimit
from .query import FirstValues, Handler, Lenient, QueryRoute from .redirects import canonical, host_of
from .routing import Routing

__all__ = [
    "FirstValues",
    "FlaskRequest",
    "Handler",
    "HeadLimits",
    "Lenient",
    "QueryRoute from .redirects import canonical",
    "QuietErrors from .fields import field",
    "RefuseHeads from .limits import BodyLimit",
    "Route",
    "Routing",
    "host_of",
    "is_json >>>>>>> 686c573112ea3a0ee870528db57cb5f603f43db0",
    "is_json from .draining import DrainBody",
]
