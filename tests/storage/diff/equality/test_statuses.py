"""How commands end, and response codes (M 10.1)."""

from __future__ import annotations

from tests.storage.diff.equality.rows import Pairs, Row, check, each_of

APPEND = "APPEND Sent {3}¦abc"
GONE = "No mailbox is selected"


@each_of(
    Row("NOOP", "x OK done", "x OK done"),
    Row("NOOP", "x OK done", "x OK NOOP completed", passes="free text"),
    Row("NOOP", "x OK done", "x NO done", "status completion"),
    Row("NOOP", "x OK done", "x BAD done", "status completion"),
    Row("NOOP", "x NO no", "x BAD no", "status completion"),
    Row("NOOP", "x NO no", "x NO never", passes="free text"),
    Row("FOO", "x BAD [CLIENTBUG] no", "x BAD [CLIENTBUG] what", passes="free text"),
    Row("CREATE a", "x NO [ALREADYEXISTS] is there", "x NO [ALREADYEXISTS] is there"),
    Row("CREATE a", "x NO [ALREADYEXISTS] no", "x NO [CANNOT] no", "code NO"),
    Row("CREATE a", "x NO [ALREADYEXISTS] no", "x NO no", "code NO [ALREADYEXISTS]"),
    Row("CREATE a", "x OK done", "x OK [MAILBOXID (b1)] done", "code OK [MAILBOXID]"),
    Row("CREATE a", "x OK [MAILBOXID (a1)] done", "x OK [MAILBOXID (b1)] done", passes="object id"),
    Row(
        "CREATE a",
        "x OK [MAILBOXID (a1)] done",
        "x OK done",
        "capability OK [MAILBOXID]",
        lacking="OBJECTID",
        cause="The right server does not offer OBJECTID.",
    ),
    Row(
        "CREATE a",
        "x OK [MAILBOXID (a1)] done",
        "x OK [MAILBOXID (b2)] done",
        "value OK [MAILBOXID]",
        mapped=Pairs(objects={"a1": "b1"}),
    ),
    Row("MOVE 1 Sent", "x OK done", "x BAD what", "status completion", lacking="MOVE", cause="does not offer MOVE"),
    Row("LOGIN a b", "x OK [CAPABILITY A B] in", "x OK [CAPABILITY b a] in", passes="case, order"),
    Row("LOGIN a b", "x OK [CAPABILITY A B] in", "x OK in", passes="capability code"),
    Row("LOGIN a b", "x OK [CAPABILITY A B] in", "x OK [CAPABILITY A C] in", "capability OK [CAPABILITY]"),
    Row("SELECT a", "x OK [READ-WRITE] in", "x OK [READ-ONLY] in", "code OK"),
    Row("SELECT a", "* OK [UNSEEN 2] u¦x OK in", "x OK in", passes="unseen"),
    Row("SELECT a", "* OK [UNSEEN 2] u¦x OK in", "* OK [UNSEEN 3] u¦x OK in", "value * OK [UNSEEN]"),
    Row("SELECT a", "* OK [UIDNEXT 2] u¦x OK in", "* OK [UIDNEXT 3] u¦x OK in", passes="uidnext"),
    Row("SELECT a", "* OK [UIDNEXT 2] u¦x OK in", "x OK in", "code * OK [UIDNEXT]"),
    Row("SELECT INBOX", "* OK [UIDVALIDITY 5] u", "* OK [UIDVALIDITY 6] u", passes="uidvalidity"),
    Row("SELECT INBOX", "* OK [UIDVALIDITY 5] u", "* OK [UIDVALIDITY 7] u", "value * OK [UIDVALIDITY]"),
    Row("SELECT INBOX", "* OK [UIDVALIDITY 5] u", "* OK [UIDVALIDITY 5] u", "value * OK [UIDVALIDITY]"),
    Row("SELECT a", "* OK [UIDVALIDITY 5] u", "* OK [UIDVALIDITY 8] u", passes="uidvalidity"),
    Row("SELECT a", "* OK [HIGHESTMODSEQ 5] u", "* OK [HIGHESTMODSEQ 8] u", passes="modseq"),
    Row(
        "SELECT a",
        "* OK [HIGHESTMODSEQ 5] u",
        "",
        "capability * OK [HIGHESTMODSEQ]",
        lacking="CONDSTORE QRESYNC",
        cause="The right server does not offer CONDSTORE.",
    ),
    Row("SELECT a", "* OK [HIGHESTMODSEQ 5] u", "", "code * OK [HIGHESTMODSEQ]"),
    Row("SELECT a", "* OK [HIGHESTMODSEQ 5] u", "* OK [NOMODSEQ] u", "code * OK"),
    Row("STORE 1 FLAGS ()", "* OK [HIGHESTMODSEQ 5] u", "", passes="unsolicited"),
    Row("EXPUNGE", "x OK [HIGHESTMODSEQ 5] u", "x OK u", "code OK [HIGHESTMODSEQ]"),
    Row("EXPUNGE", "x OK [HIGHESTMODSEQ 5] u", "* OK [HIGHESTMODSEQ 6] u¦x OK u", passes="code place, modseq"),
    Row("SEARCH ALL", '* OK [INPROGRESS ("x" 1 2)] u', "", passes="unsolicited"),
    Row(
        "SELECT a", "* OK [PERMANENTFLAGS (\\Seen \\*)] f", "* OK [PERMANENTFLAGS (\\* \\seen)] f", passes="case, order"
    ),
    Row(
        "SELECT a",
        "* OK [PERMANENTFLAGS (\\Seen \\*)] f",
        "* OK [PERMANENTFLAGS (\\Seen)] f",
        "missing * OK [PERMANENTFLAGS]",
    ),
    Row(APPEND, "x OK [APPENDUID 9 1] in", "x OK [APPENDUID 99 21] in", passes="uid, uidvalidity"),
    Row(APPEND, "x OK [APPENDUID 9 7] in", "x OK [APPENDUID 99 27] in", passes="uid, uidvalidity"),
    Row(APPEND, "x OK [APPENDUID 9 1] in", "x OK [APPENDUID 99 22] in", "value OK [APPENDUID]", "uidvalidity"),
    Row(APPEND, "x OK [APPENDUID 9 7] in", "x OK [APPENDUID 9 8] in", "value OK [APPENDUID]"),
    Row(APPEND, "x OK [APPENDUID 9 7:8] in", "x OK [APPENDUID 99 27] in", "value OK [APPENDUID]", "uidvalidity"),
    Row(APPEND, "x OK [APPENDUID 9 7] in", "x OK in", "code OK [APPENDUID]"),
    Row(APPEND, "x OK [APPENDUID 9 7] in", "x OK in", "capability OK [APPENDUID]", lacking="UIDPLUS"),
    Row(APPEND, "x NO [TRYCREATE] no", "x NO [OVERQUOTA] no", "code NO"),
    Row(
        "UID COPY 1:2 Sent", "x OK [COPYUID 9 1:2 7:8] c", "x OK [COPYUID 99 11:12 31:32] c", passes="uid, uidvalidity"
    ),
    Row(
        "UID COPY 1:2 Sent", "x OK [COPYUID 9 1:2 1:2] c", "x OK [COPYUID 99 11,12 21,22] c", passes="uid, uidvalidity"
    ),
    Row(
        "UID COPY 1:2 Sent",
        "x OK [COPYUID 9 1:2 1:2] c",
        "x OK [COPYUID 99 11:12 22,21] c",
        "value OK [COPYUID] target",
        "uid, uidvalidity",
    ),
    Row(
        "UID COPY 1:2 Sent", "x OK [COPYUID 9 1:2 1:2] c", "x OK [COPYUID 99 12,11 22,21] c", passes="uid, uidvalidity"
    ),
    Row(
        "UID COPY 1:2 Sent",
        "x OK [COPYUID 9 1:2 7:8] c",
        "x OK [COPYUID 99 11:13 31:33] c",
        "value OK [COPYUID] source",
        "uidvalidity",
    ),
    Row(
        "UID COPY 1:2 Sent",
        "x OK [COPYUID 9 1:2 7:8] c",
        "x OK [COPYUID 99 11:12 31] c",
        "value OK [COPYUID] target",
        "uid, uidvalidity",
    ),
    Row(
        "UID MOVE 1 Sent",
        "* OK [COPYUID 9 1 7] m¦* 1 EXPUNGE",
        "* 1 EXPUNGE¦x OK [COPYUID 9 11 7] done",
        passes="code place, uid",
    ),
    Row(
        "UID COPY 1:2 Sent",
        "x OK [COPYUID 9 1:2 7:8] c",
        "x OK [COPYUID 99 11:12 32,31] c",
        "value OK [COPYUID] target",
        "uid, uidvalidity",
        cause="in another order",
    ),
    Row("UID STORE 1 FLAGS ()", "x NO [MODIFIED 1] m", "x NO [MODIFIED 11] m", passes="uid"),
    Row("UID STORE 1 FLAGS ()", "x NO [MODIFIED 1] m", "x NO [MODIFIED 12] m", "value NO [MODIFIED]"),
    Row("STORE 1 FLAGS ()", "x NO [MODIFIED 1] m", "x NO [MODIFIED 2] m", "value NO [MODIFIED]"),
    Row("SEARCH CHARSET X ALL", "x NO [BADCHARSET (A B)] n", "x NO [BADCHARSET (B A)] n", passes="order"),
    Row("SEARCH CHARSET X ALL", "x NO [BADCHARSET (A B)] n", "x NO [BADCHARSET (A)] n", "missing NO [BADCHARSET]"),
    Row("LOGOUT", "* BYE bye", "* BYE see you", passes="free text"),
    Row("LOGOUT", "* BYE bye", "", "status * BYE"),
    Row("LOGOUT", "", "* BYE bye", "status * BYE"),
    Row(
        'GETMETADATA "" /x', "x OK [METADATA LONGENTRIES 9] d", "x OK [METADATA LONGENTRIES 8] d", "value OK [METADATA]"
    ),
    Row("NOOP", "x OK [FOO bar] d", "x OK [FOO baz] d", "value OK [FOO]"),
    Row("NOOP", "x OK [FOO bar] d", "x OK [FOO bar] d"),
    Row("SELECT a", "* OK [URLMECH INTERNAL] u", "", "code * OK [URLMECH]"),
    Row("SELECT a", "x NO [REFERRAL imap://a] d", "x NO [REFERRAL imap://b] d", passes="url"),
    Row("LOGIN a b", "x OK [CAPABILITY A B] in", "* CAPABILITY A B¦x OK in", passes="capability code"),
    Row("NOOP", "* OK still here", "", passes="unsolicited"),
    Row("NOOP", "* OK [ALERT] fire", "", passes="unsolicited"),
    Row("UID FETCH 1 FLAGS", "* 1 FETCH (UID 1 FLAGS ())", "x NO no", "status completion", "refused"),
    Row("IDLE¦DONE", "+ idling", "+ OK", ""),
    Row("NOOP", "x OK done", "x OK never", "text OK", off="free text"),
    Row("SELECT a", "* OK [UIDNEXT 2] u¦x OK in", "* OK [UIDNEXT 3] u¦x OK in", "value * OK [UIDNEXT]", off="uidnext"),
)
def test_two_ends_of_a_command(row: Row) -> None:
    check(row)
