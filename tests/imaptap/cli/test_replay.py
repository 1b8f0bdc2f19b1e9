"""Recordings told as scripts, replayed at servers that play one: what is sent, what is said of it, exit codes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from imaptap.cli.replay_progress import Progress
from proxy.imap.mapping import Mapping
from proxy.imap.transcript import EventKind
from proxy.replay import ear
from storage import open_store
from tests.imaptap.telling import S, Tale, recorded
from tests.servers.certificates import make_identity
from tests.servers.scripted import ScriptedServer
from tests.servers.wait import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

    from imaptap.replaying import Tally
    from proxy.imap.view.dialogue import Dialogue
    from tests.imaptap.cli.conftest import Program
    from tests.servers.certificates import Identity

GREETING = "S: * OK [CAPABILITY IMAP4rev1 LITERAL+ IDLE NAMESPACE UIDPLUS AUTH=PLAIN] ready"
LOGIN = """
S: * OK [CAPABILITY IMAP4rev1 LITERAL+ IDLE NAMESPACE] ready
C: a1 LOGIN bob xyzzy
S: a1 OK [CAPABILITY IMAP4rev1 LITERAL+ IDLE NAMESPACE] in
"""
"""How a recorded session begins."""
IN = """
S: * OK [CAPABILITY IMAP4rev1 LITERAL+ IDLE NAMESPACE] ready
C: R1 LOGIN bob "new secret"
S: R1 OK [CAPABILITY IMAP4rev1 LITERAL+ IDLE NAMESPACE] in
C: R2 NAMESPACE
S: * NAMESPACE (("" "/")) NIL NIL
S: R2 OK done
"""
"""How its replay begins: R3 is the tag of the next step."""
OUT = ("C: z LOGOUT\nS: * BYE\nS: z OK bye", "\nS: * BYE\nS: {} OK bye")


@dataclass
class Stage:
    """Records scripts and replays them."""

    program: Program
    folder: Path
    identity: Identity
    what: str = "old"

    def record(self, *scripts: str) -> None:
        """One session each."""
        recorded(
            self.program.db, *(Tale(number).say(script).end() for number, script in enumerate(scripts, 1)), name="old"
        )

    def replay(self, script: str, *words: str, scheme: str = "imap+insecure", user: bool = True) -> Result:
        """Replay at a server that plays this script to each connection."""
        context, implicit = self.identity.server_context(), scheme == "imaps"
        with ScriptedServer(script, context, implicit=implicit) as server:
            return self.at(f"{scheme}://localhost:{server.port}", *words, user=user)

    def at(self, url: str, *words: str, user: bool = True) -> Result:
        """Replay `what` at this URL, under the name "new"."""
        password = self.folder / "password"
        password.write_text("new secret\n")
        password.chmod(0o600)
        who = ("--password-file", str(password)) if user else ()
        return self.program("replay", self.what, "--to", url, "--name", "new", "--write", *who, *words)

    def events(self) -> list[tuple[int | None, str, str]]:
        """Session, name and text of all that the replay says of its steps."""
        with open_store(str(self.program.db), create=False) as store:
            new = store.recording("new")
            found = list(store.recording_events(new, EventKind.STEP))
            for session in store.sessions(new):
                found += store.events(session, EventKind.STEP)
            return [(event.session, event.name, event.text) for event in found]

    def steps(self) -> list[tuple[str, str]]:
        """The same of the steps alone, in the order in which it was told."""
        return [(name, text) for session, name, text in self.events() if session and name != "replay of"]


@pytest.fixture(scope="session")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    return make_identity(tmp_path_factory.mktemp("identity"))


@pytest.fixture
def stage(program: Program, tmp_path: Path, identity: Identity) -> Stage:
    return Stage(program, tmp_path, identity)


def test_a_session_is_sent_again_and_recorded(stage: Stage) -> None:
    """With new tags and a password of our own; the new recording says what it is a replay of, and of each step."""
    stage.record(LOGIN + "C: a2 NOOP\nS: a2 OK done\nC: a3 LOGOUT\nS: * BYE see you\nS: a3 OK bye")
    result = stage.replay(IN + "C: R3 NOOP\nS: R3 OK done\nC: R4 LOGOUT\nS: * BYE\nS: R4 OK bye\nCLOSE")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "steps: 3 sent." in result.stdout
    url = re.search(r"imap\+insecure://localhost:\d+", stage.program("ls", "new").stdout)
    assert url
    assert stage.events() == [
        (None, "replay of", f"1 old {url[0]}"),
        (1, "replay of", "1"),
        (1, "sent", "1"),
        (1, "sent", "2"),
        (1, "sent", "3"),
    ]
    assert stage.program.json("ls")["recordings"][1]["replay_of"] == {"recording": 1, "name": "old", "url": url[0]}
    assert stage.program("check").exit_code == 0


@pytest.mark.parametrize("policy", ["full", "headers", "none", "hash"])
def test_what_is_kept_of_letters(stage: Stage, policy: str) -> None:
    """As when it is recorded: of what the target answers, and of what is sent to it."""
    tale = Tale().say(LOGIN + "C: a2 SELECT INBOX\nS: * 1 EXISTS\nS: a2 OK done\nC: a3 FETCH 1 BODY[]")
    tale.say("S: * 1 FETCH (BODY[] {31}").send(S, b"Subject: other\r\n\r\nwritten there)\r\na3 OK done\r\n")
    recorded(stage.program.db, tale.say("C: a4 NOOP\nS: a4 OK").end(), name="old")
    script = IN + "C: R3 SELECT INBOX\nS: * 1 EXISTS\nS: R3 OK done\nC: R4 FETCH 1 BODY[]\nS: * 1 FETCH (BODY[] {30}\n"
    script += r"S= Subject: topicword\r\n\r\nbodyword)\r\n" + "\nS: R4 OK done\nC: R5 NOOP\nS: R5 OK\nEOF"
    result = stage.replay(script, "--bodies", policy)
    assert (result.exit_code, result.stderr) == (0, "")
    stored = b"".join(path.read_bytes() for path in stage.folder.rglob("*.db*"))
    assert (b"bodyword" in stored, b"topicword" in stored) == (policy == "full", policy in {"full", "headers"})
    assert [each["bodies"] for each in stage.program.json("ls")["recordings"]] == ["full", policy]
    assert (f"bodies: {policy}, replay of 1" in stage.program.lines("ls")[2]) == (policy != "full")
    assert stage.program("check").exit_code == 0


def test_each_step_says_where_it_stands_in_the_new_stream(stage: Stage) -> None:
    stage.record(LOGIN + "C: a2 NOOP\nS: a2 OK done\nC: a3 CHECK\nS: a3 OK bye")
    stage.replay(IN + "C: R3 NOOP\nS: R3 OK done\nC: R4 CHECK\nS: R4 OK done\nEOF")
    with open_store(str(stage.program.db), create=False) as store:
        session = store.session(store.recording("new"), 1)
        events = [event for event in store.events(session, EventKind.STEP) if event.name == "sent"]
        sent = [
            b"".join(store.stream(session, 0, event.offset or 0, (event.offset or 0) + (event.length or 0)))
            for event in events
            if event.direction is not None
        ]
    assert sent[1:] == [b"R3 NOOP\r\n", b"R4 CHECK\r\n"]
    assert sent[0].startswith(b"R1 LOGIN bob ")
    assert b"secret" not in sent[0]


def test_secrets_of_neither_side_reach_the_disk(stage: Stage) -> None:
    stage.record(LOGIN + "C: a2 NOOP\nS: a2 OK done")
    stage.replay(IN + "C: R3 NOOP\nS: R3 OK done\nEOF")
    data = b"".join(file.read_bytes() for file in stage.folder.iterdir() if file.name.startswith("imaptap.db"))
    assert b"LOGIN" in data
    assert b"new secret" not in data
    assert b"xyzzy" not in data


def test_a_literal_waits_for_the_server_and_is_withheld_when_refused(stage: Stage) -> None:
    append = "C: a2 APPEND Sent {11}\nS: + go on\nC: hello world\nS: a2 OK done\n"
    stage.record(LOGIN + append + append.replace("a2", "a3") + "C: a4 NOOP\nS: a4 OK done")
    result = stage.replay(
        IN + "C: R3 APPEND Sent {11}\nS: + yes\nC: hello world\nS: R3 OK done\n"
        "C: R4 APPEND Sent {11}\nS: R4 NO [OVERQUOTA] full\nC: R5 NOOP\nS: R5 OK done\nEOF"
    )
    assert result.exit_code == 1
    assert "1/3 APPEND: NO, recorded OK" in result.stdout
    assert stage.steps() == [("sent", "1"), ("sent", "2"), ("sent", "3"), ("sent", "4")]
    assert stage.program("check").exit_code == 0


PIPELINED = LOGIN + "C: a2 NOOP\nC: a3 CAPABILITY\nS: a2 OK\nS: * CAPABILITY IMAP4rev1\nS: a3 OK\n"


def test_what_was_pipelined_is_pipelined(stage: Stage) -> None:
    stage.record(PIPELINED)
    result = stage.replay(
        IN + "C: R3 NOOP\nC: R4 CAPABILITY\nS: * CAPABILITY IMAP4rev1\nS: R4 OK done\nS: R3 OK done\nEOF"
    )
    assert result.exit_code == 0


def test_flattened_it_waits_for_each_answer(stage: Stage) -> None:
    stage.record(PIPELINED)
    said = "C: R3 NOOP\nS: R3 OK done\nC: R4 CAPABILITY\nS: * CAPABILITY IMAP4rev1\nS: R4 OK done\nEOF"
    assert stage.replay(IN + said, "--flatten").exit_code == 0


@pytest.mark.parametrize("words", [("--speed", "10x"), ("--speed", "1x", "--max-gap", "0.001")], ids=" ".join)
def test_with_recorded_pauses(words: tuple[str, ...], stage: Stage) -> None:
    stage.record(PIPELINED)
    said = "C: R3 NOOP\nC: R4 CAPABILITY\nS: R3 OK\nS: * CAPABILITY IMAP4rev1\nS: R4 OK done\nEOF"
    result = stage.replay(IN + said, *words, "--json")
    assert result.exit_code == 0
    assert all(f'"{command}": {{"p50"' in result.stdout for command in ("LOGIN", "NOOP", "CAPABILITY"))


def test_another_status_is_told(stage: Stage) -> None:
    stage.record(LOGIN + "C: a2 NOOP\nS: a2 OK done")
    result = stage.replay(IN + "C: R3 NOOP\nS: R3 BAD what?\nEOF")
    assert result.exit_code == 1
    assert "1/2 NOOP: BAD, recorded OK" in result.stdout


def selected(tag: str, name: str) -> str:
    """A SELECT that was answered OK."""
    return f"C: {tag} SELECT {name}\nS: * 2 EXISTS\nS: * OK [UIDVALIDITY 7]\nS: {tag} OK done\n"


def test_what_depends_on_a_refused_select_is_not_reached(stage: Stage) -> None:
    """Up to the next one; what does not depend on it is sent."""
    stage.record(
        LOGIN + selected("a2", "Lost") + "C: a3 FETCH 1 FLAGS\nS: * 1 FETCH (FLAGS ())\nS: a3 OK done\n"
        "C: a4 NOOP\nS: a4 OK done\n"
        + selected("a5", "INBOX")
        + "C: a6 FETCH 1 FLAGS\nS: * 1 FETCH (FLAGS ())\nS: a6 OK done"
    )
    result = stage.replay(
        IN + "C: R3 SELECT Lost\nS: R3 NO no such mailbox\nC: ... NOOP\nS= R5 OK done\\r\\n\n"
        "C: R6 SELECT INBOX\nS: * 2 EXISTS\nS: * OK [UIDVALIDITY 9]\nS: R6 OK done\n"
        "C: R7 FETCH 1 FLAGS\nS: * 1 FETCH (FLAGS ())\nS: R7 OK done\nEOF"
    )
    assert result.exit_code == 1
    assert [step for step in stage.steps() if step[0] != "sent"] == [("not reached", "3: SELECT was answered NO")]
    assert "1 not reached: SELECT was answered NO" in result.stdout


@pytest.mark.parametrize(
    ("end", "why"),
    [
        ("CLOSE", "closed the connection."),
        ("S: * BYE going down\nCLOSE", "closed the connection after BYE: going down."),
        ("RESET", "closed the connection"),
    ],
    ids=["closed", "BYE", "reset"],
)
def test_a_target_that_goes_half_way(stage: Stage, end: str, why: str) -> None:
    """One sentence, exit code 1, the recording marked, readable and whole; every step is accounted for."""
    stage.record(LOGIN + "C: a2 NOOP\nS: a2 OK done\nC: a3 CAPABILITY\nS: a3 OK done\nC: a4 NOOP\nS: a4 OK done")
    result = stage.replay(IN + f"C: R3 NOOP\nS: R3 OK done\nC: R4 CAPABILITY\n{end}")
    assert result.exit_code == 1
    assert why in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert [name for name, _ in stage.steps()] == ["sent", "sent", "cut", "not reached"]
    listed = stage.program.json("ls", "new")["sessions"][0]
    assert listed["ending"] == "failed"
    assert "closed the connection" in listed["reason"]
    assert stage.program("check").exit_code == 0


def test_a_target_that_goes_between_two_steps(stage: Stage) -> None:
    """Nothing is owed then, and still it is not all there."""
    stage.record(LOGIN + "C: a2 NOOP\nS: a2 OK done\nC: a3 NOOP\nS: a3 OK done\nC: a4 NOOP\nS: a4 OK done")
    result = stage.replay(IN + "C: R3 NOOP\nS= R3 OK done\\r\\n* BYE enough\\r\\n\nCLOSE", "--flatten")
    assert result.exit_code == 1
    assert "closed the connection after BYE: enough" in result.stderr
    assert [name for name, _ in stage.steps()][-1] == "not reached"


def test_nobody_is_there(stage: Stage) -> None:
    """No recording is left."""
    stage.record(LOGIN)
    result = stage.at(f"imap+insecure://localhost:{free_port()}")
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 2
    assert len(stage.program.json("ls")["recordings"]) == 1


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("CLOSE", "closed the connection without a greeting"),
        ("S: * BYE not today\nCLOSE", "greeted with BYE: not today"),
        ("S: HTTP/1.1 400 Bad Request\nEOF", "did not greet as an IMAP server"),
    ],
    ids=["silence", "BYE", "HTTP"],
)
def test_no_greeting(stage: Stage, script: str, said: str) -> None:
    stage.record(LOGIN)
    result = stage.replay(script)
    assert result.exit_code == 2
    assert said in result.stderr
    assert len(stage.program.json("ls")["recordings"]) == 1


def test_a_refused_login_ends_it(stage: Stage) -> None:
    """Exit code 2, and the answer on record."""
    stage.record(LOGIN + "C: a2 NOOP\nS: a2 OK done")
    result = stage.replay(
        "S: * OK [CAPABILITY IMAP4rev1] ready\nC: R1 LOGIN ...\nS: R1 NO [AUTHENTICATIONFAILED] no\nEOF"
    )
    assert result.exit_code == 2
    assert "refuses the login of bob with LOGIN: NO no" in result.stderr
    assert "new secret" not in result.output
    assert stage.program.json("show", "new/1")["exchanges"][0]["status"] == "NO"


@pytest.mark.parametrize(
    ("capabilities", "dialogue"),
    [
        ("AUTH=PLAIN", "C: R1 AUTHENTICATE PLAIN\nS: + \nC: AGJvYgBuZXcgc2VjcmV0\nS: R1 OK in"),
        ("SASL-IR AUTH=LOGIN AUTH=PLAIN", "C: R1 AUTHENTICATE PLAIN AGJvYgBuZXcgc2VjcmV0\nS: R1 OK in"),
        ("LOGINDISABLED AUTH=PLAIN", "C: R1 AUTHENTICATE PLAIN\nS: +\nC: AGJvYgBuZXcgc2VjcmV0\nS: R1 OK in"),
        ("AUTH=CRAM-MD5", 'C: R1 LOGIN bob "new secret"\nS: R1 OK in'),
    ],
)
def test_the_mechanism_is_one_of_the_target(stage: Stage, capabilities: str, dialogue: str) -> None:
    """Without capabilities in the OK they are asked for again: a login changes them."""
    stage.record(LOGIN + "C: a2 NOOP\nS: a2 OK done")
    asked = 'C: R2 CAPABILITY\nS: * CAPABILITY IMAP4rev1\nS: R2 OK\nC: R3 LIST ...\nS: * LIST () "." ""\nS: R3 OK\n'
    script = f"S: * OK [CAPABILITY IMAP4rev1 {capabilities}] ready\n{dialogue}\n{asked}C: R4 NOOP\nS: R4 OK\nEOF"
    assert stage.replay(script).exit_code == 0
    texts = stage.program.json("show", "new/1")
    assert all("xxxx" in each["arguments"] or each["command"] != "LOGIN" for each in texts["exchanges"])


@pytest.mark.parametrize(
    ("end", "code"),
    [
        ("S: R1 NO {} is wrong\nEOF", 2),
        ("S: * BYE {} is wrong\nCLOSE", 2),
        ("S: R1 OK [CAPABILITY IMAP4rev1 NAMESPACE] in\nC: R2 NAMESPACE\nS: * BYE {} is wrong\nCLOSE", 1),
    ],
)
@pytest.mark.parametrize("echo", ["new secret", "NEW SECRET", "AGJvYgBuZXcgc2VjcmV0"])
def test_a_password_that_the_target_echoes_is_not_on_disk(stage: Stage, end: str, code: int, echo: str) -> None:
    """Neither in what it said, nor in why the session failed."""
    stage.record(LOGIN + "C: a2 NOOP\nS: a2 OK done")
    login = "C: R1 AUTHENTICATE PLAIN AGJvYgBuZXcgc2VjcmV0\n"
    result = stage.replay("S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready\n" + login + end.format(echo))
    assert result.exit_code == code
    assert echo not in result.output
    files = [path.read_bytes() for path in stage.program.db.parent.glob(stage.program.db.name + "*")]
    assert b"is wrong" in b"".join(files)
    assert all(echo.encode() not in data for data in files)


def test_no_mechanism_that_fits(stage: Stage) -> None:
    stage.record(LOGIN)
    result = stage.replay("S: * OK [CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=GSSAPI] ready\nEOF")
    assert result.exit_code == 2
    assert "offers no login with passwords that imaptap knows (it offers: GSSAPI)" in result.stderr


def test_tokens(stage: Stage) -> None:
    stage.record(LOGIN + "C: a2 NOOP\nS: a2 OK done")
    script = (
        "S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2 AUTH=PLAIN] ready\n"
        "C: R1 AUTHENTICATE XOAUTH2 dXNlcj1ib2IBYXV0aD1CZWFyZXIgdG9rZW4tb2YtYm9iAQE=\n"
        "S: R1 OK [CAPABILITY IMAP4rev1 NAMESPACE] in\nC: R2 NAMESPACE\nS: R2 OK\nC: R3 NOOP\nS: R3 OK\nEOF"
    )
    assert stage.replay(script, "--token-command", "echo token-of-{user}", user=False).exit_code == 0


def test_a_refused_token(stage: Stage) -> None:
    """The challenge that says why is answered, so that the server says NO (RFC 7628 section 3.2.3)."""
    stage.record(LOGIN)
    script = (
        "S: * OK [CAPABILITY IMAP4rev1 AUTH=OAUTHBEARER] ready\nC: R1 AUTHENTICATE OAUTHBEARER\nS: +\nC: ...\n"
        "S: + eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIn0=\nC: AQ==\nS: R1 NO expired\nEOF"
    )
    result = stage.replay(script, "--token-command", "echo token", user=False)
    assert result.exit_code == 2
    assert "refuses the login of bob with OAUTHBEARER: NO expired" in result.stderr


def test_preauth_needs_no_login(stage: Stage) -> None:
    stage.record(LOGIN + "C: a2 NOOP\nS: a2 OK done")
    asked = 'C: R1 LIST ...\nS: * LIST () "/" ""\nS: R1 OK\n'
    result = stage.replay(f"S: * PREAUTH [CAPABILITY IMAP4rev1] hello\n{asked}C: R2 NOOP\nS: R2 OK done\nEOF")
    assert stage.steps() == [("skipped", "1: the target has logged in by itself (PREAUTH)"), ("sent", "2")]
    assert result.exit_code == 1


def test_preauth_without_capabilities_is_asked_for_them_and_for_names(stage: Stage) -> None:
    """As behind a login: else names are taken for those of a target that has no prefix."""
    stage.record(LOGIN + "C: a2 SUBSCRIBE Old/Letters\nS: a2 OK done")
    result = stage.replay(
        "S: * PREAUTH hello\nC: R1 CAPABILITY\nS: * CAPABILITY IMAP4rev1 NAMESPACE\nS: R1 OK\nC: R2 NAMESPACE\n"
        'S: * NAMESPACE (("INBOX." ".")) NIL NIL\nS: R2 OK\nC: R3 SUBSCRIBE INBOX.Old.Letters\nS: R3 OK done\nEOF'
    )
    assert result.exit_code == 1, result.output
    assert stage.steps()[1:] == [("sent", "2: Old/Letters → INBOX.Old.Letters")]


def test_a_recorded_preauth_logs_in_at_the_target(stage: Stage) -> None:
    """That login is no step, and the record says so."""
    stage.record("S: * PREAUTH [CAPABILITY IMAP4rev1] hello\nC: a1 NOOP\nS: a1 OK done")
    result = stage.replay(IN + "C: R3 NOOP\nS: R3 OK done\nEOF", "--user", "bob")
    assert result.exit_code == 0, result.output
    assert stage.steps() == [("extra", "a login that was not recorded"), ("sent", "1")]


def test_a_recorded_preauth_and_nobody_who_logs_in(stage: Stage) -> None:
    stage.record("S: * PREAUTH [CAPABILITY IMAP4rev1] hello\nC: a1 NOOP\nS: a1 OK done")
    result = stage.replay("S: * OK [CAPABILITY IMAP4rev1] hello\nEOF")
    assert result.exit_code == 2
    assert "Nobody has said who is to log in" in result.stderr


def test_a_login_that_was_refused_when_recorded_is_not_sent(stage: Stage) -> None:
    stage.record(
        "S: * OK [CAPABILITY IMAP4rev1] ready\nC: a0 LOGIN bob wrong\nS: a0 NO no\nC: a1 LOGIN bob right\nS: a1 OK in"
    )
    result = stage.replay(IN + "EOF")
    assert result.exit_code == 1
    assert [name for name, _ in stage.steps()] == ["skipped", "sent"]


def test_a_login_that_the_client_gave_up_is_given_up_again(stage: Stage) -> None:
    """It holds no secret. Where the target has no such mechanism, it is skipped."""
    cancelled = "S: * OK [CAPABILITY IMAP4rev1] hi\nC: a0 AUTHENTICATE {0}\nS: + xyz\nC: *\nS: a0 BAD aborted\n"
    stage.record(cancelled.format("CRAM-MD5") + cancelled.format("NTLM").split("\n", 1)[1] + "C: a9 NOOP\nS: a9 OK")
    result = stage.replay(
        "S: * OK [CAPABILITY IMAP4rev1 AUTH=CRAM-MD5] hi\nC: R1 AUTHENTICATE CRAM-MD5\nS: + abc\nC: *\n"
        "S: R1 BAD aborted\nC: R2 NOOP\nS: R2 OK\nEOF",
        user=False,
    )
    assert result.exit_code == 1
    assert stage.steps() == [("sent", "1"), ("skipped", "2: the target has no AUTH=NTLM"), ("sent", "3")]


def test_idle_ends_when_the_recorded_kind_of_news_has_come(stage: Stage) -> None:
    stage.record(LOGIN + selected("a2", "INBOX") + "C: a3 IDLE\nS: + idling\nS: * 3 EXISTS\nC: DONE\nS: a3 OK done")
    result = stage.replay(
        IN + "C: R3 SELECT INBOX\nS: * 2 EXISTS\nS: R3 OK done\nC: R4 IDLE\nS: + idling\nS: * OK still here\n"
        "S: * 3 EXISTS\nC: DONE\nS: R4 OK done\nEOF",
        "--idle", "60",
    )  # fmt: skip
    assert result.exit_code == 0


def test_idle_ends_without_news(stage: Stage) -> None:
    stage.record(LOGIN + "C: a2 IDLE\nS: + idling\nS: * 3 EXISTS\nC: DONE\nS: a2 OK done")
    result = stage.replay(IN + "C: R3 IDLE\nS: + idling\nC: DONE\nS: R3 OK done\nEOF", "--idle", "0.01")
    assert result.exit_code == 0


def test_an_idle_that_the_server_ends(stage: Stage) -> None:
    stage.record(LOGIN + "C: a2 IDLE\nS: + idling\nS: * 3 EXISTS\nC: DONE\nS: a2 OK done\nC: a3 NOOP\nS: a3 OK done")
    result = stage.replay(
        IN + "C: R3 IDLE\nS: + idling\nS: R3 OK enough\nC: R4 NOOP\nS: R4 OK done\nEOF", "--idle", "60"
    )
    assert result.exit_code == 0
    assert stage.steps()[-1] == ("sent", "3")


def test_an_idle_that_is_refused(stage: Stage) -> None:
    stage.record(LOGIN + "C: a2 IDLE\nS: + idling\nC: DONE\nS: a2 OK done\nC: a3 NOOP\nS: a3 OK done")
    result = stage.replay(IN + "C: R3 IDLE\nS: R3 NO not now\nC: R4 NOOP\nS: R4 OK done\nEOF")
    assert result.exit_code == 1
    assert "1/2 IDLE: NO, recorded OK" in result.stdout


@pytest.mark.parametrize(
    "nonsense",
    [
        "S: complete nonsense",
        "S: R9 OK for nobody",
        "S: + stray",
        "S: *",
        "S: * 99999999999999999999 EXISTS",
        "S: * 1 FETCH (UID 1",
        "S: * OK [CAPABILITY] none",
    ],
)
def test_nonsense_of_a_server_does_no_harm(nonsense: str, stage: Stage) -> None:
    """It is recorded, and whatever can go on does."""
    stage.record(LOGIN + selected("a2", "INBOX") + "C: a3 UID SEARCH ALL\nS: * SEARCH 1\nS: a3 OK done")
    result = stage.replay(
        f"{IN}{nonsense}\nC: R3 SELECT INBOX\n{nonsense}\nS: * 2 EXISTS\nS: R3 OK done\n{nonsense}\n"
        f"C: R4 UID SEARCH ALL\n{nonsense}\nS: * SEARCH 1\nS: R4 OK done\nEOF",
        "--timeout",
        "5",
        "--any-state",
    )
    assert (result.exit_code, result.stderr) == (0, "")
    assert stage.program("check").exit_code == 0


def test_a_mailbox_in_another_state_is_left_alone(stage: Stage) -> None:
    """M 8.2. Other mailboxes are not."""
    stage.record(
        LOGIN + selected("a2", "INBOX") + "C: a3 UID SEARCH ALL\nS: * SEARCH 1\nS: a3 OK done\n"
        "C: a4 NOOP\nS: a4 OK done\n" + selected("a5", "Sent") + "C: a6 CHECK\nS: a6 OK done"
    )
    script = f"{IN}C: R3 SELECT INBOX\nS: * 3 EXISTS\nS: R3 OK done\n{{}}C: R{{}} NOOP\nS: R{{}} OK done\n"
    sent = "C: R{0} SELECT Sent\nS: * 2 EXISTS\nS: R{0} OK done\nC: R{1} CHECK\nS: R{1} OK done\nEOF"
    result = stage.replay(script.format("", 5, 5) + sent.format(6, 7))
    assert (result.exit_code, result.stderr) == (1, "")
    why = "INBOX has 3 messages at the target and had 2 when it was recorded (--any-state goes on)"
    assert stage.steps()[2] == ("not reached", f"3: {why}")
    assert f"1 not reached: {why}" in result.stdout
    searched = "C: R4 UID SEARCH ALL\nS: * SEARCH 1\nS: R4 OK done\n"
    assert (
        stage.replay(script.format(searched, 5, 5) + sent.format(6, 7), "--any-state", "--name", "other").exit_code == 0
    )


def test_a_server_that_never_answers(stage: Stage) -> None:
    stage.record(LOGIN + "C: a2 NOOP\nS: a2 OK done")
    result = stage.replay(IN + "C: R3 NOOP\nEOF", "--timeout", "0.1")
    assert result.exit_code == 1
    assert "has not answered for 0.1 s" in result.stderr
    assert [name for name, _ in stage.steps()] == ["sent", "cut"]


def test_a_replay_that_cannot_be_recorded_ends(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `record --fail-closed`: what is not recorded is good for nothing. Here the file is deleted half way."""
    stage.record(LOGIN + "C: a2 NOOP\nS: a2 OK done\nC: a3 NOOP\nS: a3 OK done")

    def delete(_progress: Progress, tally: Tally) -> None:
        if tally.steps == 2:
            stage.program.db.unlink()

    monkeypatch.setattr(Progress, "show", delete)
    result = stage.replay(IN + "C: R3 NOOP\nS: R3 OK done\n" + "C: R4 NOOP\nEOF")
    assert result.exit_code == 1
    assert "cannot be recorded" in result.stderr
    assert "steps: 2 sent, 1 cut" in result.stdout


