"""What a client has been told of its mailbox, and whether a server says the same of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.imap.grammar import Command, cut, parse_command, write
from proxy.imap.transcript import Direction
from proxy.replay.serving.logins import Door
from proxy.replay.serving.standing import Numbers, Standing
from proxy.replay.serving.values import Step
from tests.proxy.replay.serving.stages import of

SELECTED = b"* 4 EXISTS\r\n* OK [UIDVALIDITY 7] v\r\n* OK [UIDNEXT 9] n\r\n"
NEWS = [
    (b"", Numbers(7, 9, 4)),
    (b"* 5 EXISTS\r\n", Numbers(7, 10, 5)),
    (b"* 4 EXISTS\r\n", Numbers(7, 9, 4)),
    (b"* 1 EXPUNGE\r\n* 2 expunge\r\n", Numbers(7, 9, 2, 2)),
    (b"* 1 EXPUNGE\r\n* 6 EXISTS\r\n", Numbers(7, 12, 6, 1)),
    (b"* VANISHED 3:4,8\r\n", Numbers(7, 9, 1, 3)),
    (b"* VANISHED (EARLIER) 1:2\r\n", Numbers(7, 9, 4)),
    (b"* 1 FETCH (BODY[] {12}\r\n* 9 EXISTS\r\n)\r\n", Numbers(7, 9, 4)),
    (b"* OK [HIGHESTMODSEQ 3] m\r\n* 3 RECENT\r\nx OK 9 EXISTS\r\n", Numbers(7, 9, 4)),
]


@pytest.mark.parametrize(("news", "numbers"), NEWS)
@given(cuts=st.sets(st.integers(0, 200)))
def test_the_numbers_are_what_the_client_was_told(news: bytes, numbers: Numbers, cuts: set[int]) -> None:
    """However it came: what has come took a UID each."""
    standing, said, start = Standing(), SELECTED + news, 0
    for end in [*sorted(cuts), len(said)]:
        standing.told(said[start:end])
        start = max(start, end)
    assert standing.numbers == numbers
    standing.selecting()
    assert standing.numbers == Numbers()


@pytest.mark.parametrize(
    ("served", "there", "why"),
    [
        (Numbers(7, 9, 4), Numbers(7, 9, 4), []),
        (Numbers(7, 9, 4), Numbers(8, 9, 4), ["UIDVALIDITY is 8 there and 7 here"]),
        (Numbers(7, 9, 4), Numbers(7, 10, 5), ["UIDNEXT is 10 there and 9 here", "EXISTS is 5 there and 4 here"]),
        (Numbers(7, None, 4), Numbers(7, 10, 4), []),
        (Numbers(7, 9, 4), Numbers(7, None, 3), ["EXISTS is 3 there and 4 here"]),
        # as many are left, and perhaps others
        (Numbers(7, 9, 3, 1), Numbers(7, 9, 3), ["messages have gone from it since it was selected"]),
        (Numbers(7, 9, 3), Numbers(7, 9, 3, 1), ["messages have gone from it since it was selected"]),
    ],
)
def test_what_differs_is_named(served: Numbers, there: Numbers, why: list[str]) -> None:
    """What one of both does not tell is not compared."""
    assert list(served.differences(there)) == why


def step(command: str, status: str) -> Step:
    return Step(1, of(f"a {command}\r\n".encode()), (), (), None, None, True, status, 0, frozenset())


def standing(*commands: str) -> Standing:
    """After these commands; those that end with ! are refused."""
    found = Standing()
    found.logs_in(Door().login(b"bob", b"secret"), "LOGIN")
    for command in commands:
        text, refused = command.removesuffix("!"), command.endswith("!")
        value = parse_command(cut(f"a {text}\r\n".encode(), Direction.CLIENT)).understood
        body = value.body if isinstance(value, Command) else None
        found.answered(body, step(text, "NO" if refused else "OK"))
    return found


@pytest.mark.parametrize(
    ("commands", "selected"),
    [
        (["SELECT a"], b"SELECT a"),
        (["SELECT a", "EXAMINE b (CONDSTORE)"], b"EXAMINE b (CONDSTORE)"),
        (["SELECT a (QRESYNC (7 9))"], b"SELECT a"),
        (["SELECT a (CONDSTORE QRESYNC (7 9))"], b"SELECT a (CONDSTORE)"),
        (["SELECT a", "SELECT b!"], None),
        (["SELECT a", "CLOSE"], None),
        (["SELECT a", "UNSELECT"], None),
        (["SELECT a", "CLOSE!", "NOOP"], b"SELECT a"),
    ],
)
def test_another_server_selects_the_same_mailbox(commands: list[str], selected: bytes | None) -> None:
    """But for what the client knew of it."""
    body = standing(*commands).selects
    said = None if body is None else write(Command(b"a", body)).texts[0]
    assert said == (None if selected is None else b"a " + selected + b"\r\n")


@pytest.mark.parametrize(
    ("command", "changes"),
    [
        ("STORE 1 FLAGS ()", True),
        ("UID STORE 1 FLAGS ()", True),
        ("COPY 1 b", True),
        ("CREATE b", True),
        ("CREATE b!", False),
        ("EXPUNGE", False),
        ("CLOSE", False),
        ("FETCH 1 BODY[]", False),
        ("LIST a *", False),
    ],
)
def test_what_was_not_done_there_keeps_the_session_here(command: str, changes: bool) -> None:
    """What shows in the numbers is found by comparing them."""
    why = standing(command).obstacle(logged_in=True)
    assert why == (
        f"the session cannot be carried on at the server: {command} was answered here and not done there"
        if changes
        else ""
    )


@pytest.mark.parametrize(
    ("commands", "saved"),
    [
        (["SELECT a", "UID SEARCH RETURN (SAVE) SEEN"], True),
        (["SELECT a", "SEARCH RETURN (COUNT SAVE) SEEN"], True),
        (["SELECT a", "SEARCH RETURN (SAVE) SEEN!"], False),
        (["SELECT a", "SEARCH RETURN (COUNT) SEEN"], False),
        (["SELECT a", "SEARCH RETURN (SAVE) SEEN", "SELECT b"], False),
        (["SELECT a", "SEARCH RETURN (SAVE) SEEN", "CLOSE"], False),
    ],
)
def test_what_a_search_has_saved_is_not_at_another_server(commands: list[str], saved: bool) -> None:
    """There `$` would be no message at all, and a STORE of it be answered OK."""
    why = standing(*commands).obstacle(logged_in=True)
    assert why == (
        f"the session cannot be carried on at the server: what {commands[1]} has saved is not there" if saved else ""
    )


def test_words_that_are_enabled_are_kept() -> None:
    """In their order."""
    assert standing("ENABLE CONDSTORE", "ENABLE X!", "ENABLE UTF8=ACCEPT").enabled == (b"CONDSTORE", b"UTF8=ACCEPT")


def test_a_password_that_was_not_said_cannot_be_said_again() -> None:
    """Unless it is known, since it is demanded."""
    found = Standing()
    assert "PREAUTH" in found.obstacle(logged_in=True)
    assert found.obstacle(logged_in=False) == ""
    found.logs_in(Door().proven(b"bob", right=True), "CRAM-MD5")
    assert "CRAM-MD5 does not give the password away" in found.obstacle(logged_in=True)
    found.logs_in(Door("bob", b"secret").proven(b"bob", right=True), "CRAM-MD5")
    assert found.obstacle(logged_in=True) == ""
    assert "secret" not in repr(found.credentials)


@pytest.mark.parametrize(("authorized", "known"), [(b"", True), (b"bob", True), (b"alice", False)])
def test_who_comes_in_as_somebody_else_cannot_be_passed_on(authorized: bytes, known: bool) -> None:
    """Said again, his user and password would let himself in."""
    conversation = Door().begin("PLAIN")
    assert conversation is not None
    next(conversation)
    with pytest.raises(StopIteration) as ended:
        conversation.send(authorized + b"\0bob\0secret")
    found = Standing()
    found.logs_in(ended.value.value, "PLAIN")
    assert (found.obstacle(logged_in=True) == "") == known
