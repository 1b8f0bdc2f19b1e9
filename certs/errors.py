"""The one error of this package, made to be shown to a person."""


class CertificateError(Exception):
    """Something about keys, certificates or trust that a person can put right.

    In: ``message``, one sentence that says what happened, with names and numbers; ``hint``, one sentence that says
    what to do. Out: ``str(error)`` is the first, ``error.hint`` the second. Neither ever holds key material.
    """

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message
