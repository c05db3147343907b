"""To be written."""
from contract_tests.parity.known import Cases, Known

def sequences(known: Known) -> Cases:
    yield from ()
