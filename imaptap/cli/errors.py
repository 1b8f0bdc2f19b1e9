"""The one way in which a command ends badly: a sentence, a hint, an exit code."""

from typing import IO, Any

import click


class UserError(click.ClickException):
    """An error that a person reads.

    In: ``message``, one sentence that says what happened; ``hint``, one that says what to do; ``exit_code``. Out: both
    on stderr, without a traceback and with control characters escaped, since either may quote what a peer sent.
    """

    def __init__(self, message: str, hint: str, exit_code: int = 2) -> None:
        super().__init__(message)
        self.hint = hint
        # click types it as a class variable, and reads it from the instance.
        vars(self)["exit_code"] = exit_code

    def show(self, file: IO[Any] | None = None) -> None:
        """Print it."""
        click.echo(f"imaptap: {_escaped(self.message)}", file=file, err=True)
        click.echo(_escaped(self.hint), file=file, err=True)


def _escaped(text: str) -> str:
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)
