"""The linter beyond its single rules: whose fault it is, what it does not know, where it points to."""

from __future__ import annotations

import pytest
from hypothesis import given

from proxy.imap.lint import RULES, Linter, Severity
from proxy.imap.transcript import Direction
from tests.proxy.imap.lint.saying import hello, lint, logged_in, rules, select, selected
from tests.proxy.imap.playing import Said
from tests.proxy.imap.talk import TALK

IN, BOX = logged_in(), selected()
BYE = "C: z LOGOUT\nS: * BYE bye\nS: z OK done\n"


@pytest.mark.parametrize("script", [hello(), IN, BOX, BOX + select("t", "other", closed=True)])
def test_a_clean_session_has_no_findings(script: str) -> None:
    assert rules(script + BYE) == []


def test_a_finding_says_where_it_is_and_quotes_the_bytes() -> None:
    (finding,) = lint(f"{BOX}C: a FETCH 1 BODY[]\nS: * 1 FETCH (UID  7 BODY[] {{3}}\nS: abc)\nS: a OK done\n{BYE}")
    assert (finding.rule.id, finding.side, finding.exchange) == ("doubled-space", Direction.SERVER, 3)
    assert finding.excerpt == b"  7 BODY[] {3}"
    said = [line[3:] + "\r\n" for line in BOX.splitlines() if line.startswith("S: ")]
    assert finding.offset == len("".join(said)) + len("* 1 FETCH (UID")


def test_a_literal_that_was_not_waited_for_is_where_the_client_sent_it() -> None:
    (finding,) = lint(f"{IN}C: a SELECT {{1}}\nC: x\nS: + go\nS: a NO no\n{BYE}")
    sent = "l LOGIN bob secret\r\na SELECT {1}\r\n"
    assert (finding.rule.id, finding.side, finding.exchange) == ("literal-not-waited-for", Direction.CLIENT, 2)
    assert finding.offset == len(sent)


def test_a_secret_stays_masked_in_what_is_quoted() -> None:
    found = lint(f"plain\n{hello()}C: a LOGIN bob sesame\nS: a NO no\n{BYE}")
    assert [(each.rule.id, each.excerpt) for each in found] == [("login-in-clear", b"a LOGIN bob xxxxxx")]


def test_a_masked_password_is_not_judged() -> None:
    # As typed it would be an atom with a quote in it; what is recorded is a mask.
    assert "odd-atom" not in rules(f"{hello()}C: a LOGIN bob p*ss\nS: a NO no\n{BYE}")


def test_words_that_imaptap_hides_are_not_missing() -> None:
    hidden = hello("IMAP4rev1 LOGINDISABLED IDLE")
    assert "login-disabled" in rules(f"{hidden}C: a LOGIN bob secret")
    told = rules(f"rewrite IMAP4rev1 LOGINDISABLED IDLE / IMAP4rev1 IDLE\n{hidden}C: a LOGIN bob secret")
    assert "login-disabled" not in told


def test_words_that_imaptap_offers_may_be_used() -> None:
    plain = "plain\n" + hello("IMAP4rev1 IDLE")
    assert "command-unannounced" in rules(f"{plain}C: a STARTTLS")
    offered = f"plain\nrewrite IMAP4rev1 IDLE / IMAP4rev1 IDLE STARTTLS\n{hello('IMAP4rev1 IDLE')}"
    assert rules(f"{offered}C: a STARTTLS\nanswer a OK\ntls\n{BYE}") == []


def test_what_was_announced_in_clear_is_forgotten_with_tls() -> None:
    start = f"plain\n{hello('IMAP4rev1 STARTTLS IDLE')}C: a STARTTLS\nanswer a OK\ntls\n"
    assert rules(f"{start}C: l LOGIN bob secret\nS: l OK in\nC: i IDLE\nS: + go\nC: DONE\nS: i OK done\n{BYE}") == [
        "capability-unasked"
    ]


def test_a_list_before_the_ok_to_a_login_is_about_the_time_after_it() -> None:
    login = f"{hello()}C: l LOGIN bob secret\nS: * CAPABILITY IMAP4rev1 IDLE\nS: l OK in\n"
    assert rules(f"{login}C: a IDLE\nS: + go\nC: DONE\nS: a OK done\n{BYE}") == []
    assert rules(f"{login}C: a NAMESPACE\nS: a BAD no\n{BYE}") == ["command-unannounced"]


def test_the_answer_to_a_command_of_imaptap_itself_is_no_surprise() -> None:
    assert rules(f"plain\n{hello('IMAP4rev1')}proxy p1 STARTTLS\nS: p1 OK begin\ntls\n{BYE}") == []


def test_where_bytes_are_lost_nothing_is_said_of_the_state() -> None:
    assert "uid-without-selected" in rules(f"{IN}C: a UID FETCH 1 UID")
    assert rules(f"{IN}lose\nC: a UID FETCH 1 UID") == []


def test_who_closed_and_how_is_not_known_of_a_session_that_goes_on() -> None:
    assert rules(f"{IN}end -") == []


def test_what_a_client_does_all_the_time_is_told_once() -> None:
    same = "".join("C: a NOOP\nS: a OK done\n" for _ in range(5))
    assert rules(f"{IN}{same}{BYE}") == ["tag-reused"]


def test_pipelined_commands_are_not_judged_by_the_state_before_them() -> None:
    sent = "C: a LOGIN bob secret\nC: b SELECT x\nC: c FETCH 1 UID\n"
    assert rules(f"{hello()}{sent}S: a NO no\nS: b BAD no\nS: c BAD no\n{BYE}") == []


def test_several_in_flight_share_what_was_said() -> None:
    both = select("t", "a", closed=True).splitlines(keepends=True)
    script = f"{BOX}{both[0]}C: n NOOP\n{''.join(both[1:])}S: n OK done\n{BYE}"
    assert rules(script) == []


@given(TALK)
def test_nothing_that_peers_say_does_harm(said: list[Said]) -> None:
    script = "\n".join(f"{'CS'[x.direction]}> «{x.data.hex(' ')}»" for x in said)
    for finding in lint(script or "end -"):
        assert finding.rule.id in RULES
        assert finding.detail.isascii()
        assert finding.detail.isprintable()
        assert finding.rule.severity in Severity
    assert list(Linter().end(None)) == []
