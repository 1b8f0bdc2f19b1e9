"""CAPABILITY, ENABLED, FLAGS, ID, EXISTS and RECENT (M 10.2)."""

from __future__ import annotations

from tests.storage.diff.equality.rows import Row, check, each_of


@each_of(
    Row("CAPABILITY", "* CAPABILITY IMAP4rev1 IDLE", "* CAPABILITY IMAP4rev1 IDLE"),
    Row("CAPABILITY", "* CAPABILITY IMAP4rev1 IDLE", "* CAPABILITY idle IMAP4REV1", passes="case, order"),
    Row("CAPABILITY", "* CAPABILITY IMAP4rev1 IDLE", "* CAPABILITY IMAP4rev1", "capability CAPABILITY"),
    Row("CAPABILITY", "* CAPABILITY A B", "* CAPABILITY A C D", "capability CAPABILITY"),
    Row("CAPABILITY", "* CAPABILITY A", "", "missing CAPABILITY"),
    Row("CAPABILITY", "* CAPABILITY A¦* CAPABILITY B", "* CAPABILITY A B"),
    Row("ENABLE CONDSTORE QRESYNC", "* ENABLED CONDSTORE QRESYNC", "* ENABLED qresync condstore", passes="case, order"),
    Row("ENABLE CONDSTORE", "* ENABLED CONDSTORE", "* ENABLED", "missing ENABLED"),
    Row("ENABLE CONDSTORE", "* ENABLED CONDSTORE", "", "missing ENABLED"),
    Row("ENABLE CONDSTORE", "* ENABLED", ""),
    Row("SELECT a", "* FLAGS (\\Seen \\Draft)", "* FLAGS (\\Draft \\Seen)", passes="order"),
    Row("SELECT a", "* FLAGS (\\Seen \\Draft)", "* FLAGS (\\Seen)", "missing FLAGS"),
    Row("SELECT a", "* FLAGS (\\Seen)", "* FLAGS (\\Seen $Junk)", "extra FLAGS"),
    Row("SELECT a", "* FLAGS (\\Seen \\Recent)", "* FLAGS (\\Seen)", passes="recent"),
    Row("SELECT a", "* FLAGS (\\Seen)", "", "missing FLAGS"),
    Row("SELECT a", "* 4 EXISTS", "* 5 EXISTS", "value EXISTS"),
    Row("SELECT a", "* 4 EXISTS", "", "missing EXISTS"),
    Row("SELECT a", "* 4 EXISTS¦* 5 EXISTS", "* 5 EXISTS"),
    Row("SELECT a", "* 4 RECENT", "* 0 RECENT", passes="recent"),
    Row("SELECT a", "* 4 RECENT", "", passes="recent"),
    Row("SELECT a", "* 4 RECENT", "", "missing RECENT", off="recent"),
    Row("ID NIL", '* ID ("name" "Dovecot")', '* ID ("NAME" "Dovecot")'),
    Row("ID NIL", '* ID ("name" "Dovecot")', '* ID ("name" "Cyrus")', "value ID name"),
    Row("ID NIL", '* ID ("name" "Dovecot" "os" "Linux")', '* ID ("name" "Dovecot")', "missing ID os"),
    Row("ID NIL", '* ID ("name" "a" "os" "b")', '* ID ("os" "b" "name" "a")', passes="order"),
    Row("ID NIL", '* ID ("os" NIL)', '* ID ("os" "")', "value ID os"),
    Row("ID NIL", "* ID NIL", "* ID NIL"),
    Row("XFOO", "* XFOO 1 (2 3)", "* XFOO 1 (2 3)"),
    Row("XFOO", "* XFOO 1 (2 3)", "* XFOO 1 (2 4)", "value XFOO"),
    Row("XFOO", "* XFOO 1 (2 3)", "", "missing XFOO"),
    Row("XFOO", "", "* XFOO 1", "extra XFOO"),
    Row("XFOO", "* XFOO 1¦* XFOO 2", "* XFOO 2¦* XFOO 1"),
    Row("NOOP", "* 5 EXISTS", "", passes="unsolicited"),
    Row("NOOP", "* 1 EXPUNGE", "", passes="unsolicited"),
    Row("NOOP", "* 2 FETCH (FLAGS (\\Seen))", "* 2 FETCH (FLAGS ())", passes="unsolicited"),
)
def test_two_answers(row: Row) -> None:
    check(row)
