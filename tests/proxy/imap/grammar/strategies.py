"""Values of the grammar, all kinds of them, as hypothesis builds them."""

from __future__ import annotations

import string
from typing import Any

from hypothesis import strategies as st

from proxy.imap.grammar import (
    Command,
    Continuation,
    Done,
    Tagged,
    Untagged,
    acl,
    annotate,
    append,
    body_fields,
    bodystructure,
    capability,
    codes,
    envelope,
    fetch,
    fetch_commands,
    fetch_items,
    generic,
    listing,
    mailboxes,
    messages,
    metadata,
    notify,
    push,
    quota,
    sasl,
    search_commands,
    search_keys,
    search_results,
    sections,
    sets,
    status,
    thread,
    urlauth,
    values,
    write,
)
from proxy.imap.grammar.commands import Compress
from proxy.imap.grammar.dates import Date, DateTime
from proxy.imap.grammar.mailbox_names import Mailbox

WORD = st.text(string.ascii_uppercase + string.digits + "-", min_size=1, max_size=8).map(
    lambda word: b"X" + word.encode()
)
ATOM = st.text(string.ascii_letters + string.digits + "$#.:;,=<>@!?+-_/|~^", min_size=1, max_size=12).map(str.encode)
BYTES = st.one_of(ATOM, st.binary(max_size=30), st.text(max_size=10).map(str.encode), st.just(b""), st.just(b"NIL"))
ABSENT = st.builds(values.Absent, st.integers(0, 2**40), st.booleans())
STRING = st.one_of(BYTES, BYTES, BYTES, ABSENT)
NSTRING = st.none() | STRING
FLAG = st.one_of(
    st.sampled_from([b"\\Seen", b"\\Answered", b"\\Deleted", b"\\*", b"$Forwarded", b"\\Recent"]),
    ATOM,
    ATOM.map(b"\\".__add__),
)
NUMBER = st.integers(0, 2**32 - 1)
NUMBER_64 = st.integers(0, 2**63 - 1)
MAILBOX = STRING.map(Mailbox.of)
TEXT = st.text('abc []()"\\{}%*+-1é', max_size=20).map(lambda text: text.strip().encode())
PLAIN = st.text(string.ascii_letters + " ", max_size=20).map(lambda text: text.strip().encode())
EXT: st.SearchStrategy[Any] = st.recursive(
    st.one_of(ATOM.map(values.Atom), STRING), lambda inner: st.lists(inner, max_size=4).map(tuple), max_leaves=12
)


def many(strategy: st.SearchStrategy[Any], least: int = 0, most: int = 4) -> st.SearchStrategy[Any]:
    """A tuple of them."""
    return st.lists(strategy, min_size=least, max_size=most).map(tuple)


def written_with_literals(value: values.Writable) -> bool:
    """Whether its spelling needs a literal."""
    return bool(write(value).literals)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """One of them, or None."""
    return st.none() | strategy


_END = st.integers(1, 99).map(lambda number: b"%d" % number) | st.just(b"*")
_RANGE = _END | st.tuples(_END, _END).map(b":".join)
SET = st.lists(_RANGE, min_size=1, max_size=5).map(lambda parts: sets.SequenceSet(b",".join(parts))) | st.just(
    sets.SequenceSet(b"$")
)
WINDOW = st.builds(sets.PartialRange, st.integers(-500, 500), st.integers(-500, 500))
DATE_TIME = st.sampled_from([b" 1-Feb-2024 03:04:05 +0100", b"31-Dec-1999 23:59:59 -0000"]).map(DateTime)
DATE = st.sampled_from([b"1-Feb-2024", b"31-Dec-1999"]).map(Date)
PAIR = st.tuples(STRING, NSTRING)
SECTION = st.one_of(
    st.builds(sections.Section, many(st.integers(0, 99)), st.none()),
    st.builds(sections.Section, many(st.integers(0, 99)), st.sampled_from([b"HEADER", b"TEXT", b"MIME"])),
    st.builds(
        sections.Section,
        many(st.integers(0, 99)),
        st.sampled_from([b"HEADER.FIELDS", b"HEADER.FIELDS.NOT"]),
        many(STRING),
    ),
)
ENTRY = st.builds(annotate.Entry, STRING, many(PAIR)) | st.builds(annotate.EntryNames, STRING)

# -- responses

