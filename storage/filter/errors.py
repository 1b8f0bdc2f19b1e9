"""What is wrong with a filter, and where."""

from __future__ import annotations

from storage.errors import StorageError


class FilterError(StorageError):
    """A filter that cannot be read. `column` counts its characters from 1 and points at the one where reading stopped.

    What ends too early is reported behind its last character.
    """

    def __init__(self, what: str, column: int, hint: str = "") -> None:
        super().__init__(f"The filter cannot be read at column {column}: {what}.", hint)
        self.column = column
