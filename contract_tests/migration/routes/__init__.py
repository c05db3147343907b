"""The command `parity routes`: every route of an original beside its port. docs/migrate.md

code (trees and names) -> owners (apps, blueprints, routers) -> declared (routes) -> refusals, guards -> board -> pages
"""
