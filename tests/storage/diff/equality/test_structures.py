"""ENVELOPE (M 10.6) and BODYSTRUCTURE (M 10.7)."""

from __future__ import annotations

from tests.storage.diff.equality.rows import Row, check, each_of

ANN = '("Ann" NIL "ann" "example.org")'
BOB = '("Bob" NIL "bob" "example.org")'


def envelope(
    date: str = '"Mon"', subject: str = '"Hi"', sent_from: str = f"({ANN})", sender: str = f"({ANN})",
    reply_to: str = f"({ANN})", to: str = f"({BOB})", cc: str = "NIL", rest: str = 'NIL NIL "<a@b>"',
) -> str:  # fmt: skip
    """A FETCH of an ENVELOPE."""
    return f"* 1 FETCH (ENVELOPE ({date} {subject} {sent_from} {sender} {reply_to} {to} {cc} {rest}))"


WHERE = "FETCH 1 ENVELOPE"
A = envelope()


@each_of(
    Row("FETCH 1 ENVELOPE", A, A),
    Row("FETCH 1 ENVELOPE", A, envelope(subject="{2}¦Hi")),
    Row("FETCH 1 ENVELOPE", A, envelope(subject='"Ho"'), f"value {WHERE} subject"),
    Row("FETCH 1 ENVELOPE", A, envelope(date='"Tue"'), f"value {WHERE} date"),
    Row("FETCH 1 ENVELOPE", A, envelope(rest='NIL NIL "<b@b>"'), f"value {WHERE} message-id"),
    Row("FETCH 1 ENVELOPE", A, envelope(rest='NIL "<c>" "<a@b>"'), f"value {WHERE} in-reply-to"),
    Row("FETCH 1 ENVELOPE", envelope(subject="NIL"), envelope(subject='""'), f"value {WHERE} subject"),
    Row("FETCH 1 ENVELOPE", envelope(subject='"a b"'), envelope(subject='"a  b"'), passes="white space"),
    Row("FETCH 1 ENVELOPE", envelope(subject='"=?utf-8?q?a?="'), envelope(subject='"a"'), f"value {WHERE} subject"),
    Row("FETCH 1 ENVELOPE", A, envelope(sender="NIL"), passes="sender"),
    Row("FETCH 1 ENVELOPE", envelope(reply_to="NIL"), A, passes="sender"),
    Row("FETCH 1 ENVELOPE", A, envelope(sender=f"({BOB})"), f"value {WHERE} sender"),
    Row("FETCH 1 ENVELOPE", envelope(sender=f"({BOB})"), envelope(sender="NIL"), f"value {WHERE} sender"),
    Row("FETCH 1 ENVELOPE", A, envelope(sent_from=f"({BOB})"),
        f"value {WHERE} from"),
    Row("FETCH 1 ENVELOPE", A, envelope(to=f"({BOB}{ANN})"), f"value {WHERE} to"),
    Row("FETCH 1 ENVELOPE", envelope(to=f"({ANN}{BOB})"), envelope(to=f"({BOB}{ANN})"),
        f"value {WHERE} to 1, value {WHERE} to 2"),
    Row("FETCH 1 ENVELOPE", A, envelope(to='(("Rob" NIL "bob" "example.org"))'), f"value {WHERE} to name"),
    Row("FETCH 1 ENVELOPE", A, envelope(to='(("Bob" NIL "bob" "Example.org"))'), f"value {WHERE} to"),
    Row("FETCH 1 ENVELOPE", A, envelope(to='((NIL NIL "g" NIL)(NIL NIL NIL NIL))'), f"value {WHERE} to",
        cause="Group syntax"),
    Row("FETCH 1 ENVELOPE", A, envelope(to='(("Bob" "@x" "bob" "example.org"))'), f"value {WHERE} to",
        cause="A source route"),
    Row("FETCH 1 ENVELOPE", envelope(to='((NIL NIL "bob" "MISSING_DOMAIN"))'), envelope(to='((NIL NIL "bob" ""))'),
        f"value {WHERE} to", cause="without a host"),
    Row("FETCH 1 ENVELOPE", A, envelope(cc=f"({BOB})"), f"value {WHERE} cc"),
    Row("FETCH 1 ENVELOPE", A, "* 1 FETCH (ENVELOPE NIL)", f"value {WHERE}"),
)  # fmt: skip
def test_two_envelopes(row: Row) -> None:
    check(row)


PLAIN = '("TEXT" "PLAIN" ("CHARSET" "utf-8") NIL NIL "7BIT" 10 2 NIL NIL NIL NIL)'
HTML = '("TEXT" "HTML" ("CHARSET" "utf-8") NIL NIL "BASE64" 20 3 NIL NIL NIL NIL)'
PDF = (
    '("APPLICATION" "PDF" ("NAME" "a.pdf") "<id>" "what" "BASE64" 99 "md5" ("ATTACHMENT" ("FILENAME" "a.pdf")) NIL NIL)'
)
MIXED = f'({PLAIN}{PDF} "MIXED" ("BOUNDARY" "x") NIL NIL NIL)'
MESSAGE = (
    f'("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 300 ("Mon" "Hi" ({ANN}) ({ANN}) ({ANN}) ({BOB}) NIL NIL NIL "<m>") '
    f"{PLAIN} 9 NIL NIL NIL NIL)"
)
WRAPPED = f'({PLAIN}{MESSAGE} "MIXED" ("BOUNDARY" "x") NIL NIL NIL)'


