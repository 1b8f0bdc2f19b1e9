"""FETCH by message and item (M 10.5), EXPUNGE and VANISHED (M 10.9)."""

from __future__ import annotations

from dataclasses import replace

from storage.diff.equality import compare
from storage.diff.values import Kind
from tests.storage.diff.equality.rows import Pairs, Row, check, compared, dialogues, each_of
from tests.storage.diff.telling import Bodies

SEEN = "* 1 FETCH (FLAGS (\\Seen))"
BIG = "A" * 5000


@each_of(
    Row("FETCH 1 FLAGS", SEEN, SEEN),
    Row("FETCH 1 FLAGS", SEEN, "* 1 FETCH (FLAGS ())", "missing FETCH 1 FLAGS"),
    Row("FETCH 1 FLAGS", SEEN, "* 1 FETCH (FLAGS (\\Seen $a))", "extra FETCH 1 FLAGS"),
    Row("FETCH 1 FLAGS", SEEN, "* 1 FETCH (FLAGS (\\Draft))", "value FETCH 1 FLAGS"),
    Row("FETCH 1 FLAGS", SEEN, "* 1 FETCH (FLAGS (\\seen))", passes="case"),
    Row("FETCH 1 FLAGS", "* 1 FETCH (FLAGS (a b))", "* 1 FETCH (FLAGS (b a))", passes="order"),
    Row("FETCH 1 FLAGS", SEEN, "* 1 FETCH (FLAGS (\\Recent \\Seen))", passes="recent"),
    Row("FETCH 1 FLAGS", SEEN, "", "missing FETCH 1"),
    Row("FETCH 1:2 FLAGS", SEEN, f"{SEEN}¦* 2 FETCH (FLAGS ())", "extra FETCH 2"),
    Row("FETCH 1:4 FLAGS", f"{SEEN}¦* 2 FETCH (FLAGS ())¦* 3 FETCH (FLAGS ())", SEEN, "missing FETCH 2:3"),
    Row("FETCH 1:2 FLAGS", f"{SEEN}¦* 2 FETCH (FLAGS ())", f"* 2 FETCH (FLAGS ())¦{SEEN}", passes="order"),
    Row("FETCH 1 (FLAGS RFC822.SIZE)", "* 1 FETCH (FLAGS () RFC822.SIZE 9)", "* 1 FETCH (RFC822.SIZE 9 FLAGS ())",
        passes="fetch item order"),
    Row("FETCH 1 (FLAGS RFC822.SIZE)", "* 1 FETCH (FLAGS () RFC822.SIZE 9)",
        "* 1 FETCH (FLAGS ())¦* 1 FETCH (RFC822.SIZE 9)", passes="fetch item order"),
    Row("FETCH 1 RFC822.SIZE", "* 1 FETCH (RFC822.SIZE 9)", "* 1 FETCH (RFC822.SIZE 10)", "value FETCH 1 RFC822.SIZE"),
    Row("FETCH 1 (FLAGS RFC822.SIZE)", "* 1 FETCH (FLAGS () RFC822.SIZE 9)", "* 1 FETCH (FLAGS ())",
        "missing FETCH 1 RFC822.SIZE"),
    Row("UID FETCH 1 FLAGS", "* 1 FETCH (UID 1 FLAGS ())", "* 1 FETCH (UID 11 FLAGS ())", passes="uid"),
    Row("UID FETCH 1 FLAGS", "* 1 FETCH (UID 1 FLAGS ())", "* 1 FETCH (UID 12 FLAGS ())", "missing FETCH 1",
        "unsolicited"),
    Row("UID FETCH 1:2 FLAGS", "* 1 FETCH (UID 1 FLAGS (a))¦* 2 FETCH (UID 2 FLAGS ())",
        "* 2 FETCH (UID 12 FLAGS ())¦* 1 FETCH (UID 11 FLAGS (a))", passes="order, uid"),
    Row("UID FETCH 1:2 FLAGS", "* 1 FETCH (UID 1 FLAGS (a))¦* 2 FETCH (UID 2 FLAGS ())",
        "* 1 FETCH (UID 12 FLAGS (a))¦* 2 FETCH (UID 11 FLAGS ())", "order FETCH UID"),
    Row("UID FETCH 2:4 FLAGS", "* 2 FETCH (UID 2 FLAGS (a))¦* 3 FETCH (UID 3 FLAGS ())",
        "* 1 FETCH (UID 12 FLAGS (a))¦* 2 FETCH (UID 13 FLAGS ())", passes="message number, uid"),
    Row("UID FETCH 2:3 RFC822.SIZE", "* 2 FETCH (UID 2 RFC822.SIZE 7)¦* 3 FETCH (UID 3 RFC822.SIZE 8)",
        "* 2 FETCH (UID 13 RFC822.SIZE 8)", "missing FETCH 2", "message number, uid", right_exists=3,
        cause="The mailbox has 4 messages on the left side, 3 on the right."),
    Row("FETCH 2 (UID RFC822.SIZE)", "* 2 FETCH (UID 2 RFC822.SIZE 7)", "* 2 FETCH (UID 13 RFC822.SIZE 8)",
        "missing FETCH 2, extra FETCH 2", right_exists=3),
    Row("FETCH 2 (UID RFC822.SIZE)", "* 2 FETCH (UID 2 RFC822.SIZE 7)", "* 2 FETCH (UID 13 RFC822.SIZE 7)",
        "value FETCH 2 UID"),
    Row("UID FETCH 8 FLAGS", "* 4 FETCH (UID 8 FLAGS ())", "* 4 FETCH (UID 18 FLAGS ())", passes="uid"),
    Row("UID FETCH 8 FLAGS", "* 4 FETCH (UID 8 FLAGS ())", "* 4 FETCH (UID 14 FLAGS ())", "missing FETCH 4",
        "unsolicited"),
    Row("UID FETCH 1:9 FLAGS", "* 4 FETCH (UID 8 FLAGS ())", "* 4 FETCH (UID 14 FLAGS ())", "value FETCH 4 UID"),
    Row("FETCH 1 BODY[]", '* 1 FETCH (BODY[] "abc")', "* 1 FETCH (BODY[] {3}¦abc)"),
    Row("FETCH 1 BODY[]", '* 1 FETCH (BODY[] "abc")', '* 1 FETCH (BODY[] "abd")', "value FETCH 1 BODY[]"),
    Row("FETCH 1 BODY[]", f'* 1 FETCH (BODY[] "{"a" * 99}")', f'* 1 FETCH (BODY[] "{"a" * 98}")',
        "value FETCH 1 BODY[]", cause="The first 98 bytes are the same, of 99 and 98."),
    Row("FETCH 1 BODY[]", '* 1 FETCH (BODY[] "abc")', "* 1 FETCH (BODY[] NIL)", "value FETCH 1 BODY[]"),
    Row("FETCH 1 BODY[]", '* 1 FETCH (BODY[] "")', "* 1 FETCH (BODY[] NIL)", "value FETCH 1 BODY[]"),
    Row("FETCH 1 BODY[]", '* 1 FETCH (BODY[] "abc")', '* 1 FETCH (FLAGS (\\Seen) BODY[] "abc")',
        passes="not asked for"),
    Row("FETCH 1 BODY[]", '* 1 FETCH (BODY[] "abc" FLAGS (a))', '* 1 FETCH (BODY[] "abc" FLAGS (b))',
        passes="not asked for"),
    Row("FETCH 1 BODY[]", '* 1 FETCH (BODY[] "abc")', '* 1 FETCH (BODY[] "abc")¦* 2 FETCH (FLAGS ())',
        passes="unsolicited"),
    Row("UID FETCH 1 BODY[]", '* 1 FETCH (UID 1 BODY[] "abc")',
        '* 1 FETCH (UID 11 BODY[] "abc")¦* 2 FETCH (UID 12 FLAGS ())', passes="uid, unsolicited"),
    Row("FETCH 1 BODY.PEEK[TEXT]<0.9>", '* 1 FETCH (BODY[TEXT]<0> "abc")', '* 1 FETCH (BODY.PEEK[TEXT]<0> "abc")'),
    Row("FETCH 1 BODY[TEXT]<0.9>", '* 1 FETCH (BODY[TEXT]<0> "abc")', '* 1 FETCH (BODY[TEXT] "abc")',
        "missing FETCH 1 BODY[TEXT]<0>, extra FETCH 1 BODY[TEXT]"),
    Row("FETCH 1 BODY[HEADER.FIELDS (A B)]", '* 1 FETCH (BODY[HEADER.FIELDS (A B)] "abc")',
        '* 1 FETCH (BODY[header.fields ("b" a)] "abc")'),
    Row("FETCH 1 BODY[]", f"* 1 FETCH (BODY[] {{5000}}¦{BIG})", f"* 1 FETCH (BODY[] {{5000}}¦{BIG})"),
    Row("FETCH 1 BODY[]", f"* 1 FETCH (BODY[] {{5000}}¦{BIG})", f"* 1 FETCH (BODY[] {{5000}}¦{BIG[1:]}B)",
        "value FETCH 1 BODY[]", cause="The first 4999 bytes are the same."),
    Row("FETCH 1 BODY[]", f"* 1 FETCH (BODY[] {{5000}}¦{BIG})", f"* 1 FETCH (BODY[] {{4998}}¦{BIG[2:]})",
        "value FETCH 1 BODY[]", cause="5000 and 4998 bytes."),
    Row("FETCH 1 BODY[]", f"* 1 FETCH (BODY[] {{5000}}¦{BIG})", f"* 1 FETCH (BODY[] {{5000}}¦{BIG[1:]}B)",
        passes="content not kept", lost=b"AAA"),
    Row("FETCH 1 BODY[]", f"* 1 FETCH (BODY[] {{5000}}¦{BIG})", "* 1 FETCH (BODY[] NIL)", "value FETCH 1 BODY[]"),
    Row("FETCH 1 BINARY[1]", '* 1 FETCH (BINARY[1] "a")', '* 1 FETCH (BINARY[1] "b")', "value FETCH 1 BINARY[1]"),
    Row("FETCH 1 BINARY.SIZE[1]", "* 1 FETCH (BINARY.SIZE[1] 5)", "* 1 FETCH (BINARY.SIZE[1] 6)",
        "value FETCH 1 BINARY.SIZE[1]"),
    Row("FETCH 1 INTERNALDATE", '* 1 FETCH (INTERNALDATE "01-Jan-2024 12:00:00 +0000")',
        '* 1 FETCH (INTERNALDATE " 1-Jan-2024 14:00:00 +0200")'),
    Row("FETCH 1 INTERNALDATE", '* 1 FETCH (INTERNALDATE "01-Jan-2024 12:00:00 +0000")',
        '* 1 FETCH (INTERNALDATE "01-Jan-2024 12:00:01 +0000")', "value FETCH 1 INTERNALDATE"),
    Row("FETCH 1 SAVEDATE", '* 1 FETCH (SAVEDATE "01-Jan-2024 12:00:00 +0000")',
        '* 1 FETCH (SAVEDATE "01-Jan-2024 12:00:01 +0000")', passes="save date"),
    Row("FETCH 1 SAVEDATE", '* 1 FETCH (SAVEDATE "01-Jan-2024 12:00:00 +0000")', "* 1 FETCH (SAVEDATE NIL)",
        "value FETCH 1 SAVEDATE"),
    Row("FETCH 1 PREVIEW", '* 1 FETCH (PREVIEW "Hello")', '* 1 FETCH (PREVIEW "Hello you")', passes="preview"),
    Row("FETCH 1 SNIPPET", '* 1 FETCH (SNIPPET (FUZZY "Hi"))', '* 1 FETCH (SNIPPET (FUZZY "xx"))', passes="preview"),
    Row("FETCH 1 X-Y", '* 1 FETCH (X-Y (FUZZY "Hello"))', '* 1 FETCH (X-Y (FUZZY "xxxxx"))', "value FETCH 1 X-Y"),
    Row("FETCH 1 (RFC822.SIZE PREVIEW)", '* 1 FETCH (RFC822.SIZE 1 PREVIEW "Hello")', "* 1 FETCH (RFC822.SIZE 1)",
        "capability FETCH 1 PREVIEW", lacking="PREVIEW"),
    Row("FETCH 1 EMAILID", "* 1 FETCH (EMAILID (a))", "* 1 FETCH (EMAILID (b))", passes="object id"),
    Row("FETCH 1:2 THREADID", "* 1 FETCH (THREADID (a))¦* 2 FETCH (THREADID (a))",
        "* 1 FETCH (THREADID (b))¦* 2 FETCH (THREADID (b))", passes="object id"),
    Row("FETCH 1:2 THREADID", "* 1 FETCH (THREADID (a))¦* 2 FETCH (THREADID (a))",
        "* 1 FETCH (THREADID (b))¦* 2 FETCH (THREADID (c))", "value FETCH 2 THREADID", "object id"),
    Row("FETCH 1:2 THREADID", "* 1 FETCH (THREADID (a))¦* 2 FETCH (THREADID (d))",
        "* 1 FETCH (THREADID (b))¦* 2 FETCH (THREADID (b))", "value FETCH 2 THREADID", "object id"),
    Row("FETCH 1 THREADID", "* 1 FETCH (THREADID (a))", "* 1 FETCH (THREADID NIL)", "value FETCH 1 THREADID"),
    Row("FETCH 1 X-GM-MSGID", "* 1 FETCH (X-GM-MSGID 7)", "* 1 FETCH (X-GM-MSGID 8)", "value FETCH 1 X-GM-MSGID",
        mapped=Pairs(objects={"7": "9"})),
    Row("FETCH 1 X-GM-LABELS", "* 1 FETCH (X-GM-LABELS (a \\Inbox))", "* 1 FETCH (X-GM-LABELS (\\Inbox a))",
        passes="order"),
    Row("FETCH 1 X-GM-LABELS", "* 1 FETCH (X-GM-LABELS (a))", "* 1 FETCH (X-GM-LABELS (b))",
        "value FETCH 1 X-GM-LABELS"),
    Row("FETCH 1:2 MODSEQ", "* 1 FETCH (MODSEQ (5))¦* 2 FETCH (MODSEQ (6))",
        "* 1 FETCH (MODSEQ (50))¦* 2 FETCH (MODSEQ (60))", passes="modseq"),
    Row("FETCH 1:2 MODSEQ", "* 1 FETCH (MODSEQ (5))¦* 2 FETCH (MODSEQ (6))",
        "* 1 FETCH (MODSEQ (70))¦* 2 FETCH (MODSEQ (60))", "order FETCH MODSEQ"),
    Row("FETCH 1:2 MODSEQ", "* 1 FETCH (MODSEQ (5))¦* 2 FETCH (MODSEQ (5))",
        "* 1 FETCH (MODSEQ (50))¦* 2 FETCH (MODSEQ (60))", passes="modseq, modseq ties"),
    Row("FETCH 1 (FLAGS MODSEQ)", "* 1 FETCH (FLAGS () MODSEQ (5))", "* 1 FETCH (FLAGS ())",
        "capability FETCH 1 MODSEQ", lacking="CONDSTORE QRESYNC"),
    Row("STORE 1 +FLAGS (\\Seen)", SEEN, "* 1 FETCH (FLAGS ())", "missing FETCH 1 FLAGS"),
    Row("STORE 1 +FLAGS (\\Seen)", SEEN, "* 1 FETCH (FLAGS (\\Seen) MODSEQ (8))", passes="not asked for"),
    Row("STORE 1 +FLAGS (\\Seen)", SEEN, "", "missing FETCH 1"),
    Row("STORE 1 +FLAGS.SILENT (\\Seen)", SEEN, "", passes="not asked for"),
    Row("FETCH 1 (FOO)", "* 1 FETCH (FOO (1 2))", "* 1 FETCH (FOO (1 3))", "value FETCH 1 FOO"),
    Row("FETCH 1 ANNOTATION (/c value)", '* 1 FETCH (ANNOTATION (/c (value.priv "a")))',
        '* 1 FETCH (ANNOTATION (/c (value.priv "b")))', "value FETCH 1 ANNOTATION"),
    Row("FETCH 1 ANNOTATION (/c value)", '* 1 FETCH (ANNOTATION (/c (value.priv "a") /d (value.priv "b")))',
        '* 1 FETCH (ANNOTATION (/d (value.priv "b") /c (value.priv "a")))'),
    Row("FETCH 1 FLAGS", "* 1 FETCH (FLAGS (", "* 1 FETCH (FLAGS (", ""),
)  # fmt: skip
def test_two_fetches(row: Row) -> None:
    check(row)


