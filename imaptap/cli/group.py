"""The group of all commands: each is imported when it is asked for, and ends in a sentence whatever goes wrong."""

import contextlib
import importlib
import keyword
import os
import sys
from collections.abc import Generator, Iterator, MutableMapping
from typing import Any

import click

from imaptap.cli.errors import INTERRUPTED, UserError, in_words

BROKEN_PIPE = 141


class Commands(MutableMapping[str, click.Command]):
    """Commands by name. The file `imaptap/cli/NAME.py` defines NAME, and is imported when NAME is looked up.

    Where NAME means something to Python, both are called `NAME_`.
    """

    def __init__(self, *names: str) -> None:
        self._loaded: dict[str, click.Command | None] = dict.fromkeys(names)

    def __getitem__(self, name: str) -> click.Command:
        command = self._loaded[name]
        if command is None:
            defined = f"{name}_" if keyword.iskeyword(name) else name
            command = getattr(importlib.import_module(f"imaptap.cli.{defined}"), defined)
            if not isinstance(command, click.Command):
                raise TypeError(f"imaptap.cli.{name}.{name} is no command")
            self._loaded[name] = command
        return command

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._loaded)

    def __len__(self) -> int:
        return len(self._loaded)


class Cli(click.Group):
    """Lists the commands in the order of the table, and turns what they raise into words and exit codes."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """As in the table: what is needed first stands first."""
        return list(self.commands)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the options in front of the command."""
        with _mistakes_in_words(ctx):
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        try:
            with in_words(), _mistakes_in_words(ctx):
                return super().invoke(ctx)
        except KeyboardInterrupt:
            ctx.exit(INTERRUPTED)
        except BrokenPipeError:
            forget_output()
            ctx.exit(BROKEN_PIPE)


@contextlib.contextmanager
def _mistakes_in_words(ctx: click.Context) -> Generator[None, None, None]:
    """What click says of a mistake in the command line, its guess what was meant included, as a `UserError`."""
    try:
        yield
    except click.exceptions.NoArgsIsHelpError:  # is help, not a mistake
        raise
    except click.UsageError as error:
        path = (ctx.command_path, ctx.invoked_subcommand or "")
        where = error.ctx.command_path if error.ctx else " ".join(path).rstrip()
        listed = "commands" if isinstance(error, click.NoSuchCommand) else "options"
        message = " ".join(error.format_message().split())  # it may list choices on lines of their own
        raise UserError(message, f"`{where} --help` lists the {listed}.", error.exit_code) from error


def forget_output() -> None:
    """Let go of what could not be written: Python flushes stdout once more when it ends, and would complain again."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
