"""What `imaptap serve` can be told: every option in one place, and a value that holds what was typed."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path

import click

from imaptap.cli.authority import ca_key_password_option
from imaptap.cli.options import as_one, bodies_option, db_option
from imaptap.cli.passwords import Source
from imaptap.cli.record_options import LISTEN_OPTIONS, ready_file_option
from imaptap.cli.replay_options import SPEEDS, paced
from imaptap.cli.trust_options import FILE, TRUST_OPTIONS
from proxy.imap.letters.policy import Bodies
from proxy.replay.pace import Pace
from proxy.replay.serving.values import Repeat

KEYS = ("key", "-")
"""What stands for the keyboard where --step wants a file."""


class Mode(enum.StrEnum):
    """`--mode`: where answers come from, and what is recorded."""

    NONE = "none"
    ONCE = "once"
    NEW = "new"
    ALL = "all"
    SPY = "spy"


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """What was typed, by the names of the options below; an option that was not given has its default."""

    address: str
    mode: str
    upstream: str | None
    upstream_ca: Path | None
    upstream_name: str | None
    upstream_fingerprint: str | None
    upstream_cert: Path | None
    upstream_key: Path | None
    upstream_key_password: Source | None
    listen: tuple[str, ...]
    allow: tuple[str, ...]
    db: str
    no_record: bool
    name: str | None
    bodies: Bodies
    user: str | None
    password_file: Path | None
    match: tuple[str, ...]
    repeat: str
    speed: str
    max_gap: float | None
    step: Path | None
    strict: bool
    report: Path | None
    ca_key_password: Source | None
    ready_file: Path | None
    quiet: bool

    @property
    def pace(self) -> Pace | None:
        """What becomes of recorded pauses; None: they are left out. Raises UserError."""
        made = paced(self.speed, self.max_gap)
        return None if made.speed is None else made


serve_options = as_one(
    ServeOptions,
    (
        click.argument("address", metavar="RECORDING[/SESSION]"),
        click.option(
            "--mode",
            type=click.Choice([each.value for each in Mode]),
            default=Mode.NONE.value,
            show_default=True,
            help="Serve what is recorded (none); record it unless it is (once), and what is new (new), or all of it"
            " again (all); ask for what is new and keep nothing of it (spy).",
        ),
        click.option(
            "--upstream", metavar="URL", help="The server that is asked what is not recorded (not with none)."
        ),
        *TRUST_OPTIONS,
        *LISTEN_OPTIONS,
        db_option,
        click.option("--no-record", is_flag=True, help="Record nothing, though --db is given."),
        click.option("--name", help="Name of the new recording (default: the time)."),
        bodies_option,
        click.option("--user", metavar="USER", help="Let in this user only (default: anybody)."),
        click.option(
            "--password-file", type=FILE, help="Demand the password in FILE (default: any will do); SCRAM needs it."
        ),
        click.option(
            "--match",
            multiple=True,
            metavar="RULE",
            help="COMMAND[.PART]=any|same|exact, dates=any, prefix=NEW=RECORDED. May be given several times.",
        ),
        click.option(
            "--repeat",
            type=click.Choice([each.value for each in Repeat]),
            default=Repeat.NEVER.value,
            show_default=True,
            help="A command that is asked more often than recorded: refuse it, answer as last, or start over.",
        ),
        click.option(
            "--speed",
            type=click.Choice(list(SPEEDS)),
            default="max",
            show_default=True,
            help="Answer as fast as possible, or with the recorded pauses, or with a tenth of them.",
        ),
        click.option(
            "--max-gap",
            type=click.FloatRange(min=0),
            metavar="SECONDS",
            help="With --speed: no pause is longer than this.",
        ),
        click.option(
            "--step",
            type=FILE,
            metavar="FILE|key",
            help="News comes one by one, each when another line is written to FILE, or space or Enter is pressed.",
        ),
        click.option("--strict", is_flag=True, help="Exit 1 also if something recorded was never asked for."),
        click.option(
            "--report", type=FILE, help="Write what matched nothing, and what comes near it, to FILE as JSON."
        ),
        ca_key_password_option,
        ready_file_option,
        click.option("-q", "--quiet", is_flag=True, help="Say nothing of commands that match nothing."),
    ),
)
"""Gives `imaptap serve` all of them."""
