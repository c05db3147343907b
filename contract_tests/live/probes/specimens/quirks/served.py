"""The three apps for servers of their own: `QUIRKS_FOLDER` is where their files are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import FastAPI
    from flask import Flask


def folder() -> Path:
    """Where `fill` has put the files."""
    return Path(os.environ["QUIRKS_FOLDER"])


def original() -> Flask:
    from contract_tests.live.probes.specimens.quirks.original.app import create_app

    return create_app(folder())


def naive() -> FastAPI:
    from contract_tests.live.probes.specimens.quirks.naive.app import create_app

    return create_app(folder())


def ported() -> FastAPI:
    from contract_tests.live.probes.specimens.quirks.ported.app import create_app

    return create_app(folder())
