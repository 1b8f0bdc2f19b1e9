"""Rows of the families state and messages: rule, who, what breaks it, and what comes close and does not."""

from __future__ import annotations

from tests.proxy.imap.lint.saying import hello, logged_in, select, selected

HELLO, IN, BOX = hello(), logged_in(), selected()
BYE = "C: z LOGOUT\nS: * BYE bye\nS: z OK done\n"
IDLING = f"{BOX}C: i IDLE\nS: + idling\n"
QRESYNC = f"{IN}C: e ENABLE QRESYNC\nS: * ENABLED QRESYNC\nS: e OK done\n{select('s', 'INBOX')}"
EXAMINED = f"{IN}{select('s', 'x').replace('SELECT', 'EXAMINE')}"
READ_ONLY = EXAMINED.replace("READ-WRITE", "READ-ONLY")
NOTIFIED = "C: n NOTIFY SET (SELECTED (MessageNew MessageExpunge))\nS: n OK done\n"
ASKED = "C: a FETCH 1 (UID BODY[])\n"

STATE = [
    ("before-greeting", "C", "C: a NOOP\nS: * OK hello", "S: * OK hello\nC: a NOOP"),
    ("before-login", "C", f"{HELLO}C: a SELECT x", f"{HELLO}C: l LOGIN bob secret\nC: a SELECT x"),
    ("without-selected", "C", f"{IN}C: a FETCH 1 UID", f"{IN}C: s SELECT x\nC: a FETCH 1 UID"),
    ("without-selected", "C", f"{BOX}C: s SELECT x\nS: s NO none\nC: a CLOSE", f"{BOX}C: a CLOSE"),
    ("uid-without-selected", "C", f"{IN}C: a UID FETCH 1 UID", f"{BOX}C: a UID FETCH 1 UID"),
    ("uid-without-selected", "C", f"{BOX}C: c CLOSE\nS: c OK done\nC: a UID SEARCH ALL", f"{BOX}C: a UID SEARCH ALL"),
    ("login-again", "C", f"{IN}C: a LOGIN bob secret", f"{HELLO}C: a LOGIN bob x\nS: a NO no\nC: b LOGIN bob secret"),
    ("starttls-late", "C", f"{HELLO}C: a STARTTLS", f"plain\n{HELLO}C: a STARTTLS"),
    ("after-logout", "C", f"{IN}C: z LOGOUT\nC: a NOOP", f"{IN}C: a NOOP\nC: z LOGOUT"),
    ("during-idle", "C", f"{IDLING}C: a NOOP", f"{IDLING}C: DONE\nC: a NOOP"),
    ("done-without-idle", "C", f"{BOX}C: DONE", f"{IDLING}C: DONE"),
    ("idle-too-long", "C", f"{IDLING}wait 31\nC: DONE", f"{IDLING}wait 29\nC: DONE"),
    (
        "behind-starttls",
        "C",
        f"plain\n{HELLO}C: a STARTTLS\nC: b NOOP\nS: a NO no",
        f"plain\n{HELLO}C: a STARTTLS\nS: a NO no\nC: b NOOP",
    ),
    (
        "behind-compress",
        "C",
        f"{IN}C: a COMPRESS DEFLATE\nC: b NOOP\nS: a NO no",
        f"{IN}C: a COMPRESS DEFLATE\nS: a NO no\nC: b NOOP",
    ),
    (
        "behind-authenticate",
        "C",
        f"{HELLO}C: a AUTHENTICATE XOAUTH2 dGVzdA==\nC: b NOOP\nS: a NO no",
        f"{HELLO}C: a AUTHENTICATE XOAUTH2 dGVzdA==\nS: a NO no\nC: b NOOP",
    ),
    ("enable-selected", "C", f"{BOX}C: a ENABLE CONDSTORE", f"{IN}C: a ENABLE CONDSTORE"),
    (
        "changes-read-only",
        "C",
        f"{READ_ONLY}C: a UID STORE 1 FLAGS (\\Seen)",
        f"{BOX}C: a UID STORE 1 FLAGS (\\Seen)",
    ),
    ("no-logout", "C", IN, f"{IN}{BYE}"),
    ("no-bye", "S", f"{IN}end server", f"{IN}S: * BYE for now\nend server"),
    ("no-answer", "S", f"{IN}C: a NOOP\nend server", f"{IN}C: a NOOP\nS: a OK done\nend server"),
    ("logout-without-bye", "S", f"{IN}C: z LOGOUT\nS: z OK done", f"{IN}{BYE}"),
    ("no-greeting", "S", "S: * CAPABILITY IMAP4rev1", "S: * BYE no"),
    ("late-preauth", "S", f"{IN}S: * PREAUTH hello", "S: * PREAUTH hello"),
    ("after-bye", "S", f"{BOX}S: * BYE bye\nS: * 4 EXISTS", f"{BOX}S: * 4 EXISTS\nS: * BYE bye"),
]

