"""How a command is spelled for the target: literals, their announcements, and where their contents lie (RFC 7888)."""

from __future__ import annotations

import pytest

from proxy.imap.offers import Offers
from proxy.replay.values import Policy, Send
from tests.proxy.replay.deciding import WRITE, able, decision, sent

BIG = "x" * 4998
NAMES = Policy(write=True, names={"a": "b"})


def append(announced: str, body: str = "x", mailbox: str = "a") -> str:
    go = "" if "+" in announced else "\nS: + go"
    return f"C: c APPEND {mailbox} (\\Seen) {announced}{go}\nC: {body}\nC: \nS: c OK x"


@pytest.mark.parametrize(
    ("announced", "size", "words", "there"),
    [
        ("{1}", 1, ("LITERAL+",), "{1}"),
        ("{1+}", 1, ("LITERAL+",), "{1+}"),
        ("{1+}", 1, ("LITERAL-",), "{1+}"),
        ("{1+}", 1, ("IMAP4REV2",), "{1+}"),
        ("{1+}", 1, (), "{1}"),
        ("{4097+}", 4097, ("LITERAL-",), "{4097}"),
        ("{4096+}", 4096, ("LITERAL-",), "{4096+}"),
        ("{4097+}", 4097, ("LITERAL+",), "{4097+}"),
        ("{01}", 1, (), "{01}"),
    ],
)
@pytest.mark.parametrize("policy", [WRITE, NAMES])
def test_literals_are_announced_as_the_target_takes_them(
    announced: str, size: int, words: tuple[str, ...], there: str, policy: Policy
) -> None:
    script = f"C: c APPEND a {announced}{'' if '+' in announced else chr(10) + 'S: + go'}\nC: {'x' * size}\nS: c OK x"
    decided = decision(script, able(*words), policy)
    assert isinstance(decided, Send)
    (literal,) = decided.unit.literals
    said = there.replace("0", "", 1) if policy is NAMES and there.startswith("{0") else there
    assert decided.unit.texts[0].endswith(f" {said}\r\n".encode())
    assert (literal.size, literal.synchronising) == (size, "+" not in there)
    adapted = tuple(change for change in decided.changes if change.startswith("{"))
    assert adapted == ((f"{announced} → {there}",) if ("+" in announced) != ("+" in there) else ())


def test_contents_that_lie_elsewhere_are_named_by_their_place_in_the_recording() -> None:
    script = f"C: c APPEND a {{5000}}\nS: + go\nC: {BIG}\nC: \nS: c OK x"
    place = len(b"c APPEND a {5000}\r\n")
    assert sent(decision(script, policy=WRITE)) == f"APPEND a {{5000}}\r\n<5000 at {place}>"
    assert sent(decision(script, policy=NAMES)) == f"APPEND b {{5000}}\r\n<5000 at {place}>", "written anew as well"


def test_several_messages_keep_their_order() -> None:
    first, second = "C: c APPEND a {5000}", " (\\Seen) {1}"
    script = f"{first}\nS: + go\nC: {BIG}\nC: {second}\nS: + go\nC: y {{6000}}\nS: + go\nC: {'z' * 6000}\nS: c OK x"
    places = len(first) - 3 + 2, len(first) - 3 + 2 + 5000 + len(second) + 2 + len("y {6000}") + 2
    there = f"APPEND b {{5000}}\r\n<5000 at {places[0]}> (\\Seen) {{1}}\r\ny {{6000}}\r\n<6000 at {places[1]}>"
    assert sent(decision(script, able("MULTIAPPEND"), NAMES)) == there


def test_a_literal_that_is_written_anew_may_become_a_word() -> None:
    script = "C: c SELECT {1}\nS: + go\nC: a\nS: c OK x"
    assert sent(decision(script)) == "SELECT {1}\r\na"
    assert sent(decision(script, policy=NAMES)) == "SELECT b"


def test_other_line_ends_stay() -> None:
    decided = decision("C: c NOOP\nS: c OK x")
    assert isinstance(decided, Send)
    assert (decided.unit.start, decided.unit.end, decided.unit.texts) == (0, 9, (b"T7 NOOP\r\n",))


@pytest.mark.parametrize(
    ("words", "asked", "there"),
    [
        ("IMAP4REV2", ("MOVE",), True),
        ("QRESYNC", ("CONDSTORE",), True),
        ("THREAD=REFS", ("THREAD=",), True),
        ("CONTEXT=SORT", ("PARTIAL", "CONTEXT="), True),
        ("THREAD", ("THREAD=",), False),
        ("IDLE", ("MOVE", "UIDPLUS"), False),
    ],
)
def test_words_imply_others(words: str, asked: tuple[str, ...], there: bool) -> None:
    assert Offers(frozenset(words.split())).any(asked) is there
