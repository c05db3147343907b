"""The command `parity models`: drafts of Pydantic models, from code and from recorded traffic. docs/migrate.md

shapes (what a value may be) <- reads, answers (the code), recorded (traffic) -> drafts (by route) -> writing (a module)
"""