@each_of(
    Row("EXPUNGE", "* 1 EXPUNGE", "* 1 EXPUNGE"),
    Row("EXPUNGE", "* 1 EXPUNGE¦* 1 EXPUNGE", "* 2 EXPUNGE¦* 1 EXPUNGE", passes="expunge form"),
    Row("EXPUNGE", "* 1 EXPUNGE¦* 1 EXPUNGE", "* 1 EXPUNGE", "missing EXPUNGE"),
    Row("EXPUNGE", "* 1 EXPUNGE", "* 1 EXPUNGE¦* 1 EXPUNGE", "extra EXPUNGE"),
    Row("EXPUNGE", "* 1 EXPUNGE", "* 2 EXPUNGE", "value EXPUNGE"),
    Row("EXPUNGE", "* 1 EXPUNGE", "", "missing EXPUNGE"),
    Row("EXPUNGE", "* 1 EXPUNGE¦* 1 EXPUNGE", "* VANISHED 11:12", passes="expunge form, uid"),
    Row("EXPUNGE", "* 1 EXPUNGE¦* 1 EXPUNGE", "* VANISHED 11,13", "value EXPUNGE"),
    Row("EXPUNGE", "* VANISHED 1", "* VANISHED 11", passes="uid"),
    Row("EXPUNGE", "* VANISHED 1:2", "* VANISHED 11", "missing EXPUNGE"),
    Row("EXPUNGE", "* VANISHED 1:2", "* VANISHED 12¦* VANISHED 11", passes="uid, expunge form"),
    Row("UID EXPUNGE 3", "* 3 EXPUNGE", "* 3 EXPUNGE"),
    Row("UID MOVE 1 Sent", "* OK [COPYUID 9 1 1] m¦* 1 EXPUNGE", "* OK [COPYUID 9 11 21] m", "missing EXPUNGE", "uid"),
    Row("CLOSE", "", ""),
    Row("UID FETCH 1:4 FLAGS (CHANGEDSINCE 1 VANISHED)", "* VANISHED (EARLIER) 1:3", "* VANISHED (EARLIER) 11:13",
        passes="uid"),
    Row("UID FETCH 1:4 FLAGS (CHANGEDSINCE 1 VANISHED)", "* VANISHED (EARLIER) 1:3", "* VANISHED (EARLIER) 11:12",
        "missing VANISHED (EARLIER)"),
    Row("UID FETCH 1:4 FLAGS (CHANGEDSINCE 1 VANISHED)", "* VANISHED (EARLIER) 1,50:60", "* VANISHED (EARLIER) 11,70",
        passes="uid, vanished earlier"),
    Row("UID FETCH 1:4 FLAGS (CHANGEDSINCE 1 VANISHED)", "", "* VANISHED (EARLIER) 11", "extra VANISHED (EARLIER)"),
)  # fmt: skip
def test_two_expunges(row: Row) -> None:
    check(row)


