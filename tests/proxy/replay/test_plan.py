"""What is sent for a recorded command, or why nothing is: rows of one command after a session's beginning (M 8, 9)."""

from __future__ import annotations

import pytest

from proxy.imap.mapping import Mapping
from proxy.replay.plan import of_the_connection
from proxy.replay.values import Fate, Policy, Send, Target
from tests.proxy.imap.mapping.sides import learnt, told
from tests.proxy.replay.deciding import WRITE, able, decision, sent, skipped

SELECTED = """
    C: a SELECT INBOX
    S: * 3 EXISTS
    S: * OK [UIDVALIDITY 1] x
    S: * OK [UIDNEXT 10] x
    S: * OK [HIGHESTMODSEQ 70] x
    S: a OK [READ-WRITE] x
    C: b UID FETCH 1:* (FLAGS)
    S: * 1 FETCH (UID 4 FLAGS () MODSEQ (50))
    S: * 2 FETCH (UID 5 FLAGS () MODSEQ (60) EMAILID (M5))
    S: * 3 FETCH (UID 9 FLAGS () MODSEQ (70) X-GM-MSGID 100)
    S: b OK x
"""
THERE = """
    C: a SELECT INBOX
    S: * 3 EXISTS
    S: * OK [UIDVALIDITY 11] x
    S: * OK [UIDNEXT 24] x
    S: * OK [HIGHESTMODSEQ 7] x
    S: a OK [READ-WRITE] x
    C: b UID FETCH 1:* (FLAGS)
    S: * 1 FETCH (UID 21 FLAGS () MODSEQ (5))
    S: * 2 FETCH (UID 22 FLAGS () MODSEQ (6) EMAILID (X2))
    S: * 3 FETCH (UID 23 FLAGS () MODSEQ (7) X-GM-MSGID 900)
    S: b OK x
"""
EVERYTHING = able(*"MOVE UIDPLUS CONDSTORE QRESYNC ESEARCH SEARCHRES SORT THREAD=REFERENCES OBJECTID X-GM-EXT-1 "
    "PARTIAL MULTISEARCH BINARY REPLACE LITERAL+ CONTEXT=SEARCH WITHIN".split())  # fmt: skip


