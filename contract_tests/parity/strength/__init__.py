"""How far a green run may be believed: the port is broken in known ways, and the corpus catches them or not."""