def test_a_mailbox_with_other_messages_is_given_as_the_cause() -> None:
    row = Row("FETCH 1:4 FLAGS", "* 4 FETCH (FLAGS ())", "", right_exists=3)
    (difference,) = compared(row).differences
    assert difference.kind is Kind.MISSING
    assert difference.cause == "The mailbox has 4 messages on the left side, 3 on the right."


def test_what_was_not_kept_on_one_side_is_compared_by_its_sha256() -> None:
    for right, differs in ((BIG, []), (BIG[1:] + "B", ["FETCH 1 BODY[]"])):
        row = Row("FETCH 1 BODY[]", f"* 1 FETCH (BODY[] {{5000}}¦{BIG})", f"* 1 FETCH (BODY[] {{5000}}¦{right})")
        left_side, right_side, context = dialogues(row)
        not_kept, kept = context.literals
        assert isinstance(not_kept, Bodies)
        context = replace(context, literals=(replace(not_kept, lost=b"AAA", hashed=True), kept))
        found = compare(left_side, right_side, context)
        assert [each.where for each in found.differences] == differs
        assert found.passes == ()


def test_a_letter_of_three_bytes_may_be_masked() -> None:
    for text, differs in (("xxx", []), ("xx", ["FETCH 1 BODY[]"]), ("xxb", ["FETCH 1 BODY[]"])):
        left_side, right_side, context = dialogues(
            Row("FETCH 1 BODY[]", f'* 1 FETCH (BODY[] "{text}")', '* 1 FETCH (BODY[] "abc")')
        )
        answers = tuple(answer._replace(secret=True) for answer in left_side.answers)
        found = compare(left_side._replace(answers=answers), right_side, context)
        assert [each.where for each in found.differences] == differs
        assert [each.rule for each in found.passes] == ([] if differs else ["content not kept"])


