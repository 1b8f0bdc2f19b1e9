"""What is sent without leave to change mail, without the capability for it, and of what nobody understands."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from proxy.imap.mapping import Mapping
from proxy.imap.transcript import Origin
from proxy.replay.plan import decide
from proxy.replay.values import Policy, Send, Skip
from tests.proxy.imap.mapping.sides import told
from tests.proxy.replay.deciding import READ, TARGET, WRITE, able, decision, sent, skipped

if TYPE_CHECKING:
    from proxy.imap.units import Unit

_TOLD = "S: * 1 EXISTS\nS: * OK [UIDNEXT 2] x\nS: * OK [UIDVALIDITY 1] x\n"
SELECTED = f"C: a SELECT INBOX\n{_TOLD}S: a OK [READ-WRITE] x\n"
EXAMINED = f"C: a EXAMINE INBOX\n{_TOLD}S: a OK [READ-ONLY] x\n"
STRICT = Policy(write=True, strict=True)
EVERYTHING = able(*"MOVE UIDPLUS ACL QUOTA METADATA REPLACE URLAUTH ANNOTATEMORE XAPPLEPUSHSERVICE CATENATE".split())


ANNOTATED = "STORE 1 ANNOTATION (/comment (value.priv NIL))"
ONE = "APPEND a {1}\nS: + go\nC: x"


def said(command: str) -> str:
    return f"{SELECTED}C: c {command}\nS: c OK x"


@pytest.mark.parametrize(
    "command",
    [
        "APPEND INBOX {1}\nS: + go\nC: x",
        "STORE 1 +FLAGS (\\Deleted)",
        "uid store 1 flags ()",
        "COPY 1 Work",
        "UID COPY 1 Work",
        "MOVE 1 Work",
        "UID MOVE 1 Work",
        "EXPUNGE",
        "UID EXPUNGE 1",
        "CLOSE",
        "CREATE a",
        "DELETE a",
        "RENAME a b",
        "SUBSCRIBE a",
        "UNSUBSCRIBE a",
        "SETACL a bob lr",
        "DELETEACL a bob",
        'SETQUOTA "" (STORAGE 5)',
        "SETMETADATA INBOX (/private/comment NIL)",
        'SETANNOTATION INBOX "/x" ("value.priv" NIL)',
        "REPLACE 1 INBOX {1}\nS: + go\nC: x",
        "UID REPLACE 1 INBOX {1}\nS: + go\nC: x",
    ],
)
def test_what_changes_mail_needs_leave(command: str) -> None:
    name = command.upper().partition("\n")[0]
    reason = skipped(decision(said(command), EVERYTHING, READ, SELECTED))
    word = " ".join(name.split()[:2]) if name.startswith("UID") else name.split()[0]
    assert reason == f"{word} changes mail, and that was not allowed"
    assert isinstance(decision(said(command), EVERYTHING, WRITE, SELECTED), Send)


@pytest.mark.parametrize(
    "command", ["NOOP", "UID SEARCH ALL", "STATUS a (MESSAGES)", 'LIST "" *', "UNSELECT", "GETACL a", "FETCH 1 FLAGS"]
)
def test_what_changes_nothing_needs_none(command: str) -> None:
    assert sent(decision(said(command), able("UNSELECT", "ACL"), READ, SELECTED)) == command


def test_close_removes_nothing_of_what_was_only_examined() -> None:
    assert sent(decision(f"{EXAMINED}C: c CLOSE\nS: c OK x", before=EXAMINED)) == "CLOSE"


def test_close_becomes_unselect_where_the_target_has_it() -> None:
    decided = decision(said("CLOSE"), able("UNSELECT"), READ, SELECTED)
    assert sent(decided) == "UNSELECT"
    assert isinstance(decided, Send)
    assert decided.changes == ("CLOSE → UNSELECT, which removes no messages",)
    assert sent(decision(said("CLOSE"), able("IMAP4REV2"), READ, SELECTED)) == "UNSELECT"
    assert sent(decision(said("CLOSE"), able("UNSELECT"), WRITE, SELECTED)) == "CLOSE"


@pytest.mark.parametrize(
    ("items", "there"),
    [
        ("BODY[]", "BODY.PEEK[]"),
        ("(UID body[1.MIME]<0.10> BINARY[1])", "(UID BODY.PEEK[1.MIME]<0.10> BINARY.PEEK[1])"),
        ("(BODY.PEEK[] RFC822.HEADER)", "(BODY.PEEK[] RFC822.HEADER)"),
        ("(BODY BODYSTRUCTURE)", "(BODY BODYSTRUCTURE)"),
        ("FULL", "FULL"),
        ("BINARY.SIZE[1]", "BINARY.SIZE[1]"),
    ],
)
def test_looking_at_a_message_marks_it_seen_only_with_leave(items: str, there: str) -> None:
    fetch = said(f"FETCH 1 {items}")
    assert sent(decision(fetch, able("BINARY"), READ, SELECTED)) == f"FETCH 1 {there}"
    assert sent(decision(fetch, able("BINARY"), WRITE, SELECTED)) == f"FETCH 1 {items}"
    examined = decision(f"{EXAMINED}C: c FETCH 1 {items}\nS: c OK x", able("BINARY"), READ, EXAMINED)
    assert sent(examined) == f"FETCH 1 {items}"


@pytest.mark.parametrize("item", ["RFC822", "RFC822.TEXT"])
def test_what_cannot_be_looked_at_otherwise_needs_leave(item: str) -> None:
    reason = skipped(decision(said(f"FETCH 1 (UID {item})"), before=SELECTED))
    assert reason == f"{item} sets \\Seen, and changing mail was not allowed"
    assert isinstance(decision(said(f"FETCH 1 (UID {item})"), policy=WRITE, before=SELECTED), Send)


# --- capabilities ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "needs", "reason"),
    [
        ("UNSELECT", "UNSELECT", "no UNSELECT"),
        ("NAMESPACE", "NAMESPACE", "no NAMESPACE"),
        ('ID ("name" "x")', "ID", "no ID"),
        ("UID MOVE 1 x", "MOVE", "no MOVE"),
        ("UID EXPUNGE 1", "UIDPLUS", "no UIDPLUS"),
        ("SORT (DATE) UTF-8 ALL", "SORT", "no SORT"),
        ("SORT (DISPLAYFROM) UTF-8 ALL", "SORT SORT=DISPLAY", "no SORT=DISPLAY, which DISPLAYFROM needs"),
        ("THREAD REFERENCES UTF-8 ALL", "THREAD=REFERENCES", "no THREAD"),
        ("THREAD REFS UTF-8 ALL", "THREAD=REFERENCES THREAD=REFS", "no THREAD=REFS, which REFS needs"),
        ("FETCH 1 (MODSEQ)", "CONDSTORE", "no CONDSTORE, which MODSEQ needs"),
        ("FETCH 1 (FLAGS) (CHANGEDSINCE 1)", "CONDSTORE", "no CONDSTORE, which CHANGEDSINCE needs"),
        ("UID FETCH 1:* (FLAGS) (CHANGEDSINCE 1 VANISHED)", "CONDSTORE QRESYNC", "no QRESYNC, which VANISHED needs"),
        ("FETCH 1 (BINARY.PEEK[1])", "BINARY", "no BINARY, which BINARY.PEEK needs"),
        ("FETCH 1 (PREVIEW)", "PREVIEW", "no PREVIEW, which PREVIEW needs"),
        ("FETCH 1 (EMAILID)", "OBJECTID", "no OBJECTID, which EMAILID needs"),
        ("FETCH 1 (X-GM-LABELS)", "X-GM-EXT-1", "no X-GM-EXT-1, which X-GM-LABELS needs"),
        ("STORE 1 +X-GM-LABELS (x)", "X-GM-EXT-1", "no X-GM-EXT-1, which X-GM-LABELS needs"),
        (
            "STORE 1 ANNOTATION (/c (v NIL))",
            "ANNOTATE-EXPERIMENT-1",
            "no ANNOTATE-EXPERIMENT-1, which ANNOTATION needs",
        ),
        ("SEARCH RETURN (COUNT) ALL", "ESEARCH", "no ESEARCH, which RETURN needs"),
        ("SEARCH RETURN (PARTIAL 1:9) ALL", "ESEARCH PARTIAL", "no PARTIAL or CONTEXT, which PARTIAL needs"),
        ("SEARCH OLDER 60", "WITHIN", "no WITHIN, which OLDER needs"),
        ("SEARCH NOT (SAVEDBEFORE 1-Jan-2020 SEEN)", "SAVEDATE", "no SAVEDATE, which SAVEDBEFORE needs"),
        ("STATUS a (SIZE)", "STATUS=SIZE", "no STATUS=SIZE, which SIZE needs"),
        ('LIST "" * RETURN (SPECIAL-USE)', "SPECIAL-USE", "no SPECIAL-USE, which SPECIAL-USE needs"),
        ('LIST "" * RETURN (STATUS (MESSAGES))', "LIST-EXTENDED LIST-STATUS", "no LIST-STATUS, which STATUS needs"),
        ('LIST "" (a b)', "LIST-EXTENDED", "no LIST-EXTENDED, which LIST with options needs"),
        ('XLIST "" *', "XLIST", "no XLIST"),
        ("CREATE a (USE (\\Sent))", "CREATE-SPECIAL-USE", "no CREATE-SPECIAL-USE, which USE needs"),
        ("GETQUOTAROOT a", "QUOTA", "no QUOTA"),
        ("GETACL a", "ACL", "no ACL"),
        ("GETMETADATA a /private/comment", "METADATA", "no METADATA or METADATA-SERVER"),
        ("NOTIFY NONE", "NOTIFY", "no NOTIFY"),
        ("ENABLE CONDSTORE", "CONDSTORE", "no ENABLE"),
        (
            "APPEND a {1}\nS: + go\nC: x {1}\nS: + go\nC: y",
            "MULTIAPPEND",
            "no MULTIAPPEND, which several messages needs",
        ),
        ("APPEND a ~{1}\nS: + go\nC: x", "BINARY", "no BINARY, which ~{n} needs"),
        ("APPEND a UTF8 (~{1}\nS: + go\nC: x)", "UTF8=ACCEPT", "no UTF8=ACCEPT, which UTF8 needs"),
        ("APPEND a CATENATE (TEXT {1}\nS: + go\nC: x)", "CATENATE", "no CATENATE, which CATENATE needs"),
    ],
)
def test_a_command_that_the_target_cannot_do_is_skipped(command: str, needs: str, reason: str) -> None:
    script = said(command)
    words = needs.split()
    assert isinstance(decision(script, able(*words), WRITE, SELECTED), Send)
    assert skipped(decision(script, able(*words[:-1]), WRITE, SELECTED)) == (f"the target has {reason}")
    assert isinstance(decision(script, TARGET, STRICT, SELECTED), Send), "strict sends it all the same"


@pytest.mark.parametrize("command", ["NAMESPACE", "UNSELECT", "UID MOVE 1 x", "STATUS a (SIZE)", "SEARCH RETURN () 1"])
def test_imap4rev2_brings_its_own(command: str) -> None:
    assert isinstance(decision(said(command), able("IMAP4REV2"), WRITE, SELECTED), Send)


def test_where_nothing_is_known_of_a_target_nothing_is_held_back() -> None:
    assert isinstance(decision(said("UID MOVE 1 x"), replace(TARGET, capabilities=frozenset()), WRITE, SELECTED), Send)


@pytest.mark.parametrize(
    ("command", "target", "there"),
    [
        ("SELECT a (CONDSTORE)", able("CONDSTORE"), "SELECT a (CONDSTORE)"),
        ("SELECT a (CONDSTORE)", able(), "SELECT a"),
        ("SELECT a (CONDSTORE X-OTHER)", able(), "SELECT a (X-OTHER)"),
        ("SELECT a (QRESYNC (1 50))", able("QRESYNC"), "SELECT a"),
        ("SELECT a (QRESYNC (1 50))", able("QRESYNC", enabled="QRESYNC"), "SELECT a"),
        ("ENABLE CONDSTORE QRESYNC", able("ENABLE", "CONDSTORE"), "ENABLE CONDSTORE"),
        ("ENABLE QRESYNC", able("QRESYNC"), "ENABLE QRESYNC"),
    ],
)
def test_a_select_is_sent_without_what_the_target_cannot_do(command: str, target: object, there: str) -> None:
    assert isinstance(target, type(TARGET))
    decided = decision(f"C: c {command}\nS: c OK x", target)
    assert sent(decided) == there
    assert isinstance(decided, Send)
    assert bool(decided.changes) == (command != there)


def test_enable_of_nothing_that_the_target_has_is_skipped() -> None:
    assert skipped(decision("C: c ENABLE QRESYNC\nS: c OK x", able("ENABLE"))) == "the target has no QRESYNC"
    assert sent(decision("C: c ENABLE QRESYNC\nS: c OK x", able(), STRICT)) == "ENABLE QRESYNC"


COUNTED = """
    C: a SELECT INBOX
    S: * 2 EXISTS
    S: * OK [UIDVALIDITY {}] x
    S: * OK [UIDNEXT {}] x
    S: * OK [HIGHESTMODSEQ {}] x
    S: a OK [READ-WRITE] x
    C: b UID SEARCH ALL
    S: * SEARCH {}
    S: b OK x
