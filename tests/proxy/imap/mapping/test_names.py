"""Mailbox names across delimiters, prefixes, roles, and what people and commands say of them (M 8, 9.5)."""

from __future__ import annotations

import pytest

from proxy.imap.grammar.capability import Namespace
from proxy.imap.grammar.listing import MailboxList
from proxy.imap.grammar.responses import Untagged
from proxy.imap.mapping.names import Names
from proxy.imap.mapping.patterns import pattern
from proxy.imap.mapping.values import NoCounterpartError, Place, Side
from tests.proxy.imap.grammar.rows import server

NONE = "* NAMESPACE NIL NIL NIL"
SLASH = '* NAMESPACE (("" "/")) NIL NIL'
DOT = '* NAMESPACE (("" ".")) NIL NIL'
COURIER = '* NAMESPACE (("INBOX." ".")) NIL (("shared." "."))'
CYRUS = '* NAMESPACE (("INBOX." ".")) (("user." ".")) (("" "."))'
MAIL = '* NAMESPACE (("mail/" "/")) (("~" "/")) (("#shared/" "/"))'
FLAT = '* NAMESPACE (("" NIL)) NIL NIL'


def names(recorded: str = "", replayed: str = "", **given: str) -> Names:
    """Names of two servers that have said these lines; parts of `recorded` are split by newlines."""
    made = Names(given)
    for side, said in zip(Side, (recorded, replayed), strict=True):
        for line in said.splitlines():
            value = server(line.encode()).understood
            assert isinstance(value, Untagged)
            assert isinstance(value.data, MailboxList | Namespace)
            made.hear(side, value.data)
    return made


def counterpart(made: Names, name: str) -> str | None:
    try:
        return made.counterpart(name)
    except NoCounterpartError:
        return None


@pytest.mark.parametrize(
    ("recorded", "replayed", "name", "there"),
    [
        # INBOX is INBOX, in any case, whatever the namespaces are
        (SLASH, COURIER, "INBOX", "INBOX"),
        (COURIER, SLASH, "inBox", "INBOX"),
        # another delimiter
        (SLASH, SLASH, "Work/2026/May", "Work/2026/May"),
        (SLASH, DOT, "Work/2026/May", "Work.2026.May"),
        (DOT, SLASH, "Work.2026", "Work/2026"),
        (DOT, SLASH, "Work.", "Work/"),
        # a prefix comes, goes, or becomes another
        (SLASH, COURIER, "Sent", "INBOX.Sent"),
        (SLASH, COURIER, "Work/2026", "INBOX.Work.2026"),
        (COURIER, SLASH, "INBOX.Work.2026", "Work/2026"),
        (COURIER, CYRUS, "INBOX.Sent", "INBOX.Sent"),
        (COURIER, MAIL, "INBOX.Sent", "mail/Sent"),
        (MAIL, COURIER, "mail/Sent/2026", "INBOX.Sent.2026"),
        # below INBOX itself, where that is no namespace's prefix
        (SLASH, COURIER, "INBOX/Lists", "INBOX.Lists"),
        (SLASH, DOT, "INBOX/Lists", "INBOX.Lists"),
        # other users' mailboxes and shared ones, by the namespace of their class
        (COURIER, MAIL, "shared.team.all", "#shared/team/all"),
        (MAIL, CYRUS, "~bob/Sent", "user.bob.Sent"),
        (COURIER, SLASH, "shared.team", None),
        # what the other server cannot name
        (SLASH, DOT, "v1.2", None),
        (SLASH, DOT, "Work/v1.2", None),
        (SLASH, FLAT, "Work/2026", None),
        (SLASH, FLAT, "Work", "Work"),
        (FLAT, SLASH, "Work.2026", "Work.2026"),
        # nobody has told what the recorded delimiter is, and the name has a "/"
        ("", COURIER, "Archive/2024", "INBOX.Archive.2024"),
        ("", COURIER, "Archive", "INBOX.Archive"),
        # by LIST alone; and where nobody has told a delimiter, names are what they are
        ('* LIST () "/" a', '* LIST () "." a', "a/b", "a.b"),
        ("* LIST () NIL INBOX\n* LIST () \".\" a", '* LIST () "/" a', "a.b", "a/b"),
        ("", "", "a/b.c", "a/b.c"),
        ("", SLASH, "a/b.c", "a/b.c"),
        (SLASH, "", "a/b.c", "a/b.c"),
        # INBOX followed by a delimiter tells it
        ("", SLASH, "INBOX.Sent", "INBOX/Sent"),
        # beyond ASCII
        (SLASH, DOT, "Entwürfe/Ярлык", "Entwürfe.Ярлык"),
        (SLASH, DOT, "", ""),
    ],
)  # fmt: skip
def test_names_are_built_anew_by_the_other_servers_rules(
    recorded: str, replayed: str, name: str, there: str | None
) -> None:
    assert counterpart(names(recorded, replayed), name) == there


