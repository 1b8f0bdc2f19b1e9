"""Rows of the families framing, tags and literals: rule, who, what breaks it, and what comes close and does not."""

from __future__ import annotations

from tests.proxy.imap.lint.saying import logged_in, selected

IN, BOX = logged_in(), selected()
PLUS, MINUS = logged_in("IMAP4rev1 LITERAL+"), logged_in("IMAP4rev1 LITERAL-")
NEITHER = logged_in("IMAP4rev1")
LONG = "x" * 8190
UTF8 = f"{IN}C: e ENABLE UTF8=ACCEPT\nS: * ENABLED UTF8=ACCEPT\nS: e OK done\n"

FRAMING = [
    ("bare-lf", "C", f"{IN}C> a NOOP«0a»", f"{IN}C: a NOOP"),
    ("bare-lf", "S", f"{BOX}C: a NOOP\nS> * 4 EXISTS«0a»", f"{BOX}C: a NOOP\nS> * 4 EXISTS«0d 0a»"),
    ("bare-cr", "C", f'{IN}C: a LIST "" "x«0d»y"', f'{IN}C> a LIST "" {{3}}«0d 0a»\nS: + go\nC: x«0d»y'),
    ("bare-cr", "S", f"{IN}S: * OK one«0d»two", f"{IN}S: * OK one two"),
    ("nul", "C", f'{IN}C: a LIST "" "x«00»y"', f'{IN}C: a LIST "" "x«01»y"'),
    (
        "nul",
        "S",
        f"{BOX}C: a FETCH 1 BODY[]\nS: * 1 FETCH (BODY[] {{3}}\nS: x«00»y)",
        f"{BOX}C: a FETCH 1 BINARY[]\nS: * 1 FETCH (BINARY[] ~{{3}}\nS: x«00»y)",
    ),
    ("eight-bit", "C", f'{IN}C: a LIST "" "«c3 a4»"', f'{UTF8}C: a LIST "" "«c3 a4»"'),
    (
        "eight-bit",
        "S",
        f'{IN}C: a LIST "" *\nS: * LIST () "/" "«c3 a4»"',
        f'{IN}C: a LIST "" *\nS: * LIST () "/" {{2}}\nS: «c3 a4»',
    ),
    (
        "eight-bit",
        "C",
        f'{logged_in("IMAP4rev1 IMAP4rev2")}C: a LIST "" "«c3 a4»"',
        f'{logged_in("IMAP4rev2")}C: a LIST "" "«c3 a4»"',
    ),
    ("text-eight-bit", "S", f"{IN}S: * OK gr«c3 bc»n", f"{UTF8}S: * OK gr«c3 bc»n"),
    ("blank-line", "C", f"{IN}C: ", f"{IN}C: a NOOP"),
    ("blank-line", "S", f"{IN}S: ", f"{IN}S: * OK still here"),
    ("long-line", "C", f"{IN}C: a SEARCH SUBJECT {LONG}", f"{IN}C: a SEARCH SUBJECT {LONG[:8000]}"),
    ("leading-space", "C", f"{IN}C>  a NOOP«0d 0a»", f"{IN}C: a NOOP"),
    ("leading-space", "S", f"{IN}S>  * OK hi«0d 0a»", f"{IN}S: * OK  hi"),
    ("cut", "C", f"{IN}C> a NOO", f"{IN}C: a NOO"),
    ("cut", "C", f"{IN}C: a CREATE {{4}}\nC> xy", f"{IN}C: a CREATE {{4}}\nS: a NO no\nC: b NOOP"),
    ("cut", "S", f"{IN}S> * OK half", f"{IN}S: * OK half"),
]

TAGS = [
    ("tag-in-flight", "C", f"{IN}C: a NOOP\nC: a NOOP", f"{IN}C: a NOOP\nS: a OK done\nC: a NOOP"),
    ("tag-reused", "C", f"{IN}C: a NOOP\nS: a OK done\nC: a NOOP", f"{IN}C: a NOOP\nS: a OK done\nC: A NOOP"),
    ("illegal-tag", "C", f"{IN}C: a+b NOOP", f"{IN}C: a.b NOOP"),
    ("no-command", "C", f"{IN}C: NOOP", f"{IN}C: NOOP NOOP"),
    ("unknown-tag", "S", f"{IN}C: a NOOP\nS: b OK done", f"{IN}C: a NOOP\nS: a OK done"),
    ("answered-twice", "S", f"{IN}C: a NOOP\nS: a OK done\nS: a OK done", f"{IN}C: a NOOP\nS: a OK done\nS: b OK done"),
    ("tag-case", "S", f"{IN}C: a NOOP\nS: A OK done", f"{IN}C: a NOOP\nS: B OK done"),
    ("tagged-bye", "S", f"{IN}C: a LOGOUT\nS: a BYE gone", f"{IN}C: a LOGOUT\nS: * BYE gone\nS: a OK done"),
    ("tagged-preauth", "S", f"{IN}C: a NOOP\nS: a PREAUTH done", "S: * PREAUTH hello"),
    ("refused-untagged", "S", f"{IN}C: a+b NOOP\nS: * BAD what", f"{IN}C: a NOOP\nS: * BAD what"),
]

