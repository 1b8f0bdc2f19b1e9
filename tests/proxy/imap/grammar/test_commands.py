"""Commands in rows: what the RFCs allow, read without a quirk, and written again."""

from __future__ import annotations

from typing import Any

import pytest

from proxy.imap.grammar import Command, Done, SaslLine, cut, parse_sasl
from proxy.imap.grammar.acl import OnIdentifier, SetAcl
from proxy.imap.grammar.annotate import AnnotationRequest, Entry
from proxy.imap.grammar.append import Append, AppendMessage, Catenate, CatPart, OtherData, Replace, Utf8, Whole
from proxy.imap.grammar.capability import Enable, Id
from proxy.imap.grammar.commands import Compress
from proxy.imap.grammar.dates import Date, DateTime
from proxy.imap.grammar.fetch_commands import (
    Attribute,
    FetchCommand,
    Modifier,
    SectionAttribute,
    Store,
    StoreAnnotation,
    StoreFlags,
)
from proxy.imap.grammar.generic import Bare, Unknown
from proxy.imap.grammar.listing import List, Option
from proxy.imap.grammar.mailbox_names import Mailbox
from proxy.imap.grammar.mailboxes import OnMailbox, Param, QResync, Rename, StatusCommand
from proxy.imap.grammar.messages import Copy, UidExpunge
from proxy.imap.grammar.metadata import GetMetadata, SetMetadata
from proxy.imap.grammar.notify import EventGroup, Notify, NotifyEvent
from proxy.imap.grammar.push import XApplePushService
from proxy.imap.grammar.quota import GetQuota, SetQuota
from proxy.imap.grammar.sasl import Authenticate, Login
from proxy.imap.grammar.search_commands import (
    CancelUpdate,
    ESearchCommand,
    ReturnOption,
    Search,
    Sort,
    SortCriterion,
    ThreadCommand,
)
from proxy.imap.grammar.search_keys import (
    And,
    AnnotationKey,
    DateKey,
    FlagKey,
    Key,
    ModSeqKey,
    Not,
    NumberKey,
    Or,
    SetKey,
    StringKey,
)
from proxy.imap.grammar.sections import Section
from proxy.imap.grammar.sets import PartialRange, SequenceSet
from proxy.imap.grammar.urlauth import GenUrlAuthCommand, ResetKey, UrlFetchCommand
from proxy.imap.grammar.values import Atom
from proxy.imap.transcript import Direction
from tests.proxy.imap.grammar.rows import client, written

INBOX, X = Mailbox(b"INBOX"), Mailbox(b"x")
ALL = Key(b"ALL")
ONE = SequenceSet(b"1")


def words(*each: str) -> tuple[Atom, ...]:
    """Atoms of an extension's value."""
    return tuple(Atom(word.encode()) for word in each)


