"""The corpus is a folder of smallest cases, one a file: run first, and added to when something new is found."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

from contract_tests.parity.cases import Case, as_json
from contract_tests.parity.signing_in import SignIn
from contract_tests.parity.stored import cases_in


class Corpus:
    """The cases of a folder; without one nothing is read or kept."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self._cases = cases_in(folder) if folder is not None and any(folder.glob("*.jsonl")) else ()

    def cases(self, sign_in: SignIn | None) -> list[Case]:
        """What was kept, signed in anew; signed-in cases are left out where there is no sign-in."""
        found = [case for case in self._cases if not case.signed_in]
        if sign_in is not None:
            found += [sign_in.signed(case) for case in self._cases if case.signed_in]
        return found

    def left_out(self, sign_in: SignIn | None) -> int:
        """How many cases are left out."""
        return 0 if sign_in is not None else sum(case.signed_in for case in self._cases)

    def keep(self, case: Case, fingerprint: str, sign_in: SignIn | None) -> None:
        """Write a case to a file of its own. Its sign-in is left out, as it holds what must not be written."""
        if self.folder is None:
            return
        plain = sign_in.unsigned(case) if sign_in is not None and case.signed_in else case
        text = json.dumps(as_json(plain)) + "\n"
        self.folder.mkdir(parents=True, exist_ok=True)
        slug = re.sub(r"[^a-z0-9]+", "-", fingerprint.lower()).strip("-")[:60]
        digest = hashlib.sha256(text.encode()).hexdigest()[:8]
        if not any(self.folder.glob(f"*-{digest}.jsonl")):
            (self.folder / f"{slug}-{digest}.jsonl").write_text(text, encoding="utf-8")
