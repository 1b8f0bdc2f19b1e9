"""What can go wrong before or during a session, in two sentences: what happened, and what to do."""


class LiveError(Exception):
    """`str()` says what happened; `hint` what to do about it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint
