"""Responses in rows: what the RFCs allow, read without a quirk, and written again."""

from __future__ import annotations

from typing import Any

import pytest

from proxy.imap.grammar import Continuation, Tagged, Untagged
from proxy.imap.grammar.acl import Acl, ListRights, MyRights
from proxy.imap.grammar.annotate import Entry, EntryNames
from proxy.imap.grammar.body_fields import Disposition, Extension
from proxy.imap.grammar.bodystructure import Message, Multipart, Part
from proxy.imap.grammar.capability import Capability, Enabled, Id, Namespace, NamespaceDescr
from proxy.imap.grammar.codes import (
    AppendUid,
    BadCharset,
    Code,
    CopyUid,
    InProgress,
    MailboxId,
    Modified,
    NumberCode,
    OtherCode,
    PermanentFlags,
    TagCode,
    TextCode,
)
from proxy.imap.grammar.dates import DateTime
from proxy.imap.grammar.envelope import Address, Envelope
from proxy.imap.grammar.fetch import Fetch
from proxy.imap.grammar.fetch_items import (
    Annotation,
    BinarySize,
    Content,
    DateItem,
    EnvelopeItem,
    Flags,
    Labels,
    NumberItem,
    ObjectId,
    OtherItem,
    Preview,
    Structure,
)
from proxy.imap.grammar.generic import Unknown
from proxy.imap.grammar.listing import MailboxList
from proxy.imap.grammar.mailbox_names import Mailbox
from proxy.imap.grammar.mailboxes import MailboxStatus
from proxy.imap.grammar.messages import Count, Vanished
from proxy.imap.grammar.metadata import Metadata, MetadataChanged
from proxy.imap.grammar.push import XApplePushService
from proxy.imap.grammar.quota import Quota, QuotaRoot, Resource
from proxy.imap.grammar.search_results import ESearch, Found, Partial, Update
from proxy.imap.grammar.sections import Section
from proxy.imap.grammar.sets import PartialRange, SequenceSet
from proxy.imap.grammar.status import Condition, Status
from proxy.imap.grammar.thread import Thread, ThreadMember
from proxy.imap.grammar.urlauth import GenUrlAuth, UrlData, UrlFetch
from proxy.imap.grammar.values import Atom, Opaque
from tests.proxy.imap.grammar.rows import server, written

OK, NO, BAD, BYE, PREAUTH = Condition
INBOX = Mailbox(b"INBOX")


def ok(code: Any, text: bytes = b"x") -> Untagged:
    """`* OK [code] text`."""
    return Untagged(Status(OK, code, text))