"""


@pytest.mark.parametrize(
    ("known", "there"),
    [
        ("1 50", "11 5"),
        ("1 60", "11 5"),
        ("1 50 4:5", "11 5 21:22"),
        ("1 50 4 (1 4)", "11 5 21 (1 21)"),
        ("1 50 4:5 (1:2 4:5)", "11 5 21:22 (1:2 21:22)"),
        ("1 50 4:5 (1,9 4,9)", "11 5 21:22"),
        ("1 50 1:9", "11 5 21:22"),
        ("1 50 7", "11 5"),
        ("2 50", None),
        ("1 40", None),
    ],
)
def test_qresync_is_mapped_or_left_out(known: str, there: str | None) -> None:
    ours, theirs = COUNTED.format(1, 6, 50, "4 5"), COUNTED.format(11, 23, 5, "21 22")
    target = able("QRESYNC", enabled="QRESYNC", mailbox="INBOX")
    decided = decision(f"{ours}\nC: c SELECT INBOX (QRESYNC ({known}))\nS: c OK x", target, READ, theirs)
    assert sent(decided) == (f"SELECT INBOX (QRESYNC ({there}))" if there else "SELECT INBOX")


# --- what cannot be played at all -----------------------------------------------------------------------------------

URLS = "it is about URLs that hold for the recorded server alone"


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ('GENURLAUTH "imap://x/INBOX/;uid=1;urlauth=anonymous" INTERNAL', URLS),
        ("RESETKEY", URLS),
        ('APPEND a CATENATE (URL "/INBOX/;uid=1" TEXT {1}\nS: + go\nC: x)', URLS),
        ("XAPPLEPUSHSERVICE aps-version 2", "it is about one device's subscription to pushed news"),
    ],
)
def test_what_holds_for_the_recorded_server_alone(command: str, reason: str) -> None:
    assert skipped(decision(said(command), EVERYTHING, STRICT, SELECTED)) == reason


def test_what_holds_a_secret_is_never_sent() -> None:
    url = "imap://x/INBOX/;uid=1;urlauth=anonymous:internal:91354a473744909de610943775f92038"
    decided = decision(f'C: c URLFETCH "{url}"\nS: c OK x', EVERYTHING, STRICT)
    assert skipped(decided) == "it holds a secret or a letter, which the recording has not"


def test_what_imaptap_had_sent_itself_is_not_the_clients() -> None:
    (one,) = told("C: a NOOP\nS: a OK x")
    own = one._replace(exchange=one.exchange._replace(origin=Origin.PROXY))
    assert skipped(decide(own, Mapping(), TARGET, READ, b"T")) == "imaptap itself had sent it"


@pytest.mark.parametrize(
    ("line", "there"),
    [
        # unknown, or arguments that are not its own: it changes nothing that anybody knows of
        ("XWHATEVER a (b c)", "XWHATEVER a (b c)"),
        ("FETCH 1 (FLAGS", "FETCH 1 (FLAGS"),
        ("STATUS a", "STATUS a"),
        ("SELECT", "SELECT"),
        ("NOOP now", "NOOP now"),
    ],
)
def test_what_nobody_understands_is_sent_as_it_is(line: str, there: str) -> None:
    assert sent(decision(f"C: c {line}\nS: c BAD x", policy=WRITE)) == there


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("XWHATEVER a (b c)", "nobody knows whether XWHATEVER changes mail, and that was not allowed"),
        ("UID XMOVE 1 b", "nobody knows whether UID XMOVE changes mail, and that was not allowed"),
        ("XWHATEVER a (", "it is not understood, and may change mail, which was not allowed"),
        ("FETCH 1 (BODY[] X-ODD=1=(", "it is not understood, and may change mail, which was not allowed"),
        ("uid fetch 1 (rfc822 (", "it is not understood, and may change mail, which was not allowed"),
        ("FETCH 1 (RFC822.SIZE", None),
        ("FETCH 1 (BODY.PEEK[]", None),
        ("STATUS a", None),
        ("NOOP now", None),
    ],
)
def test_nor_without_leave_what_might_change_mail(line: str, reason: str | None) -> None:
    decided = decision(f"C: c {line}\nS: c BAD x", policy=READ)
    assert (decided.reason if isinstance(decided, Skip) else None) == reason


@pytest.mark.parametrize(
    ("line", "word"),
    [("STORE 1", "STORE"), ("uid store x (", "UID STORE"), ("DELETE", "DELETE"), ("APPEND a", "APPEND")],
)
def test_what_nobody_understands_and_changes_mail_is_not(line: str, word: str) -> None:
    reason = f"it is not understood, and {word} changes mail"
    assert skipped(decision(f"C: c {line}\nS: c BAD x", policy=STRICT)) == reason


def test_what_was_never_said_whole_is_not_sent() -> None:
    (whole,) = told("C: c NOOP\nS: c OK x")
    ask = whole.asks[0]
    unit = ask.unit

    def reason(changed: Unit) -> str:
        dialogue = whole._replace(asks=(ask._replace(unit=changed),))
        return skipped(decide(dialogue, Mapping(), TARGET, WRITE, b"T"))

    refused = unit._replace(flaws=("literal refused",))
    assert reason(refused) == "the recorded server refused its literal, so what would follow is not known"
    short = unit._replace(texts=(unit.texts[0][:-3],), end=unit.end - 3)
    assert reason(short) == "the recording ends within it"
    assert reason(unit._replace(texts=(b"\n",))) == "the recording has not all of its text"
    nothing = decide(whole._replace(asks=()), Mapping(), TARGET, WRITE, b"T")
    assert skipped(nothing) == "the recording has none of its bytes"


REFUSED = """
    C: a CAPABILITY
    S: * CAPABILITY {}
    S: a OK x
    C: c {}
    S: c {} x
"""


@pytest.mark.parametrize(
    ("words", "command", "status", "there"),
    [
        # the recorded server had not said that it has it either: what both make of it can be compared
        ("IMAP4rev1", "NAMESPACE", "BAD", "NAMESPACE"),
        ("IMAP4rev1", "STATUS a (SIZE)", "NO", "STATUS a (SIZE)"),
        ("IMAP4rev1 ENABLE", "ENABLE UTF8=ACCEPT", "OK", "ENABLE UTF8=ACCEPT"),
        ("IMAP4rev1", "NAMESPACE", "OK", "NAMESPACE"),
        # it had
        ("IMAP4rev1 NAMESPACE", "NAMESPACE", "OK", None),
        ("IMAP4rev1 NAMESPACE", "NAMESPACE", "NO", None),
        ("IMAP4rev1 ENABLE UTF8=ACCEPT", "ENABLE UTF8=ACCEPT", "OK", None),
    ],
)
def test_what_both_servers_lack_is_sent(words: str, command: str, status: str, there: str | None) -> None:
    decided = decision(REFUSED.format(words, command, status), able("ENABLE"))
    if there is None:
        assert skipped(decided).startswith("the target has no")
    else:
        assert sent(decided) == there