def test_what_is_known_of_the_target_otherwise_goes_before_its_answers() -> None:
    made = names(SLASH, SLASH)
    assert made.counterpart("a/b", Place("INBOX.", ".")) == "INBOX.a.b"
    assert made.counterpart("a/b", Place("pre/", None)) == "pre/a/b"
    assert names(SLASH).counterpart("a/b", Place("", ".")) == "a.b"


def test_why_a_name_has_no_counterpart_is_said() -> None:
    with pytest.raises(NoCounterpartError) as raised:
        names(SLASH, DOT).counterpart("v1.2")
    assert raised.value.reason == '"v1.2" holds the target\'s hierarchy delimiter "."'
    with pytest.raises(NoCounterpartError, match="no namespace of shared mailboxes"):
        names(COURIER, SLASH).counterpart("shared.x")


ROLES = r"""* LIST (\Sent) "/" "Sent Items"
* LIST (\Trash \HasNoChildren) "/" Trash
* LIST (\Junk) "/" Spam
* LIST (\Junk) "/" Junk"""
OTHERS = r"""* XLIST (\Sent) "." "Gesendet"
* LIST (\trash) "." Papierkorb
* XLIST (\Spam) "." Werbung
* LIST () "." "Sent Items" """.rstrip()


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("Sent Items", "Gesendet"),
        ("Sent Items/2025", "Gesendet.2025"),
        ("Trash", "Papierkorb"),
        # two recorded mailboxes have the role: nobody knows which
        ("Spam", "Spam"),
        ("Drafts", "Drafts"),
    ],
)
def test_a_role_goes_before_a_name(name: str, there: str) -> None:
    made = names(ROLES, OTHERS)
    assert made.counterpart(name) == there
    assert made.recorded(there) == name


def test_a_person_goes_before_everything() -> None:
    made = names(f"{SLASH}\n{ROLES}", OTHERS, Trash="Muell", Work="Archiv.Arbeit", INBOX="Eingang")
    assert made.counterpart("Trash") == "Muell"
    assert made.counterpart("Work/2026/May") == "Archiv.Arbeit.2026.May"
    assert made.counterpart("INBOX") == "Eingang"
    assert made.counterpart("Trash", None, {"Trash": "Tonne"}) == "Tonne"
    assert made.recorded("Muell") == "Trash"
    assert made.recorded("Eingang") == "INBOX"


def test_all_names_may_be_put_below_one() -> None:
    made = names(COURIER, SLASH, **{"": "scratch"})
    assert made.counterpart("INBOX") == "scratch/INBOX"
    assert made.counterpart("INBOX.Work.2026") == "scratch/Work/2026"
    assert made.recorded("scratch/INBOX") == "INBOX"
    assert made.recorded("scratch/Work/2026") == "INBOX.Work.2026"
    assert pattern(made, "*") == "scratch/*"
    assert pattern(made, "INBOX.%") == "scratch/%"


def test_an_inbox_below_another_mailbox_tells_where_everything_is() -> None:
    made = names(f"{COURIER}\n{ROLES}", OTHERS)
    made.pair("Other", "Elsewhere")
    made.pair("INBOX", "scratch.INBOX")
    assert [made.counterpart(each) for each in ("INBOX", "INBOX.Work.a", "Trash", "Other")] == [
        "scratch.INBOX",
        "scratch.Work.a",
        "scratch.Trash",
        "Elsewhere",
    ]
    assert [made.recorded(each) for each in ("scratch.INBOX", "Elsewhere", "Trash")] == ["INBOX", "Other", None]
    made = names(SLASH, SLASH)
    made.pair("INBOX", "INBOX")
    made.pair("INBOX", "Posteingang")
    assert [made.counterpart(each) for each in ("INBOX", "a/b")] == ["INBOX", "a/b"], "that is an odd pair"