PLAIN: list[tuple[bytes, Any, bytes | None]] = [
    # command without its tag, body, how it is written where that differs
    (b"NOOP", Bare(b"NOOP"), None),
    (b"uid expunge 3:5", UidExpunge(SequenceSet(b"3:5")), b"UID EXPUNGE 3:5"),
    (b"unauthenticate", Bare(b"UNAUTHENTICATE"), b"UNAUTHENTICATE"),
    (b"COMPRESS DEFLATE", Compress(b"DEFLATE"), None),
    (b"ENABLE CONDSTORE UTF8=ACCEPT", Enable((b"CONDSTORE", b"UTF8=ACCEPT")), None),
    (b"ID NIL", Id(None), None),
    (b'ID ("name" "x" "a" NIL)', Id(((b"name", b"x"), (b"a", None))), None),
    (b'LOGIN bob {4}\r\na b"', Login(b"bob", b'a b"'), b'LOGIN bob "a b\\""'),
    (b'LOGIN "" {0+}\r\n', Login(b"", b""), b'LOGIN "" ""'),
    (b"AUTHENTICATE plain", Authenticate(b"PLAIN"), b"AUTHENTICATE PLAIN"),
    (b"AUTHENTICATE PLAIN AGEAYg==", Authenticate(b"PLAIN", b"AGEAYg=="), None),
    (b"AUTHENTICATE EXTERNAL =", Authenticate(b"EXTERNAL", b"="), None),
    (b"XGM 1 (a)", Unknown(b"XGM", (Atom(b"1"), (Atom(b"a"),))), None),
    (b'CONVERSIONS "a" "b"', Unknown(b"CONVERSIONS", (b"a", b"b")), None),
    (
        b'XAPPLEPUSHSERVICE aps-version 2 aps-account-id 0AB mailboxes (Inbox "a b")',
        XApplePushService(
            (
                (b"aps-version", Atom(b"2")),
                (b"aps-account-id", Atom(b"0AB")),
                (b"mailboxes", (Atom(b"Inbox"), b"a b")),
            )
        ),
        None,
    ),
]
ON_MAILBOXES: list[tuple[bytes, Any, bytes | None]] = [
    (b"SELECT iNBOX", OnMailbox(b"SELECT", INBOX), b"SELECT INBOX"),
    (b"EXAMINE x (CONDSTORE)", OnMailbox(b"EXAMINE", X, (Param(b"CONDSTORE"),)), None),
    (
        b"SELECT x (QRESYNC (67890007 20050715194045000 41,43:211 (1,3 7,9)) ANNOTATE)",
        OnMailbox(
            b"SELECT",
            X,
            (
                QResync(
                    67890007,
                    20050715194045000,
                    SequenceSet(b"41,43:211"),
                    (SequenceSet(b"1,3"), SequenceSet(b"7,9")),
                ),
                Param(b"ANNOTATE"),
            ),
        ),
        None,
    ),
    (
        b"SELECT x (QRESYNC (1 2 (3 4)))",
        OnMailbox(b"SELECT", X, (QResync(1, 2, None, (SequenceSet(b"3"), SequenceSet(b"4"))),)),
        None,
    ),
    (b"CREATE x (USE (\\Sent \\Drafts))", OnMailbox(b"CREATE", X, (Param(b"USE", words("\\Sent", "\\Drafts")),)), None),
    (b'DELETE "a%b"', OnMailbox(b"DELETE", Mailbox(b"a%b")), None),
    (b"SUBSCRIBE #news.a", OnMailbox(b"SUBSCRIBE", Mailbox(b"#news.a")), None),
    (b"RENAME x inbox", Rename(X, INBOX), b"RENAME x INBOX"),
    (
        b"STATUS x (messages UNSEEN MAILBOXID)",
        StatusCommand(X, (b"MESSAGES", b"UNSEEN", b"MAILBOXID")),
        b"STATUS x (MESSAGES UNSEEN MAILBOXID)",
    ),
    (b'LIST "" %', List(b"LIST", Mailbox(b""), (b"%",)), b'LIST "" "%"'),
    (b'LSUB "" "*"', List(b"LSUB", Mailbox(b""), (b"*",)), None),
    (
        b'LIST (SUBSCRIBED RECURSIVEMATCH) "" ("a" "b*") RETURN (CHILDREN STATUS (MESSAGES UNSEEN))',
        List(
            b"LIST",
            Mailbox(b""),
            (b"a", b"b*"),
            (Option(b"SUBSCRIBED"), Option(b"RECURSIVEMATCH")),
            (Option(b"CHILDREN"), Option(b"STATUS", words("MESSAGES", "UNSEEN"))),
        ),
        None,
    ),
    (b"GETACL x", OnMailbox(b"GETACL", X), None),
    (b"SETACL x ann +lr", SetAcl(X, b"ann", b"+lr"), None),
    (b"DELETEACL x ann", OnIdentifier(b"DELETEACL", X, b"ann"), None),
    (b"LISTRIGHTS x ann", OnIdentifier(b"LISTRIGHTS", X, b"ann"), None),
    (b'GETQUOTA ""', GetQuota(b""), None),
    (b"GETQUOTAROOT INBOX", OnMailbox(b"GETQUOTAROOT", INBOX), None),
    (b'SETQUOTA "" (STORAGE 512)', SetQuota(b"", ((b"STORAGE", 512),)), None),
    (
        b'GETMETADATA "" /shared/comment',
        GetMetadata(Mailbox(b""), (b"/shared/comment",)),
        b'GETMETADATA "" (/shared/comment)',
    ),
    (
        b"GETMETADATA (DEPTH 1 MAXSIZE 9) x (/a /b)",
        GetMetadata(X, (b"/a", b"/b"), ((b"DEPTH", Atom(b"1")), (b"MAXSIZE", Atom(b"9")))),
        None,
    ),
    (
        b"GETMETADATA x (DEPTH infinity) (/a)",
        GetMetadata(X, (b"/a",), ((b"DEPTH", Atom(b"infinity")),)),
        b"GETMETADATA (DEPTH infinity) x (/a)",
    ),
    (b"SETMETADATA x (/a NIL /b ~{2}\r\n\0a)", SetMetadata(X, ((b"/a", None), (b"/b", b"\0a"))), None),
    (b"NOTIFY NONE", Notify(None), None),
    (
        b"NOTIFY SET STATUS (SELECTED (MESSAGENEW (UID BODY.PEEK[TEXT]) MESSAGEEXPUNGE)) (SUBTREE (x INBOX) NONE)",
        Notify(
            (
                EventGroup(
                    b"SELECTED",
                    (),
                    (
                        NotifyEvent(
                            b"MESSAGENEW", (Attribute(b"UID"), SectionAttribute(b"BODY.PEEK", Section((), b"TEXT")))
                        ),
                        NotifyEvent(b"MESSAGEEXPUNGE"),
                    ),
                ),
                EventGroup(b"SUBTREE", (X, INBOX), None),
            ),
            status=True,
        ),
        None,
    ),
    (b"GENURLAUTH imap://a INTERNAL", GenUrlAuthCommand(((b"imap://a", b"INTERNAL"),)), None),
    (
        b"URLFETCH u (v BODYPARTSTRUCTURE BINARY)",
        UrlFetchCommand(((b"u", ()), (b"v", (b"BODYPARTSTRUCTURE", b"BINARY")))),
        None,
    ),
    (b"RESETKEY", ResetKey(None), None),
    (b"RESETKEY x INTERNAL", ResetKey(X, (b"INTERNAL",)), None),
]
MESSAGES: list[tuple[bytes, Any, bytes | None]] = [
    (b"APPEND x {3}\r\na\r\n", Append(X, (AppendMessage(Whole(b"a\r\n")),)), None),
    (
        b'APPEND x (\\Seen) " 7-Feb-1994 21:52:25 -0800" {1}\r\na {0+}\r\n',
        Append(
            X,
            (
                AppendMessage(Whole(b"a"), (b"\\Seen",), DateTime(b" 7-Feb-1994 21:52:25 -0800")),
                AppendMessage(Whole(b"")),
            ),
        ),
        b'APPEND x (\\Seen) " 7-Feb-1994 21:52:25 -0800" {1}\r\na {0}\r\n',
    ),
    (b"APPEND x UTF8 (~{2}\r\n\xc3\xa4)", Append(X, (AppendMessage(Utf8(b"\xc3\xa4")),)), None),
    (
        b"APPEND x CATENATE (URL /x/;UID=1 TEXT {2}\r\n)) URL {1}\r\nu)",
        Append(
            X,
            (AppendMessage(Catenate((CatPart(b"URL", b"/x/;UID=1"), CatPart(b"TEXT", b"))"), CatPart(b"URL", b"u")))),),
        ),
        b"APPEND x CATENATE (URL /x/;UID=1 TEXT {2}\r\n)) URL u)",
    ),
    (
        b'APPEND x ANNOTATION (/comment (value.priv "c")) {1}\r\na',
        Append(X, (AppendMessage(Whole(b"a"), None, None, (Entry(b"/comment", ((b"value.priv", b"c"),)),)),)),
        None,
    ),
    (b"APPEND x XLABEL (a)", Append(X, (AppendMessage(OtherData(b"XLABEL", (Atom(b"a"),))),)), None),
    (b"UID REPLACE 7 x {1}\r\na", Replace(True, 7, X, AppendMessage(Whole(b"a"))), None),
    (b"REPLACE 7 x (\\Seen) ~{1}\r\n\0", Replace(False, 7, X, AppendMessage(Whole(b"\0"), (b"\\Seen",))), None),
    (b"COPY 1:* x", Copy(b"COPY", False, SequenceSet(b"1:*"), X), None),
    (b"UID MOVE $ INBOX", Copy(b"MOVE", True, SequenceSet(b"$"), INBOX), None),
    (b"FETCH 1 fast", FetchCommand(False, ONE, (Attribute(b"FAST"),)), b"FETCH 1 FAST"),
    (b"FETCH 1 (UID)", FetchCommand(False, ONE, (Attribute(b"UID"),)), b"FETCH 1 UID"),
    (
        b"UID FETCH 1,3:* (FLAGS BODY.PEEK[1.HEADER.FIELDS (To)]<0.9> BINARY.SIZE[2] PREVIEW (LAZY) X-GM-LABELS)",
        FetchCommand(
            True,
            SequenceSet(b"1,3:*"),
            (
                Attribute(b"FLAGS"),
                SectionAttribute(b"BODY.PEEK", Section((1,), b"HEADER.FIELDS", (b"To",)), (0, 9)),
                SectionAttribute(b"BINARY.SIZE", Section((2,))),
                Attribute(b"PREVIEW", words("LAZY")),
                Attribute(b"X-GM-LABELS"),
            ),
        ),
        None,
    ),
    (
        b"FETCH 1 PREVIEW (CHANGEDSINCE 5 VANISHED PARTIAL -1:-50)",
        FetchCommand(
            False,
            ONE,
            (Attribute(b"PREVIEW"),),
            (
                Modifier(b"CHANGEDSINCE", Atom(b"5")),
                Modifier(b"VANISHED"),
                Modifier(b"PARTIAL", PartialRange(-1, -50)),
            ),
        ),
        None,
    ),
    (
        b"FETCH 1 (ANNOTATION (/comment (value.priv size.priv)))",
        FetchCommand(False, ONE, (AnnotationRequest((b"/comment",), (b"value.priv", b"size.priv")),)),
        b"FETCH 1 ANNOTATION ((/comment) (value.priv size.priv))",
    ),
    (
        b"STORE 1 +flags.silent (\\Seen)",
        Store(False, ONE, StoreFlags(b"FLAGS", b"+", True, (b"\\Seen",))),
        b"STORE 1 +FLAGS.SILENT (\\Seen)",
    ),
    (
        b"STORE 1 FLAGS \\Seen $A",
        Store(False, ONE, StoreFlags(b"FLAGS", b"", False, (b"\\Seen", b"$A"))),
        b"STORE 1 FLAGS (\\Seen $A)",
    ),
    (
        b"UID STORE 1 (UNCHANGEDSINCE 12) -FLAGS ()",
        Store(True, ONE, StoreFlags(b"FLAGS", b"-", False, ()), (Modifier(b"UNCHANGEDSINCE", Atom(b"12")),)),
        None,
    ),
    (
        b'STORE 1 -X-GM-LABELS (\\Inbox "a b")',
        Store(False, ONE, StoreFlags(b"X-GM-LABELS", b"-", False, (b"\\Inbox", b"a b"))),
        b'STORE 1 -X-GM-LABELS ("\\\\Inbox" "a b")',
    ),
    (
        b"STORE 1 ANNOTATION (/a (value.priv NIL))",
        Store(False, ONE, StoreAnnotation((Entry(b"/a", ((b"value.priv", None),)),))),
        None,
    ),
]
FROM_X = StringKey(b"FROM", (b"x",))
SEARCHES: list[tuple[bytes, Any, bytes | None]] = [
    (b"SEARCH all", Search(False, (ALL,)), b"SEARCH ALL"),
    (
        b"UID SEARCH CHARSET UTF-8 TEXT {2}\r\n\xc3\xa4",
        Search(True, (StringKey(b"TEXT", (b"\xc3\xa4",)),), b"UTF-8"),
        None,
    ),
    (
        b"SEARCH RETURN () 1:3,* UID 7",
        Search(False, (SetKey(b"", SequenceSet(b"1:3,*")), SetKey(b"UID", SequenceSet(b"7"))), None, ()),
        None,
    ),
    (
        b"SEARCH RETURN (MIN SAVE PARTIAL 1:10) $ NEW",
        Search(
            False,
            (SetKey(b"", SequenceSet(b"$")), Key(b"NEW")),
            None,
            (ReturnOption(b"MIN"), ReturnOption(b"SAVE"), ReturnOption(b"PARTIAL", PartialRange(1, 10))),
        ),
        None,
    ),
    (b"SEARCH OR FROM x OR ALL NOT NEW", Search(False, (Or((FROM_X, ALL, Not(b"NOT", Key(b"NEW")))),)), None),
    (b"SEARCH OR OR FROM x ALL NEW", Search(False, (Or((FROM_X, ALL, Key(b"NEW"))),)), b"SEARCH OR FROM x OR ALL NEW"),
    (
        b"SEARCH OR (OR FROM x (ALL)) (NEW OLD)",
        Search(False, (Or((FROM_X, ALL, And((Key(b"NEW"), Key(b"OLD"))))),)),
        b"SEARCH OR FROM x OR ALL (NEW OLD)",
    ),
    (
        b"SEARCH NOT (SEEN FUZZY FROM x)",
        Search(False, (Not(b"NOT", And((Key(b"SEEN"), Not(b"FUZZY", FROM_X)))),)),
        None,
    ),
    (
        b'SEARCH HEADER X-A "" KEYWORD $A SENTSINCE 1-Feb-1994 LARGER 5 YOUNGER 60',
        Search(
            False,
            (
                StringKey(b"HEADER", (b"X-A", b"")),
                FlagKey(b"KEYWORD", b"$A"),
                DateKey(b"SENTSINCE", Date(b"1-Feb-1994")),
                NumberKey(b"LARGER", 5),
                NumberKey(b"YOUNGER", 60),
            ),
        ),
        None,
    ),
    (
        b'SEARCH MODSEQ "/flags/\\\\draft" all 620 MODSEQ 9 EMAILID M1 SAVEDON "3-Mar-2020" X-GM-RAW "has:x"',
        Search(
            False,
            (
                ModSeqKey(620, b"/flags/\\draft", b"all"),
                ModSeqKey(9),
                StringKey(b"EMAILID", (b"M1",)),
                DateKey(b"SAVEDON", Date(b"3-Mar-2020")),
                StringKey(b"X-GM-RAW", (b"has:x",)),
            ),
        ),
        b'SEARCH MODSEQ "/flags/\\\\draft" all 620 MODSEQ 9 EMAILID M1 SAVEDON 3-Mar-2020 X-GM-RAW has:x',
    ),
    (
        b"SEARCH UIDAFTER 5 UIDBEFORE 9",
        Search(False, (SetKey(b"UIDAFTER", SequenceSet(b"5")), SetKey(b"UIDBEFORE", SequenceSet(b"9")))),
        None,
    ),
    (
        b"SEARCH ANNOTATION /comment value NIL",
        Search(False, (AnnotationKey(b"/comment", b"value", None),)),
        b'SEARCH ANNOTATION "/comment" "value" NIL',
    ),
    (
        b"UID SORT RETURN (COUNT) (REVERSE DATE ANNOTATION /a value.priv) UTF-8 ALL",
        Sort(
            True,
            (SortCriterion(b"DATE", reverse=True), SortCriterion(b"ANNOTATION", False, (b"/a", b"value.priv"))),
            b"UTF-8",
            (ALL,),
            (ReturnOption(b"COUNT"),),
        ),
        None,
    ),
    (
        b"THREAD references US-ASCII ALL",
        ThreadCommand(False, b"REFERENCES", b"US-ASCII", (ALL,)),
        b"THREAD REFERENCES US-ASCII ALL",
    ),
    (
        b'ESEARCH IN (mailboxes "a b" subtree (x y)) RETURN (MIN) CHARSET UTF-8 ALL',
        ESearchCommand(
            (Atom(b"mailboxes"), b"a b", Atom(b"subtree"), words("x", "y")), (ALL,), b"UTF-8", (ReturnOption(b"MIN"),)
        ),
        None,
    ),
    (b"ESEARCH ALL", ESearchCommand(None, (ALL,)), None),
    (b'CANCELUPDATE "a" "b"', CancelUpdate((b"a", b"b")), None),
]