def body(structure: str, name: str = "BODYSTRUCTURE") -> str:
    """A FETCH of a BODYSTRUCTURE."""
    return f"* 1 FETCH ({name} {structure})"


def changed(old: str, new: str, structure: str = PLAIN) -> tuple[str, str]:
    """Two FETCHes, and what differs between them."""
    assert structure.count(old) == 1, (old, structure)
    return body(structure), body(structure.replace(old, new))


B = "FETCH 1 BODYSTRUCTURE"
ASK = "FETCH 1 BODYSTRUCTURE"


@each_of(
    Row(ASK, body(MIXED), body(MIXED)),
    Row(ASK, *changed('"TEXT"', '"text"'), passes="case"),
    Row(ASK, *changed('"PLAIN"', '"plain"'), passes="case"),
    Row(ASK, *changed('"PLAIN"', '"HTML"'), f"value {B} 1 type"),
    Row(ASK, *changed('"CHARSET"', '"charset"')),
    Row(ASK, *changed('"utf-8"', '"UTF-8"'), passes="case"),
    Row(ASK, *changed('"utf-8"', '"latin1"'), f"value {B} 1 charset"),
    Row(ASK, *changed('("CHARSET" "utf-8")', "NIL"), f"missing {B} 1 charset"),
    Row(ASK, body(PLAIN.replace("utf-8", "us-ascii")), body(PLAIN.replace('("CHARSET" "utf-8")', "NIL")),
        passes="mime defaults"),
    Row(ASK, *changed('"7BIT"', '"7bit"'), passes="case"),
    Row(ASK, *changed('"7BIT"', '"8BIT"'), f"value {B} 1 encoding"),
    Row(ASK, *changed('"7BIT"', "NIL"), passes="mime defaults"),
    Row(ASK, *changed(" 10 ", " 11 "), f"value {B} 1 octets"),
    Row(ASK, *changed(" 2 ", " 3 "), passes="lines"),
    Row(ASK, *changed(" 2 ", " 7 "), f"value {B} 1 lines"),
    Row(ASK, *changed(' 2 NIL NIL NIL NIL)', " 2)"), passes="extension fields"),
    Row(ASK, *changed('"<id>"', '"<no>"', PDF), f"value {B} 1 content-id"),
    Row(ASK, *changed('"what"', '"who"', PDF), f"value {B} 1 description"),
    Row(ASK, *changed('"md5"', '"md4"', PDF), f"value {B} 1 md5"),
    Row(ASK, *changed('"ATTACHMENT"', '"attachment"', PDF), passes="case"),
    Row(ASK, *changed('"ATTACHMENT"', '"INLINE"', PDF), f"value {B} 1 disposition"),
    Row(ASK, *changed('("FILENAME" "a.pdf")', '("FILENAME" "b.pdf")', PDF), f"value {B} 1 disposition filename"),
    Row(ASK, *changed('("ATTACHMENT" ("FILENAME" "a.pdf")) NIL', 'NIL NIL', PDF), f"missing {B} 1 disposition"),
    Row(ASK, *changed('("FILENAME" "a.pdf")) NIL', '("FILENAME" "a.pdf")) "en"', PDF), f"extra {B} 1 language"),
    Row(ASK, *changed("99", "98", MIXED), f"value {B} 2 octets"),
    Row(ASK, *changed('"x"', '"y"', MIXED), passes="boundary"),
    Row(ASK, *changed('"MIXED"', '"mixed"', MIXED), passes="case"),
    Row(ASK, *changed('"MIXED"', '"RELATED"', MIXED), f"value {B} subtype"),
    Row(ASK, *changed(PDF, "", MIXED), f"missing {B} parts"),
    Row(ASK, *changed(PDF, PDF + HTML, MIXED), f"extra {B} parts"),
    Row(ASK, body(MIXED), body(MIXED.replace(PLAIN + PDF, PDF + PLAIN)), f"value {B} 1 type, value {B} 2 type"),
    Row(ASK, *changed(PDF, f"({PLAIN} \"MIXED\")", MIXED), f"value {B} 2"),
    Row(ASK, body(PLAIN), body("NIL"), f"value {B}"),
    Row(ASK, *changed('("BOUNDARY" "x")', '("BOUNDARY" "x" "TYPE" "a")', MIXED), f"extra {B} type"),
    Row(ASK, *changed("300", "301", WRAPPED), f"value {B} 2 octets"),
    Row(ASK, *changed('"Hi"', '"Ho"', WRAPPED), f"value {B} 2 ENVELOPE subject"),
    Row(ASK, body(WRAPPED), body(WRAPPED[::-1].replace(" 01 ", " 11 ", 1)[::-1]), f"value {B} 2.1 octets"),
    Row("FETCH 1 BODY", body('("TEXT" "PLAIN" NIL NIL NIL "7BIT" 10 2)', "BODY"),
        body('("TEXT" "PLAIN" NIL NIL NIL "7BIT" 10 2 NIL NIL NIL NIL)'), passes="body form, extension fields"),
    Row("FETCH 1 BODY", body('("TEXT" "PLAIN" NIL NIL NIL "7BIT" 10 2)', "BODY"),
        body('("TEXT" "PLAIN" NIL NIL NIL "7BIT" 11 2)', "BODY"), f"value {B} 1 octets"),
)  # fmt: skip
def test_two_structures(row: Row) -> None:
    check(row)
