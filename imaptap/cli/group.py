"""The group of all commands: each is imported when it is asked for, and ends in a sentence whatever goes wrong."""

import contextlib
import importlib
import keyword
import os
import sys
from collections.abc import Iterator, MutableMapping
from typing import Any

import click

from imaptap.cli.errors import INTERRUPTED, in_words

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

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        try:
            with in_words():
                return super().invoke(ctx)
        except KeyboardInterrupt:
            ctx.exit(INTERRUPTED)
        except BrokenPipeError:
            _forget_output()
            ctx.exit(BROKEN_PIPE)


def _forget_output() -> None:
    # Python flushes stdout once more when it ends, and would complain again.
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
