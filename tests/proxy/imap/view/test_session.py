"""Each extension's data lands in its exchange and is read (M 3.15); no talk makes a view raise or grow for ever."""

from __future__ import annotations

import pytest
from hypothesis import given

from proxy.imap.grammar import Untagged, cut, parse_command, parse_response
from proxy.imap.grammar.generic import Unknown
from proxy.imap.transcript import Certainty, Direction, Exchange, Layer, Origin, Outcome
from proxy.imap.view.searches import CONTEXTS_MOST
from proxy.imap.view.session import OPEN_MOST, SessionView
from proxy.imap.view.values import Heard, Said
from tests.proxy.imap.playing import Turn, lines, play
from tests.proxy.imap.talk import TALK
from tests.proxy.imap.view.seeing import Units, after

SURE, LIKELY = Certainty.SURE, Certainty.LIKELY

EXTENSIONS = [
    # command, data, certainty
    ("CAPABILITY", "CAPABILITY IMAP4rev2", SURE),
    ("ENABLE CONDSTORE", "ENABLED CONDSTORE", SURE),
    ("ID NIL", 'ID ("name" "x")', SURE),
    ("NAMESPACE", 'NAMESPACE (("" "/" "X-PARAM" ("FLAG1"))) NIL NIL', SURE),
    ('LIST (RECURSIVEMATCH) "" %', 'LIST () "/" x ("CHILDINFO" ("SUBSCRIBED"))', SURE),
    ("SELECT x", 'LIST () "/" y ("OLDNAME" ("x"))', SURE),
    ('LIST "" % RETURN (STATUS (MESSAGES))', "STATUS x (MESSAGES 17)", SURE),
    ('LIST "" % RETURN (MYRIGHTS)', "MYRIGHTS x lrs", SURE),
    ('LIST "" % RETURN (METADATA ("/shared/comment"))', 'METADATA x (/shared/comment "y")', SURE),
    ('XLIST "" *', 'XLIST (\\Inbox) "/" x', SURE),
    ("MYRIGHTS x", "MYRIGHTS x lrs", SURE),
    ("GETACL x", "ACL x bob lrs", SURE),
    ("LISTRIGHTS x bob", "LISTRIGHTS x bob lr s", SURE),
    ("GETQUOTA x", "QUOTA x (STORAGE 1 2)", SURE),
    ("GETQUOTAROOT x", "QUOTAROOT x y", SURE),
    ("GETMETADATA x /shared/comment", 'METADATA x (/shared/comment "y")', SURE),
    ("FETCH 1 (ANNOTATION (/comment value))", '1 FETCH (ANNOTATION (/comment (value.priv "x")))', SURE),
    ("SORT (DATE) UTF-8 ALL", "SORT 2 1 (MODSEQ 5)", SURE),
    ("UID THREAD REFERENCES UTF-8 ALL", "THREAD " + "(1 " * 500 + "2" + ")" * 500, SURE),
    ("SEARCH MODSEQ 1", "SEARCH 2 5 (MODSEQ 917162500)", SURE),
    ("SEARCH RETURN (PARTIAL 1:10) ALL", 'ESEARCH (TAG "a") PARTIAL (1:10 1,3)', SURE),
    ("SEARCH RETURN (UPDATE) ALL", 'ESEARCH (TAG "a") ADDTO (1 5) REMOVEFROM (0 6)', SURE),
    ("ESEARCH IN (subtree x) ALL", 'ESEARCH (TAG "a" MAILBOX x UIDVALIDITY 1) UID ALL 4001', SURE),
    ("UID FETCH 1:* (FLAGS) (CHANGEDSINCE 1 VANISHED)", "VANISHED (EARLIER) 4", SURE),
    ("UID FETCH 5 (FLAGS)", "5 UIDFETCH (FLAGS ())", LIKELY),
    ('GENURLAUTH "imap://x" INTERNAL', 'GENURLAUTH "imap://x"', SURE),
    ('URLFETCH "imap://x"', 'URLFETCH "imap://x" "y"', SURE),
    ("FETCH 1 X-GM-LABELS", "1 FETCH (X-GM-LABELS (\\Inbox x) X-GM-MSGID 12 X-GM-THRID 13)", SURE),
    ("FETCH 1 (EMAILID THREADID)", "1 FETCH (EMAILID (M1) THREADID (T1))", SURE),
    ("FETCH 1 (PREVIEW SAVEDATE)", '1 FETCH (PREVIEW "x" SAVEDATE NIL)', SURE),
    ("FETCH 1 (BINARY[1] BINARY.SIZE[1])", '1 FETCH (BINARY[1] "x" BINARY.SIZE[1] 1)', SURE),
    ("XAPPLEPUSHSERVICE aps-version 2", 'XAPPLEPUSHSERVICE aps-version "2" aps-topic "x"', SURE),
]


