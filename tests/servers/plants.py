"""Differences that are planted, one at a time, in what a server answers to the commands of `garden.txt`.

Each names the class of difference that a comparison has to find, and where. What is let pass has no class.
"""

from __future__ import annotations

from tests.servers.planting import Plant, ahead, body, drop, sub, swap

_NOTHING = ""
"""In place of a class: it must be let pass."""

_FLAGS = r"FETCH 1:\* \(FLAGS\)"
_STATE = r"FETCH 1:\* \(FLAGS UID"
_ENVELOPE = r"\(ENVELOPE\)"
_STRUCTURE = r"\(BODYSTRUCTURE\)"
_HEADER = r"HEADER\.FIELDS"
_KEPT = r"UID FETCH 1:\* \(FLAGS RFC822\.SIZE\)"
_TAGGED = r"\A(?![*+])(\S+) "

PLANTS = (
    # --- the end of a command ---
    Plant("NO for OK", "status", "completion", "CHECK", sub(_TAGGED + "OK", r"\1 NO")),
    Plant("BAD for OK", "status", "completion", "CHECK", sub(_TAGGED + "OK", r"\1 BAD")),
    Plant(
        "BAD for NO",
        "status",
        "completion",
        "DELETE nowhere",
        sub(_TAGGED + r"NO \[NONEXISTENT\]", r"\1 BAD [NONEXISTENT]"),
    ),
    Plant(
        "OK for NO", "status", "completion", "COPY 1 nowhere", sub(_TAGGED + r"NO \[TRYCREATE\]", r"\1 OK [TRYCREATE]")
    ),
    Plant("code missing", "code", "TRYCREATE", "COPY 1 nowhere", sub(r"NO \[TRYCREATE\]", "NO")),
    Plant("other code", "code", "NO", "DELETE nowhere", sub("NONEXISTENT", "CANNOT")),
    Plant("code that was not there", "code", "ALREADYEXISTS", "SELECT nowhere", sub("NO ", "NO [ALREADYEXISTS] ")),
    Plant("read-only", "code", "OK", "SELECT Drafts", sub("READ-WRITE", "READ-ONLY")),
    Plant("other words", _NOTHING, "", "NOOP", sub("NOOP completed", "Nothing done")),
    # --- what the server can ---
    Plant("capability missing", "capability", "CAPABILITY", "", sub(r"(CAPABILITY [^\r]*) IDLE\b", r"\1"), every=True),
    Plant("capability more", "capability", "CAPABILITY", "", sub(r"(CAPABILITY [^\r\]]*)", r"\1 XPLANT"), every=True),
    Plant("nothing enabled", "missing", "ENABLED", "ENABLE", sub("ENABLED CONDSTORE", "ENABLED")),
    Plant(
        "another namespace",
        "extra",
        "NAMESPACE",
        "NAMESPACE",
        sub(r"NIL NIL\r", r'NIL (("Public/" "/"))\r'),
        every=True,
    ),
    # --- mailboxes ---
    Plant("mailbox missing", "missing", "LIST Empty", r"CHILDREN\)", drop(r"\* LIST .* Empty\r")),
    Plant("mailbox more", "extra", "LIST Planted", r"CHILDREN\)", ahead(r"\* LIST .* INBOX", r'* LIST () "/" Planted')),
    Plant("attribute lost", "value", "LIST Drafts attributes", r"CHILDREN\)", sub(r" \\Drafts\)", ")")),
    Plant("other delimiter", _NOTHING, "", r"CHILDREN\)", sub(r'"/" Empty', '"." Empty')),
    Plant("lists in another order", _NOTHING, "", r"CHILDREN\)", swap(r"\* LIST ")),
    Plant("subscription missing", "missing", "LSUB Drafts", "LSUB", drop(r"\* LSUB")),
    Plant("status count", "value", "STATUS Drafts MESSAGES", "STATUS Drafts", sub("MESSAGES 4", "MESSAGES 5")),
    Plant("status item missing", "missing", "STATUS Drafts UNSEEN", "STATUS Drafts", sub(" UNSEEN 3", "")),
    Plant(
        "status within list",
        "value",
        "STATUS INBOX UNSEEN",
        r"RETURN \(STATUS",
        sub("MESSAGES 11 UNSEEN 11", "MESSAGES 11 UNSEEN 10"),
    ),
    Plant("status within list missing", "missing", "STATUS Drafts", r"RETURN \(STATUS", drop(r"\* STATUS Drafts")),
    # --- selecting ---
    Plant("permanent flag lost", "missing", "PERMANENTFLAGS", "SELECT Drafts", sub(r"( \\Draft) \\\*\)\]", r"\1)]")),
    Plant("flag of the mailbox lost", "missing", "FLAGS", "SELECT Drafts", sub(r"(FLAGS .*) \\Draft\)", r"\1)")),
    Plant(
        "UIDVALIDITY of a mailbox",
        "value",
        "UIDVALIDITY",
        "SELECT Kept",
        sub("UIDVALIDITY [0-9]+", "UIDVALIDITY 7"),
    ),
    Plant("first unseen", "value", "UNSEEN", "SELECT Drafts", sub(r"\[UNSEEN 2\]", "[UNSEEN 3]")),
    # --- messages ---
    Plant("flag lost", "missing", "FETCH 4 FLAGS", _FLAGS, sub(r"\\Draft ", "")),
    Plant("flag more", "extra", "FETCH 1 FLAGS", _FLAGS, sub(r"\(\\Seen", r"(\\Seen \\Flagged")),
    Plant("other date", "value", "INTERNALDATE", _STATE, sub(r":[0-9]{2} \+0000", ":61 +0000")),
    Plant("other size", "value", "SIZE", _STATE, sub("RFC822.SIZE ([0-9]+)", r"RFC822.SIZE 9\1")),
    Plant("item missing", "missing", "SIZE", _STATE, sub(" RFC822.SIZE [0-9]+", "")),
    Plant("item more", "extra", "PREVIEW", _FLAGS, sub(r"FETCH \(", 'FETCH (PREVIEW "x" ')),
    Plant("message missing", "missing", "FETCH 3", _FLAGS, drop(r"\* 3 FETCH")),
    Plant("UIDs in another order", "order", "FETCH UID", _KEPT, sub(r"UID [45] ", "UID 6 ")),
    Plant("answers in another order", _NOTHING, "", _FLAGS, swap(r"\* [23] FETCH")),
    Plant("subject", "value", "ENVELOPE subject", _ENVELOPE, sub('"Letter 2"', '"Letter Two"')),
    Plant("date of the envelope", "value", "ENVELOPE date", _ENVELOPE, sub('"Tue, [^"]*"', "NIL")),
    Plant("address", "value", "ENVELOPE to", _ENVELOPE, sub('"bob" "example.net"', '"rob" "example.net"')),
    Plant("address missing", "value", "ENVELOPE to", _ENVELOPE, sub(r'\(\(NIL NIL "bob" "example.net"\)\)', "NIL")),
    Plant("empty for NIL", "value", "ENVELOPE in-reply-to", _ENVELOPE, sub(r'NIL ("<plain)', r'"" \1')),
    Plant("subtype of a part", "value", "BODYSTRUCTURE 2 type", _STRUCTURE, sub('"octet-stream"', '"pdf"')),
    Plant("octets of a part", "value", "BODYSTRUCTURE 2 octets", _STRUCTURE, sub("164210", "164211")),
    Plant("parameter of a part", "value", "BODYSTRUCTURE 2", _STRUCTURE, sub('"data.bin"', '"data.txt"')),
    Plant("charset that is the default", _NOTHING, "", _STRUCTURE, sub(r'\("charset" "us-ascii"\)', "NIL")),
    Plant("encoding of a part", "value", "BODYSTRUCTURE 2 encoding", _STRUCTURE, sub('"base64"', '"8bit"')),
    Plant("case of a type", _NOTHING, "", _STRUCTURE, sub('"application"', '"APPLICATION"')),
    Plant("body changed", "value", r"BODY\[\]", r"BODY\.PEEK\[\]", sub("Line 3 of letter", "Lime 3 of letter")),
    Plant("body cut", "value", r"BODY\[\]", r"BODY\.PEEK\[\]", body(r"BODY\[\] ", lambda data: data[:-7])),
    Plant("body is NIL", "value", r"BODY\[\]", r"BODY\.PEEK\[\]", sub(r"BODY\[\] \{.*\)\r", "BODY[] NIL)\r")),
    Plant("text changed", "value", r"BODY\[TEXT\]", r"PEEK\[TEXT\]", body(r"BODY\[TEXT\] ", lambda data: data + b"x")),
    Plant("header field lost", "value", "HEADER", _HEADER, body(r"FROM\)\] ", lambda data: data.partition(b"\r\n")[2])),
    # --- searching ---
    Plant("hit missing", "missing", "SEARCH", "SEARCH SUBJECT", sub("SEARCH 1 ", "SEARCH ")),
    Plant("hit more", "extra", "SEARCH", "SEARCH SUBJECT", sub(" 8\r", " 8 9\r")),
    Plant("hits in another order", _NOTHING, "", "SEARCH SUBJECT", sub(" 1 2 ", " 2 1 ")),
    Plant("count", "value", "COUNT", "SEARCH RETURN", sub("COUNT 11", "COUNT 12")),
    Plant("largest", "value", "MAX", "SEARCH RETURN", sub("MAX 11", "MAX 10")),
    Plant("sorted otherwise", "order", "SORT", "SORT", sub("8 7 6", "8 6 7")),
    Plant("sorted hit missing", "missing", "SORT", "SORT", sub(" 10 11", " 11")),
    Plant("threads in another order", "order", "THREAD", "THREAD", sub(r"\(1\)\(2\)", "(2)(1)")),
    Plant("threads joined", "order", "THREAD", "THREAD", sub(r"\(1\)\(2\)", "(1 2)")),
    # --- changing ---
    Plant("flags not stored", "missing", "FETCH 1 FLAGS", "STORE 1:2", sub(r"FLAGS \(\\Flagged ", "FLAGS (")),
    Plant("no answer to a change", "missing", "FETCH 2", "STORE 1:2", drop(r"\* 2 FETCH")),
    Plant("wrong COPYUID", "value", "FETCH 3 UID", "UID COPY", sub("1:3 1:3", "1:3 1:2,9")),
    Plant("COPYUID missing", "code", "COPYUID", "UID COPY", sub(r"\[COPYUID[^]]*\] ", "")),
    Plant("APPENDUID missing", "code", "APPENDUID", "APPEND", sub(r"\[APPENDUID[^]]*\] ", "")),
    Plant("EXPUNGE missing", "missing", "EXPUNGE", "EXPUNGE", drop(r"\* 1 EXPUNGE")),
    Plant("EXPUNGE of another", "value", "EXPUNGE", "EXPUNGE", sub(r"\* 1 EXPUNGE", "* 2 EXPUNGE")),
    Plant("EXPUNGE more", "extra", "EXPUNGE", "EXPUNGE", ahead(r"\* 1 EXPUNGE", "* 9 EXPUNGE")),
    # --- what nobody asked for: what comes of its own accord, and changes no mailbox, is let pass (M 10.11) ---
    Plant("unknown data", "extra", "XYZZY", "NOOP", ahead(_TAGGED, "* XYZZY planted")),
    Plant("alert", _NOTHING, "", "NOOP", ahead(_TAGGED, "* OK [ALERT] planted")),
)