@pytest.mark.parametrize(
    ("command", "there"),
    [
        # nothing to map: the client's own spelling, whatever it is
        ("noop", "noop"),
        ("Fetch 1:* (Flags  uid)", "Fetch 1:* (Flags  uid)"),
        ('SEARCH charset utf-8 SUBJECT "x"', 'SEARCH charset utf-8 SUBJECT "x"'),
        ("uid fetch 1:* (FLAGS)", "uid fetch 1:* (FLAGS)"),
        # sets of UIDs
        ("UID FETCH 4 (FLAGS)", "UID FETCH 21 FLAGS"),
        ("UID FETCH 4:9 (FLAGS)", "UID FETCH 21:23 FLAGS"),
        ("UID FETCH 9,4 FLAGS", "UID FETCH 21,23 FLAGS"),
        ("UID FETCH 10:* (FLAGS)", "UID FETCH 24:* FLAGS"),
        ("UID FETCH 6:* (UID FLAGS)", "UID FETCH 23:* (UID FLAGS)"),
        ("UID FETCH *:10 (FLAGS)", "UID FETCH 24:* FLAGS"),
        ("UID STORE 5 +FLAGS.SILENT (\\Seen)", "UID STORE 22 +FLAGS.SILENT (\\Seen)"),
        ("UID COPY 4,5 Work", "UID COPY 21:22 Work"),
        ("UID MOVE 9 Work", "UID MOVE 23 Work"),
        ("UID EXPUNGE 4", "UID EXPUNGE 21"),
        # message numbers stay where the messages are the same
        ("FETCH 2 (FLAGS)", "FETCH 2 (FLAGS)"),
        ("STORE 1:3 +FLAGS (\\Seen)", "STORE 1:3 +FLAGS (\\Seen)"),
        # windows and sections are about the message
        ("UID FETCH 5 (BODY.PEEK[1.2]<100.50>)", "UID FETCH 22 BODY.PEEK[1.2]<100.50>"),
        ("UID FETCH 1:* FLAGS (PARTIAL -1:-30)", "UID FETCH 1:* FLAGS (PARTIAL -1:-30)"),
        # counters
        ("UID FETCH 1:* (FLAGS) (CHANGEDSINCE 60)", "UID FETCH 1:* FLAGS (CHANGEDSINCE 6)"),
        ("UID FETCH 1:* (FLAGS) (CHANGEDSINCE 65)", "UID FETCH 1:* FLAGS (CHANGEDSINCE 6)"),
        ("UID FETCH 1:* (FLAGS) (CHANGEDSINCE 60 VANISHED)", "UID FETCH 1:* FLAGS (CHANGEDSINCE 6 VANISHED)"),
        ("UID STORE 4 (UNCHANGEDSINCE 50) FLAGS (\\Seen)", "UID STORE 21 (UNCHANGEDSINCE 5) FLAGS (\\Seen)"),
        ("SEARCH MODSEQ 70", "SEARCH MODSEQ 7"),
        ('SEARCH MODSEQ "/flags/\\\\draft" all 70', 'SEARCH MODSEQ "/flags/\\\\draft" all 7'),
        # keys of searches, those within others too
        ("SEARCH UID 4:5", "SEARCH UID 21:22"),
        ("UID SEARCH NOT UID 9 OR SEEN (UID 4 UNSEEN)", "UID SEARCH NOT UID 23 OR SEEN (UID 21 UNSEEN)"),
        ("UID SORT (DATE) UTF-8 UID 4", "UID SORT (DATE) UTF-8 UID 21"),
        ("UID THREAD REFERENCES UTF-8 UID 4", "UID THREAD REFERENCES UTF-8 UID 21"),
        ("SEARCH EMAILID M5", "SEARCH EMAILID X2"),
        ("SEARCH X-GM-MSGID 100", "SEARCH X-GM-MSGID 900"),
        ("SEARCH LARGER 4 HEADER Message-ID 5", "SEARCH LARGER 4 HEADER Message-ID 5"),
        ("SEARCH OLDER 9 SINCE 4-May-2020", "SEARCH OLDER 9 SINCE 4-May-2020"),
        # of an extension that the grammar does not know, behind UID
        ("UID XPURGE 4,5 now", "UID XPURGE 21:22 now"),
    ],
)
def test_messages_and_counters_are_mapped(command: str, there: str) -> None:
    decided = decision(f"{SELECTED}\nC: c {command}\nS: c OK x", EVERYTHING, WRITE, THERE)
    assert sent(decided) == there
    assert isinstance(decided, Send)
    assert bool(decided.changes) == (command != there)


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("UID FETCH 7 (FLAGS)", "UID 7 of INBOX has no counterpart at the target"),
        ("UID COPY 4,8 Work", "UID 8 of INBOX has no counterpart at the target"),
        ("UID FETCH 6:8 (FLAGS)", "no message of INBOX with UID 6:8 has a counterpart there"),
        ("SEARCH MODSEQ 40", "modseq 40 of INBOX has no counterpart at the target"),
        ("SEARCH EMAILID M9", "EMAILID M9 has no counterpart at the target"),
        ("SEARCH X-GM-THRID 5", "X-GM-THRID 5 has no counterpart at the target"),
        ("FETCH $ (FLAGS)", "the saved search result is another one at the target"),
        ("UID SEARCH $ UNSEEN", "the saved search result is another one at the target"),
        ('CANCELUPDATE "z"', "a search that it names was not sent"),
        ("GETQUOTA user.bob", "the target has no QUOTA"),
    ],
)
def test_what_has_no_counterpart_is_not_sent(command: str, reason: str) -> None:
    assert skipped(decision(f"{SELECTED}\nC: c {command}\nS: c OK x", EVERYTHING, WRITE, THERE)) == reason


def test_what_changed_is_told() -> None:
    decided = decision(f"{SELECTED}\nC: c UID FETCH 4 (FLAGS) (CHANGEDSINCE 60)\nS: c OK x", EVERYTHING, WRITE, THERE)
    assert isinstance(decided, Send)
    assert decided.changes == ("UID 4 → 21", "modseq 60 → 6")


