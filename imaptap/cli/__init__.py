"""The command line: one file a command, each of which parses its words, calls one function and prints."""

import io
import sys

import click

from imaptap import __version__
from imaptap.cli.group import Cli, Commands
from imaptap.hardening import forbid_core_dumps


@click.group(
    "imaptap",
    cls=Cli,
    commands=Commands(
        "record", "ls", "show", "stats", "tail", "export", "import", "anonymise", "scan", "check", "lint", "portrait",
        "replay", "diff", "serve", "rm", "prune", "ca", "demo", "completion",
    ),
    context_settings={"help_option_names": ["-h", "--help"]},
)  # fmt: skip
@click.version_option(__version__, prog_name="imaptap")
def cli() -> None:
    """Record what mail clients and IMAP servers say to each other.

    `imaptap demo` shows it all in a few seconds; `imaptap record imaps://your.server` begins in earnest.
    """


def main() -> None:
    """Run the command line: what the `imaptap` script calls."""
    forbid_core_dumps()
    for stream in (sys.stdout, sys.stderr):
        # A terminal of another alphabet shows \\u2026 for what it has not: better than an error half way.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    cli(prog_name="imaptap")
