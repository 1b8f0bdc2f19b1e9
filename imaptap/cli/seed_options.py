"""The options of `imaptap replay` that build the recorded starting state at the target, and what comes of that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from imaptap.cli.errors import UserError
from proxy.replay.seeding.report import Wish

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from imaptap.cli.documents import Document
    from imaptap.cli.replay_options import ReplayOptions
    from imaptap.cli.terminal import Output
    from imaptap.seeding import Origin
    from proxy.replay.seeding.report import Seeded

_SENTENCES_SHOWN = 50

SEED_OPTIONS: tuple[Callable[[Callable[..., None]], Callable[..., None]], ...] = (
    click.option(
        "--seed-mailboxes",
        is_flag=True,
        help="First append what the mailboxes held when the recording began, as far as it has that.",
    ),
    click.option(
        "--seed-stand-ins",
        is_flag=True,
        help="... and letters of the right size for those whose text was never fetched.",
    ),
    click.option("--seed-onto", is_flag=True, help="... even to mailboxes that have other messages."),
    click.option("--scratch", metavar="NAME", help="All mailboxes, INBOX too, stand below this name there."),
)


def wish(options: ReplayOptions) -> Wish | None:
    """What is wanted of a seeding; None: none is wanted."""
    if options.seed_mailboxes:
        if not (options.write or options.dry_run):
            raise UserError(
                "--seed-mailboxes appends to mailboxes of the target, and --write was not given.",
                "Add --write, or see with --dry-run what would be appended.",
            )
        return Wish(options.seed_stand_ins, options.seed_onto)
    for given, name in ((options.seed_stand_ins, "--seed-stand-ins"), (options.seed_onto, "--seed-onto")):
        if given:
            raise UserError(f"{name} says how to seed, and nothing is to be seeded.", "Add --seed-mailboxes.")
    return None


def print_origins(output: Output, origins: Iterable[Origin]) -> None:
    """What a seeding would append, before there is a target."""
    for origin in origins:
        for mailbox in origin.beginning.mailboxes:
            kept = mailbox.count - mailbox.without_body
            said = f"seed     {mailbox.name}: {kept:,} of {mailbox.count:,} messages"
            output.say(said + (" (a name only)" if not mailbox.selectable else ""), "dim")


def print_seeded(output: Output, seeded: Iterable[tuple[str | None, Seeded]]) -> None:
    """What was appended, and what could not be."""
    said = [
        (sentence, mailbox.whole) for _, each in seeded for mailbox in each.mailboxes for sentence in mailbox.sentences
    ]
    for sentence, whole in said[:_SENTENCES_SHOWN]:
        output.say(f"  {sentence}", "dim" if whole else "yellow")
    if len(said) > _SENTENCES_SHOWN:
        output.say(f"  … and {len(said) - _SENTENCES_SHOWN} more about what was seeded", "yellow")


def seeded_document(seeded: Iterable[tuple[str | None, Seeded]]) -> list[Document]:
    """The same as JSON."""
    return [
        {
            "user": user,
            "mailbox": mailbox.name,
            "there": mailbox.there,
            "began_with": mailbox.exists,
            "appended": mailbox.appended,
            "stand_ins": mailbox.stand_ins,
            "alike": mailbox.alike,
            "whole": mailbox.whole,
            "said": mailbox.sentences,
        }
        for user, each in seeded
        for mailbox in each.mailboxes
    ]