def test_message_numbers_follow_their_messages() -> None:
    made = Mapping()
    made.tell_uids("INBOX", (1, 11), [(4, 22), (5, 21), (9, 23)])
    decided = decision(f"{SELECTED}\nC: c FETCH 1,3 (FLAGS)\nS: c OK x", EVERYTHING, WRITE, THERE, made)
    assert sent(decided) == "FETCH 2:3 FLAGS"


@pytest.mark.parametrize(
    ("command", "there"),
    [("FETCH 1:* (FLAGS)", "FETCH 1:* (FLAGS)"), ("FETCH 1:3 (FLAGS)", "FETCH 1:4 FLAGS"), ("FETCH 2 (FLAGS)", None),
     ("STORE 1:3 +FLAGS (\\Seen)", None), ("SEARCH 1:3 UNSEEN", "SEARCH 1:4 UNSEEN")],
)  # fmt: skip
def test_numbers_of_a_mailbox_with_more_messages(command: str, there: str | None) -> None:
    ours, theirs = SELECTED.partition("C: b")[0], THERE.partition("C: b")[0].replace("3 EXISTS", "4 EXISTS")
    target = able(mailbox="INBOX", exists=4)
    decided = decision(f"{ours}\nC: c {command}\nS: c OK x", target, WRITE, theirs)
    if there is None:
        assert "has no counterpart at the target" in skipped(decided)
    else:
        assert sent(decided) == there


def test_a_search_result_that_was_saved_on_both_sides_is_the_same() -> None:
    search = "C: c SEARCH RETURN (SAVE) UNSEEN\nS: c {} x\n"
    fetch = "C: d FETCH $ (FLAGS)\nS: d OK x"
    ours = f"{SELECTED}\n{search.format('OK')}{fetch}"
    assert sent(decision(ours, EVERYTHING, WRITE, f"{THERE}\n{search.format('OK')}")) == "FETCH $ (FLAGS)"
    assert "saved" in skipped(decision(ours, EVERYTHING, WRITE, f"{THERE}\n{search.format('NO')}"))
    assert "saved" in skipped(decision(ours, EVERYTHING, WRITE, THERE)), "the search was not sent"


def test_tags_within_commands_are_mapped() -> None:
    search = "C: {0} SEARCH RETURN (UPDATE) UNSEEN\nS: {0} OK x\n"
    ours = f'{SELECTED}\n{search.format("c")}C: d CANCELUPDATE "c"\nS: d OK x'
    assert sent(decision(ours, EVERYTHING, WRITE, f"{THERE}\n{search.format('R9')}")) == 'CANCELUPDATE "R9"'


def test_a_quota_root_is_the_servers_own() -> None:
    asked = "C: a GETQUOTAROOT INBOX\nS: * QUOTAROOT INBOX {}\nS: a OK x\n"
    ours = f"{asked.format('user.bob')}C: b GETQUOTA user.bob\nS: b OK x"
    assert sent(decision(ours, able("QUOTA"), WRITE, asked.format("Mail"))) == "GETQUOTA Mail"
    assert skipped(decision(ours, able("QUOTA"), WRITE)) == "quota root user.bob has no counterpart at the target"
    assert sent(decision('C: b GETQUOTA ""\nS: b OK x', able("QUOTA"))) == 'GETQUOTA ""'


LISTED = """
    C: l LIST "" "*"
    S: * LIST (\\Sent) "." INBOX.Gesendet
    S: * LIST () "." INBOX.Arbeit
    S: l OK x
    C: n NAMESPACE
    S: * NAMESPACE (("INBOX." ".")) NIL NIL
    S: n OK x
"""
LISTED_THERE = """
    C: l LIST "" "*"
    S: * LIST (\\Sent) "/" Sent
    S: l OK x
    C: n NAMESPACE
    S: * NAMESPACE (("" "/")) NIL NIL
    S: n OK x
"""
ANYTHING = able(*"ACL QUOTA METADATA LIST-EXTENDED SPECIAL-USE CREATE-SPECIAL-USE LIST-STATUS NOTIFY MULTISEARCH "
    "ESEARCH MOVE UIDPLUS ANNOTATEMORE CATENATE URLAUTH XAPPLEPUSHSERVICE".split())  # fmt: skip


