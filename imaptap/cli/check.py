"""`imaptap check`: whether what was recorded is whole."""

from collections.abc import Sequence

import click
from rich.text import Text

from imaptap.cli.address import find_recording
from imaptap.cli.documents import Document, print_document, side, state
from imaptap.cli.errors import NO, escaped
from imaptap.cli.options import db_option, json_option
from imaptap.cli.terminal import Output
from storage import Check, Finding, Recording, Store, open_store


@click.command(short_help="Verify that recordings are whole.")
@click.argument("recordings", metavar="[RECORDING...]", nargs=-1)
@db_option
@json_option
@click.pass_context
def check(context: click.Context, recordings: tuple[str, ...], db: str, as_json: bool) -> None:
    """Verify that the database, or each RECORDING (its number, its name, or last), is whole and agrees with itself.

    Streams without holes but those that a gap event tells of, as long as their sessions say; bodies with the bytes of
    their hashes; exchanges and spans in order and inside their streams; no row that belongs to nothing. Nothing is
    changed. Exits 0 when all is well, 1 when not.
    """
    with open_store(db, create=False) as store:
        look = Check(store, _found(store, recordings) if recordings else None)
        count = _print_document(look) if as_json else _print(look)
    context.exit(NO if count else 0)


def _found(store: Store, words: Sequence[str]) -> list[Recording]:
    return list({each.id: each for each in (find_recording(store, word) for word in words)}.values())


def _print(look: Check) -> int:
    """Print each finding on a line, and a summary. How many there were."""
    output = Output()
    count = 0
    for finding in look.findings():
        count += 1
        output.say(Text(f"{_place(finding)}: ", "red").append(escaped(finding.text), ""))
    for recording in look.recordings:
        if recording.interrupted:
            text = f"# {recording.name}: its recorder died. The next one to use this database will write the endings."
            output.say(text, "yellow")
    verdict = "Nothing is wrong." if not count else "One finding." if count == 1 else f"{count} findings."
    looked = f"recordings: {len(look.recordings)}, sessions: {look.sessions}, bodies: {look.bodies}"
    if look.left_out:
        looked += f", not kept: {look.left_out}"
    output.say(f"# {looked}. {verdict}", "red" if count else "green")
    return count


def _place(finding: Finding) -> str:
    """Where it is, as people write it: typed/1/12, typed/1 server at 4711; what it is about where that is nowhere."""
    if finding.recording is None:
        return str(finding.flaw)
    address = "/".join(str(part) for part in (finding.recording.name, finding.session, finding.exchange) if part)
    where = "" if finding.direction is None else f" {side(finding.direction)}"
    return escaped(f"{address}{where}" if finding.offset is None else f"{address}{where} at {finding.offset}")


def _print_document(look: Check) -> int:
    findings = [_finding_document(finding) for finding in look.findings()]
    recordings = [{"recording": each.id, "name": each.name, "state": state(each)} for each in look.recordings]
    counts: Document = {"sessions": look.sessions, "bodies": look.bodies, "left_out": look.left_out}
    print_document({"recordings": iter(recordings), **counts, "findings": iter(findings)})
    return len(findings)


def _finding_document(finding: Finding) -> Document:
    return {
        "kind": str(finding.flaw),
        "recording": finding.recording and finding.recording.id,
        "session": finding.session,
        "exchange": finding.exchange,
        "direction": side(finding.direction),
        "offset": finding.offset,
        "text": finding.text,
    }
