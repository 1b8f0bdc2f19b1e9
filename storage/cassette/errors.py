"""A cassette that cannot be read: where, what, and what to do."""

from __future__ import annotations

from storage.errors import StorageError


class CassetteError(StorageError):
    """Line and column count from 1; `what` is a clause without its full stop."""

    def __init__(self, line: int, column: int, what: str, hint: str) -> None:
        super().__init__(f"The cassette cannot be read at line {line}, column {column}: {what}.", hint)
        self.line = line
        self.column = column


class WrongError(Exception):
    """The same within a line, where only the column is known."""

    def __init__(self, column: int, what: str, hint: str = "docs/cassettes.md describes the format.") -> None:
        super().__init__(what)
        self.column = column
        self.hint = hint

    def at(self, line: int) -> CassetteError:
        """With its line."""
        return CassetteError(line, self.column, str(self), self.hint)