@pytest.mark.parametrize(
    ("command", "there"),
    [
        ("SELECT inbox", "SELECT inbox"),
        ("select INBOX.Arbeit", "SELECT Arbeit"),
        ('EXAMINE "INBOX.Arbeit"', "EXAMINE Arbeit"),
        ("STATUS INBOX.Gesendet (MESSAGES)", "STATUS Sent (MESSAGES)"),
        ("CREATE INBOX.Arbeit.2026", "CREATE Arbeit/2026"),
        ("CREATE INBOX.Arbeit.", "CREATE Arbeit/"),
        ("CREATE INBOX.X (USE (\\Trash))", "CREATE X (USE (\\Trash))"),
        ("DELETE INBOX.Arbeit", "DELETE Arbeit"),
        ("RENAME INBOX.Arbeit INBOX.Alt", "RENAME Arbeit Alt"),
        ("SUBSCRIBE INBOX.Gesendet", "SUBSCRIBE Sent"),
        ("GETACL INBOX.Arbeit", "GETACL Arbeit"),
        ("SETACL INBOX.Arbeit bob lr", "SETACL Arbeit bob lr"),
        ("GETQUOTAROOT INBOX.Arbeit", "GETQUOTAROOT Arbeit"),
        ('GETMETADATA INBOX.Arbeit "/private/comment"', "GETMETADATA Arbeit (/private/comment)"),
        ('GETMETADATA "" /shared/admin', 'GETMETADATA "" /shared/admin'),
        ("NOTIFY SET (mailboxes INBOX.Arbeit (MessageNew))", "NOTIFY SET (MAILBOXES Arbeit (MESSAGENEW))"),
        ("ESEARCH IN (mailboxes INBOX.Arbeit) UNSEEN", "ESEARCH IN (mailboxes \"Arbeit\") UNSEEN"),
        ("ESEARCH IN (subtree (INBOX.Arbeit INBOX.X)) ALL", 'ESEARCH IN (subtree ("Arbeit" "X")) ALL'),
        ('SETANNOTATION INBOX.Arbeit "/x" ("value.priv" "y")', 'SETANNOTATION "Arbeit" "/x" ("value.priv" "y")'),
        # patterns and references
        ('LIST "" *', 'LIST "" *'),
        ('LIST "" ""', 'LIST "" ""'),
        ('LIST "" INBOX.%', 'LIST "" "%"'),
        ('LIST "INBOX." "*"', 'LIST "" "*"'),
        ('LIST "INBOX.Arbeit." "%.%"', 'LIST Arbeit/ "%/%"'),
        ('LIST () "" (INBOX.Gesendet INBOX.A.%) RETURN (SUBSCRIBED)', 'LIST () "" ("Sent" "A/%") RETURN (SUBSCRIBED)'),
        ('LSUB "" "INBOX.Arbeit.*"', 'LSUB "" "Arbeit/*"'),
        # encodings
        ("SELECT INBOX.Entw&APw-rfe", "SELECT Entw&APw-rfe"),
        ("SELECT INBOX.R&-D", "SELECT R&-D"),
        ("SELECT \"INBOX.Entw\xc3\xbcrfe\"", "SELECT Entw&APw-rfe"),
        ("SELECT \"INBOX.a b\"", 'SELECT "a b"'),
    ],
)  # fmt: skip
def test_mailboxes_are_mapped(command: str, there: str) -> None:
    decided = decision(f"{LISTED}\nC: c {command}\nS: c OK x", ANYTHING, WRITE, LISTED_THERE)
    assert sent(decided) == there


