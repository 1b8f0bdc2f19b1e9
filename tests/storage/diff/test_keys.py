"""Which commands mean the same."""

from __future__ import annotations

import pytest

from storage.diff.keys import Keys, key, proves_nothing

SAME = [
    ("UID FETCH", "1:4 (FLAGS)", "UID FETCH", "17:20,31 (FLAGS)"),
    ("UID FETCH", "7 BODY.PEEK[1.2]<0.100>", "UID FETCH", "9 BODY.PEEK[1.2]<0.100>"),
    ("FETCH", "1:* (FLAGS)", "UID FETCH", "1:* (FLAGS)"),
    ("UID STORE", r"4 (UNCHANGEDSINCE 12) +FLAGS (\Seen)", "UID STORE", r"9 (UNCHANGEDSINCE 9999) +FLAGS (\Seen)"),
    ("SELECT", "INBOX (QRESYNC (67890007 20050715194045000 41:211,214:541))", "SELECT", "INBOX (QRESYNC (1 2 3))"),
    ("UID SEARCH", "UID 5:7 UNSEEN", "UID SEARCH", "UID 105:107 UNSEEN"),
    ("UID SEARCH", "$ UNSEEN", "UID SEARCH", "5,6 UNSEEN"),
    ("APPEND", r"Sent (\Seen) {310}", "APPEND", r"Sent (\Seen) {311+}"),
    ("SELECT", '"INBOX"', "SELECT", "inbox"),
    ("SELECT", '"INBOX.Sent Mail"', "SELECT", '"INBOX/Sent Mail"'),
    ("SELECT", "INBOX.Sent", "SELECT", "Sent"),
    ("LOGIN", "bob xxxxxx", "AUTHENTICATE", "PLAIN xxxxxxxxxxxx"),
    ("LIST", '"" *', "LIST", '""  *'),
]  # fmt: skip
OTHER = [
    ("UID FETCH", "1 BODY[1]", "UID FETCH", "1 BODY[2]"),
    ("UID FETCH", "1 (FLAGS)", "UID FETCH", "1 (FLAGS UID)"),
    ("UID STORE", r"4 +FLAGS (\Seen)", "UID STORE", r"4 -FLAGS (\Seen)"),
    ("UID SEARCH", 'SUBJECT "5 roses"', "UID SEARCH", 'SUBJECT "6 roses"'),
    ("SELECT", "INBOX", "SELECT", "Sent"),
    ("SELECT", "Sent", "EXAMINE", "Sent"),
    ("LIST", '"" *', "LSUB", '"" *'),
    ("CREATE", "2025", "CREATE", "2026"),
    ("NOOP", "", "CHECK", ""),
]  # fmt: skip


@pytest.mark.parametrize(("command", "said", "other", "otherwise"), SAME)
def test_numbers_of_a_server_and_spelling_do_not_matter(command: str, said: str, other: str, otherwise: str) -> None:
    """The same meaning, other letters."""
    one, two = key(command, said), key(other, otherwise)
    assert one.meaning == two.meaning
    assert one.verb == two.verb


@pytest.mark.parametrize(("command", "said", "other", "otherwise"), OTHER)
def test_what_is_asked_for_does(command: str, said: str, other: str, otherwise: str) -> None:
    """Another meaning."""
    assert key(command, said).meaning != key(other, otherwise).meaning


def test_grades() -> None:
    """Fewer things count from grade to grade."""
    one, other = key("UID SEARCH", "UNSEEN", "INBOX"), key("UID SEARCH", "ANSWERED", "INBOX")
    elsewhere = key("UID SEARCH", "UNSEEN", "Sent")
    assert one.meaning != other.meaning
    assert one.topic == other.topic != elsewhere.topic
    assert one.verb == elsewhere.verb
    assert key("UID SEARCH", "UNSEEN").exact != key("SEARCH", "UNSEEN").exact


def test_some_commands_prove_nothing() -> None:
    """They may stand anywhere."""
    assert proves_nothing(key("NOOP", "").verb)
    assert proves_nothing(key("IDLE", "").verb)
    assert not proves_nothing(key("SELECT", "INBOX").verb)


def test_hostile_arguments_have_keys_too() -> None:
    """Whatever was recorded."""
    for said in ("\udcff\\x00", "{", '"' * 5000, "1:" * 5000, "((((" * 1000, "x" * 9000):
        assert key("UID FETCH", said) == key("UID FETCH", said)


def test_a_topic_is_found_by_the_number_of_its_exchange() -> None:
    """Numbers have gaps where imaptap itself has asked something."""
    keys = Keys()
    said = {2: key("SELECT", "A", "A"), 5: key("NOOP", ""), 6: key("SELECT", "B", "B")}
    for number, each in said.items():
        keys.add(number, each)
    found = {number: keys.topic_of(number) for number in range(8)}
    assert found == {number: said[number].topic if number in said else None for number in range(8)}
