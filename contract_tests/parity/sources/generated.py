"""To be written."""
from contract_tests.parity.known import Cases, Known

def generated(known: Known) -> Cases:
    yield from ()
