"""imap-codec itself, where there is a wheel of it: it reads what we write, and means the same by it."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.imap.grammar import (
    Command,
    append,
    capability,
    fetch_commands,
    generic,
    joined,
    listing,
    mailboxes,
    messages,
    metadata,
    quota,
    sasl,
    search_commands,
    search_keys,
    sections,
    write,
)
from proxy.imap.grammar.mailbox_names import Mailbox
from tests.proxy.imap.grammar import codec
from tests.proxy.imap.grammar.rows import client
from tests.proxy.imap.grammar.strategies import DATE, DATE_TIME, TAG, many, maybe

if sys.version_info >= (3, 13):
    pytest.skip("imap-codec has no wheels for this Python", allow_module_level=True)

import imap_codec

ROWS = [
    # Whatever imap-codec knows of, in spellings of our own.
    b"a CAPABILITY",
    b"a noop",
    b"a UNSELECT",
    b"a ENABLE CONDSTORE UTF8=ACCEPT",
    b'a ID ("a" "b" "c" NIL)',
    b"a ID NIL",
    b'a LOGIN {2+}\r\na" "b\\"c"',
    b"a AUTHENTICATE PLAIN AGEAYg==",
    b"a AUTHENTICATE login",
    b'a SELECT "a b"',
    b"a EXAMINE inbox",
    b"a CREATE &AOQ-",
    b'a DELETE {3}\r\nx"y',
    b"a RENAME INBOX old/2024",
    b"a SUBSCRIBE x",
    b"a UNSUBSCRIBE {1}\r\n{",
    b'a LIST "" %',
    b'a LSUB "#x" "a*%"',
    b"a STATUS x (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN)",
    b"a APPEND x (\\Seen $A) {4}\r\n)\r\n(",
    b'a APPEND inbox "01-Feb-2024 03:04:05 +0100" {1}\r\nx',
    b"a CHECK",
    b"a CLOSE",
    b"a EXPUNGE",
    b"a UID EXPUNGE 1:3,*",
    b"a SEARCH CHARSET UTF-8 TEXT {2}\r\n\xc3\xa4",
    b"a UID SEARCH OR FROM a NOT (SEEN LARGER 5)",
    b"a SEARCH OR OR OR NEW OLD SEEN UNSEEN",
    b"a SEARCH BEFORE 1-Feb-1994 SENTSINCE 03-Mar-2003 KEYWORD x HEADER a b 1,3:*",
    b"a SORT (REVERSE DATE SUBJECT) UTF-8 ALL",
    b"a UID THREAD REFERENCES UTF-8 TO x",
    b"a FETCH 1:*,4 ALL",
    b"a UID FETCH 7 (UID FLAGS BODY[1.2.HEADER.FIELDS.NOT (a b)]<1.2> BODY.PEEK[4.MIME] RFC822 ENVELOPE)",
    b"a STORE 1 -FLAGS.SILENT (\\Deleted \\x y)",
    b"a COPY 1 x",
    b"a UID MOVE 1:2 INBOX",
    b"a IDLE",
    b"a STARTTLS",
    b"a COMPRESS DEFLATE",
    b'a GETQUOTA "a b"',
    b"a GETQUOTAROOT INBOX",
    b"a SETQUOTA x (STORAGE 1 MESSAGE 2 X-Y 3)",
    b"a GETMETADATA (MAXSIZE 5 DEPTH infinity) x (/a /b)",
    b'a SETMETADATA INBOX (/a "b" /c NIL)',
]


def decoded(data: bytes) -> Any:
    """What imap-codec says."""
    rest, command = imap_codec.CommandCodec.decode(data)
    assert rest == b""
    return codec.theirs(command.as_dict())


@pytest.mark.parametrize("line", ROWS)
def test_rows(line: bytes) -> None:
    value = client(line).value
    assert isinstance(value, Command)
    assert codec.ours(value) == decoded(line + b"\r\n")


STRING = st.text(st.characters(min_codepoint=1, max_codepoint=126), max_size=12).map(str.encode)
ATOM = st.text("abcXYZ019$/.", min_size=1, max_size=8).map(str.encode).filter(lambda atom: atom.upper() != b"NIL")
MAILBOX = STRING.map(Mailbox.of)
SET = st.sampled_from([b"1", b"3:7", b"1,5:*", b"*"]).map(codec.SequenceSet)
FLAG = st.sampled_from([b"\\Seen", b"\\Draft", b"\\Other"]) | ATOM
KEY: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.sampled_from([b"ALL", b"SEEN", b"NEW", b"UNDELETED"]).map(search_keys.Key),
        st.builds(search_keys.StringKey, st.sampled_from([b"FROM", b"TEXT", b"BCC"]), many(STRING, 1, 1)),
        st.builds(search_keys.StringKey, st.just(b"HEADER"), many(STRING, 2, 2)),
        st.builds(search_keys.DateKey, st.sampled_from([b"ON", b"SENTSINCE"]), DATE),
        st.builds(search_keys.NumberKey, st.sampled_from([b"LARGER", b"SMALLER"]), st.integers(0, 2**32 - 1)),
        st.builds(search_keys.SetKey, st.sampled_from([b"", b"UID"]), SET),
    ),
    lambda inner: st.one_of(
        st.builds(search_keys.Not, st.just(b"NOT"), inner),
        many(inner, 2, 3).map(search_keys.And),
        many(inner.filter(lambda key: not isinstance(key, search_keys.Or)), 2, 3).map(search_keys.Or),
    ),
    max_leaves=6,
)
ATTRIBUTE = st.one_of(
    st.sampled_from([b"FLAGS", b"UID", b"ENVELOPE", b"RFC822.SIZE"]).map(fetch_commands.Attribute),
    st.builds(
        fetch_commands.SectionAttribute,
        st.sampled_from([b"BODY", b"BODY.PEEK"]),
        st.sampled_from([sections.Section(), sections.Section((1, 2)), sections.Section((1,), b"MIME")])
        | st.builds(sections.Section, st.just(()), st.just(b"HEADER.FIELDS"), many(ATOM, 1)),
        maybe(st.just((0, 5))),
    ),
)
BODY = st.one_of(
    st.builds(sasl.Login, STRING, STRING),
    st.sampled_from([b"NOOP", b"CHECK", b"CLOSE"]).map(generic.Bare),
    st.builds(capability.Id, maybe(many(st.tuples(STRING, maybe(STRING)), 1))),
    st.builds(mailboxes.OnMailbox, st.sampled_from([b"SELECT", b"DELETE"]), MAILBOX),
    st.builds(mailboxes.Rename, MAILBOX, MAILBOX),
    st.builds(listing.List, st.just(b"LIST"), MAILBOX, many(STRING, 1, 1)),
    st.builds(
        append.Append,
        MAILBOX,
        many(st.builds(append.AppendMessage, STRING.map(append.Whole), maybe(many(FLAG)), maybe(DATE_TIME)), 1, 1),
    ),
    st.builds(messages.Copy, st.sampled_from([b"COPY", b"MOVE"]), st.booleans(), SET, MAILBOX),
    st.builds(quota.SetQuota, STRING, many(st.tuples(st.just(b"STORAGE"), st.integers(0, 2**63)), 1)),
    st.builds(metadata.SetMetadata, MAILBOX, many(st.tuples(ATOM.map(b"/".__add__), maybe(STRING)), 1)),
    st.builds(search_commands.Search, st.booleans(), many(KEY, 1)),
    st.builds(fetch_commands.FetchCommand, st.booleans(), SET, many(ATTRIBUTE, 1)),
    st.builds(
        fetch_commands.Store,
        st.booleans(),
        SET,
        st.builds(
            fetch_commands.StoreFlags, st.just(b"FLAGS"), st.sampled_from([b"", b"+", b"-"]), st.booleans(), many(FLAG)
        ),
    ),
)


@given(st.builds(Command, TAG, BODY))
def test_what_we_write_is_read(command: Command) -> None:
    assert decoded(joined(write(command))) == codec.ours(command)