def test_what_is_masked_on_one_side_is_not_compared_whatever_its_size() -> None:
    for right, masked, differs in (
        ("for secret: a", True, []),
        ("for secret: b", True, ["FETCH 1 BODY[]"]),
        ("for secrets: a", True, ["FETCH 1 BODY[]"]),
        ("for secret: a", False, ["FETCH 1 BODY[]"]),
    ):
        row = Row("FETCH 1 BODY[]", '* 1 FETCH (BODY[] "for xxxxxx: a")', f'* 1 FETCH (BODY[] "{right}")')
        left_side, right_side, context = dialogues(row)
        answers = tuple(answer._replace(secret=masked) for answer in left_side.answers)
        found = compare(left_side._replace(answers=answers), right_side, context)
        assert [each.where for each in found.differences] == differs
        assert [(each.rule, each.right) for each in found.passes] == (
            [] if differs else [("content not kept", "13 bytes")]
        )


def test_what_is_masked_on_both_sides_is_not_compared() -> None:
    """However alike it looks; what was not masked is not doubted for its looks, nor what is not of a letter."""
    for value, sides, told in (
        ('BODY[TEXT] "xxxxxxxx"', (True, True), ["8 bytes"]),
        ('BODY[] "A: b xxxxxxxx"', (True, True), ["13 bytes"]),
        ('BODY[] "A: b xxxxxxxx"', (True, False), []),
        ('BODY[] "A: b xxxxxxxx"', (False, False), []),
        ('BODY[] "A: b"', (True, True), []),
        ("BODY[] NIL", (True, True), []),
        ("UID 1 FLAGS (xxxxxxxx)", (True, True), []),
    ):
        row = Row("FETCH 1 BODY[]", f"* 1 FETCH ({value})", f"* 1 FETCH ({value})")
        left_side, right_side, context = dialogues(row)
        left_side, right_side = (
            side._replace(answers=tuple(each._replace(secret=secret) for each in side.answers))
            for side, secret in zip((left_side, right_side), sides, strict=True)
        )
        found = compare(left_side, right_side, context)
        assert found.differences == ()
        assert [(each.rule, each.right) for each in found.passes] == [("content not kept", each) for each in told]
