"""`imaptap completion`: what makes a shell finish imaptap's words."""

import click
from click.shell_completion import get_completion_class

_PLACES = {
    "bash": "~/.local/share/bash-completion/completions/imaptap",
    "zsh": "a file _imaptap in a folder of $fpath",
    "fish": "~/.config/fish/completions/imaptap.fish",
}


@click.command(short_help="Print a script for the shell's completion.")
@click.argument("shell", type=click.Choice(list(_PLACES)))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that completes commands and options in SHELL, and say where to put it."""
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"click knows no shell {shell}")
    click.echo(kind(context.find_root().command, {}, "imaptap", "_IMAPTAP_COMPLETE").source())
    click.echo(f"Put this into {_PLACES[shell]}, and start a new shell.", err=True)
