"""What `imaptap replay` can be told: every option in one place, and a value that holds what was typed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from imaptap.cli.errors import UserError
from imaptap.cli.options import as_one, bodies_option, db_option, json_option
from imaptap.cli.seed_options import SEED_OPTIONS
from imaptap.cli.trust_options import FILE, TRUST_OPTIONS
from proxy.replay.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from imaptap.cli.passwords import Source
    from proxy.imap.letters.policy import Bodies

SPEEDS = {"max": None, "1x": 1.0, "10x": 10.0}


def paced(speed: str, max_gap: float | None) -> Pace:
    """What --speed and --max-gap make of recorded pauses. Raises UserError where none are left to be bounded."""
    times = SPEEDS[speed]
    if times is None and max_gap is not None:
        raise UserError("--max-gap bounds recorded pauses, and --speed max leaves them all out.", "Add --speed 1x.")
    return Pace(times, max_gap)


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """What was typed, by the names of the options below; an option that was not given has its default."""

    address: str
    to: str
    user: str | None
    password_file: Path | None
    password_command: str | None
    token_command: str | None
    users: Path | None
    write: bool
    strict: bool
    any_state: bool
    seed_mailboxes: bool
    seed_stand_ins: bool
    seed_onto: bool
    scratch: str | None
    dry_run: bool
    names: tuple[str, ...]
    flatten: bool
    speed: str
    max_gap: float | None
    idle: float
    timeout: float
    clones: int
    upstream_ca: Path | None
    upstream_name: str | None
    upstream_fingerprint: str | None
    upstream_cert: Path | None
    upstream_key: Path | None
    upstream_key_password: Source | None
    name: str | None
    bodies: Bodies
    db: str
    as_json: bool
    quiet: bool

    @property
    def pace(self) -> Pace:
        """What becomes of recorded pauses. Raises UserError."""
        return paced(self.speed, self.max_gap)


_OPTIONS: tuple[Callable[[Callable[..., None]], Callable[..., None]], ...] = (
    click.argument("address", metavar="RECORDING[/SESSION]"),
    click.option("--to", required=True, metavar="URL", help="The server to replay to."),
    click.option("--user", metavar="NAME", help="Who logs in there (default: the recorded user)."),
    click.option("--password-file", type=FILE, help="The password is the first line of this file."),
    click.option(
        "--password-command", metavar="COMMAND", help="... or the first line that this prints; {user} is the user."
    ),
    click.option("--token-command", metavar="COMMAND", help="Log in with the OAuth access token that this prints."),
    click.option("--users", type=FILE, help="A TOML file: who logs in for which recorded user, and with what."),
    click.option("--write", is_flag=True, help="Send commands that change mail, too."),
    click.option("--strict", is_flag=True, help="Send commands whose capability the server lacks, too."),
    click.option(
        "--any-state", is_flag=True, help="Go on in a mailbox that has not as many messages as when it was recorded."
    ),
    *SEED_OPTIONS,
    click.option("--dry-run", is_flag=True, help="Print what would be sent, and why not. Nothing is connected to."),
    click.option(
        "--map", "names", multiple=True, metavar="OLD=NEW", help="A mailbox has another name there. Several times."
    ),
    click.option("--flatten", is_flag=True, help="Wait for each answer, where the recorded client did not."),
    click.option(
        "--speed",
        type=click.Choice(list(SPEEDS)),
        default="max",
        show_default=True,
        help="Keep recorded pauses (1x), a tenth of them (10x), or none.",
    ),
    click.option(
        "--max-gap", type=click.FloatRange(min=0), metavar="SECONDS", help="With --speed: no pause is longer."
    ),
    click.option(
        "--idle",
        type=click.FloatRange(min=0),
        default=2.0,
        show_default=True,
        metavar="SECONDS",
        help="How long an IDLE waits, at most, for the kind of news that was recorded.",
    ),
    click.option(
        "--timeout",
        type=click.FloatRange(min=0.1),
        default=60.0,
        show_default=True,
        metavar="SECONDS",
        help="How long the server may say nothing while it owes an answer.",
    ),
    click.option(
        "--clones",
        type=click.IntRange(min=1, max=1000),
        default=1,
        show_default=True,
        metavar="N",
        help="Replay everything N times side by side; {n} in a user's name is the number.",
    ),
    *TRUST_OPTIONS,
    click.option("--name", help="Name of the new recording (default: the time)."),
    bodies_option,
    db_option,
    json_option,
    click.option("-q", "--quiet", is_flag=True, help="Show no progress."),
)

replay_options = as_one(ReplayOptions, _OPTIONS)
"""Gives `imaptap replay` all of them."""
