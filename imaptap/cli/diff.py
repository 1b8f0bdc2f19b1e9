"""`imaptap diff`: what two recordings do not have in common."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click
from rich.progress import Progress

from imaptap.cli.address import find
from imaptap.cli.cassettes import opened_together
from imaptap.cli.diff_output import FORMS, TERMINAL, Wish, print_report, print_rules
from imaptap.cli.errors import NO, UNUSABLE, UserError
from imaptap.cli.options import db_option
from imaptap.cli.pager import pager_option
from imaptap.cli.written import written_file
from imaptap.diffing.run import Asked, Comparing
from imaptap.diffing.values import Chosen
from storage.diff.rules import Rules, read_rules, written

if TYPE_CHECKING:
    from collections.abc import Callable

    from storage import Store

_PLACE = "RECORDING[/SESSION]"

T = TypeVar("T")


@click.command(short_help="Compare two recordings, or one with its replay.")
@click.argument("left", metavar="A", required=False)
@click.argument("right", metavar="B", required=False)
@click.option("--noise", "again", metavar=_PLACE, help="Another run at the server of A: what moves there is no news.")
@click.option("--save-rules", metavar="FILE", type=click.Path(path_type=Path), help="Write what is let pass to FILE.")
@click.option("--rules", "file", metavar="FILE", type=click.Path(path_type=Path), help="Let pass what FILE says.")
@click.option("--no-rule", "off", metavar="NAME", multiple=True, help="Switch a built-in rule off.")
@click.option("--no-noise", is_flag=True, help="Let no noise pass, whatever the rules file says of it.")
@click.option("--text", is_flag=True, help="Compare words for people, too.")
@click.option("--timing", is_flag=True, help="Compare how long answers took, too.")
@click.option("--explain", is_flag=True, help="Say which rules let things pass; alone: list the built-in ones.")
@click.option("--all", "everything", is_flag=True, help="Show equal exchanges one by one.")
@click.option(
    "--format",
    "form",
    type=click.Choice([TERMINAL, *FORMS]),
    default=TERMINAL,
    show_default=True,
    help="What to print.",
)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to FILE, not to stdout.")
@pager_option
@db_option
@click.pass_context
def diff(
    context: click.Context, left: str | None, right: str | None, again: str | None, save_rules: Path | None,
    file: Path | None, off: tuple[str, ...], no_noise: bool, text: bool, timing: bool, explain: bool, everything: bool,
    form: str, output: Path | None, pager: bool, db: str,
) -> None:  # fmt: skip
    """Compare what two recordings, two sessions, or a recording and its replay hold: A with B.

    Exchanges are paired by what their commands mean, those of a replay by its steps. Then each answer is compared by
    what it says, not by its letters: docs/diff.md tells how. Exits 0 when nothing differs, 1 when something does, 2
    when there was nothing to compare.
    """
    if left is None and explain:
        print_rules()
        return
    if left is None or right is None:
        raise UserError("Two recordings are needed to compare them.", f"Write imaptap diff {_PLACE} {_PLACE}.")
    rules = _rules(file, off, text=text, timing=timing, no_noise=no_noise)
    named = (left, right) if again is None else (left, right, again)
    with opened_together(db, named) as (store, where, there):
        mine, theirs, *others = (_chosen(store, each) for each in there)
        asked = Asked(where, mine, theirs, rules)
        for other in others:
            asked = replace(asked, rules=_with_noise(store, asked, other))
        with Comparing(store, asked) as comparing:
            _watched(comparing.run, "comparing")
            if save_rules is not None:
                with written_file(save_rules, store) as target:
                    target.write(written(asked.rules).encode())
            print_report(comparing, Wish(form, output, everything=everything, explain=explain, pager=pager), store)
    totals = comparing.totals
    context.exit(NO if totals.different else 0 if totals.compared else UNUSABLE)


def _rules(file: Path | None, off: tuple[str, ...], *, text: bool, timing: bool, no_noise: bool) -> Rules:
    """Those of the file, and of the command line."""
    known = read_rules(file) if file is not None else Rules()
    names = tuple(dict.fromkeys((*known.off, *(name.lower().replace("-", " ") for name in off))))
    return Rules(names, known.text or text, known.timing or timing, () if no_noise else known.noise)


def _chosen(store: Store, address: str) -> Chosen:
    place = find(store, address)
    if place.exchange is not None:
        raise UserError(f"{address!r} names a single exchange.", f"Compare its session: {address.rpartition('/')[0]}.")
    return Chosen(place.recording, place.session)


def _with_noise(store: Store, asked: Asked, again: Chosen) -> Rules:
    """The rules, and what differs between the left recording and another run at its server."""
    rules = asked.rules
    with Comparing(store, replace(asked, right=again)) as comparing:
        learned = _watched(comparing.learn, "learning noise")
    return replace(rules, noise=(*rules.noise, *learned))


def _watched(work: Callable[[Callable[[int, int], None]], T], what: str) -> T:
    """Do it, with a bar where somebody looks."""
    if not sys.stderr.isatty():
        return work(lambda _done, _count: None)
    with Progress(transient=True) as bar:
        task = bar.add_task(what, total=None)
        return work(lambda done, count: bar.update(task, completed=done, total=count))
