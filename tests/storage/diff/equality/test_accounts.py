"""QUOTA, ACL, METADATA and URLAUTH (M 10.10)."""

from __future__ import annotations

from tests.storage.diff.equality.rows import Row, check, each_of

QUOTA = '* QUOTA "" (STORAGE 10 512 MESSAGE 2 10)'
META = "GETMETADATA INBOX /private/comment"
BIG = "A" * 5000


@each_of(
    Row('GETQUOTA ""', QUOTA, QUOTA),
    Row('GETQUOTA ""', QUOTA, '* QUOTA "" (MESSAGE 2 10 STORAGE 10 512)'),
    Row('GETQUOTA ""', QUOTA, '* QUOTA "" (STORAGE 11 512 MESSAGE 2 10)', 'value QUOTA "" STORAGE'),
    Row('GETQUOTA ""', QUOTA, '* QUOTA "" (STORAGE 10 512)', 'missing QUOTA "" MESSAGE'),
    Row('GETQUOTA ""', QUOTA, "* QUOTA u (STORAGE 10 512 MESSAGE 2 10)", passes="quota root"),
    Row('GETQUOTA ""', QUOTA, "", 'missing QUOTA ""'),
    Row("GETQUOTAROOT INBOX", '* QUOTAROOT INBOX ""', "* QUOTAROOT INBOX u", passes="quota root"),
    Row("GETQUOTAROOT INBOX", '* QUOTAROOT INBOX ""', "* QUOTAROOT INBOX", "value QUOTAROOT INBOX"),
    Row("GETQUOTAROOT INBOX", "* QUOTAROOT INBOX a b", "* QUOTAROOT INBOX b a", passes="order"),
    Row("GETACL a", "* ACL a bob lrs ann lr", "* ACL a ann lr bob lrs", passes="order"),
    Row("GETACL a", "* ACL a bob lrs", "* ACL a bob srl", passes="order"),
    Row("GETACL a", "* ACL a bob lrs", "* ACL a bob lr", "value ACL a bob"),
    Row("GETACL a", "* ACL a bob lrs ann lr", "* ACL a bob lrs", "missing ACL a ann"),
    Row("GETACL a", "* ACL a bob lrscd", "* ACL a bob lrskxte", passes="old rights"),
    Row("GETACL a", "* ACL a bob lrskxtecd", "* ACL a bob lrskxte", passes="old rights"),
    Row("MYRIGHTS a", "* MYRIGHTS a lrs", "* MYRIGHTS a lr", "value MYRIGHTS a"),
    Row("MYRIGHTS a", "* MYRIGHTS a lrs", "* MYRIGHTS a srl", passes="order"),
    Row("MYRIGHTS a", "* MYRIGHTS a lrs", "", "missing MYRIGHTS a"),
    Row("LISTRIGHTS a bob", "* LISTRIGHTS a bob l r s", "* LISTRIGHTS a bob l s r", passes="order"),
    Row("LISTRIGHTS a bob", "* LISTRIGHTS a bob l r s", "* LISTRIGHTS a bob l rs", "value LISTRIGHTS a optional"),
    Row(META, '* METADATA INBOX (/private/comment "a")', '* METADATA INBOX (/Private/Comment "a")'),
    Row(META, '* METADATA INBOX (/private/comment "a")', '* METADATA INBOX (/private/comment "b")',
        "value METADATA INBOX /private/comment"),
    Row(META, '* METADATA INBOX (/private/comment "a")', "* METADATA INBOX (/private/comment NIL)",
        "value METADATA INBOX /private/comment"),
    Row(META, '* METADATA INBOX (/a "1" /b "2")', '* METADATA INBOX (/b "2")¦* METADATA INBOX (/a "1")'),
    Row(META, '* METADATA INBOX (/a "1" /b "2")', '* METADATA INBOX (/b "2")', "missing METADATA INBOX /a"),
    Row(META, f"* METADATA INBOX (/a {{5000}}¦{BIG})", f"* METADATA INBOX (/a {{5000}}¦{BIG[1:]}B)",
        "value METADATA INBOX /a"),
    Row(META, f"* METADATA INBOX (/a {{5000}}¦{BIG})", f"* METADATA INBOX (/a {{5000}}¦{BIG})"),
    Row('URLFETCH "imap://x"', '* URLFETCH "imap://x" "abc"', '* URLFETCH "imap://y" "abc"', passes="url"),
    Row('URLFETCH "imap://x"', '* URLFETCH "imap://x" "abc"', '* URLFETCH "imap://x" "abd"', "value URLFETCH 1"),
    Row('URLFETCH "imap://x"', '* URLFETCH "imap://x" "abc"', "", "value URLFETCH"),
)  # fmt: skip
def test_two_answers(row: Row) -> None:
    check(row)
