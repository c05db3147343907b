"""The business of the service: it knows no framework, no clock, no environment and no globals."""