MESSAGES = [
    ("number-zero", "C", f"{BOX}C: a UID FETCH 0 UID", f"{BOX}C: a UID FETCH 10 UID"),
    ("number-zero", "C", f"{BOX}C: a STORE 1,0:2 FLAGS ()", f"{BOX}C: a STORE 1,1:2 FLAGS ()"),
    ("number-beyond-exists", "C", f"{BOX}C: a FETCH 4 UID", f"{BOX}C: a FETCH 3,* UID"),
    ("number-beyond-exists", "C", f"{BOX}S: * 2 EXPUNGE\nC: a FETCH 3 UID", f"{BOX}S: * 4 EXISTS\nC: a FETCH 4 UID"),
    ("numbers-behind-command", "C", f"{BOX}C: n NOOP\nC: a FETCH 1 UID", f"{BOX}C: n NOOP\nC: a UID FETCH 1 UID"),
    (
        "numbers-behind-command",
        "C",
        f"{BOX}C: n UID SEARCH ALL\nC: a FETCH 1 UID",
        f"{BOX}C: n FETCH 2 UID\nC: a FETCH 1 UID",
    ),
    ("stores-recent", "C", f"{BOX}C: a STORE 1 +FLAGS (\\Recent)", f"{BOX}C: a STORE 1 +FLAGS (\\Seen)"),
    ("partial-of-nothing", "C", f"{BOX}C: a FETCH 1 BODY[]<0.0>", f"{BOX}C: a FETCH 1 BODY[]<0.1>"),
    ("exists-shrinks", "S", f"{BOX}C: n NOOP\nS: * 2 EXISTS", f"{BOX}C: n NOOP\nS: * 1 EXPUNGE\nS: * 2 EXISTS"),
    ("exists-shrinks", "S", f"{BOX}C: n NOOP\nS: * 2 EXISTS", f"{BOX}{select('t', 'other', 2, closed=True)}"),
    ("expunge-beyond-exists", "S", f"{BOX}C: n NOOP\nS: * 4 EXPUNGE", f"{BOX}C: n NOOP\nS: * 3 EXPUNGE"),
    ("fetch-beyond-exists", "S", f"{BOX}{ASKED}S: * 4 FETCH (UID 4)", f"{BOX}{ASKED}S: * 3 FETCH (UID 4)"),
    ("message-zero", "S", f"{BOX}{ASKED}S: * 0 FETCH (UID 4)", f"{BOX}{ASKED}S: * 1 FETCH (UID 4)"),
    ("expunge-unasked", "S", f"{BOX}S: * 1 EXPUNGE", f"{IDLING}S: * 1 EXPUNGE"),
    ("expunge-unasked", "S", f"{BOX}S: * 1 EXPUNGE", f"{BOX}{NOTIFIED}S: * 1 EXPUNGE"),
    ("expunge-during-fetch", "S", f"{BOX}{ASKED}S: * 1 EXPUNGE", f"{BOX}C: a UID FETCH 1 UID\nS: * 1 EXPUNGE"),
    ("expunge-despite-qresync", "S", f"{QRESYNC}C: n NOOP\nS: * 1 EXPUNGE", f"{BOX}C: n NOOP\nS: * 1 EXPUNGE"),
    ("vanished-unasked", "S", f"{BOX}C: n NOOP\nS: * VANISHED 1", f"{QRESYNC}C: n NOOP\nS: * VANISHED 1"),
    ("message-data-unselected", "S", f"{IN}C: n NOOP\nS: * 1 EXISTS", f"{IN}C: s SELECT x\nS: * 1 EXISTS"),
    (
        "fetch-without-uid",
        "S",
        f"{BOX}C: a UID FETCH 5 RFC822.SIZE\nS: * 1 FETCH (RFC822.SIZE 9)",
        f"{BOX}C: a UID FETCH 5 RFC822.SIZE\nS: * 1 FETCH (RFC822.SIZE 9 UID 5)",
    ),
    (
        "uid-order",
        "S",
        f"{BOX}{ASKED}S: * 1 FETCH (UID 5)\nS: * 2 FETCH (UID 4)",
        f"{BOX}{ASKED}S: * 2 FETCH (UID 5)\nS: * 1 FETCH (UID 4)",
    ),
    (
        "uid-order",
        "S",
        f"{BOX}{ASKED}S: * 1 FETCH (UID 5)\nS: * 1 FETCH (UID 6)",
        f"{BOX}C: n NOOP\nS: * 1 FETCH (UID 5)\nS: * 1 EXPUNGE\nS: * 1 FETCH (UID 6)",
    ),
    (
        "uid-order",
        "S",
        f"{BOX}{ASKED}S: * 2 FETCH (UID 5)\nS: * 3 FETCH (UID 5)",
        f"{BOX}{ASKED}S: * 2 FETCH (UID 5)\nS: a OK done\n{select('t', 'x', closed=True)}{ASKED}S: * 3 FETCH (UID 5)",
    ),
    (
        "size-mismatch",
        "S",
        f"{BOX}{ASKED}S: * 1 FETCH (RFC822.SIZE 9 BODY[] {{3}}\nS: abc)",
        f"{BOX}{ASKED}S: * 1 FETCH (RFC822.SIZE 9 BODY[HEADER] {{3}}\nS: abc)",
    ),
    (
        "size-mismatch",
        "S",
        f"{BOX}{ASKED}S: * 1 FETCH (RFC822.SIZE 9 BODY[] {{3}}\nS: abc)",
        f"{BOX}{ASKED}S: * 1 FETCH (RFC822.SIZE 3 BODY[] {{3}}\nS: abc)",
    ),
    ("uid-zero", "S", f"{BOX}{ASKED}S: * 1 FETCH (UID 0)", f"{BOX}{ASKED}S: * 1 FETCH (UID 10)"),
]


