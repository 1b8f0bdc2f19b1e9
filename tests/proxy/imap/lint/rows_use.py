"""Rows of the families capabilities, logins and usage: rule, who, what breaks it, and what comes close."""

from __future__ import annotations

from tests.proxy.imap.lint.saying import hello, logged_in, selected

HELLO, IN, BOX = hello(), logged_in(), selected()
POOR = "IMAP4rev1 UIDPLUS"
POOR_IN, POOR_BOX = logged_in(POOR), selected(POOR)
REV2 = selected("IMAP4rev2")
BLIND = "S: * OK hello\nC: l LOGIN bob secret\nS: l OK in\n"
STALE = f"{hello()}C: l LOGIN bob secret\nS: l OK in\n"
QRESYNC = "C: e ENABLE QRESYNC\nS: * ENABLED QRESYNC\nS: e OK done\n"
UTF8 = "C: e ENABLE UTF8=ACCEPT\nS: * ENABLED UTF8=ACCEPT\nS: e OK done\n"

ROWS = [
    ("command-unannounced", "C", f"{POOR_IN}C: a IDLE", f"{IN}C: a IDLE"),
    (  # RFC 5550 section 5: parts of a URL are one thing, authorising it another
        "command-unannounced",
        "C",
        f"{logged_in('IMAP4rev1 URL-PARTIAL')}C: a RESETKEY",
        f"{logged_in('IMAP4rev1 URLAUTH')}C: a RESETKEY",
    ),
    ("command-unannounced", "C", f"{POOR_BOX}C: a UID MOVE 1 x", f"{REV2}C: a UID MOVE 1 x"),
    ("command-unannounced", "C", f"{POOR_BOX}C: a SORT (DATE) UTF-8 ALL", f"{BOX}C: a SORT (DATE) UTF-8 ALL"),
    ("fetch-unannounced", "C", f"{POOR_BOX}C: a FETCH 1 (UID MODSEQ)", f"{BOX}C: a FETCH 1 (UID MODSEQ)"),
    (
        "modifier-unannounced",
        "C",
        f"{POOR_BOX}C: a FETCH 1 FLAGS (CHANGEDSINCE 1)",
        f"{BOX}C: a FETCH 1 FLAGS (CHANGEDSINCE 1)",
    ),
    ("parameter-unannounced", "C", f"{POOR_IN}C: a SELECT x (CONDSTORE)", f"{IN}C: a SELECT x (CONDSTORE)"),
    ("status-unannounced", "C", f"{POOR_IN}C: a STATUS x (SIZE)", f"{IN}C: a STATUS x (SIZE)"),
    ("list-unannounced", "C", f'{POOR_IN}C: a LIST (SUBSCRIBED) "" *', f'{IN}C: a LIST (SUBSCRIBED) "" *'),
    ("list-unannounced", "C", f'{POOR_IN}C: a LIST "" (a b)', f'{IN}C: a LIST "" (a b)'),
    (
        "search-return-unannounced",
        "C",
        f"{POOR_BOX}C: a SEARCH RETURN (MIN) ALL",
        f"{REV2}C: a SEARCH RETURN (MIN) ALL",
    ),
    ("search-key-unannounced", "C", f"{POOR_BOX}C: a SEARCH NOT OLDER 60", f"{BOX}C: a SEARCH NOT OLDER 60"),
    ("saved-result-unannounced", "C", f"{POOR_BOX}C: a FETCH $ UID", f"{BOX}C: a FETCH $ UID"),
    (
        "append-unannounced",
        "C",
        f"{logged_in('IMAP4rev1 LITERAL+')}C: a APPEND x {{1+}}\nC: y {{1+}}\nC: z",
        f"{IN}C: a APPEND x {{1+}}\nC: y {{1+}}\nC: z",
    ),
    ("thread-unannounced", "C", f"{BOX}C: a THREAD REFERENCES UTF-8 ALL", f"{BOX}C: a THREAD REFS UTF-8 ALL"),
    ("enable-unannounced", "C", f"{IN}C: a ENABLE UIDONLY", f"{IN}C: a ENABLE CONDSTORE"),
    (
        "capability-unasked",
        "C",
        f"{BLIND}C: a IDLE",
        f"{BLIND}C: c CAPABILITY\nS: * CAPABILITY IMAP4rev1 IDLE\nS: c OK\nC: a IDLE",
    ),
    ("capability-without-imap4", "S", "S: * OK [CAPABILITY IDLE] hello", "S: * OK [CAPABILITY imap4rev2 IDLE] hello"),
    ("capability-twice", "S", hello("IMAP4rev1 IDLE idle"), hello("IMAP4rev1 IDLE IDLE2")),
    ("starttls-offered-late", "S", hello("IMAP4rev1 STARTTLS"), "plain\n" + hello("IMAP4rev1 STARTTLS")),
    ("qresync-not-enabled", "C", f"{IN}C: a SELECT x (QRESYNC (1 2))", f"{IN}{QRESYNC}C: a SELECT x (QRESYNC (1 2))"),
    (
        "qresync-not-enabled",
        "C",
        f"{BOX}C: a UID FETCH 1 FLAGS (CHANGEDSINCE 1 VANISHED)",
        f"{BOX}C: a UID FETCH 1 FLAGS (CHANGEDSINCE 1)",
    ),
    ("enable-twice", "C", f"{IN}{QRESYNC}C: a ENABLE QRESYNC", f"{IN}{QRESYNC}C: a ENABLE CONDSTORE"),
    (
        "login-disabled",
        "C",
        f"{hello('IMAP4rev1 LOGINDISABLED')}C: a LOGIN bob secret",
        f"{HELLO}C: a LOGIN bob secret",
    ),
    ("login-in-clear", "C", f"plain\n{HELLO}C: a LOGIN bob secret", f"{HELLO}C: a LOGIN bob secret"),
    (
        "login-in-clear",
        "C",
        f"plain\n{HELLO}C: a AUTHENTICATE PLAIN AGJvYgBzZWNyZXQ=",
        f"plain\n{HELLO}C: a AUTHENTICATE SCRAM-SHA-1 AGJvYgBzZWNyZXQ=",
    ),
    ("mechanism-unannounced", "C", f"{HELLO}C: a AUTHENTICATE GSSAPI", f"{HELLO}C: a AUTHENTICATE XOAUTH2"),
    (
        "sasl-ir-unannounced",
        "C",
        f"{hello('IMAP4rev1 AUTH=PLAIN')}C: a AUTHENTICATE PLAIN AGJvYgBzZWNyZXQ=",
        f"{hello('IMAP4rev1 AUTH=PLAIN')}C: a AUTHENTICATE PLAIN",
    ),
    (
        "login-not-authenticate",
        "C",
        f"{hello('IMAP4rev1 AUTH=PLAIN')}C: a LOGIN bob secret",
        f"{HELLO}C: a LOGIN bob secret",
    ),
    ("old-mechanism", "C", f"{HELLO}C: a AUTHENTICATE CRAM-MD5", f"{HELLO}C: a AUTHENTICATE SCRAM-SHA-256"),
    ("capability-after-login", "C", f"{STALE}C: a SELECT x", f"{STALE}C: a CAPABILITY"),
    ("lsub", "C", f'{IN}C: a LSUB "" *', f'{IN}C: a LIST "" *'),
    ("check", "C", f"{BOX}C: a CHECK", f"{BOX}C: a NOOP"),
    ("xlist", "C", f'{IN}C: a XLIST "" *', f'{IN}C: a LIST "" *'),
    ("rlist", "C", f'{IN}C: a RLSUB "" *', f'{IN}C: a LIST "" *'),
    ("fetch-rfc822", "C", f"{BOX}C: a FETCH 1 (UID RFC822.HEADER)", f"{BOX}C: a FETCH 1 (UID RFC822.SIZE)"),
    ("recent", "C", f"{BOX}C: a SEARCH OR NEW SEEN", f"{BOX}C: a SEARCH OR UNSEEN SEEN"),
    ("recent", "C", f"{IN}C: a STATUS x (RECENT)", f"{IN}C: a STATUS x (UNSEEN)"),
    ("status-of-selected", "C", f"{BOX}C: a STATUS inbox (UNSEEN)", f"{BOX}C: a STATUS inbox2 (UNSEEN)"),
    ("inbox-deleted", "C", f"{IN}C: a DELETE inbox", f"{IN}C: a SUBSCRIBE inbox"),
    ("mailbox-wildcard", "C", f'{IN}C: a CREATE "a*"', f'{IN}C: a SUBSCRIBE "a*"'),
    ("mailbox-utf7", "C", f"{IN}C: a SELECT R&D", f"{IN}C: a SELECT R&-D"),
    ("charset-with-utf8", "C", f"{IN}{UTF8}C: a SEARCH CHARSET UTF-8 ALL", f"{BOX}C: a SEARCH CHARSET UTF-8 ALL"),
    ("charset-not-utf8", "C", f"{BOX}C: a SEARCH CHARSET ISO-8859-1 ALL", f"{BOX}C: a SEARCH CHARSET utf-8 ALL"),
]