def test_a_fault_of_our_own_is_said_in_one_sentence_and_ends_the_session(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No traceback, which would show what was said."""
    stage.record(LOGIN + "C: a2 NOOP\nS: a2 OK done")

    def fail(_self: Mapping, recorded: Dialogue, replayed: Dialogue | None, _literals: object) -> None:
        if replayed is not None and recorded.exchange.command == "NOOP":
            raise ValueError("secret of a letter")

    monkeypatch.setattr(Mapping, "learn", fail)
    result = stage.replay(IN + "C: R3 NOOP\nS: R3 OK done\nEOF")
    assert result.exit_code == 1
    assert "reports a fault" in result.stderr
    assert "(ValueError). Please report this." in result.stderr
    assert "secret of a letter" not in result.output


def test_answers_without_end_are_recorded_and_not_kept(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.record(LOGIN + "C: a2 NOOP\nS: a2 OK done")
    monkeypatch.setattr(ear, "ANSWERS_MOST", 3)
    kept: list[int] = []

    def learn(_self: Mapping, _recorded: Dialogue, replayed: Dialogue | None, _literals: object) -> None:
        kept.append(len(replayed.answers) if replayed else 0)

    monkeypatch.setattr(Mapping, "learn", learn)
    assert stage.replay(IN + "C: R3 NOOP\n" + "S: * OK more\n" * 9 + "S: R3 OK done\nEOF").exit_code == 0
    assert kept[-1] in (3, 4), "three, and the last one; the command itself may be one of them"


STARTTLS = "C: a0 STARTTLS\nS: a0 OK begin\n"


def test_starttls_at_its_recorded_place(stage: Stage) -> None:
    greeting, rest = LOGIN.strip().split("\n", 1)
    stage.record(f"{greeting}\n{STARTTLS}{rest}")
    script = (
        "S: * OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] ready\nC: R1 STARTTLS\nS: R1 OK begin\nTLS\n"
        "C: R2 CAPABILITY\nS: * CAPABILITY IMAP4rev1\nS: R2 OK\n"
    )
    more = IN.strip().split("\n", 1)[1].replace("R2", "R4").replace("R1", "R3")
    result = stage.replay(script + more + "EOF", "--upstream-ca", str(stage.identity.ca), scheme="imap")
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("C: R1 STARTTLS\nS: R1 NO not here\nEOF", "refused STARTTLS"),
        ("C: R1 STARTTLS\nS= R1 OK begin\\r\\n* OK evil\\r\\n\nEOF", "someone may be tampering"),
    ],
    ids=["refused", "injection"],
)
def test_nothing_goes_in_clear_where_tls_was_asked_for(stage: Stage, script: str, said: str) -> None:
    stage.record(LOGIN)
    result = stage.replay(f"S: * OK [CAPABILITY IMAP4rev1 STARTTLS] ready\n{script}", scheme="imap")
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_certificate_that_nobody_vouches_for(stage: Stage) -> None:
    stage.record(LOGIN)
    results: list[Result] = []
    # The server's handshake fails then, which it calls a problem.
    with pytest.raises(OSError), ScriptedServer("EOF", stage.identity.server_context(), implicit=True) as server:  # noqa: PT011
        results.append(stage.at(f"imaps://localhost:{server.port}"))
    assert results[0].exit_code == 2
    assert "certificate" in results[0].stderr
    assert len(stage.program.json("ls")["recordings"]) == 1


def test_dry_run(stage: Stage) -> None:
    """Each step, what would be sent or why not; nothing is connected to, nobody is asked, nothing is recorded."""
    stage.record(
        LOGIN + selected("a2", "INBOX") + "C: a3 STORE 1 +FLAGS (\\Deleted)\nS: a3 OK done\nC: a4 LOGOUT\nS: a4 OK"
    )
    result = stage.program("replay", "old", "--to", "imaps://nobody.invalid", "--dry-run")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert [line.split()[1] for line in lines] == ["send", "send", "skipped", "send"]
    assert "STORE" in lines[2]
    assert len(stage.program.json("ls")["recordings"]) == 1


CASSETTE = """imaptap cassette 1
S: * OK [CAPABILITY IMAP4rev1] ready
C: a1 LOGIN {{user:bob}} {{password:xyzzy}}
S: a1 OK in
C: a2 NOOP
S: a2 OK done

session
S: * OK [CAPABILITY IMAP4rev1] ready
C: b1 LOGIN {{user:bob}} {{password:xyzzy}}
S: b1 OK in
C: b2 CHECK
S: b2 OK done
"""


def test_a_cassette_in_place_of_a_recording(stage: Stage) -> None:
    """What comes of it goes into the database, which need not be there before; diff knows what was replayed."""
    file = stage.folder / "hand.cassette"
    file.write_text(CASSETTE)
    stage.what = f"{file}/2"
    assert stage.program("replay", stage.what, "--to", "imaps://x", "--dry-run").exit_code == 0
    assert not stage.program.db.exists()
    result = stage.replay(IN + "C: R3 CHECK\nS: R3 OK done\nEOF")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "replay of hand; steps: 2 sent." in result.stdout
    (only,) = stage.program.json("ls")["recordings"]
    assert (only["replay_of"]["recording"], only["replay_of"]["name"]) == (None, "hand")
    assert "replay of hand" in stage.program("ls").stdout
    assert stage.steps() == [("sent", "1"), ("sent", "2")]
    compared = stage.program("diff", f"{file}/2", "new", "--all")
    assert "hand/2" in compared.stdout
    assert "new/2" in compared.stdout


def test_a_wrong_cassette_is_not_replayed(stage: Stage) -> None:
    file = stage.folder / "hand.cassette"
    file.write_text(CASSETTE.replace("{{user:bob}}", "{{user:bob}"))
    assert "at line 3, column 13" in stage.program.refused("replay", str(file), "--to", "imaps://x")
    assert not stage.program.db.exists()


def test_clones(stage: Stage) -> None:
    """Sessions of their own, users of their own, and how long answers took."""
    stage.record(LOGIN + "C: a2 NOOP\nS: a2 OK done")
    script = IN.replace("LOGIN bob", "LOGIN load...") + "C: R3 NOOP\nS: R3 OK done\nEOF"
    result = stage.replay(script, "--clones", "3", "--user", "load{n}")
    assert result.exit_code == 0, result.output
    assert "steps: 6 sent." in result.stdout
    noops = next(line.split() for line in result.stdout.splitlines() if line.startswith("NOOP"))
    assert noops[:2] == ["NOOP", "3"]
    assert len(noops) == 6
    logins = [stage.program.json("show", f"new/{number}")["exchanges"][0]["arguments"] for number in (1, 2, 3)]
    assert sorted(each.split()[0] for each in logins) == ["load1", "load2", "load3"]


@pytest.mark.parametrize(("words", "shown"), [((), True), (("--quiet",), False)])
def test_progress_on_a_terminal(
    words: tuple[str, ...], shown: bool, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With counts; none in a pipe, as everywhere else here."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    stage.record(LOGIN + "C: a2 NOOP\nS: a2 OK done")
    result = stage.replay(IN + "C: R3 NOOP\nS: R3 NO\nEOF", *words)
    assert ("sent 2, not 0, otherwise 1" in result.stderr) is shown


def test_what_all_clones_were_told_is_said_once(stage: Stage) -> None:
    stage.record(LOGIN + "C: a2 NOOP\nS: a2 OK done")
    result = stage.replay(IN + "C: R3 NOOP\nS: R3 NO\nEOF", "--clones", "2")
    assert "  1/2 NOOP: NO, recorded OK (2 times)" in result.stdout.splitlines()


def test_users_from_a_file(stage: Stage) -> None:
    stage.record(LOGIN + "C: a2 NOOP\nS: a2 OK done")
    users = stage.folder / "users.toml"
    users.write_text('[[user]]\nrecorded = "bob"\nuser = "robert"\npassword-command = "echo pw-{user}"\n')
    script = IN.replace('bob "new secret"', "robert pw-robert") + "C: R3 NOOP\nS: R3 OK done\nEOF"
    assert stage.replay(script, "--users", str(users), user=False).exit_code == 0


def test_summary_as_json(stage: Stage) -> None:
    stage.record(LOGIN + "C: a2 NOOP\nS: a2 OK done")
    result = stage.replay(IN + "C: R3 NOOP\nS: R3 NO\nEOF", "--json")
    assert result.exit_code == 1
    for text in (
        '"steps": 2',
        '"sent": 2',
        '"other_status_count": 1',
        '"recorded": "OK", "replayed": "NO", "count": 1',
    ):
        assert text in result.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("old/1/1", "--to", "imaps://x"), "is one exchange"),
        (("nobody", "--to", "imaps://x"), "no recording"),
        (("old", "--to", "imaps://bob:secret@x"), "names a user"),
        (("old", "--to", "imaps://x", "--map", "Sent"), "OLD=NEW"),
        (("old", "--to", "imaps://x", "--map", "Sent="), "OLD=NEW"),
        (("old", "--to", "imaps://x", "--user", "b\nob"), "that no login can carry"),
        (("old", "--to", "imaps://x", "--user", "b\udcffb"), "that no login can carry"),
        (("old", "--to", "imaps://x", "--password-file", "/dev/null"), "is empty"),
        (("old", "--to", "imaps://x", "--password-command", "a", "--token-command", "b"), "exclude each other"),
        (("old", "--to", "imaps://x"), "no terminal to ask"),
        (("old", "--to", "imaps://x", "--max-gap", "1"), "--max-gap bounds recorded pauses"),
        (("old", "--to", "imaps://x", "--max-gap", "1", "--speed", "max"), "--speed max leaves them all out"),
        (("old", "--to", "imaps://x", "--max-gap", "1", "--dry-run"), "--max-gap bounds recorded pauses"),
        (("old", "--to", "imaps://x", "--password-command", "false"), "ended with 1"),
        (("old", "--to", "imaps://x", "--password-command", "true"), "printed nothing"),
        (("old", "--to", "imaps://x", "--password-command", "/no/such/program"), "cannot be run"),
    ],
)
def test_mistakes_are_said_before_anything_is_dialled(stage: Stage, words: tuple[str, ...], said: str) -> None:
    stage.record(LOGIN)
    assert said in stage.program.refused("replay", *words)


def test_a_user_that_the_recording_hides(stage: Stage) -> None:
    stage.record("S: * OK hi\nC: a AUTHENTICATE PLAIN\nS: +\nC: AGJvYgBvbGQ=\nS: a OK in")
    assert "does not tell who logged in" in stage.program.refused("replay", "old", "--to", "imaps://x")
