"""To be written."""

from contract_tests.parity.known import Cases, Known


def wire(known: Known) -> Cases:
    yield from ()
