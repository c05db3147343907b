"""Ways to reach a target: an application in this process by its own interface, or a server over a socket.

The names are bound here after their modules are loaded: importing a submodule of the same name later
leaves them alone.
"""

from contract_tests.parity.drivers.asgi import asgi as asgi
from contract_tests.parity.drivers.errors import LifespanError as LifespanError
from contract_tests.parity.drivers.errors import SettleError as SettleError
from contract_tests.parity.drivers.http import http as http
from contract_tests.parity.drivers.wsgi import wsgi as wsgi

__all__ = ["LifespanError", "SettleError", "asgi", "http", "wsgi"]