STATUSES: list[tuple[bytes, Any, bytes | None]] = [
    # line, value, how it is written where that differs
    (b"* OK ready", Untagged(Status(OK, None, b"ready")), None),
    (b"* ok ready", Untagged(Status(OK, None, b"ready")), b"* OK ready"),
    (
        b"* PREAUTH [CAPABILITY IMAP4rev2 X] hi",
        Untagged(Status(PREAUTH, Capability((b"IMAP4rev2", b"X")), b"hi")),
        None,
    ),
    (b"* BYE [UNAVAILABLE] gone", Untagged(Status(BYE, Code(b"UNAVAILABLE"), b"gone")), None),
    (b"a7 BAD what?", Tagged(b"a7", Status(BAD, None, b"what?")), None),
    (b". NO [TRYCREATE] no such", Tagged(b".", Status(NO, Code(b"TRYCREATE"), b"no such")), None),
    (b"] OK done", Tagged(b"]", Status(OK, None, b"done")), None),
    (b'* OK see {5}, " ( ] [x]', Untagged(Status(OK, None, b'see {5}, " ( ] [x]')), None),
    (b"+ idling", Continuation(None, b"idling"), None),
    (b"+ ", Continuation(None, b""), None),
    (b"+ [ALERT] wait", Continuation(Code(b"ALERT"), b"wait"), None),
    (b"+ eyJzIjo0fQ==", Continuation(None, b"eyJzIjo0fQ=="), None),
    (b"* OK [UIDNEXT 7] x", ok(NumberCode(b"UIDNEXT", 7)), None),
    (
        b"* OK [uidvalidity 4294967295] x",
        ok(NumberCode(b"UIDVALIDITY", 4294967295)),
        b"* OK [UIDVALIDITY 4294967295] x",
    ),
    (b"* OK [HIGHESTMODSEQ 9223372036854775807] x", ok(NumberCode(b"HIGHESTMODSEQ", 2**63 - 1)), None),
    (b"* OK [UNSEEN 3] x", ok(NumberCode(b"UNSEEN", 3)), None),
    (b"* OK [PERMANENTFLAGS (\\Seen $A \\*)] x", ok(PermanentFlags((b"\\Seen", b"$A", b"\\*"))), None),
    (b"* OK [PERMANENTFLAGS ()] x", ok(PermanentFlags(())), None),
    (b"* OK [BADCHARSET] x", ok(BadCharset(())), None),
    (b'* OK [BADCHARSET (UTF-8 "K 8")] x', ok(BadCharset((b"UTF-8", b"K 8"))), None),
    (b"* OK [APPENDUID 3 5:6] x", ok(AppendUid(3, SequenceSet(b"5:6"))), None),
    (b"* OK [COPYUID 3 1,4 8:9] x", ok(CopyUid(3, SequenceSet(b"1,4"), SequenceSet(b"8:9"))), None),
    (b"* OK [MODIFIED 7,9] x", ok(Modified(SequenceSet(b"7,9"))), None),
    (b"* OK [MAILBOXID (F2-x_)] x", ok(MailboxId(b"F2-x_")), None),
    (b"* OK [INPROGRESS] x", ok(InProgress()), None),
    (b'* OK [INPROGRESS ("a1" 5 NIL)] x', ok(InProgress(b"a1", 5, None)), None),
    (b'* OK [NOUPDATE "b2"] x', ok(TagCode(b"NOUPDATE", b"b2")), None),
    (b"* OK [REFERRAL imap://h/x;y] x", ok(TextCode(b"REFERRAL", b"imap://h/x;y")), None),
    (b"* OK [METADATA LONGENTRIES 21] x", ok(TextCode(b"METADATA", b"LONGENTRIES 21")), None),
    (b"* OK [MESSAGELIMIT 500 77] x", ok(TextCode(b"MESSAGELIMIT", b"500 77")), None),
    (b"* OK [CLOSED] x", ok(Code(b"CLOSED")), None),
    (b"* OK [XODD] x", ok(Code(b"XODD")), None),
    (b'* OK [XODD a "]" (b)] x', ok(OtherCode(b"XODD", Opaque((b'a "]" (b)',)))), None),
    (b"* OK [XODD {3}\r\na]b c] x", ok(OtherCode(b"XODD", Opaque((b"{3}\r\n", b" c"), (b"a]b",)))), None),
]
MAILBOXES: list[tuple[bytes, Any, bytes | None]] = [
    (b"* CAPABILITY IMAP4rev1 AUTH=PLAIN", Untagged(Capability((b"IMAP4rev1", b"AUTH=PLAIN"))), None),
    (b"* ENABLED CONDSTORE UTF8=ACCEPT", Untagged(Enabled((b"CONDSTORE", b"UTF8=ACCEPT"))), None),
    (b"* ENABLED", Untagged(Enabled(())), None),
    (b"* ID NIL", Untagged(Id(None)), None),
    (b'* ID ("name" "x" "os" NIL)', Untagged(Id(((b"name", b"x"), (b"os", None)))), None),
    (
        b'* NAMESPACE (("" "/")("#a." "." "X-P" ("q" r))) NIL (("~" NIL))',
        Untagged(
            Namespace(
                (NamespaceDescr(b"", b"/"), NamespaceDescr(b"#a.", b".", ((b"X-P", (b"q", Atom(b"r"))),))),
                None,
                (NamespaceDescr(b"~", None),),
            )
        ),
        None,
    ),
    (b"* FLAGS (\\Seen $Junk)", Untagged(Flags((b"\\Seen", b"$Junk"))), None),
    (b'* LIST (\\Noselect) "/" x', Untagged(MailboxList(b"LIST", (b"\\Noselect",), b"/", Mailbox(b"x"))), None),
    (b"* LIST () NIL inbox", Untagged(MailboxList(b"LIST", (), None, INBOX)), b"* LIST () NIL INBOX"),
    (b'* LSUB () "\\\\" "a b"', Untagged(MailboxList(b"LSUB", (), b"\\", Mailbox(b"a b"))), None),
    (
        b'* XLIST (\\Inbox) "." {3}\r\na"b',
        Untagged(MailboxList(b"XLIST", (b"\\Inbox",), b".", Mailbox(b'a"b'))),
        b'* XLIST (\\Inbox) "." "a\\"b"',
    ),
    (b'* LIST () "/" [Gmail]/x', Untagged(MailboxList(b"LIST", (), b"/", Mailbox(b"[Gmail]/x"))), None),
    (
        b'* LIST (\\NonExistent) "/" f ("CHILDINFO" ("SUBSCRIBED") "OLDNAME" ("g"))',
        Untagged(
            MailboxList(
                b"LIST",
                (b"\\NonExistent",),
                b"/",
                Mailbox(b"f"),
                ((b"CHILDINFO", (b"SUBSCRIBED",)), (b"OLDNAME", (b"g",))),
            )
        ),
        None,
    ),
    (
        b"* STATUS x (MESSAGES 3 HIGHESTMODSEQ 99 MAILBOXID (F1) APPENDLIMIT NIL)",
        Untagged(
            MailboxStatus(
                Mailbox(b"x"),
                (
                    (b"MESSAGES", 3),
                    (b"HIGHESTMODSEQ", 99),
                    (b"MAILBOXID", (Atom(b"F1"),)),
                    (b"APPENDLIMIT", Atom(b"NIL")),
                ),
            )
        ),
        None,
    ),
    (
        b'* QUOTA "" (STORAGE 10 512 MESSAGE 1 2)',
        Untagged(Quota(b"", (Resource(b"STORAGE", 10, 512), Resource(b"MESSAGE", 1, 2)))),
        None,
    ),
    (b"* QUOTAROOT INBOX a b", Untagged(QuotaRoot(INBOX, (b"a", b"b"))), None),
    (b"* QUOTAROOT INBOX", Untagged(QuotaRoot(INBOX, ())), None),
    (b"* ACL INBOX ann lrs -bob i", Untagged(Acl(INBOX, ((b"ann", b"lrs"), (b"-bob", b"i")))), None),
    (b'* LISTRIGHTS x ann "" l r s', Untagged(ListRights(Mailbox(b"x"), b"ann", b"", (b"l", b"r", b"s"))), None),
    (b"* MYRIGHTS INBOX rwi", Untagged(MyRights(INBOX, b"rwi")), None),
    (
        b'* METADATA "" (/shared/comment "c" /x NIL)',
        Untagged(Metadata(Mailbox(b""), ((b"/shared/comment", b"c"), (b"/x", None)))),
        None,
    ),
    (
        b"* METADATA INBOX /shared/comment /private/x",
        Untagged(MetadataChanged(INBOX, (b"/shared/comment", b"/private/x"))),
        None,
    ),
    (
        b"* XAPPLEPUSHSERVICE aps-version 2 aps-topic com.apple.mail.XServer.7",
        Untagged(XApplePushService(((b"aps-version", Atom(b"2")), (b"aps-topic", Atom(b"com.apple.mail.XServer.7"))))),
        None,
    ),
    (b"* GENURLAUTH imap://u;x@h/y", Untagged(GenUrlAuth((b"imap://u;x@h/y",))), None),
    (
        b'* URLFETCH u1 NIL u2 "text" u3 (BODYPARTSTRUCTURE NIL) (BINARY ~{2}\r\n\0a)',
        Untagged(
            UrlFetch(
                (
                    UrlData(b"u1"),
                    UrlData(b"u2", b"text"),
                    UrlData(b"u3", None, ((Atom(b"BODYPARTSTRUCTURE"), Atom(b"NIL")), (Atom(b"BINARY"), b"\0a"))),
                )
            )
        ),
        None,
    ),
]
SEARCHES: list[tuple[bytes, Any, bytes | None]] = [
    (b"* SEARCH", Untagged(Found(b"SEARCH", ())), None),
    (b"* SEARCH 2 84 882", Untagged(Found(b"SEARCH", (2, 84, 882))), None),
    (b"* SEARCH 2 5 (MODSEQ 917162500)", Untagged(Found(b"SEARCH", (2, 5), 917162500)), None),
    (b"* sort 5 3", Untagged(Found(b"SORT", (5, 3))), b"* SORT 5 3"),
    (b"* ESEARCH", Untagged(ESearch(None, False, ())), None),
    (
        b'* ESEARCH (TAG "a1") UID COUNT 5 ALL 4:19,21,28',
        Untagged(ESearch(b"a1", True, ((b"COUNT", 5), (b"ALL", SequenceSet(b"4:19,21,28"))))),
        None,
    ),
    (
        b'* ESEARCH (TAG "a1") UID PARTIAL (-1:-100 NIL) PARTIAL (1:2 7,9)',
        Untagged(
            ESearch(
                b"a1",
                True,
                (
                    (b"PARTIAL", Partial(PartialRange(-1, -100), None)),
                    (b"PARTIAL", Partial(PartialRange(1, 2), SequenceSet(b"7,9"))),
                ),
            )
        ),
        None,
    ),
    (
        b'* ESEARCH (TAG "b") ADDTO (0 32768:32769 3 5) REMOVEFROM (0 7)',
        Untagged(
            ESearch(
                b"b",
                False,
                (
                    (b"ADDTO", Update(((0, SequenceSet(b"32768:32769")), (3, SequenceSet(b"5"))))),
                    (b"REMOVEFROM", Update(((0, SequenceSet(b"7")),))),
                ),
            )
        ),
        None,
    ),
    (
        b'* ESEARCH (TAG "t" MAILBOX folder1 UIDVALIDITY 1) UID ALL 4001 X-REL (4 1)',
        Untagged(
            ESearch(
                b"t",
                True,
                ((b"ALL", SequenceSet(b"4001")), (b"X-REL", (Atom(b"4"), Atom(b"1")))),
                Mailbox(b"folder1"),
                1,
            )
        ),
        None,
    ),
    (b"* THREAD", Untagged(Thread(())), None),
    (
        b"* THREAD (2)(3 6 (4 23)(44 7 96))",
        Untagged(
            Thread(
                (
                    ThreadMember(2, None),
                    ThreadMember(3, None),
                    ThreadMember(6, 1),
                    ThreadMember(4, 2),
                    ThreadMember(23, 3),
                    ThreadMember(44, 2),
                    ThreadMember(7, 5),
                    ThreadMember(96, 6),
                )
            )
        ),
        None,
    ),
    (
        b"* THREAD ((3)(5 6))",
        Untagged(Thread((ThreadMember(None, None), ThreadMember(3, 0), ThreadMember(5, 0), ThreadMember(6, 2)))),
        None,
    ),
    (b"* 12 EXISTS", Untagged(Count(b"EXISTS", 12)), None),
    (b"* 0 recent", Untagged(Count(b"RECENT", 0)), b"* 0 RECENT"),
    (b"* 3 EXPUNGE", Untagged(Count(b"EXPUNGE", 3)), None),
    (b"* VANISHED 405,407", Untagged(Vanished(SequenceSet(b"405,407"))), None),
    (b"* VANISHED (EARLIER) 300:310", Untagged(Vanished(SequenceSet(b"300:310"), earlier=True)), None),
    (b"* XYZZY", Untagged(Unknown(b"XYZZY")), None),
    (b'* 99 XYZZY (a {4}\r\n)\r\n( "q")', Untagged(Unknown(b"XYZZY", ((Atom(b"a"), b")\r\n(", b"q"),), 99)), None),
    (
        b"* XYZZY BODY[HEADER.FIELDS (A B)]<0> 1:*",
        Untagged(Unknown(b"XYZZY", (Atom(b"BODY[HEADER.FIELDS (A B)]<0>"), Atom(b"1:*")))),
        None,
    ),
]