@pytest.mark.parametrize(
    ("command", "enabled", "there"),
    [
        ("SELECT Entw&APw-rfe", "UTF8=ACCEPT", "SELECT {9}\r\nEntw\xc3\xbcrfe"),
        ("SELECT Entw&APw-rfe", "IMAP4REV2", "SELECT {9}\r\nEntw\xc3\xbcrfe"),
        ("SELECT Entw&APw-rfe", "", "SELECT Entw&APw-rfe"),
        ('SELECT "Entw\xc3\xbcrfe"', "", 'SELECT "Entw\xc3\xbcrfe"'),
        ('SELECT "Entw\xc3\xbcrfe"', "UTF8=ACCEPT", 'SELECT "Entw\xc3\xbcrfe"'),
        ("SELECT Plain", "UTF8=ACCEPT", "SELECT Plain"),
        # what is no name by any rule stays what it is
        ('SELECT "Entw\xfcrfe"', "", 'SELECT "Entw\xfcrfe"'),
        ("SELECT &bad", "", "SELECT &bad"),
    ],
)
def test_names_are_spelled_as_the_target_reads_them(command: str, enabled: str, there: str) -> None:
    decided = decision(f"C: c {command}\nS: c OK x", able("ENABLE", enabled=enabled))
    assert sent(decided) == there


@pytest.mark.parametrize(
    ("command", "enabled", "there"),
    [
        ('SELECT "Entw\xc3\xbcrfe"', "", "SELECT Entw&APw-rfe"),
        ("SELECT Plain", "", "SELECT Plain"),
        # where both read UTF-8, "&" is just a character
        ("SELECT Entw&APw-rfe", "UTF8=ACCEPT", "SELECT Entw&APw-rfe"),
    ],
)
def test_a_client_that_had_utf8_enabled(command: str, enabled: str, there: str) -> None:
    script = f"C: e ENABLE UTF8=ACCEPT\nS: * ENABLED UTF8=ACCEPT\nS: e OK x\nC: c {command}\nS: c OK x"
    assert sent(decision(script, able("ENABLE", enabled=enabled))) == there


def test_a_name_that_cannot_be_read_is_not_changed_blindly() -> None:
    decided = decision(f'{LISTED}\nC: c SELECT "INBOX.Entw\xfcrfe"\nS: c OK x', ANYTHING, WRITE, LISTED_THERE)
    assert "neither UTF-8 nor modified UTF-7" in skipped(decided)


def test_names_by_hand_are_the_policys() -> None:
    policy = Policy(names={"Work": "Archive/Work"})
    assert sent(decision("C: c SELECT Work/2026\nS: c OK x", policy=policy)) == "SELECT Archive/Work/2026"
    assert sent(decision('C: c LIST "" Work/%\nS: c OK x', policy=policy)) == 'LIST "" "Archive/Work/%"'


def test_a_command_about_another_mailbox_is_not_reached() -> None:
    script = f"{SELECTED}\nC: c FETCH 1 (FLAGS)\nS: c OK x"
    reason = "INBOX is not selected at the target"
    other = Target(frozenset({"IMAP4REV1"}), mailbox="Other", exists=3)
    assert skipped(decision(script, other, before=THERE), Fate.NOT_REACHED) == reason
    assert sent(decision(script, Target(frozenset(), mailbox="inbox", exists=3), before=THERE)) == "FETCH 1 (FLAGS)"
    made = learnt(SELECTED, THERE)
    assert isinstance(decision(f"{SELECTED}\nC: c NOOP\nS: c OK x", other, mapping=made), Send)
    lone = decision("C: c CLOSE\nS: c BAD x", other, WRITE)
    assert skipped(lone, Fate.NOT_REACHED) == "no mailbox was selected when it was recorded"


def test_who_drives_the_connection_sees_to_some_commands() -> None:
    (login,) = told("C: a LOGIN bob secret\nS: a OK x", greeting="S: * OK hi")
    (sasl,) = told("C: a AUTHENTICATE PLAIN\nS: +\nC: AGJvYgBzZWNyZXQ=\nS: a OK x", greeting="S: * OK hi")
    (idle,) = told("C: a IDLE\nS: + x\nC: DONE\nS: a OK x")
    (noop,) = told("C: a NOOP\nS: a OK x")
    assert [of_the_connection(each) for each in (login, sasl, idle, noop)] == [True, True, True, False]