@pytest.mark.parametrize(("command", "data", "certainty"), EXTENSIONS)
def test_data_of_extensions_lands_in_its_exchange_and_is_read(command: str, data: str, certainty: Certainty) -> None:
    said, heard = seen_last("S: * PREAUTH hi", f"C: a {command}", f"S: * {data}")
    value = said.parsed.understood
    assert isinstance(value, Untagged)
    assert not isinstance(value.data, Unknown)
    assert not said.parsed.quirks
    assert (heard.exchange, heard.certainty) == (1, certainty)


def seen_last(*script: str) -> tuple[Said, Heard]:
    """The server's last unit, the client's all having been seen before."""
    played = play(lines(*script))
    view = SessionView()
    for said in Units(played, Direction.CLIENT).until(2**63, 0, Layer.PLAIN):
        view.feed(said)
    return [(said, view.feed(said)) for said in Units(played, Direction.SERVER).until(2**63, 0, Layer.PLAIN)][-1]


@given(TALK)
def test_no_talk_makes_a_view_raise(talk: list[Turn]) -> None:
    state = after(talk)
    assert len(state.open) <= OPEN_MOST


def test_commands_that_nobody_answers_and_searches_without_end_are_bounded() -> None:
    view = SessionView()
    view.feed(said(Direction.SERVER, None, b"* PREAUTH hi\r\n"))
    for number in range(1, OPEN_MOST + 10):
        view.feed(said(Direction.CLIENT, number, b"a SEARCH RETURN (UPDATE) ALL\r\n"))
    assert len(view.state().open) == OPEN_MOST
    for number in range(20, OPEN_MOST):
        view.feed(said(Direction.SERVER, number, b"t%d OK\r\n" % number))
    assert len(view.state().contexts) == CONTEXTS_MOST


LEGS = [
    # client, server, layers
    (Layer.PLAIN, Layer.PLAIN, "clear"),
    (Layer.TLS, Layer.TLS, "TLS"),
    (Layer.TLS, Layer.PLAIN, "client TLS, server clear"),
    (Layer.PLAIN, Layer.TLS, "client clear, server TLS"),
]


@pytest.mark.parametrize(("client", "server", "layers"), LEGS)
def test_legs_may_be_wrapped_differently(client: Layer, server: Layer, layers: str) -> None:
    """What a leg says in clear from beginning to end says nothing against the other one."""
    view = SessionView()
    for line in (b"* OK [CAPABILITY IMAP4rev1] hi\r\n", b"* NO x\r\n"):
        view.feed(said(Direction.SERVER, None, line, server))
        view.feed(said(Direction.CLIENT, 1, b"a SEARCH ALL\r\n", client))
    state = view.state()
    assert (state.layers, [each.trusted for each in state.capabilities]) == (layers, [True])


@pytest.mark.parametrize("client", [Layer.PLAIN, Layer.TLS])
def test_what_was_said_in_clear_before_the_upstream_leg_had_tls_is_not_trusted(client: Layer) -> None:
    view = SessionView()
    view.feed(said(Direction.SERVER, None, b"* OK [CAPABILITY IMAP4rev1] hi\r\n", Layer.PLAIN))
    view.feed(said(Direction.CLIENT, 1, b"a SEARCH ALL\r\n", client))
    assert view.state().capabilities[0].trusted
    view.feed(said(Direction.SERVER, None, b"* NO x\r\n", Layer.TLS))
    assert not view.state().capabilities[0].trusted


def said(direction: Direction, number: int | None, line: bytes, layer: Layer = Layer.PLAIN) -> Said:
    """One line of a session, of the exchange with that number."""
    exchange = None
    if number is not None:
        exchange = Exchange(
            1, number, "a", "SEARCH", "", None, Origin.CLIENT, Outcome.COMPLETED, "OK", None, None, 0, 1, 0, 0
        )
    unit = cut(line, direction)
    parsed = parse_command(unit) if direction is Direction.CLIENT else parse_response(unit)
    return Said(direction, 0, layer, exchange, Certainty.SURE, (), parsed)
