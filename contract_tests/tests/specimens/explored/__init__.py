"""Small apps that the sources explore: the same app twice, and the port with one fault, by its name in FAULTS."""

# The faults that a port made now has; a test sets them.
FAULTS: set[str] = set()
