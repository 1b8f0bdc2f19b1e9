"""The rules by which something that is not the same is let pass (M 8, M 10). Each can be switched off by its name."""

from __future__ import annotations

import enum
from typing import NamedTuple

from storage.diff import values


class Rule(enum.StrEnum):
    """The rules' names."""

    FREE_TEXT = "free text"
    TIMING = "timing"
    CONTINUATION = "continuation"
    ORDER = "order"
    ITEM_ORDER = "fetch item order"
    CASE = "case"
    UNSOLICITED = "unsolicited"
    AMBIGUOUS = "ambiguous"
    REFUSED = "refused"
    NOT_ASKED_FOR = "not asked for"
    UID = "uid"
    UIDVALIDITY = "uidvalidity"
    UIDNEXT = "uidnext"
    MODSEQ = "modseq"
    MODSEQ_TIES = "modseq ties"
    OBJECT_ID = "object id"
    MESSAGE_NUMBER = "message number"
    MAILBOX_NAME = "mailbox name"
    MAILBOX_ENCODING = "mailbox encoding"
    DELIMITER = "mailbox delimiter"
    NAMESPACE = "namespace prefix"
    RECENT = "recent"
    UNSEEN = "unseen"
    CAPABILITY_CODE = "capability code"
    TOLD = "told before"
    CODE_PLACE = "code place"
    TAG = "tag in a code"
    INTERNAL_DATE = "internal date"
    SAVE_DATE = "save date"
    PREVIEW = "preview"
    CHILDREN = "children attributes"
    MARKED = "marked"
    IMPLIED = "implied attributes"
    SEARCH_FORM = "search form"
    EXPUNGE_FORM = "expunge form"
    EARLIER = "vanished earlier"
    WHITE_SPACE = "white space"
    SENDER = "sender"
    BOUNDARY = "boundary"
    LINES = "lines"
    EXTENSION_FIELDS = "extension fields"
    SHORT_FORM = "body form"
    DEFAULTS = "mime defaults"
    QUOTA_ROOT = "quota root"
    RIGHTS = "old rights"
    URL = "url"
    NOT_KEPT = values.NOT_KEPT


class Explained(NamedTuple):
    """A rule: its name, what it lets pass in one sentence, and where that is laid down."""

    rule: Rule
    sentence: str
    source: str


