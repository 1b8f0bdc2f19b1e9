"""SEARCH, ESEARCH, SORT and THREAD (M 10.4, 10.8)."""

from __future__ import annotations

from tests.storage.diff.equality.rows import Pairs, Row, check, each_of

ESEARCH = '* ESEARCH (TAG "x")'
SORT = "UID SORT (DATE) UTF-8 ALL"
THREAD = "THREAD REFERENCES UTF-8 ALL"


@each_of(
    Row("SEARCH ALL", "* SEARCH 1 2", "* SEARCH 1 2"),
    Row("SEARCH ALL", "* SEARCH 1 2", "* SEARCH 2 1", passes="order"),
    Row("SEARCH ALL", "* SEARCH 1 2", "* SEARCH 1¦* SEARCH 2"),
    Row("SEARCH ALL", "* SEARCH 1 2", "* SEARCH 1", "missing SEARCH"),
    Row("SEARCH ALL", "* SEARCH 1 2", "* SEARCH 1 2 3", "extra SEARCH"),
    Row("SEARCH ALL", "* SEARCH 1 2", "* SEARCH 1 3", "value SEARCH"),
    Row("SEARCH ALL", "* SEARCH 1:4", "* SEARCH 1:4"),
    Row("SEARCH ALL", "* SEARCH", ""),
    Row("SEARCH ALL", "* SEARCH", f"{ESEARCH}", passes="search form"),
    Row("SEARCH ALL", "* SEARCH 1 2 3", f"{ESEARCH} ALL 1:3", passes="search form"),
    Row("SEARCH ALL", "* SEARCH 1 2 3", f"{ESEARCH} ALL 1:4", "extra SEARCH"),
    Row("SEARCH ALL", "* SEARCH 1 2 3", "", "missing SEARCH", right_exists=3, cause="4 messages on the left side, 3"),
    Row("SEARCH RETURN (COUNT) ALL", f"{ESEARCH} COUNT 3", f"{ESEARCH} COUNT 3"),
    Row("SEARCH RETURN (COUNT) ALL", f"{ESEARCH} COUNT 3", f"{ESEARCH} COUNT 4", "value SEARCH COUNT"),
    Row("SEARCH RETURN (COUNT) ALL", f"{ESEARCH} COUNT 3", "* SEARCH 1 2 3", passes="search form"),
    Row("SEARCH RETURN (COUNT) ALL", f"{ESEARCH} COUNT 3", "* SEARCH 1 2", "value SEARCH COUNT", "search form"),
    Row("SEARCH RETURN (MIN MAX) ALL", f"{ESEARCH} MIN 1 MAX 3", "* SEARCH 1 3", passes="search form"),
    Row("SEARCH RETURN (MIN MAX) ALL", f"{ESEARCH} MIN 1 MAX 3", f"{ESEARCH} MAX 3 MIN 2", "value SEARCH MIN"),
    Row("SEARCH RETURN (MIN) ALL", f"{ESEARCH} MIN 1", f"{ESEARCH}", "missing SEARCH MIN"),
    Row("UID SEARCH RETURN (MIN) ALL", f"{ESEARCH} UID MIN 1", f"{ESEARCH} UID MIN 11", passes="uid"),
    Row("UID SEARCH RETURN (MIN) ALL", f"{ESEARCH} UID MIN 1", f"{ESEARCH} UID MIN 12", "value SEARCH MIN"),
    Row("UID SEARCH RETURN () ALL", f"{ESEARCH} UID ALL 1:2", f"{ESEARCH} UID ALL 11,12", passes="uid"),
    Row("UID SEARCH RETURN () ALL", f"{ESEARCH} UID ALL 1:2", f"{ESEARCH} UID", "missing SEARCH"),
    Row("UID SEARCH RETURN (PARTIAL 1:2) ALL", f"{ESEARCH} UID PARTIAL (1:2 1:2)", f"{ESEARCH} UID PARTIAL (1:2 11:12)",
        passes="uid"),
    Row("UID SEARCH RETURN (PARTIAL 1:2) ALL", f"{ESEARCH} UID PARTIAL (1:2 1:2)", f"{ESEARCH} UID PARTIAL (1:2 NIL)",
        "missing SEARCH PARTIAL"),
    Row("UID SEARCH ALL", "* SEARCH 1 2", "* SEARCH 11 12", passes="uid"),
    Row("UID SEARCH ALL", "* SEARCH 1 2", "* SEARCH 12 11", passes="uid"),
    Row("UID SEARCH ALL", "* SEARCH 1 2", "* SEARCH 11 13", "value SEARCH"),
    Row("UID SEARCH ALL", "* SEARCH 1 2", "* SEARCH 1 2", "value SEARCH"),
    Row("UID SEARCH ALL", "* SEARCH 1 2 8", "* SEARCH 11 12 9", passes="uid"),
    Row("UID SEARCH ALL", "* SEARCH 1 2 8", "* SEARCH 11 12", "missing SEARCH"),
    Row("UID SEARCH ALL", "* SEARCH 1 2", "* SEARCH 1 3", "value SEARCH", mapped=Pairs(), right_validity=5),
    Row("UID SEARCH ALL", "* SEARCH 1 2", "* SEARCH 1 3", passes="uid", mapped=Pairs()),
    Row("UID SEARCH ALL", "* SEARCH 8 9¦* OK one", "* SEARCH 9 7¦* OK two", passes="uid, unsolicited", mapped=Pairs()),
    Row("SEARCH MODSEQ 1", "* SEARCH 1 (MODSEQ 7)", "* SEARCH 1 (MODSEQ 9)", passes="modseq"),
    Row("SEARCH MODSEQ 1", "* SEARCH 1 (MODSEQ 7)", "* SEARCH 1", "missing SEARCH MODSEQ"),
    Row("SEARCH ALL", f"{ESEARCH} ADDTO (0 3)", f"{ESEARCH} ADDTO (1 3)"),
    Row("SEARCH ALL", f"{ESEARCH} ADDTO (0 3)", f"{ESEARCH} ADDTO (0 4)", "value SEARCH ADDTO"),
    Row(SORT, "* SORT 2 1 3", "* SORT 12 11 13", passes="uid"),
    Row(SORT, "* SORT 2 1 3", "* SORT 11 12 13", "order SORT"),
    Row(SORT, "* SORT 2 1 3", "* SORT 12 11", "missing SORT"),
    Row(SORT, "* SORT 2 1", "* SORT 12 11 13", "extra SORT"),
    Row("SORT (DATE) UTF-8 ALL", "* SORT 2 1 3", "* SORT 2 3 1", "order SORT"),
    Row("SORT (DATE) UTF-8 ALL", "* SORT", ""),
    Row("SORT RETURN (ALL) (DATE) UTF-8 ALL", f"{ESEARCH} ALL 2,1,3", f"{ESEARCH} ALL 1:3", "order SORT"),
    Row("SORT RETURN (ALL) (DATE) UTF-8 ALL", f"{ESEARCH} ALL 3:1", f"{ESEARCH} ALL 3,2,1"),
    Row(THREAD, "* THREAD (1 2)(3)", "* THREAD (1 2)(3)"),
    Row(THREAD, "* THREAD (1 2)(3)", "* THREAD (3)(1 2)", "order THREAD"),
    Row(THREAD, "* THREAD (1 2)(3)", "* THREAD (1)(2)(3)", "order THREAD"),
    Row(THREAD, "* THREAD (1 (2)(3))", "* THREAD (1 (3)(2))", "order THREAD"),
    Row(THREAD, "* THREAD (1 2)(3)", "* THREAD (1 2)", "missing THREAD"),
    Row(THREAD, "* THREAD (1 2)", "* THREAD (1 2)(3)", "extra THREAD"),
    Row(THREAD, "* THREAD", ""),
    Row(THREAD, "* THREAD ((1)(2))", "* THREAD (1)(2)", "order THREAD"),
    Row(f"UID {THREAD}", "* THREAD (1 2)(3)", "* THREAD (11 12)(13)", passes="uid"),
    Row(f"UID {THREAD}", "* THREAD (1 2)(3)", "* THREAD (11 13)(12)", "order THREAD"),
    Row("ESEARCH IN (mailboxes a) ALL", '* ESEARCH (TAG "x" MAILBOX a UIDVALIDITY 1) UID ALL 1',
        '* ESEARCH (TAG "x" MAILBOX a UIDVALIDITY 2) UID ALL 5', passes="uid"),
    Row("ESEARCH IN (mailboxes a) ALL", '* ESEARCH (TAG "x" MAILBOX a UIDVALIDITY 1) UID ALL 1', "",
        "missing SEARCH a"),
)  # fmt: skip
def test_two_answers(row: Row) -> None:
    check(row)