LITERALS = [
    ("literal-plus-unannounced", "C", f"{NEITHER}C: a SELECT {{1+}}\nC: x", f"{PLUS}C: a SELECT {{1+}}\nC: x"),
    (
        "literal-minus-too-large",
        "C",
        f"{MINUS}C: a APPEND x {{4097+}}\nC: {'x' * 4097}",
        f"{MINUS}C: a APPEND x {{4096+}}\nC: {'x' * 4096}",
    ),
    (
        "literal-not-waited-for",
        "C",
        f"{IN}C: a SELECT {{1}}\nC: x\nS: + go\nS: a NO no",
        f"{IN}C: a SELECT {{1}}\nS: + go\nC: x\nS: a NO no",
    ),
    (
        "literal8-unannounced",
        "C",
        f"{PLUS}C: a APPEND x ~{{1+}}\nC: x",
        f"{logged_in('IMAP4rev1 LITERAL+ BINARY')}C: a APPEND x ~{{1+}}\nC: x",
    ),
    ("literal-count", "C", f"{PLUS}C: a CREATE {{1+}}\nC: xy", f"{PLUS}C: a CREATE {{2+}}\nC: xy"),
    (
        "literal-count",
        "S",
        f"{BOX}C: a FETCH 1 BODY[]\nS: * 1 FETCH (BODY[] {{1}}\nS: xy)",
        f"{BOX}C: a FETCH 1 BODY[]\nS: * 1 FETCH (BODY[] {{2}}\nS: xy)",
    ),
    (
        "literal-count",
        "S",
        f"{BOX}C: a FETCH 1 BODY[]\nS: * 1 FETCH (BODY[] {{3}}\nS: xy)\nS: a OK done",
        f"{BOX}C: a FETCH 1 BODY[]\nS: * 1 FETCH (BODY[] {{2}}\nS: xy)\nS: a OK done",
    ),
    ("literal-leading-zero", "C", f"{PLUS}C: a SELECT {{01+}}\nC: x", f"{PLUS}C: a SELECT {{10+}}\nC: xxxxxxxxxx"),
    (
        "literal-leading-zero",
        "S",
        f"{BOX}C: a FETCH 1 BODY[]\nS: * 1 FETCH (BODY[] {{02}}\nS: xy)",
        f"{BOX}C: a FETCH 1 BODY[]\nS: * 1 FETCH (BODY[] {{0}}\nS: )",
    ),
    (
        "server-literal-plus",
        "S",
        f"{BOX}C: a FETCH 1 BODY[]\nS: * 1 FETCH (BODY[] {{2+}}\nS: xy)",
        f"{BOX}C: a FETCH 1 BODY[]\nS: * 1 FETCH (BODY[] {{2}}\nS: xy)",
    ),
    (
        "literal8-unasked",
        "S",
        f"{BOX}C: a FETCH 1 BODY[]\nS: * 1 FETCH (BODY[] ~{{2}}\nS: xy)",
        f"{BOX}C: a FETCH 1 BINARY[1]\nS: * 1 FETCH (BINARY[1] ~{{2}}\nS: xy)",
    ),
    (
        "literal8-unasked",
        "S",
        f"{BOX}C: a FETCH 1 BODY[]\nS: * 1 FETCH (BODY[] ~{{2}}\nS: xy)",
        f'{IN}C: a GETMETADATA "" /shared/x\nS: * METADATA "" (/shared/x ~{{2}}\nS: xy)',
    ),
    ("append-empty", "C", f"{PLUS}C: a APPEND x {{0+}}\nC: ", f"{PLUS}C: a APPEND x {{1+}}\nC: y"),
    ("continuation-unasked", "S", f"{IN}C: a NOOP\nS: + go", f"{IN}C: a IDLE\nS: + go"),
    (
        "literal-refused",
        "S",
        f"{IN}C: a CREATE {{4}}\nS: a NO no\nC: b NOOP",
        f"{IN}C: a CREATE {{4}}\nS: + go\nC: xxxx\nS: a NO no",
    ),
    ("bare-plus", "S", f"{IN}C: a IDLE\nS: +", f"{IN}C: a IDLE\nS: + "),
]

ROWS = [*FRAMING, *TAGS, *LITERALS]
