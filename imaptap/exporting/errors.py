"""Why an export cannot be made, said to a person."""

from __future__ import annotations


class ExportError(Exception):
    """The selection cannot be written in this format. `str()` is the sentence, `hint` what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint
