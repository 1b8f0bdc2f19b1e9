"""Dialogues in parcels."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from imaptap.diffing.parcels import UNITS_MOST, packed, parcels, unpacked
from imaptap.reading.dialogues import all_dialogues
from proxy.imap.grammar import parse_command, parse_response
from proxy.imap.units import Unit
from storage import open_store
from tests.imaptap.telling import Tale, recorded

if TYPE_CHECKING:
    from pathlib import Path

    from proxy.imap.view.dialogue import Dialogue

LEAF = '("TEXT" "PLAIN" ("CHARSET" "utf-8") NIL NIL "7BIT" 12 1)'
WHO = '(("Eve" NIL "eve" "example.org"))'
RESPONSES = (
    "* OK [CAPABILITY IMAP4rev1 IDLE] hi",
    "a OK [COPYUID 7 1:3,5 9:12] done",
    "a NO [UNHEARD-OF (x)] no",
    "+ go on",
    "* 3 EXISTS",
    '* LIST (\\Noselect) "/" "A&-B" (CHILDINFO ("SUBSCRIBED"))',
    "* STATUS INBOX (MESSAGES 3 UIDVALIDITY 7 MAILBOXID (f1))",
    "* SEARCH 3 1 2 (MODSEQ 9)",
    '* ESEARCH (TAG "a") UID ALL 1:3 MIN 1',
    "* THREAD (1 (2 3)(4))",
    "* VANISHED (EARLIER) 1:9",
    '* NAMESPACE (("" "/")) NIL NIL',
    '* QUOTA "" (STORAGE 1 2)',
    f'* 1 FETCH (UID 7 ENVELOPE ("Mon, 1 Sep 2026 10:00:00 +0000" "x" {WHO} {WHO} {WHO} {WHO} NIL NIL NIL "<a@b>"))',
    f'* 1 FETCH (BODYSTRUCTURE ({LEAF}{LEAF} "MIXED"))',
    '* 1 FETCH (FLAGS (\\Seen) INTERNALDATE "01-Sep-2026 10:00:00 +0000" BODY[HEADER] "A: b" X-NEW (1 (2)))',
    "what nobody understands \xff (",
)
COMMANDS = (
    "a LOGIN bob xxxxxx",
    "a UID FETCH 1:*,$ (FLAGS BODY.PEEK[HEADER.FIELDS (DATE)]<0.9>) (CHANGEDSINCE 7 VANISHED)",
    "a SEARCH RETURN (ALL) OR NOT (SEEN DELETED) SINCE 1-Sep-2026",
    "a STORE 1 (UNCHANGEDSINCE 7) +FLAGS.SILENT (\\Deleted)",
    "a NOTIFY SET (selected MessageNew (UID)) (personal MailboxName)",
    'a ID ("name" "x")',
    "DONE",
)


def unit(line: str) -> Unit:
    """A plain one."""
    text = line.encode("latin-1") + b"\r\n"
    return Unit(0, len(text), (text,), (), ())


@pytest.mark.parametrize("line", RESPONSES)
def test_what_a_server_said_comes_out_as_it_was(line: str) -> None:
    parsed = parse_response(unit(line))
    assert repr(unpacked(packed(parsed))) == repr(parsed)


@pytest.mark.parametrize("line", [*COMMANDS, "a SEARCH " + "OR SEEN " * 3000 + "DELETED"])
def test_what_a_client_said_comes_out_as_it_was(line: str) -> None:
    """However many keys it puts one into another."""
    parsed = parse_command(unit(line))
    assert repr(unpacked(packed(parsed))) == repr(parsed)


def test_dialogues_come_in_their_order_some_to_a_parcel(tmp_path: Path) -> None:
    """Three units each, and the last one alone is more than a parcel has."""
    small = [f"C: a{number} CHECK\nS: * {number} EXISTS\nS: a{number} OK x" for number in range(UNITS_MOST)]
    large = "\n".join(["C: b SEARCH ALL", *(f"S: * SEARCH {number}" for number in range(UNITS_MOST)), "S: b OK x"])
    script = "\n".join(["S: * OK hi\nC: a LOGIN bob secret\nS: a OK x", *small, large])
    recording = recorded(tmp_path / "imaptap.db", Tale().say(script).end(), name="one")
    with open_store(str(tmp_path / "imaptap.db"), create=False) as store:
        session = next(iter(store.sessions(recording)))
        told = list(all_dialogues(store, session))
        batches = [cast("list[Dialogue]", unpacked(parcel)) for parcel in parcels(told)]
    sizes = [sum(map(_units, batch)) for batch in batches]
    assert [dialogue for batch in batches for dialogue in batch] == told
    assert all(UNITS_MOST <= size < UNITS_MOST + 3 for size in sizes[:-1])


def _units(dialogue: Dialogue) -> int:
    return len(dialogue.asks) + len(dialogue.answers) + len(dialogue.news)
