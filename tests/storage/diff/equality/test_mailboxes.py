"""LIST, LSUB, XLIST, STATUS, LIST-STATUS, NAMESPACE (M 10.3, 10.10)."""

from __future__ import annotations

from tests.storage.diff.equality.rows import Pairs, Row, check, each_of

LIST = 'LIST "" *'
STATUS = "STATUS INBOX (MESSAGES UNSEEN)"
LISTED = 'LIST "" * RETURN (STATUS (MESSAGES))'


@each_of(
    Row(LIST, '* LIST () "/" a', '* LIST () "/" a'),
    Row(LIST, '* LIST () "/" a¦* LIST () "/" b', '* LIST () "/" b¦* LIST () "/" a', passes="order"),
    Row(LIST, '* LIST () "/" a', '* LIST () "." a', passes="mailbox delimiter"),
    Row(LIST, '* LIST () "/" a', '* LIST () "." a', "value LIST a", off="mailbox delimiter"),
    Row(LIST, '* LIST () "/" a', '* LIST () "/" "a"'),
    Row(LIST, '* LIST () "/" inbox', '* LIST () "/" INBOX'),
    Row(LIST, '* LIST () "/" Work/2024', '* LIST () "." INBOX.Work.2024', passes="mailbox delimiter, mailbox name"),
    Row(LIST, '* LIST () "/" Work/2024', '* LIST () "/" Work/2024', "missing LIST Work/2024, extra LIST Work/2024"),
    Row(LIST, '* LIST () "/" &AOQ-', '* LIST () "/" "\xc3\xa4"', passes="mailbox encoding"),
    Row(LIST, '* LIST () "/" a¦* LIST () "/" b', '* LIST () "/" a', "missing LIST b"),
    Row(LIST, '* LIST () "/" a', '* LIST () "/" a¦* LIST () "/" b', "extra LIST b"),
    Row(LIST, '* LIST () "/" a', "", "missing LIST a"),
    Row(LIST, '* LIST (\\Noselect) "/" a', '* LIST (\\noselect) "/" a', passes="case"),
    Row(LIST, '* LIST (\\Noselect) "/" a', '* LIST () "/" a', "value LIST a attributes"),
    Row(LIST, '* LIST (\\NonExistent) "/" a', '* LIST (\\NonExistent \\Noselect) "/" a', passes="implied attributes"),
    Row(LIST, '* LIST (\\NonExistent) "/" a', '* LIST (\\Noselect) "/" a', "value LIST a attributes",
        "implied attributes"),
    Row(LIST, '* LIST (\\HasNoChildren) "/" a', '* LIST () "/" a', passes="children attributes"),
    Row(LIST, '* LIST (\\HasNoChildren) "/" a', '* LIST (\\HasChildren) "/" a', "value LIST a attributes"),
    Row(LIST, '* LIST (\\NoInferiors) "/" a', '* LIST (\\NoInferiors \\HasNoChildren) "/" a',
        passes="implied attributes"),
    Row(LIST, '* LIST (\\Marked) "/" a', '* LIST (\\Unmarked) "/" a', passes="marked"),
    Row(LIST, '* LIST (\\Sent \\Marked) "/" a', '* LIST (\\Sent) "/" a', passes="marked"),
    Row(LIST, '* LIST (\\Sent) "/" a', '* LIST () "/" a', "value LIST a attributes"),
    Row(LIST, '* LIST (\\Sent) "/" a', '* LIST (\\Drafts) "/" a', "value LIST a attributes"),
    Row(
        LIST, '* LIST (\\Sent) "/" a', '* LIST () "/" a', "capability LIST a attributes", lacking="SPECIAL-USE",
        cause="The right server does not offer SPECIAL-USE.",
    ),
    Row(LIST, '* LIST () "/" a ("CHILDINFO" ("SUBSCRIBED"))', '* LIST () "/" a', "missing LIST a CHILDINFO"),
    Row(LIST, '* LIST () "/" a ("OLDNAME" ("b"))', '* LIST () "/" a ("OLDNAME" ("c"))', "value LIST a OLDNAME"),
    Row('XLIST "" *', '* XLIST (\\Inbox) "/" INBOX', '* XLIST (\\Inbox) "/" INBOX'),
    Row('LSUB "" *', '* LSUB () "/" a', '* LSUB () "/" b', "missing LSUB a, extra LSUB b"),
    Row(STATUS, "* STATUS INBOX (MESSAGES 4 UNSEEN 1)", "* STATUS INBOX (UNSEEN 1 MESSAGES 4)"),
    Row(STATUS, "* STATUS INBOX (MESSAGES 4 UNSEEN 1)", "* STATUS INBOX (MESSAGES 5 UNSEEN 1)",
        "value STATUS INBOX MESSAGES"),
    Row(STATUS, "* STATUS INBOX (MESSAGES 4 UNSEEN 1)", "* STATUS INBOX (MESSAGES 4)", "missing STATUS INBOX UNSEEN"),
    Row(STATUS, "* STATUS INBOX (MESSAGES 4 UNSEEN 1)", "* STATUS INBOX (MESSAGES 4)¦* STATUS INBOX (UNSEEN 1)"),
    Row(STATUS, "* STATUS INBOX (RECENT 4)", "* STATUS INBOX (RECENT 0)", passes="recent"),
    Row(STATUS, "* STATUS INBOX (UIDNEXT 4)", "* STATUS INBOX (UIDNEXT 9)", passes="uidnext"),
    Row(STATUS, "* STATUS INBOX (UIDVALIDITY 5)", "* STATUS INBOX (UIDVALIDITY 6)", passes="uidvalidity"),
    Row(STATUS, "* STATUS INBOX (UIDVALIDITY 5)", "* STATUS INBOX (UIDVALIDITY 7)", "value STATUS INBOX UIDVALIDITY"),
    Row(STATUS, "* STATUS INBOX (HIGHESTMODSEQ 5)", "* STATUS INBOX (HIGHESTMODSEQ 7)", passes="modseq"),
    Row(STATUS, "* STATUS INBOX (MAILBOXID (a))", "* STATUS INBOX (MAILBOXID (b))", passes="object id"),
    Row(
        STATUS, "* STATUS INBOX (MAILBOXID (a))", "* STATUS INBOX (MAILBOXID (b))", "value STATUS INBOX MAILBOXID",
        mapped=Pairs(objects={"c": "b"}),
    ),
    Row(STATUS, "* STATUS INBOX (SIZE 5)", "* STATUS INBOX (SIZE 7)", "value STATUS INBOX SIZE"),
    Row("STATUS Work/2024 (MESSAGES)", "* STATUS Work/2024 (MESSAGES 5)", "* STATUS INBOX.Work.2024 (MESSAGES 5)",
        passes="mailbox name", right_command="STATUS INBOX.Work.2024 (MESSAGES)"),
    Row(LISTED, '* LIST () "/" a¦* STATUS a (MESSAGES 1)', '* STATUS a (MESSAGES 1)¦* LIST () "/" a'),
    Row(LISTED, '* LIST () "/" a¦* STATUS a (MESSAGES 1)', '* LIST () "/" a', "missing STATUS a"),
    Row(
        LISTED, '* LIST () "/" a¦* STATUS a (MESSAGES 1)', '* LIST () "/" a', "capability STATUS a",
        lacking="LIST-STATUS", cause="The right server does not offer LIST-STATUS.",
    ),
    Row("NAMESPACE", '* NAMESPACE (("" "/")) NIL NIL', '* NAMESPACE (("INBOX." ".")) NIL NIL',
        passes="mailbox delimiter, namespace prefix"),
    Row("NAMESPACE", '* NAMESPACE (("" "/")) NIL NIL', '* NAMESPACE (("" "/")) (("Other/" "/")) NIL',
        "extra NAMESPACE other users'"),
    Row("NAMESPACE", '* NAMESPACE (("" "/")) NIL (("#p/" "/"))', '* NAMESPACE (("" "/")) NIL NIL',
        "missing NAMESPACE shared"),
    Row("NAMESPACE", '* NAMESPACE (("" "/")) NIL NIL', "", "missing NAMESPACE"),
)  # fmt: skip
def test_two_answers(row: Row) -> None:
    check(row)
