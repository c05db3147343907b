"""To be written."""
from contract_tests.parity.known import Cases, Known

def mutated(known: Known) -> Cases:
    yield from ()