def one(item: Any) -> Untagged:
    """`* 1 FETCH (item)`."""
    return Untagged(Fetch(1, (item,)))


NOBODY = Envelope(None, None, None, None, None, None, None, None, None, None)
TEXT = Part(b"TEXT", b"PLAIN", ((b"CHARSET", b"utf-8"),), None, None, b"7BIT", 30, 2)
FETCHES: list[tuple[bytes, Any, bytes | None]] = [
    (b"* 1 FETCH (FLAGS (\\Seen))", one(Flags((b"\\Seen",))), None),
    (b"* 1 FETCH (UID 7)", one(NumberItem(b"UID", 7)), None),
    (b"* 1 FETCH (MODSEQ (65402))", one(NumberItem(b"MODSEQ", 65402)), None),
    (b"* 1 FETCH (X-GM-MSGID 1278455344230334865)", one(NumberItem(b"X-GM-MSGID", 1278455344230334865)), None),
    (
        b"* 1 FETCH (EMAILID (M6d) THREADID NIL)",
        Untagged(Fetch(1, (ObjectId(b"EMAILID", b"M6d"), ObjectId(b"THREADID", None)))),
        None,
    ),
    (
        b'* 1 FETCH (INTERNALDATE " 7-Feb-1994 22:43:04 -0800")',
        one(DateItem(b"INTERNALDATE", DateTime(b" 7-Feb-1994 22:43:04 -0800"))),
        None,
    ),
    (b"* 1 FETCH (SAVEDATE NIL)", one(DateItem(b"SAVEDATE", None)), None),
    (b'* 1 FETCH (PREVIEW "Hello")', one(Preview(b"Hello")), None),
    (b"* 1 FETCH (RFC822.SIZE 44827)", one(NumberItem(b"RFC822.SIZE", 44827)), None),
    (b"* 1 FETCH (BODY[] {3}\r\na\r\n)", one(Content(b"BODY", Section(), b"a\r\n")), None),
    (b"* 1 FETCH (BODY[1.2.MIME] NIL)", one(Content(b"BODY", Section((1, 2), b"MIME"), None)), None),
    (b'* 1 FETCH (BODY[TEXT]<20> "x")', one(Content(b"BODY", Section((), b"TEXT"), b"x", 20)), None),
    (
        b'* 1 FETCH (BODY[3.HEADER.FIELDS (To "a b" {2}\r\nc])] "")',
        one(Content(b"BODY", Section((3,), b"HEADER.FIELDS", (b"To", b"a b", b"c]")), b"")),
        b'* 1 FETCH (BODY[3.HEADER.FIELDS (To "a b" c])] "")',
    ),
    (b"* 1 FETCH (BINARY[1] ~{2}\r\n\0x)", one(Content(b"BINARY", Section((1,)), b"\0x")), None),
    (b"* 1 FETCH (BINARY.SIZE[1] 5)", one(BinarySize(Section((1,)), 5)), None),
    (b'* 1 FETCH (RFC822.HEADER "h")', one(Content(b"RFC822.HEADER", None, b"h")), None),
    (
        b'* 1 FETCH (X-GM-LABELS (\\Inbox "a b" c))',
        one(Labels((b"\\Inbox", b"a b", b"c"))),
        b'* 1 FETCH (X-GM-LABELS ("\\\\Inbox" "a b" "c"))',
    ),
    (
        b'* 1 FETCH (ANNOTATION (/comment (value.priv "c" size.priv NIL)))',
        one(Annotation((Entry(b"/comment", ((b"value.priv", b"c"), (b"size.priv", None))),))),
        None,
    ),
    (
        b"* 1 FETCH (ANNOTATION (/comment /altsubject))",
        one(Annotation((EntryNames(b"/comment"), EntryNames(b"/altsubject")))),
        None,
    ),
    (b"* 1 FETCH (X-ODD (a (b)))", one(OtherItem(b"X-ODD", (Atom(b"a"), (Atom(b"b"),)))), None),
    (b"* 25 UIDFETCH (FLAGS () UID 25)", Untagged(Fetch(25, (Flags(()), NumberItem(b"UID", 25)), uid=True)), None),
    (b"* 1 FETCH ()", Untagged(Fetch(1, ())), None),
    (b"* 1 FETCH (ENVELOPE (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL))", one(EnvelopeItem(NOBODY)), None),
    (
        b'* 1 FETCH (ENVELOPE ("d" "s" (("N" NIL "m" "h")(NIL NIL "g" NIL)) NIL NIL () NIL NIL "r" {3}\r\n<i>))',
        one(
            EnvelopeItem(
                Envelope(
                    b"d",
                    b"s",
                    (Address(b"N", None, b"m", b"h"), Address(None, None, b"g", None)),
                    None,
                    None,
                    (),
                    None,
                    None,
                    b"r",
                    b"<i>",
                )
            )
        ),
        b'* 1 FETCH (ENVELOPE ("d" "s" (("N" NIL "m" "h")(NIL NIL "g" NIL)) NIL NIL () NIL NIL "r" "<i>"))',
    ),
    (b'* 1 FETCH (BODY ("TEXT" "PLAIN" ("CHARSET" "utf-8") NIL NIL "7BIT" 30 2))', one(Structure(b"BODY", TEXT)), None),
    (
        (
            b'* 1 FETCH (BODYSTRUCTURE (("TEXT" "PLAIN" ("CHARSET" "utf-8") NIL NIL "7BIT" 30 2)'
            b'("IMAGE" "PNG" NIL "<i>" "d" "BASE64" 9 "md5" ("ATTACHMENT" ("FILENAME" "f")) ("en" "de") "l" 5 (a "b")) '
            b'"MIXED" ("BOUNDARY" "b") NIL "en" NIL))'
        ),
        one(
            Structure(
                b"BODYSTRUCTURE",
                Multipart(
                    (
                        TEXT,
                        Part(
                            b"IMAGE",
                            b"PNG",
                            None,
                            b"<i>",
                            b"d",
                            b"BASE64",
                            9,
                            None,
                            None,
                            b"md5",
                            Extension(
                                Disposition(b"ATTACHMENT", ((b"FILENAME", b"f"),)),
                                (b"en", b"de"),
                                b"l",
                                (Atom(b"5"), (Atom(b"a"), b"b")),
                            ),
                        ),
                    ),
                    b"MIXED",
                    ((b"BOUNDARY", b"b"),),
                    Extension(None, (b"en",), None),
                ),
            )
        ),
        None,
    ),
    (
        (
            b'* 1 FETCH (BODY ("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 99 (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) '
            b'("TEXT" "PLAIN" ("CHARSET" "utf-8") NIL NIL "7BIT" 30 2) 7))'
        ),
        one(Structure(b"BODY", Part(b"MESSAGE", b"RFC822", None, None, None, b"7BIT", 99, 7, Message(NOBODY, TEXT)))),
        None,
    ),
]


@pytest.mark.parametrize(("line", "value", "canonical"), STATUSES + MAILBOXES + SEARCHES + FETCHES)
def test_rows(line: bytes, value: Any, canonical: bytes | None) -> None:
    parsed = server(line)
    assert parsed.value == value
    assert parsed.quirks == ()
    assert written(value) == (canonical or line)


def test_what_is_asked_of_data() -> None:
    fetched = server(b"* 1 FETCH (UID 7 BODY[] NIL)").value.data
    assert fetched.get(b"UID") == NumberItem(b"UID", 7)
    assert fetched.get(b"FLAGS") is None
    found = server(b'* ESEARCH (TAG "a") MIN 4').value.data
    assert (found.get(b"MIN"), found.get(b"MAX")) == (4, None)
    assert server(b"* CAPABILITY imap4REV1").value.data.has(b"IMAP4rev1")
    threads = server(b"* THREAD (1 (2)(3))(4)").value.data
    assert [threads.members[index].number for index in threads.children(0)] == [2, 3]
    assert [threads.members[index].number for index in threads.children(None)] == [1, 4]
