"""Where a name stands in a source: columns in characters, also within strings."""

from __future__ import annotations

import ast
import io
import tokenize
from typing import Any

from contract_tests.migration.survey.expressions import root_of


class Places:
    """The lines of one module, decoded when they are first asked for."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._ascii = raw.isascii()
        self._lines: list[bytes] = []

    def mend(self, node: ast.JoinedStr, refs: list[list[Any]]) -> None:
        """Before Python 3.12 the places within a string are not always right: look the name up where it must stand."""
        at = (node.lineno, node.col_offset)
        for ref in refs:
            name = root_of(ref[1])
            if name[0] != "n":
                continue
            word = name[1].encode()
            line = self._line(ref[2])
            column = self._bytes(line, ref[3] - 1)
            if (ref[2], column) >= at and line[column : column + len(word)] == word:
                continue
            for number in range(node.lineno, (node.end_lineno or node.lineno) + 1):
                line = self._line(number)
                found = _word(line, word, node.col_offset if number == node.lineno else 0)
                if found >= 0:
                    ref[2], ref[3] = number, self.column(number, found)
                    break

    def _bytes(self, line: bytes, column: int) -> int:
        return column if self._ascii else len(line.decode("utf-8", "replace")[:column].encode())

    def _line(self, number: int) -> bytes:
        if not self._lines:
            self._lines = self._decoded().splitlines()
        return self._lines[number - 1] if 0 < number <= len(self._lines) else b""

    def _decoded(self) -> bytes:
        """The source in UTF-8, as offsets in a tree count it."""
        if self._ascii:
            return self._raw
        encoding, _ = tokenize.detect_encoding(io.BytesIO(self._raw).readline)
        return self._raw.decode(encoding).encode()

    def column(self, line: int, offset: int) -> int:
        return offset + 1 if self._ascii else len(self._line(line)[:offset].decode("utf-8", "replace")) + 1


def _word(line: bytes, word: bytes, start: int) -> int:
    """Where a word stands in a line, not as a part of a longer one."""
    at = line.find(word, start)
    while at >= 0:
        around = line[max(at - 1, 0) : at] + line[at + len(word) : at + len(word) + 1]
        if not any(chr(byte).isalnum() or byte in b"_" for byte in around) and line[max(at - 1, 0) : at] != b".":
            return at
        at = line.find(word, at + 1)
    return -1
