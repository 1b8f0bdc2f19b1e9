"""The lines below a meaning: a line a message, body structures as trees, mailboxes as a table."""

from __future__ import annotations

from imaptap.meaning.mailboxes import ROWS_MOST
from imaptap.meaning.messages import MESSAGES_MOST
from tests.imaptap.meaning.meant import meaning

TEXT = '("TEXT" "PLAIN" ("CHARSET" "UTF-8") NIL NIL "8BIT" 1152 23 NIL NIL NIL NIL)'
PNG = (
    '("IMAGE" "PNG" ("NAME" "x.png") NIL NIL "BASE64" 3028 NIL '
    '("ATTACHMENT" ("FILENAME" "=?utf-8?q?=C3=BC.png?=")) NIL NIL)'
)
ENVELOPE = '(NIL "Inner" NIL NIL NIL NIL NIL NIL NIL NIL)'


def test_a_tree_has_the_numbers_that_body_takes() -> None:
    """RFC 9051 section 6.4.5.1: parts of a multipart within a message are numbered below the message."""
    inner = f'({TEXT}{TEXT} "ALTERNATIVE" NIL NIL NIL NIL)'
    letter = f'("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 5000 {ENVELOPE} {inner} 90 NIL NIL NIL NIL)'
    single = f'("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 400 {ENVELOPE} {TEXT} 9 NIL NIL NIL NIL)'
    body = f'({TEXT}{PNG}{letter}{single} "MIXED" ("BOUNDARY" "b") NIL NIL NIL)'
    found = meaning(f"C: a FETCH 1 BODYSTRUCTURE\nS: * 1 FETCH (BODYSTRUCTURE {body})\nS: a OK", deep=True)
    assert found.details == (
        "1: multipart/mixed (text/plain, image/png, message/rfc822, message/rfc822)",
        "   multipart/mixed (4 parts)",
        "   ├─ 1 text/plain, 1,152 B, 23 lines, 8bit, utf-8",
        "   ├─ 2 image/png, 3,028 B, base64, attachment “ü.png”",
        "   ├─ 3 message/rfc822, 5,000 B, 90 lines, 7bit, “Inner”",
        "   │  └─ 3 multipart/alternative (2 parts)",
        "   │     ├─ 3.1 text/plain, 1,152 B, 23 lines, 8bit, utf-8",
        "   │     └─ 3.2 text/plain, 1,152 B, 23 lines, 8bit, utf-8",
        "   └─ 4 message/rfc822, 400 B, 9 lines, 7bit, “Inner”",
        "      └─ 4.1 text/plain, 1,152 B, 23 lines, 8bit, utf-8",
    )


def test_a_single_part_is_number_one() -> None:
    found = meaning(f"C: a FETCH 1 BODYSTRUCTURE\nS: * 1 FETCH (BODYSTRUCTURE {TEXT})\nS: a OK", deep=True)
    assert found.details[1] == "   1 text/plain, 1,152 B, 23 lines, 8bit, utf-8"


def test_odd_structures_are_shown() -> None:
    bodies = [
        "NIL",
        '("MIXED" ("B" "x") NIL NIL NIL)',
        '("A" "B" NIL NIL NIL NIL NIL)',
        '(("A" "B" NIL NIL NIL "7BIT" 1))',
    ]
    for body in bodies:
        found = meaning(f"C: a FETCH 1 BODY\nS: * 1 FETCH (BODY {body})\nS: a OK", deep=True)
        assert len(found.details) >= 2, body
        assert found.quirks


def test_mailboxes_are_a_table_with_their_status() -> None:
    found = meaning(
        'C: a LIST "" % RETURN (STATUS (MESSAGES))\n'
        r'S: * LIST (\HasNoChildren) "/" INBOX' "\nS: * STATUS INBOX (MESSAGES 17)\n"
        r'S: * LIST (\Noselect) "/" "Entw&APw-rfe"' "\nS: a OK",
        deep=True,
    )  # fmt: skip
    assert found.details == (
        r"INBOX     \HasNoChildren  17 messages",
        r"Entwürfe  \Noselect",
    )
    assert found.summary.endswith("status of 1")


def test_wide_characters_keep_columns_straight() -> None:
    found = meaning('C: a LIST "" *\nS: * LIST (x) "/" "&ZeVnLIqe-"\nS: * LIST (x) "/" ab\nS: a OK', deep=True)
    assert found.details == ("日本語  x", "ab      x")


def test_details_of_many_are_cut() -> None:
    text = "C: a FETCH 1:* UID\n" + "".join(f"S: * {n} FETCH (UID {n})\n" for n in range(1, 300)) + "S: a OK"
    details = meaning(text, deep=True).details
    assert len(details) == MESSAGES_MOST + 1
    assert details[-1] == "… and more messages"
    text = 'C: a LIST "" *\n' + "".join(f'S: * LIST () "/" m{n}\n' for n in range(ROWS_MOST + 9)) + "S: a OK"
    details = meaning(text, deep=True).details
    assert len(details) == ROWS_MOST + 1
    assert details[-1] == "… and more mailboxes"
