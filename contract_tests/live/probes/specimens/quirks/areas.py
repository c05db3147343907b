"""The areas of the three apps, each a module of that name in original, naive and ported."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

AREAS: tuple[str, ...] = (
    "routing",
    "redirects",
    "cookies",
    "headers",
    "files",
    "streams",
    "errors",
    "auth",
    "query",
    "forms",
    "json",
    "views",
)


def module_of(package: str, area: str) -> ModuleType:
    """An area's module in one of the three packages: "original", "naive" or "ported"."""
    return import_module(f"{__package__}.{package}.{area}")


def install(module: ModuleType, app: object) -> None:
    """What a module adds to its app besides its routes, if anything."""
    if hasattr(module, "install"):
        module.install(app)
