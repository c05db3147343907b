"""Files that are written whole or not at all, and only over what was written by us."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from contract_tests.migration.gateway.tables import TableError

# The first line of each file that we write, and the sign that we may write it again.
MARKER = "# Written by `parity gateway`: change the table and write it again, not this file."


def write_all(files: Mapping[str, str], folder: Path) -> list[Path]:
    """Write texts below our marker into a folder. Raises TableError before any is written where one may not be."""
    paths = {folder / name: text for name, text in files.items()}
    for path in paths:
        if path.exists() and not is_ours(path):
            raise TableError(f"{path} was not written by parity gateway: nothing is overwritten")
    for path, text in paths.items():
        write_atomically(path, f"{MARKER}\n{text}")
    return list(paths)


def is_ours(path: Path) -> bool:
    """Whether a file begins with our marker."""
    with path.open("rb") as file:
        return file.readline().rstrip(b"\n") == MARKER.encode()


def write_atomically(path: Path, text: str) -> None:
    """Put a text where a file is, in one step: whoever reads meanwhile sees the old or the new. Raises TableError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            # A proxy reads it as another user.
            Path(name).chmod(path.stat().st_mode & 0o777 if path.exists() else 0o644)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise TableError(f"{path} cannot be written: {error.strerror}") from None


def keep_copy(path: Path) -> Path:
    """Keep a file's bytes beside it, under a name that no file has yet. Raises TableError."""
    number = 1
    while True:
        kept = path.with_name(f"{path.name}.before-rollback-{number}")
        try:
            with kept.open("xb") as file:
                file.write(path.read_bytes())
        except FileExistsError:
            number += 1
        except OSError as error:
            raise TableError(f"{kept} cannot be written: {error.strerror}") from None
        else:
            return kept