CODE = st.one_of(
    st.builds(codes.Code, st.sampled_from([b"ALERT", b"READ-ONLY", b"TRYCREATE"]) | WORD),
    st.builds(codes.NumberCode, st.sampled_from([b"UIDNEXT", b"UNSEEN", b"HIGHESTMODSEQ"]), NUMBER_64),
    st.builds(codes.PermanentFlags, many(FLAG)),
    st.builds(codes.BadCharset, many(STRING)),
    st.builds(codes.AppendUid, NUMBER, SET),
    st.builds(codes.CopyUid, NUMBER, SET, SET),
    st.builds(codes.Modified, SET),
    st.builds(codes.MailboxId, ATOM),
    st.builds(codes.InProgress, NSTRING, maybe(NUMBER_64), maybe(NUMBER_64)),
    st.builds(codes.TagCode, st.just(b"NOUPDATE"), STRING),
    st.builds(codes.TextCode, st.sampled_from([b"REFERRAL", b"METADATA"]), ATOM),
    st.builds(codes.OtherCode, WORD, ATOM.map(lambda text: values.Opaque((text,)))),
    st.builds(capability.Capability, many(ATOM)),
)
STATUS = st.builds(status.Status, st.sampled_from(status.Condition), maybe(CODE), TEXT).filter(
    lambda value: value.code is not None or not value.text.startswith(b"[")
)
ADDRESS = st.builds(envelope.Address, NSTRING, NSTRING, NSTRING, NSTRING)
ADDRESSES = maybe(many(ADDRESS, most=2))
ENVELOPE = st.builds(envelope.Envelope, NSTRING, NSTRING, *([ADDRESSES] * 6), NSTRING, NSTRING)
PARAMS = maybe(many(PAIR, most=2))
EXTENSION = st.builds(
    body_fields.Extension,
    maybe(st.builds(body_fields.Disposition, STRING, PARAMS)),
    maybe(many(STRING)),
    NSTRING,
    many(EXT, most=1),
)
_FIELDS = (PARAMS, NSTRING, NSTRING, NSTRING, NUMBER_64)