def chosen(leave_out: str) -> str:
    """A SELECT whose answer lacks the lines with these words."""
    return IN + select("s", "INBOX", leave_out=leave_out)


ENABLING = f"{IN}C: e ENABLE CONDSTORE\n"
SEARCHED = f"{BOX}C: a SEARCH SEEN\n"
RESPONSES = [
    ("select-without-exists", "S", chosen("EXISTS"), BOX),
    ("select-without-flags", "S", chosen("* FLAGS"), BOX),
    ("select-without-uidvalidity", "S", chosen("UIDVALIDITY"), BOX),
    ("select-without-uidnext", "S", chosen("UIDNEXT"), BOX),
    ("select-without-permanentflags", "S", chosen("PERMANENTFLAGS"), BOX),
    ("select-without-recent", "S", chosen("RECENT"), logged_in("IMAP4rev2") + select("s", "x", leave_out="RECENT")),
    ("select-without-access", "S", BOX.replace("[READ-WRITE] ", ""), BOX),
    ("examine-read-write", "S", EXAMINED, READ_ONLY),
    ("missing-closed", "S", f"{BOX}{select('t', 'other')}", f"{BOX}{select('t', 'other', closed=True)}"),
    (
        "missing-closed",
        "S",
        f"{BOX}{select('t', 'other')}",
        f"{BOX}C: u UNSELECT\nS: u OK done\n{select('t', 'other')}",
    ),
    (
        "select-without-modseq",
        "S",
        f"{ENABLING}S: * ENABLED CONDSTORE\nS: e OK done\n{select('s', 'x', leave_out='HIGHESTMODSEQ')}",
        chosen("HIGHESTMODSEQ"),
    ),
    ("search-without-data", "S", f"{SEARCHED}S: a OK done", f"{SEARCHED}S: * SEARCH\nS: a OK done"),
    ("search-without-data", "S", f"{SEARCHED}S: a OK done", f"{SEARCHED}S: a NO done"),
    (
        "search-without-esearch",
        "S",
        f"{BOX}C: a SEARCH RETURN (MIN) SEEN\nS: * SEARCH 1\nS: a OK done",
        f'{BOX}C: a SEARCH RETURN (MIN) SEEN\nS: * ESEARCH (TAG "a") MIN 1\nS: a OK done',
    ),
    (
        "ok-without-data",
        "S",
        f"{IN}C: a STATUS x (MESSAGES)\nS: a OK done",
        f"{IN}C: a STATUS x (MESSAGES)\nS: a NO done",
    ),
    ("ok-without-data", "S", f"{IN}C: a CAPABILITY\nS: a OK done", f"{IN}C: a NOOP\nS: a OK done"),
    ("ok-without-data", "S", f"{ENABLING}S: e OK done", f"{IN}C: e ENABLE UIDONLY\nS: e OK done"),
    ("uidvalidity-zero", "S", BOX.replace("UIDVALIDITY 7", "UIDVALIDITY 0"), BOX),
    ("unknown-code", "S", f"{IN}S: * OK [FROBNICATED] x", f"{IN}S: * OK [ALERT] x"),
    ("copyuid-counts", "S", f"{IN}S: * OK [COPYUID 5 1:3 8:9] x", f"{IN}S: * OK [COPYUID 5 1:3 8:9,11] x"),
    (
        "status-lacks-item",
        "S",
        f"{IN}C: a STATUS x (MESSAGES UNSEEN)\nS: * STATUS x (UNSEEN 1)",
        f"{IN}C: a STATUS x (MESSAGES UNSEEN)\nS: * STATUS x (UNSEEN 1 MESSAGES 2)",
    ),
    ("enabled-unasked", "S", f"{ENABLING}S: * ENABLED QRESYNC", f"{ENABLING}S: * ENABLED condstore"),
]

ROWS = [*STATE, *MESSAGES, *RESPONSES]
