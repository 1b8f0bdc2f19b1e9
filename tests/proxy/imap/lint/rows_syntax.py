"""Rows of the family syntax: rule, who, what breaks it, and what comes close and does not."""

from __future__ import annotations

from tests.proxy.imap.lint.saying import logged_in, selected

IN, BOX = logged_in(), selected()


def fetched(items: str) -> str:
    """A FETCH and its answer."""
    return f"{BOX}C: a FETCH 1 ALL\nS: * 1 FETCH ({items})"


def listed(rest: str) -> str:
    """A LIST and its answer."""
    return f'{IN}C: a LIST "" *\nS: * LIST {rest}'


PART = '"A" "B" NIL NIL NIL "7BIT" 1'
NIL8 = "NIL NIL NIL NIL NIL NIL NIL NIL"

ROWS = [
    ("unreadable", "C", f"{IN}C: a LIST (", f"{IN}C: a LIST ()"),
    ("unreadable", "S", f"{IN}S: * (", f"{IN}S: * OK ("),
    ("open-quote", "C", f'{IN}C: a SELECT "a"b"', f'{IN}C: a SELECT "a\\"b"'),
    ("open-quote", "S", listed('() "/" "a"b"'), listed('() "/" "a\\"b"')),
    ("unknown-command", "C", f"{IN}C: a FROBNICATE", f"{IN}C: a XFROBNICATE"),
    ("unknown-data", "S", f"{IN}S: * FROBNICATED 1", f"{IN}S: * XFROBNICATED 1"),
    ("bad-arguments", "C", f"{BOX}C: a SEARCH NONSENSE", f"{BOX}C: a SEARCH SEEN"),
    ("bad-arguments", "S", f"{BOX}C: a FETCH 1 ALL\nS: * 1 FETCH *", fetched("UID 5")),
    ("doubled-space", "C", f"{IN}C: a  NOOP", f"{IN}C: a NOOP"),
    ("doubled-space", "S", f"{BOX}S: * 3  EXISTS", f"{BOX}S: * 3 EXISTS"),
    ("extra-space", "C", f"{BOX}C: a SEARCH (SEEN DELETED )", f"{BOX}C: a SEARCH (SEEN DELETED)"),
    ("extra-space", "S", fetched("UID 5 "), fetched("UID 5")),
    ("tab", "S", f"{BOX}S: * 3\tEXISTS", f"{BOX}S: * OK 3\tEXISTS"),
    ("trailing-space", "C", f"{IN}C: a NOOP ", f"{IN}C: a NOOP"),
    ("trailing-space", "S", f"{BOX}C: a SEARCH SEEN\nS: * SEARCH ", f"{BOX}C: a SEARCH SEEN\nS: * SEARCH"),
    ("missing-space", "S", listed('(\\Noselect)"/" x'), listed('(\\Noselect) "/" x')),
    ("odd-atom", "C", f"{IN}C: a SELECT a*", f'{IN}C: a SELECT "a*"'),
    ("odd-atom", "S", listed('() "/" a\tb'), listed('() "/" "a\tb"')),
    ("odd-escape", "S", listed('() "/" "a\\b"'), listed('() "/" "a\\\\b"')),
    ("odd-escape", "C", f'{IN}C: a SELECT "a\\b"', f'{IN}C: a SELECT "a\\\\b"'),
    ("atom-for-string", "S", f"{IN}C: a ID NIL\nS: * ID (name x)", f'{IN}C: a ID NIL\nS: * ID ("name" "x")'),
    ("atom-for-string", "C", f"{IN}C: a ID (name x)", f'{IN}C: a ID ("name" "x")'),
    ("string-for-atom", "C", f'{BOX}C: a SEARCH KEYWORD "x"', f"{BOX}C: a SEARCH KEYWORD x"),
    (
        "nil-for-string",
        "S",
        fetched('BODY ("A" "B" ("C" "D" NIL "E") NIL NIL "7BIT" 1)'),
        fetched('BODY ("A" "B" ("C" "D" "" "E") NIL NIL "7BIT" 1)'),
    ),
    ("nil-for-list", "S", listed('NIL "/" x'), listed("() NIL x")),
    ("missing-list", "S", fetched("MODSEQ 5"), fetched("MODSEQ (5)")),
    ("negative", "S", fetched("MODSEQ (-1)"), fetched("MODSEQ (1)")),
    ("big-number", "S", f"{IN}S: * OK [APPENDUID 4294967296 1] x", f"{IN}S: * OK [APPENDUID 4294967295 1] x"),
    ("odd-date", "S", fetched('INTERNALDATE "today"'), fetched('INTERNALDATE " 1-Jan-2024 10:00:00 +0000"')),
    ("odd-date", "C", f"{BOX}C: a SEARCH SINCE 2024-01-02", f"{BOX}C: a SEARCH SINCE 2-Jan-2024"),
    ("no-text", "S", f"{IN}C: a NOOP\nS: a OK", f"{IN}C: a NOOP\nS: a OK done"),
    ("no-status", "S", f"{IN}S: [COPYUID 55 31 6] x", f"{IN}S: * OK [COPYUID 55 31 6] x"),
    ("unknown-status", "S", f"{IN}C: a NOOP\nS: a ERROR what", f"{IN}C: a NOOP\nS: a NO what"),
    ("code-arguments", "S", f"{IN}S: * OK [UIDNEXT] x", f"{IN}S: * OK [UIDNEXT 1] x"),
    ("open-code", "S", f"{IN}S: * OK [ALERT x", f"{IN}S: * OK [ALERT] x"),
    ("short-envelope", "S", fetched(f"ENVELOPE ({NIL8})"), fetched(f"ENVELOPE ({NIL8} NIL NIL)")),
    (
        "bare-address",
        "S",
        fetched('ENVELOPE (NIL NIL "x@y" NIL NIL NIL NIL NIL NIL NIL)'),
        fetched('ENVELOPE (NIL NIL ((NIL NIL "x" "y")) NIL NIL NIL NIL NIL NIL NIL)'),
    ),
    (
        "short-address",
        "S",
        fetched('ENVELOPE (NIL NIL (("a" NIL)) NIL NIL NIL NIL NIL NIL NIL)'),
        fetched('ENVELOPE (NIL NIL (("a" NIL "b" "c")) NIL NIL NIL NIL NIL NIL NIL)'),
    ),
    (
        "no-parts",
        "S",
        fetched('BODYSTRUCTURE ("MIXED" ("B" "x") NIL NIL NIL)'),
        fetched(f'BODYSTRUCTURE (({PART}) "MIXED" ("B" "x") NIL NIL NIL)'),
    ),
    ("no-subtype", "S", fetched(f"BODY (({PART}))"), fetched(f'BODY (({PART}) "MIXED")')),
    ("empty-part", "S", fetched("BODY ()"), fetched(f"BODY ({PART})")),
    (
        "basic-message",
        "S",
        fetched('BODY ("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 5)'),
        fetched(f'BODY ("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 5 ({NIL8} NIL NIL) ({PART}) 2)'),
    ),
    (
        "missing-lines",
        "S",
        fetched('BODY ("TEXT" "PLAIN" NIL NIL NIL "7BIT" 5)'),
        fetched('BODY ("TEXT" "PLAIN" NIL NIL NIL "7BIT" 5 1)'),
    ),
    (
        "odd-disposition",
        "S",
        fetched(f'BODYSTRUCTURE ({PART} NIL "inline" NIL NIL)'),
        fetched(f'BODYSTRUCTURE ({PART} NIL ("inline" NIL) NIL NIL)'),
    ),
    (
        "odd-field",
        "S",
        fetched(f"BODYSTRUCTURE ({PART} NIL NIL NIL ())"),
        fetched(f"BODYSTRUCTURE ({PART} NIL NIL NIL NIL)"),
    ),
    ("odd-origin", "S", fetched('BODY[]<0.9> "x"'), fetched('BODY[]<0> "x"')),
    ("section-suffix", "S", fetched('RFC822[] "x"'), fetched('RFC822 "x"')),
    ("unread-item", "S", fetched("UID 5 ENVELOPE (x (y)) FLAGS ()"), fetched("UID 5 FLAGS ()")),
    ("wrapped-item", "S", fetched("UID 5 (RFC822.SIZE 9) FLAGS ()"), fetched("UID 5 RFC822.SIZE 9 FLAGS ()")),
    ("no-value", "S", fetched("UID 5 BODY[2] "), fetched("UID 5 BODY[2] NIL")),
]