def parts(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Parts that have other parts in them."""
    message = st.builds(bodystructure.Message, ENVELOPE, inner)
    return st.one_of(
        multiparts(many(inner, 1, 3)),
        st.builds(bodystructure.Part, st.just(b"MESSAGE"), st.just(b"RFC822"), *_FIELDS, NUMBER, message),
    )


def multiparts(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """The short form, and the long one."""
    return st.builds(bodystructure.Multipart, inner, STRING) | st.builds(
        bodystructure.Multipart, inner, STRING, PARAMS, EXTENSION
    )


BODY = st.recursive(
    st.one_of(
        st.builds(bodystructure.Part, st.just(b"TEXT"), STRING, *_FIELDS, NUMBER),
        st.builds(bodystructure.Part, st.just(b"text"), STRING, *_FIELDS, NUMBER, st.none(), NSTRING, EXTENSION),
        st.builds(bodystructure.Part, st.just(b"IMAGE"), STRING, *_FIELDS, st.none(), st.none(), NSTRING, EXTENSION),
    ),
    parts,
    max_leaves=4,
)
ITEM = st.one_of(
    st.builds(fetch_items.Flags, many(FLAG)),
    st.builds(fetch_items.NumberItem, st.sampled_from([b"UID", b"RFC822.SIZE", b"MODSEQ", b"X-GM-MSGID"]), NUMBER_64),
    st.builds(fetch_items.ObjectId, st.sampled_from([b"EMAILID", b"THREADID"]), maybe(ATOM)),
    st.builds(fetch_items.DateItem, st.sampled_from([b"INTERNALDATE", b"SAVEDATE"]), maybe(DATE_TIME)),
    st.builds(fetch_items.EnvelopeItem, ENVELOPE),
    st.builds(fetch_items.Structure, st.sampled_from([b"BODY", b"BODYSTRUCTURE"]), BODY),
    st.builds(fetch_items.Content, st.sampled_from([b"BODY", b"BINARY"]), SECTION, NSTRING, maybe(NUMBER)),
    st.builds(fetch_items.Content, st.sampled_from([b"RFC822", b"RFC822.TEXT"]), st.none(), NSTRING),
    st.builds(fetch_items.BinarySize, SECTION, NUMBER),
    st.builds(fetch_items.Preview, NSTRING),
    st.builds(fetch_items.Labels, many(NSTRING)),
    st.builds(fetch_items.Annotation, many(ENTRY)),
    st.builds(fetch_items.OtherItem, WORD, EXT),
)
DESCRS = maybe(many(st.builds(capability.NamespaceDescr, STRING, maybe(BYTES), many(st.tuples(STRING, EXT), most=1))))
RETURNED = st.one_of(
    st.tuples(st.sampled_from([b"MIN", b"MAX", b"COUNT", b"MODSEQ"]), NUMBER_64),
    st.tuples(st.just(b"ALL"), SET),
    st.tuples(st.just(b"PARTIAL"), st.builds(search_results.Partial, WINDOW, maybe(SET))),
    st.tuples(
        st.sampled_from([b"ADDTO", b"REMOVEFROM"]), st.builds(search_results.Update, many(st.tuples(NUMBER, SET)))
    ),
    st.tuples(WORD, EXT),
)


@st.composite
def threads(draw: st.DrawFn) -> thread.Thread:
    """Members in the order in which a THREAD names them: each under one of those before it that are still open."""
    members: list[thread.ThreadMember] = []
    path: list[int] = []
    for _ in range(draw(st.integers(0, 8))):
        del path[draw(st.integers(0, len(path))) :]
        members.append(thread.ThreadMember(draw(st.integers(1, 99)), path[-1] if path else None))
        path.append(len(members) - 1)
    return thread.Thread(tuple(members))


DATA = st.one_of(
    STATUS,
    st.builds(capability.Capability, many(ATOM)),
    st.builds(capability.Enabled, many(ATOM)),
    st.builds(capability.Id, maybe(many(PAIR))),
    st.builds(capability.Namespace, DESCRS, DESCRS, DESCRS),
    st.builds(fetch_items.Flags, many(FLAG)),
    st.builds(messages.Count, st.sampled_from([b"EXISTS", b"RECENT", b"EXPUNGE"]), NUMBER),
    st.builds(messages.Vanished, SET, st.booleans()),
    st.builds(fetch.Fetch, NUMBER, many(ITEM), st.booleans()),
    st.builds(
        listing.MailboxList,
        st.sampled_from([b"LIST", b"LSUB", b"XLIST"]),
        many(FLAG),
        maybe(BYTES),
        MAILBOX,
        maybe(many(st.tuples(STRING, EXT), most=2)),
    ),
    st.builds(
        mailboxes.MailboxStatus,
        MAILBOX,
        many(st.tuples(st.just(b"MESSAGES"), NUMBER_64) | st.tuples(st.just(b"MAILBOXID") | WORD, EXT)),
    ),
    st.builds(search_results.Found, st.sampled_from([b"SEARCH", b"SORT"]), many(NUMBER), maybe(NUMBER_64)),
    st.builds(search_results.ESearch, NSTRING, st.booleans(), many(RETURNED)),
    st.builds(search_results.ESearch, STRING, st.booleans(), many(RETURNED), MAILBOX, maybe(NUMBER)),
    threads(),
    st.builds(quota.Quota, STRING, many(st.builds(quota.Resource, WORD, NUMBER_64, NUMBER_64))),
    st.builds(quota.QuotaRoot, MAILBOX, many(STRING)),
    st.builds(acl.Acl, MAILBOX, many(st.tuples(STRING, STRING))),
    st.builds(acl.ListRights, MAILBOX, STRING, STRING, many(STRING)),
    st.builds(acl.MyRights, MAILBOX, STRING),
    st.builds(metadata.Metadata, MAILBOX, many(PAIR)),
    st.builds(metadata.MetadataChanged, MAILBOX, many(STRING, 1)),
    st.builds(urlauth.GenUrlAuth, many(STRING)),
    st.builds(
        urlauth.UrlFetch,
        many(
            st.builds(urlauth.UrlData, STRING, NSTRING)
            | st.builds(urlauth.UrlData, STRING, st.none(), many(many(EXT), 1, 2))
        ),
    ),
    st.builds(push.XApplePushService, many(st.tuples(STRING, EXT))),
    st.builds(generic.Unknown, WORD, many(EXT), maybe(NUMBER)),
)
TAG = st.text(string.ascii_letters + string.digits + ".", min_size=1, max_size=8).map(str.encode)
RESPONSE = st.one_of(
    st.builds(Tagged, TAG, STATUS),
    st.builds(Untagged, DATA),
    # The text of "+" announces no literals, so neither may its code (M 2.4).
    st.builds(Continuation, maybe(CODE).filter(lambda code: code is None or not written_with_literals(code)), PLAIN),
)

# -- commands

KEY: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.builds(search_keys.Key, st.sampled_from([b"ALL", b"SEEN", b"NEW", b"SAVEDATESUPPORTED"])),
        st.builds(search_keys.StringKey, st.sampled_from([b"FROM", b"TEXT", b"X-GM-RAW"]), many(STRING, 1, 1)),
        st.builds(search_keys.StringKey, st.just(b"HEADER"), many(STRING, 2, 2)),
        st.builds(search_keys.FlagKey, st.sampled_from([b"KEYWORD", b"UNKEYWORD"]), FLAG),
        st.builds(search_keys.DateKey, st.sampled_from([b"ON", b"SENTSINCE", b"SAVEDON"]), DATE),
        st.builds(search_keys.NumberKey, st.sampled_from([b"LARGER", b"OLDER"]), NUMBER),
        st.builds(search_keys.SetKey, st.sampled_from([b"", b"UID"]), SET),
        st.builds(search_keys.ModSeqKey, NUMBER_64),
        st.builds(search_keys.ModSeqKey, NUMBER_64, st.just(b"/flags/\\seen"), st.just(b"all")),
        st.builds(search_keys.AnnotationKey, STRING, STRING, NSTRING),
    ),
    lambda inner: st.one_of(
        st.builds(search_keys.Not, st.sampled_from([b"NOT", b"FUZZY"]), inner),
        st.builds(search_keys.And, many(inner, 2)),
        many(inner.filter(lambda key: not isinstance(key, search_keys.Or)), 2).map(search_keys.Or),
    ),
    max_leaves=8,
)
KEYS = many(KEY, 1)
RETURN = maybe(
    many(
        st.builds(search_commands.ReturnOption, st.sampled_from([b"MIN", b"ALL", b"SAVE"]))
        | st.builds(search_commands.ReturnOption, st.just(b"PARTIAL"), WINDOW)
        | st.builds(search_commands.ReturnOption, WORD, many(EXT))
    )
)
CRITERION = st.one_of(
    st.builds(search_commands.SortCriterion, st.sampled_from([b"DATE", b"DISPLAYFROM"]), st.booleans()),
    st.builds(search_commands.SortCriterion, st.just(b"ANNOTATION"), st.booleans(), st.tuples(STRING, STRING)),
)
PARAM = st.one_of(
    st.builds(mailboxes.Param, WORD, maybe(many(EXT))),
    st.builds(mailboxes.QResync, NUMBER, NUMBER_64, maybe(SET), maybe(st.tuples(SET, SET))),
)
PARAMETERS = maybe(many(PARAM, most=2))
OPTION = st.builds(listing.Option, WORD, maybe(many(EXT)))
ATTRIBUTE = st.one_of(
    st.builds(fetch_commands.Attribute, st.sampled_from([b"FLAGS", b"ENVELOPE", b"PREVIEW"])),
    st.builds(fetch_commands.Attribute, st.just(b"PREVIEW"), st.just((values.Atom(b"LAZY"),))),
    st.builds(
        fetch_commands.SectionAttribute,
        st.sampled_from([b"BODY", b"BODY.PEEK", b"BINARY.SIZE"]),
        SECTION,
        maybe(st.tuples(NUMBER, NUMBER)),
    ),
    st.builds(annotate.AnnotationRequest, many(STRING), many(STRING)),
)
MODIFIERS = maybe(
    many(
        st.one_of(
            st.builds(fetch_commands.Modifier, st.just(b"CHANGEDSINCE"), st.just(values.Atom(b"12"))),
            st.builds(fetch_commands.Modifier, st.just(b"PARTIAL"), WINDOW),
            st.builds(fetch_commands.Modifier, st.just(b"VANISHED")),
        )
    )
)
_SILENT = (st.sampled_from([b"", b"+", b"-"]), st.booleans())
CHANGE = st.one_of(
    st.builds(fetch_commands.StoreFlags, st.just(b"FLAGS"), *_SILENT, many(FLAG)),
    st.builds(fetch_commands.StoreFlags, st.just(b"X-GM-LABELS"), *_SILENT, many(NSTRING)),
    st.builds(fetch_commands.StoreAnnotation, many(ENTRY)),
)
MESSAGE = st.builds(
    append.AppendMessage,
    st.one_of(
        st.builds(append.Whole, STRING),
        st.builds(append.Utf8, st.binary(max_size=20) | st.builds(values.Absent, st.integers(0, 99), st.just(True))),
        st.builds(
            append.Catenate,
            many(
                st.builds(append.CatPart, st.just(b"TEXT"), STRING) | st.builds(append.CatPart, st.just(b"URL"), STRING)
            ),
        ),
        st.builds(append.OtherData, WORD, EXT),
    ),
    maybe(many(FLAG)),
    maybe(DATE_TIME),
    maybe(many(ENTRY)),
)
EVENT = st.builds(notify.NotifyEvent, WORD) | st.builds(notify.NotifyEvent, st.just(b"MESSAGENEW"), many(ATTRIBUTE))
GROUP = st.one_of(
    st.builds(notify.EventGroup, st.sampled_from([b"SELECTED", b"INBOXES"]), st.just(()), maybe(many(EVENT))),
    st.builds(notify.EventGroup, st.sampled_from([b"SUBTREE", b"MAILBOXES"]), many(MAILBOX, 1), maybe(many(EVENT))),
)
BODIES = st.one_of(
    st.builds(generic.Bare, st.sampled_from([b"NOOP", b"IDLE", b"EXPUNGE", b"NAMESPACE"])),
    st.builds(Compress, st.just(b"DEFLATE")),
    st.builds(capability.Enable, many(ATOM)),
    st.builds(capability.Id, maybe(many(PAIR))),
    st.builds(sasl.Login, STRING, STRING),
    st.builds(sasl.Authenticate, WORD, maybe(st.sampled_from([b"=", b"AGEAYg=="]))),
    st.builds(mailboxes.OnMailbox, st.sampled_from([b"SELECT", b"CREATE", b"GETQUOTAROOT"]), MAILBOX, PARAMETERS),
    st.builds(mailboxes.Rename, MAILBOX, MAILBOX, PARAMETERS),
    st.builds(mailboxes.StatusCommand, MAILBOX, many(WORD)),
    st.builds(
        listing.List,
        st.sampled_from([b"LIST", b"LSUB", b"XLIST"]),
        MAILBOX,
        many(STRING, 1),
        maybe(many(OPTION)),
        maybe(many(OPTION)),
    ),
    st.builds(append.Append, MAILBOX, many(MESSAGE, 1, 2)),
    st.builds(append.Replace, st.booleans(), NUMBER, MAILBOX, MESSAGE),
    st.builds(search_commands.Search, st.booleans(), KEYS, NSTRING, RETURN),
    st.builds(search_commands.Sort, st.booleans(), many(CRITERION), STRING, KEYS, RETURN),
    st.builds(search_commands.ThreadCommand, st.booleans(), WORD, STRING, KEYS),
    st.builds(search_commands.ESearchCommand, maybe(many(EXT)), KEYS, NSTRING, RETURN),
    st.builds(search_commands.CancelUpdate, many(STRING)),
    st.builds(fetch_commands.FetchCommand, st.booleans(), SET, many(ATTRIBUTE), MODIFIERS),
    st.builds(fetch_commands.Store, st.booleans(), SET, CHANGE, MODIFIERS),
    st.builds(messages.Copy, st.sampled_from([b"COPY", b"MOVE"]), st.booleans(), SET, MAILBOX),
    st.builds(messages.UidExpunge, SET),
    st.builds(acl.SetAcl, MAILBOX, STRING, STRING),
    st.builds(acl.OnIdentifier, st.sampled_from([b"DELETEACL", b"LISTRIGHTS"]), MAILBOX, STRING),
    st.builds(quota.GetQuota, STRING),
    st.builds(quota.SetQuota, STRING, many(st.tuples(WORD, NUMBER_64))),
    st.builds(metadata.GetMetadata, MAILBOX, many(STRING), many(st.tuples(WORD, ATOM.map(values.Atom)))),
    st.builds(metadata.SetMetadata, MAILBOX, many(PAIR)),
    st.builds(urlauth.GenUrlAuthCommand, many(st.tuples(STRING, WORD))),
    st.builds(urlauth.UrlFetchCommand, many(st.tuples(STRING, many(WORD)))),
    st.builds(urlauth.ResetKey, MAILBOX, many(WORD)),
    st.just(urlauth.ResetKey(None)),
    st.builds(notify.Notify, many(GROUP, 1), st.booleans()),
    st.just(notify.Notify(None)),
    st.builds(push.XApplePushService, many(st.tuples(STRING, EXT))),
    st.builds(generic.Unknown, WORD, many(EXT)),
)
COMMAND = st.builds(Command, TAG, BODIES) | st.just(Done())