@pytest.mark.parametrize(("line", "body", "canonical"), PLAIN + ON_MAILBOXES + MESSAGES + SEARCHES)
def test_rows(line: bytes, body: Any, canonical: bytes | None) -> None:
    parsed = client(b"a.1 " + line)
    assert parsed.value == Command(b"a.1", body)
    assert parsed.quirks == ()
    assert written(parsed.value) == b"a.1 " + (canonical or line)


@pytest.mark.parametrize("line", [b"DONE", b"done", b"Done"])
def test_done(line: bytes) -> None:
    assert client(line).value == Done()
    assert written(Done()) == b"DONE"


def test_sasl_lines() -> None:
    def line(data: bytes) -> Any:
        return parse_sasl(cut(data + b"\r\n", Direction.CLIENT)).value

    assert line(b"AGEAYg==") == SaslLine(b"AGEAYg==")
    assert line(b"AGEAYg==").content == b"\0a\0b"
    assert (line(b"*").cancels, line(b"=").content, line(b"").content, line(b"?").content) == (True, b"", b"", None)
    assert client(b"a AUTHENTICATE PLAIN AGEAYg==").value.body.initial_response == b"\0a\0b"
    assert client(b"a AUTHENTICATE PLAIN").value.body.initial_response is None


def test_no_secret_shows_in_a_traceback() -> None:
    values = (
        client(b"a LOGIN u hunter2").value,
        client(b"a AUTHENTICATE X aHVudGVyMg==").value,
        SaslLine(b"aHVudGVyMg=="),
    )
    assert not any("unter" in repr(value) or "aHV" in repr(value) for value in values)
