"""`imaptap lint`: what client and server said against the RFCs."""

from __future__ import annotations

import difflib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click
from rich.text import Text

from imaptap.cli.address import Place, address_argument, find
from imaptap.cli.cassettes import opened
from imaptap.cli.documents import Document, finding_document, print_document
from imaptap.cli.errors import NO, UserError, escaped
from imaptap.cli.options import db_option, json_option
from imaptap.cli.terminal import Output
from imaptap.reading.hearing import findings
from proxy.imap.lint import RULES, Severity
from proxy.imap.transcript import Direction, readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.imap.lint import Finding
    from storage import Session, Store

_SEVERITIES = [severity.word for severity in Severity]
_STYLES = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}
_NEVER = "never"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which findings are to be told."""

    severity: Severity
    side: str | None
    rules: frozenset[str]
    ignored: frozenset[str]

    def __call__(self, finding: Finding) -> bool:
        rule = finding.rule
        return (
            rule.severity >= self.severity
            and (self.side is None or finding.side.name.lower() == self.side)
            and (not self.rules or rule.id in self.rules)
            and rule.id not in self.ignored
        )


class Tally:
    """Counts what was found."""

    def __init__(self) -> None:
        self.sessions = 0
        self.counts: Counter[Severity] = Counter()

    def fails(self, least: str) -> bool:
        """Whether anything is as bad as `least`, or worse."""
        return least != _NEVER and any(self.counts[each] for each in Severity if each >= Severity[least.upper()])


def _rules(_: click.Context, option: click.Parameter, words: tuple[str, ...]) -> frozenset[str]:
    """Rules by their ids, or all of a family by its name. Raises UserError for a word that is neither."""
    found = set[str]()
    families = {rule.family for rule in RULES.values()}
    for word in words:
        if word not in RULES and word not in families:
            near = difflib.get_close_matches(word, [*RULES, *families], 3, 0.5)
            hint = f"There is: {', '.join(near)}." if near else "docs/lint.md lists them."
            raise UserError(f"--{option.name} {word!r}: there is no such rule, and no such family of rules.", hint)
        found |= {rule.id for rule in RULES.values() if word in {rule.id, rule.family}}
    return frozenset(found)


@click.command(short_help="Find violations of the RFCs.")
@address_argument
@click.option(
    "--severity", type=click.Choice(_SEVERITIES), default="note", show_default=True, help="Tell nothing less bad."
)
@click.option("--side", type=click.Choice(["client", "server"]), help="Tell only what this side did.")
@click.option("--rule", metavar="ID", multiple=True, callback=_rules, help="Only this rule, or family of rules.")
@click.option("--ignore", metavar="ID", multiple=True, callback=_rules, help="All but this rule, or family of rules.")
@click.option(
    "--fail-on",
    type=click.Choice([*_SEVERITIES, _NEVER]),
    default="error",
    show_default=True,
    help="Exit with 1 when anything told is as bad as this.",
)
@db_option
@json_option
@click.pass_context
def lint(
    context: click.Context,
    address: str,
    severity: str,
    side: str | None,
    rule: frozenset[str],
    ignore: frozenset[str],
    fail_on: str,
    db: str,
    as_json: bool,
) -> None:
    """Find what client and server said against the RFCs, in a recording, a session or an exchange.

    Each finding has the rule's id, its RFC and section, who broke it, where, and the bytes. Errors break the grammar or
    a MUST, warnings a SHOULD; notes are worth to know. An exchange is judged as part of its session.
    """
    wanted = Wanted(Severity[severity.upper()], side, rule, ignore)
    tally = Tally()
    with opened(db, address) as (store, there):
        found = _found(store, find(store, there), wanted, tally)
        if as_json:
            _print_document(found, tally)
        else:
            _print(found, tally)
    context.exit(NO if tally.fails(fail_on) else 0)


def _found(store: Store, place: Place, wanted: Wanted, tally: Tally) -> Iterator[tuple[Session, Finding]]:
    number = place.exchange.exchange.number if place.exchange else None
    for session in (place.session,) if place.session else store.sessions(place.recording):
        tally.sessions += 1
        for finding in findings(store, session):
            if wanted(finding) and number in {None, finding.exchange}:
                tally.counts[finding.rule.severity] += 1
                yield session, finding


def _print(found: Iterator[tuple[Session, Finding]], tally: Tally) -> None:
    output = Output()
    for session, finding in found:
        output.say(_line(session, finding))
        if finding.excerpt:
            output.say(
                Text(f"    {'C' if finding.side is Direction.CLIENT else 'S'}: {readable(finding.excerpt)}", "dim")
            )
    worst = next((each for each in reversed(Severity) if tally.counts[each]), None)
    counts = ", ".join(f"{each.word}s: {tally.counts[each]}" for each in reversed(Severity))
    output.say(f"# sessions: {tally.sessions}, {counts}", "green" if worst is None else _STYLES[worst])


def _line(session: Session, finding: Finding) -> Text:
    """Where, who, how bad, which rule, what, and which RFC says so."""
    rule = finding.rule
    parts = (session.recording.name, session.number, finding.exchange)
    address = "/".join(str(part) for part in parts if part is not None)
    text = Text(escaped(f"{address} {finding.side.name.lower()} at {finding.offset}: "))
    text.append(f"{rule.severity.word} {rule.id}", _STYLES[rule.severity]).append(f": {rule.text}")
    if finding.detail:
        text.append(escaped(f" ({finding.detail})"))
    return text.append(f" {rule.source}", "dim")


def _print_document(found: Iterator[tuple[Session, Finding]], tally: Tally) -> None:
    """The findings, and behind them the counts, which are known by then only."""
    documents = (finding_document(session, finding) for session, finding in found)
    print_document({"findings": documents, "counts": _counts(tally)})


def _counts(tally: Tally) -> Iterator[Document]:
    for each in reversed(Severity):
        yield {"severity": each.word, "count": tally.counts[each]}
