"""The apps that probes are sent to besides our own two."""
