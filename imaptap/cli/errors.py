"""The one way in which a command ends badly: a sentence, a hint, an exit code."""

import contextlib
import sys
from collections.abc import Generator
from typing import IO, Any

import click

from proxy.imap.transcript import readable

NO = 1
"""Exit code of a check that said no, and of a recording that has a hole or had trouble."""
UNUSABLE = 2
"""Exit code of a mistake in the command line, and of input that cannot be used."""

INTERRUPTED = 130
"""Exit code of what was ended with Ctrl-C."""

_EXPECTED = {
    "storage.errors": "StorageError",
    "certs.errors": "CertificateError",
    "proxy.live.errors": "LiveError",
    "imaptap.exporting.errors": "ExportError",
}


class UserError(click.ClickException):
    """An error that a person reads.

    In: ``message``, one sentence that says what happened; ``hint``, one that says what to do; ``exit_code``. Out: both
    on stderr, without a traceback and with control characters escaped, since either may quote what a peer sent.
    """

    def __init__(self, message: str, hint: str, exit_code: int = UNUSABLE) -> None:
        super().__init__(message)
        self.hint = hint
        # click types it as a class variable, and reads it from the instance.
        vars(self)["exit_code"] = exit_code

    def show(self, file: IO[Any] | None = None) -> None:
        """Print it."""
        click.echo(f"imaptap: {escaped(self.message)}", file=file, err=True)
        if self.hint:
            click.echo(escaped(self.hint), file=file, err=True)


def escaped(text: str) -> str:
    """The text on one line that no terminal obeys: control characters and what is no Unicode as \\xNN."""
    return readable(text.encode("utf-8", "surrogatepass"))


@contextlib.contextmanager
def in_words() -> Generator[None, None, None]:
    """Turn what the other packages raise for a person to read into a `UserError`."""
    try:
        yield
    except _expected() as error:
        # What a recording lacks is a finding, not a mistake of whoever asks.
        code = NO if any(kind.__name__ == "GapError" for kind in type(error).__mro__) else UNUSABLE
        raise UserError(str(error), getattr(error, "hint", ""), code) from error


def _expected() -> tuple[type[Exception], ...]:
    # Importing storage takes longer than most commands; what was never imported cannot have been raised.
    there = ((sys.modules[module], name) for module, name in _EXPECTED.items() if module in sys.modules)
    return tuple(getattr(module, name) for module, name in there)
