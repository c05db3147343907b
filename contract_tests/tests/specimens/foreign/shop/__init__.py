"""A REST API of a small shop, and a port that trusts FastAPI's defaults."""
