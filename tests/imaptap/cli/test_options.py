"""Options that several commands have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from imaptap.cli import cli
from tests.servers.wait import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

URLS = (
    "postgresql://bob:hunter2@127.0.0.1:{port}/x",
    "postgresql://bob:@127.0.0.1:{port}/x",
    "postgres://bob@127.0.0.1:{port}/x?password=hunter2",
    "postgresql://bob@127.0.0.1:{port}/x?sslmode=verify-full&sslpassword=hunter2",
)


def commands_with_a_database() -> Iterator[tuple[str, ...]]:
    """Each with words that it could begin with."""
    words = {"record": ("imaps://localhost",), "export": ("1/1", "--side", "client"), "rm": ("1",), "check": ()}
    words["replay"] = ("1", "--to", "imaps://localhost")
    for name, command in cli.commands.items():
        if any("--db" in parameter.opts for parameter in command.params if isinstance(parameter, click.Option)):
            yield name, *words.get(name, ())


@pytest.mark.parametrize("words", list(commands_with_a_database()), ids=lambda words: words[0])
@pytest.mark.parametrize("url", URLS)
def test_no_database_password_on_the_command_line(words: tuple[str, ...], url: str) -> None:
    """It is refused before anything is done with it, and not repeated."""
    result = CliRunner().invoke(cli, (*words, "--db", url.format(port=1)), catch_exceptions=False)
    assert result.exit_code == 2
    assert "has a password in it" in result.stderr
    assert "$IMAPTAP_DB" in result.stderr
    assert "hunter2" not in result.output


@pytest.mark.parametrize("url", URLS)
def test_in_the_environment_it_is_fine(url: str) -> None:
    """It is tried, and what is said of the failure does not repeat it."""
    where = url.format(port=free_port())
    result = CliRunner().invoke(cli, ("ls",), env={"IMAPTAP_DB": where}, catch_exceptions=False)
    assert result.exit_code == 2
    assert "127.0.0.1" in result.stderr
    assert "has a password" not in result.stderr
    assert "hunter2" not in result.output


def test_a_url_without_a_password_may_be_typed() -> None:
    where = f"postgresql://bob@127.0.0.1:{free_port()}/x?application_name=password"
    result = CliRunner().invoke(cli, ("ls", "--db", where), catch_exceptions=False)
    assert "bob@127.0.0.1" in result.stderr
    assert "has a password" not in result.stderr
