"""What a user has stored: cases as a file or a folder of JSON Lines, recorded exchanges (HAR 1.2), a ledger."""

from __future__ import annotations

import tempfile
from pathlib import Path

from contract_tests.parity.applications import SpecError
from contract_tests.parity.cases import Case, CaseError, load_cases
from contract_tests.parity.ledger import Ledger


def given_cases(cases: Path | None, har: Path | None) -> tuple[Case, ...]:
    """The cases that a user gives; none where nothing is given. Raises CaseError."""
    found: tuple[Case, ...] = ()
    if cases is not None:
        found += cases_in(cases)
    if har is not None:
        from contract_tests.parity.sources.recorded import recorded

        found += recorded(har)
    return found


def cases_in(path: Path) -> tuple[Case, ...]:
    """The cases of a file, or of each file `*.jsonl` of a folder and those below it. Raises CaseError."""
    files = sorted(path.rglob("*.jsonl")) if path.is_dir() else [path]
    if not files:
        raise CaseError(f"{path}: there is no file *.jsonl in it")
    try:
        return tuple(case for file in files for case in load_cases(file))
    except OSError as error:
        raise CaseError(f"{error.filename}: {error.strerror}") from None


def given_ledger(path: Path | None) -> Ledger:
    """The ledger that a user gives; an empty one where none is given. Raises CaseError and LedgerError."""
    try:
        return Ledger.load(path) if path else Ledger.empty()
    except OSError as error:
        raise CaseError(f"{error.filename}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise CaseError(f"{path}: a ledger is UTF-8: {error.reason}") from None


def check_folder(option: str, folder: Path) -> None:
    """Raises SpecError where a folder cannot be made, or nothing be written into it; what was made to see it is gone.

    Only an attempt tells: an administrator may write everywhere, but for where there is no place for files.
    """
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except FileExistsError:
        raise SpecError(f"{option} {folder}: this is no folder") from None
    except (OSError, ValueError) as error:
        raise SpecError(f"{option} {folder}: {getattr(error, 'strerror', None) or error}") from None
    finally:
        for each in missing:
            if each.is_dir():
                each.rmdir()