RULES: tuple[Explained, ...] = tuple(
    Explained(*row)
    for row in (
        (Rule.FREE_TEXT, "Words for people after OK, NO, BAD and BYE, and lines of nothing else.", "M 8, 10.1"),
        (Rule.TIMING, "Times. Switched off: an answer that took ten times as long, and 100 ms more.", "M 8"),
        (Rule.CONTINUATION, "How often a server says `+`, and with which words.", "M 8"),
        (Rule.ORDER, "The order of untagged answers, and of flags, words and entries within one.", "M 8"),
        (Rule.ITEM_ORDER, "The order of a message's FETCH items, and in how many answers they come.", "M 8, 10.5"),
        (Rule.CASE, "Capitals in flags, words, field names and charsets.", "M 8, 10.2"),
        (Rule.UNSOLICITED, "What a server says unasked: it counts by the mailbox it leaves behind.", "M 10.11"),
        (
            Rule.AMBIGUOUS,
            "Answers that may as well belong to another command in flight, where one side has more of them.",
            "M 3.8",
        ),
        (Rule.REFUSED, "What comes with a command that one of the two has refused.", "M 10.1"),
        (Rule.NOT_ASKED_FOR, "FLAGS, UID and MODSEQ in a FETCH that did not ask for them.", "M 10.5"),
        (Rule.UID, "UIDs, where each left one always stands for the same right one.", "M 8"),
        (Rule.UIDVALIDITY, "UIDVALIDITY, where it stays what it was for this mailbox.", "M 8"),
        (Rule.UIDNEXT, "UIDNEXT.", "M 8"),
        (Rule.MODSEQ, "MODSEQ and HIGHESTMODSEQ, where their order is the same.", "M 8"),
        (Rule.MODSEQ_TIES, "MODSEQs of messages that are equal on one side only.", "M 8"),
        (Rule.OBJECT_ID, "EMAILID, THREADID, MAILBOXID, X-GM-MSGID and X-GM-THRID, where equal ids stay equal.", "M 8"),
        (Rule.MESSAGE_NUMBER, "Message numbers, where the UIDs stand for the same message.", "M 8"),
        (Rule.MAILBOX_NAME, "Names of mailboxes, where each left one stands for that right one.", "M 8"),
        (Rule.MAILBOX_ENCODING, "A mailbox name in modified UTF-7 or in UTF-8.", "M 8"),
        (Rule.DELIMITER, "Hierarchy delimiters.", "M 8, 10.3"),
        (Rule.NAMESPACE, "Prefixes of namespaces.", "M 8, 10.10"),
        (Rule.RECENT, "RECENT and `\\Recent`.", "M 8"),
        (Rule.UNSEEN, "Whether SELECT tells the first unseen message; its number counts where both do.", "M 8"),
        (
            Rule.CAPABILITY_CODE,
            "Whether a server tells its capabilities unasked, as a code or as data; the words count where both do.",
            "M 8",
        ),
        (Rule.TOLD, "A difference of capabilities that was told before, of the same two servers.", "M 10.12"),
        (Rule.CODE_PLACE, "Whether COPYUID, APPENDUID or HIGHESTMODSEQ comes in the tagged OK or before it.", "M 3.13"),
        (Rule.TAG, "Tags within response codes and answers.", "M 8"),
        (
            Rule.INTERNAL_DATE,
            "INTERNALDATEs of messages that both servers took in while they were recorded, or within the hour before.",
            "M 8",
        ),
        (Rule.SAVE_DATE, "SAVEDATEs.", "M 8"),
        (Rule.PREVIEW, "The words of a PREVIEW.", "M 10.5"),
        (Rule.CHILDREN, "`\\HasChildren`, `\\HasNoChildren` on one side only.", "M 10.3"),
        (Rule.MARKED, "`\\Marked` and `\\Unmarked`.", "M 10.3"),
        (Rule.IMPLIED, "Attributes that another one implies, as `\\NonExistent` does `\\Noselect`.", "M 10.3"),
        (Rule.SEARCH_FORM, "SEARCH for ESEARCH; MIN, MAX and COUNT that follow from the messages found.", "M 10.4"),
        (Rule.EXPUNGE_FORM, "EXPUNGE for VANISHED, and EXPUNGEs in another order, for the same messages.", "M 10.9"),
        (Rule.EARLIER, "UIDs in VANISHED (EARLIER) that no message of the recording ever had.", "M 10.9"),
        (
            Rule.WHITE_SPACE,
            "How much white space stands within a header field, where its lines were unfolded.",
            "M 10.6",
        ),
        (Rule.SENDER, "Sender and reply-to that are NIL, or repeat from.", "M 10.6"),
        (Rule.BOUNDARY, "The boundary of a multipart.", "M 10.7"),
        (Rule.LINES, "Lines of a part that differ by one, or are not told.", "M 10.7"),
        (Rule.EXTENSION_FIELDS, "Extension fields of a BODYSTRUCTURE that only one side sends.", "M 10.7"),
        (Rule.SHORT_FORM, "BODY for BODYSTRUCTURE, where what both have is the same.", "M 10.7"),
        (Rule.DEFAULTS, "MIME defaults that only one side spells out: 7BIT, us-ascii.", "M 10.7"),
        (Rule.QUOTA_ROOT, "Names of quota roots.", "M 10.10"),
        (Rule.RIGHTS, "The rights `c` and `d` of RFC 2086 for those that took their place.", "M 10.10"),
        (
            Rule.URL,
            "URLs of one server, which are masked for their tokens: also in REFERRAL, BADURL and WEBALERT.",
            "M 9.8",
        ),
        (Rule.NOT_KEPT, "Bodies of the same size whose content was not kept, or is masked.", "M 7.10"),
    )
)
"""All rules, in the order in which they are told."""
