"""Scripts as recorded sessions that are served, and as what a client then says and hears."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from proxy.imap.grammar import Command, cut, parse_command
from proxy.imap.transcript import Direction
from proxy.replay.asked import Asked, asked
from proxy.replay.match import parse_rules
from proxy.replay.serving.cast import Cast
from proxy.replay.serving.logins import Door
from proxy.replay.serving.served import Served
from proxy.replay.serving.values import Kind, Line, Plain, Play, Repeat, Say, Scene, Several, Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from proxy.replay.match import Near
    from proxy.replay.serving.standing import Standing
    from proxy.replay.serving.values import Act


def of(text: bytes) -> Asked:
    """What a command asks for."""
    unit = cut(text, Direction.CLIENT)
    value = parse_command(unit).understood
    return asked(unit, value if isinstance(value, Command) else None)


def scene(script: str, number: int = 1, user: str | None = None, *, hangs_up: bool = False) -> Scene:
    """A recorded session: `C:` a command, `S:` an answer, `N:` what the server said of its own accord.

    Commands follow each other, none is sent before the one before is answered; SELECT and CLOSE do what they do.
    """
    stream, greeting, news, steps = bytearray(), list[Line](), list[Line](), list[Step]()
    mailbox: str | None = None
    logged_in = False
    capabilities = frozenset[str]()
    for line in script.strip().splitlines():
        who, text = line.strip().split(" ", 1)
        data = text.encode() + b"\r\n"
        if who == "C:":
            wanted = of(data)
            steps.append(
                Step(
                    len(steps) + 1, wanted, (), tuple(news), mailbox, mailbox, logged_in, None, len(steps), capabilities
                )
            )
            news = []
            continue
        if "CAPABILITY" in text:
            capabilities = frozenset(text.partition("CAPABILITY ")[2].partition("]")[0].split())
        start = len(stream)
        stream += data
        last = steps[-1] if steps else None
        done = last is not None and last.status is not None
        status = text.split()[1] if last and not done and text[0] not in "*+" else None
        kind = (
            Kind.NEWS
            if who == "N:"
            else Kind.CONTINUATION
            if text[0] == "+"
            else Kind.COMPLETION
            if status
            else Kind.UNTAGGED
        )
        made = Line(start, len(stream), 0, kind)
        if last is None:
            greeting.append(made)
            logged_in = "PREAUTH" in text
        elif done:
            news.append(made)
        else:
            if status == "OK" and last.asked.name in {"SELECT", "EXAMINE"}:
                mailbox = last.asked.parts[0].shown
            elif status == "OK" and last.asked.name == "CLOSE":
                mailbox = None
            logged_in |= status == "OK" and last.asked.name in {"LOGIN", "AUTHENTICATE"}
            steps[-1] = last._replace(lines=(*last.lines, made), status=status, after=mailbox)
    return Scene(
        number, user, tuple(greeting), tuple(steps), tuple(news), hangs_up, lambda a, b: iter([bytes(stream[a:b])])
    )


@dataclass
class Stage:
    """Scenes that are served, to one client after another."""

    scenes: list[Scene]
    rules: tuple[str, ...] = ()
    repeat: Repeat = Repeat.NEVER
    door: Door = field(default_factory=Door)
    timed: bool = False
    missed: list[tuple[Asked, str, tuple[Near, ...]]] = field(
        default_factory=list["tuple[Asked, str, tuple[Near, ...]]"]
    )

    def __post_init__(self) -> None:
        self.cast = Cast(self.scenes, parse_rules(self.rules), self.repeat)

    def enter(self, standing: Standing | None = None) -> Served:
        """A client connects; with a `standing` there is a server to be asked."""
        missed = self.missed.append
        return Served(self.cast, self.door, lambda *what: missed(what), timed=self.timed, standing=standing)

    def talk(self, script: str) -> None:
        """A client that says the `C:` lines and must hear the `S:` lines, no more and no less; `-` is the end."""
        served = self.enter()
        heard = list(said(served.begin()))
        wanted: list[str] = []
        for line in script.strip().splitlines():
            who, _, text = line.lstrip().partition(" ")
            if not who:
                continue
            if who == "S:":
                wanted.append(text)
                continue
            assert heard == wanted, f"before {text}"
            heard, wanted = list(said(served.receive(text.encode() + b"\r\n"))), []
        assert heard == wanted, "at the end"


def said(acts: Iterable[Act]) -> Iterator[str]:
    """What a client hears, line by line."""
    for act in acts:
        if isinstance(act, Say):
            yield from act.data.decode().split("\r\n")[:-1]
        elif isinstance(act, Play | Several):
            yield from map(_line, (act,) if isinstance(act, Play) else act.plays)
        elif act is Plain.CLOSE:
            yield "-"
        elif act is Plain.DEFLATE:
            yield "(deflate)"


def _line(play: Play) -> str:
    text = b"".join(play.scene.read(play.line.start, play.line.end))
    if play.line.kind is Kind.COMPLETION:
        text = play.tag + text[text.index(b" ") :]
    return text.decode().removesuffix("\r\n")
