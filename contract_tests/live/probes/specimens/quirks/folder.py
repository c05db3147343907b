"""The files that the area `files` sends: the same bytes and times wherever the folder is."""

from __future__ import annotations

import os
from pathlib import Path

LETTERS = b"abcdefghijklmnopqrstuvwxyz"
# With a fraction, which stays in the entity tag and goes from the date.
MODIFIED = 1_700_000_000.25

FILES = {
    "notes.txt": LETTERS,
    "empty.bin": b"",
    "page.html": b"<p>hello</p>",
    "data.json": b"{}",
    "picture.svg": b"<svg/>",
    "program.js": b"0",
    "archive.tar.gz": b"\x1f\x8b",
    "nothing-known": b"?",
    "two words.txt": b"two words",
    'quo"ted\\.txt': b"quoted",
    "caf\u00e9 \u20ac.txt": b"coffee",
    "\u4e2d.txt": b"middle",
    "percent%41.txt": b"percent",
    "large.bin": bytes(range(256)) * 3000,
    "inner/notes.txt": b"inner",
}


def fill(folder: Path) -> Path:
    """Write the files, and one beside the folder's public part that nobody may have."""
    for name, content in {**{f"public/{each}": FILES[each] for each in FILES}, "secret.txt": b"secret"}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (MODIFIED, MODIFIED))
    return folder