def test_names_that_a_command_made_stay_paired() -> None:
    made = names(SLASH, DOT)
    made.pair("v1.2", "v1-2")
    assert made.counterpart("v1.2") == "v1-2"
    assert made.counterpart("v1.2/a") == "v1-2.a"
    assert made.recorded("v1-2") == "v1.2"
    assert counterpart(made, "v1-2") is None, "it would be what another mailbox is"
    made.delete("v1.2", "v1-2")
    assert counterpart(made, "v1.2") is None
    assert counterpart(made, "v1-2") == "v1-2"


def test_rename_moves_a_mailbox_and_what_is_below_it() -> None:
    made = names(SLASH, DOT)
    made.pair("a", "A")
    made.pair("a/b", "A.b")
    made.pair("ab", "Ab")
    made.rename(("a", "c/d"), ("A", "C.D"))
    assert made.counterpart("c/d") == "C.D"
    assert made.counterpart("c/d/b") == "C.D.b"
    assert made.counterpart("ab") == "Ab"
    assert made.counterpart("a") == "a"
    assert made.recorded("A.b") == "A/b", "it is another mailbox now, if there is one"


def test_rename_of_inbox_leaves_what_is_below_it() -> None:
    made = names(SLASH, DOT)
    made.pair("INBOX/a", "INBOX.A")
    made.rename(("INBOX", "old"), ("INBOX", "OLD"))
    assert (made.counterpart("INBOX"), made.counterpart("old")) == ("INBOX", "OLD")
    assert made.counterpart("INBOX/a") == "INBOX.A"


def test_a_role_leaves_with_its_mailbox() -> None:
    made = names(ROLES, OTHERS)
    made.rename(("Sent Items", "Old"), ("Gesendet", "Alt"))
    assert (made.counterpart("Old"), made.counterpart("Sent Items")) == ("Alt", "Sent Items")


@pytest.mark.parametrize(
    ("recorded", "replayed", "asked", "there"),
    [
        (SLASH, COURIER, "*", "*"),
        (SLASH, COURIER, "%", "%"),
        (SLASH, DOT, "%/%", "%.%"),
        (SLASH, DOT, "Work/%", "Work.%"),
        (SLASH, COURIER, "Work/%", "INBOX.Work.%"),
        (SLASH, COURIER, "Wo*", "INBOX.Wo*"),
        (SLASH, COURIER, "in*", "in*"),
        (SLASH, COURIER, "INBOX*", "INBOX*"),
        (COURIER, SLASH, "INBO*", "INBO*"),
        (COURIER, SLASH, "INBOX.*", "*"),
        (COURIER, MAIL, "INBOX.%", "mail/%"),
        (COURIER, SLASH, "INBOX.Work.%.a", "Work/%/a"),
        (COURIER, SLASH, "INBOX", "INBOX"),
        (SLASH, COURIER, "INBOX", "INBOX"),
        (SLASH, COURIER, "Sent", "INBOX.Sent"),
        (SLASH, FLAT, "*", "*"),
        (SLASH, SLASH, "Work/%", "Work/%"),
        (ROLES, OTHERS, "Sent Items/%", "Gesendet.%"),
        (ROLES, OTHERS, "Sent Items", "Gesendet"),
        (SLASH, DOT, "", ""),
    ],
)
def test_patterns(recorded: str, replayed: str, asked: str, there: str) -> None:
    assert pattern(names(recorded, replayed), asked) == there


def test_behind_a_reference_only_the_delimiter_of_a_pattern_changes() -> None:
    made = names(SLASH, COURIER)
    assert pattern(made, "2026/%", whole=False) == "2026.%"
    assert pattern(made, "Work/") == "INBOX.Work."


@pytest.mark.parametrize(
    ("recorded", "replayed", "name"),
    [
        (SLASH, DOT, "Work/2026"),
        (SLASH, COURIER, "Work/2026"),
        (COURIER, SLASH, "INBOX.Work.2026"),
        (COURIER, MAIL, "shared.team.a"),
        (MAIL, COURIER, "mail/x"),
        (SLASH, SLASH, "INBOX"),
        ("", "", "x/y"),
    ],
)
def test_there_and_back(recorded: str, replayed: str, name: str) -> None:
    made = names(recorded, replayed)
    assert made.recorded(made.counterpart(name)) == name
