"""What a served client hears unasked: news in an IDLE, between commands and behind the last, and a server that goes."""

from __future__ import annotations

import pytest

from proxy.replay.serving.values import Repeat
from tests.proxy.replay.serving.stages import Stage, scene

IDLE = """
S: * PREAUTH hello
C: a IDLE
S: + idling
N: * 4 EXISTS
S: a OK done
C: b NOOP
S: b OK
"""


def test_idle_brings_its_news_and_waits_for_done() -> None:
    """And ends with it."""
    Stage([scene(IDLE)]).talk("""
        S: * PREAUTH hello
        C: q IDLE
        S: + idling
        S: * 4 EXISTS
        C: DONE
        S: q OK done
        C: r IDLE
        S: + idling
        C: done
        S: r OK imaptap: IDLE ended
        C: s IDLE
        S: + idling
        C: t NOOP
        S: s BAD imaptap: DONE ends IDLE
    """)


def test_a_server_that_went_within_an_idle_goes() -> None:
    """The client would wait for news that cannot come."""
    recorded = scene("S: * PREAUTH hello\nC: a IDLE\nS: + idling\nN: * BYE idle for too long", hangs_up=True)
    Stage([recorded]).talk("S: * PREAUTH hello\nC: q IDLE\nS: + idling\nS: * BYE idle for too long\nS: -")


def test_a_server_that_hung_up_hangs_up() -> None:
    """With what it said last."""
    recorded = scene("S: * PREAUTH hello\nC: a NOOP\nS: a OK\nN: * BYE idle for too long", hangs_up=True)
    Stage([recorded]).talk("S: * PREAUTH hello\nC: q NOOP\nS: q OK\nS: * BYE idle for too long\nS: -")


TIMED = "S: * PREAUTH hello\nC: a NOOP\nS: a OK\nN: * 9 EXISTS\nC: b SEARCH SEEN\nS: b OK"


def test_news_between_commands_comes_with_the_next_answer_that_may_bring_it_or_in_its_time() -> None:
    """Where time is kept, it follows what was before it, and whoever sends it waits."""
    Stage([scene(TIMED + "\nC: c NOOP\nS: c OK")]).talk(
        "S: * PREAUTH hello\nC: q NOOP\nS: q OK\nC: r SEARCH SEEN\nS: r OK\nC: s NOOP\nS: * 9 EXISTS\nS: s OK"
    )
    Stage([scene(TIMED)], timed=True).talk(
        "S: * PREAUTH hello\nC: q NOOP\nS: q OK\nS: * 9 EXISTS\nC: r SEARCH SEEN\nS: r OK"
    )


def test_news_behind_the_last_command_comes_once() -> None:
    """Whatever is asked then."""
    recorded = scene("S: * PREAUTH hello\nC: a ID NIL\nS: a OK\nC: b CLOSE\nS: b OK\nN: * 9 EXISTS")
    Stage([recorded]).talk("""
        S: * PREAUTH hello
        C: q ID NIL
        S: q OK
        C: r CLOSE
        S: r OK
        S: * 9 EXISTS
        C: s ID NIL
        S: s OK
        C: t IDLE
        S: + idling
        C: DONE
        S: t OK imaptap: IDLE ended
    """)


def test_a_step_that_is_played_again_brings_no_news_again() -> None:
    """It came once."""
    recorded = scene(
        "S: * PREAUTH hello\nC: a CLOSE\nS: a OK\nN: * 9 EXISTS\nC: b SELECT x\nS: b OK\nC: c XEND\nS: c OK"
    )
    Stage([recorded], repeat=Repeat.LAST).talk(
        "S: * PREAUTH hello\nC: q CLOSE\nS: q OK\nC: r SELECT x\nS: * 9 EXISTS\nS: r OK\nC: s SELECT x\nS: s OK"
    )


TIMED_NEWS = {
    "once, whatever is asked between": """
        C: q SELECT x
        S: q OK
        S: * 1 EXISTS
        C: r ID NIL
        S: r OK
        C: s IDLE
        S: + idling
        C: DONE
        S: s OK idled
        S: * 2 EXISTS
        C: t CLOSE
        S: t OK
    """,
    "of what is left out with what is asked instead": """
        C: q SELECT x
        S: q OK
        S: * 1 EXISTS
        C: t CLOSE
        S: * 2 EXISTS
        S: t OK
    """,
}


@pytest.mark.parametrize("client", TIMED_NEWS.values(), ids=TIMED_NEWS)
def test_news_in_its_time_comes_once_and_is_not_lost(client: str) -> None:
    """Behind an IDLE as behind any command."""
    script = """
        S: * PREAUTH hello
        C: i ID NIL
        S: i OK
        C: a SELECT x
        S: a OK
        N: * 1 EXISTS
        C: b IDLE
        S: + idling
        S: b OK idled
        N: * 2 EXISTS
        C: c CLOSE
        S: c OK
        C: d XEND
        S: d OK
    """
    Stage([scene(script)], timed=True).talk(f"S: * PREAUTH hello\n{client}")
