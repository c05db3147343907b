"""The command `parity scaffold`: a draft of the port's router, its models, and a failing test a route.

docs/migrate.md
"""
