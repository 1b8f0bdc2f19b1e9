"""One thing is changed in what a server answers to a replay: the comparison finds that, names it, and nothing else."""

from __future__ import annotations

import json
import re
import socket
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.servers.dovecot import Dovecot
from tests.servers.garden import sessions
from tests.servers.mail import write_old_mail
from tests.servers.planter import Planter
from tests.servers.planting import Plant, drop
from tests.servers.plants import PLANTS
from tests.servers.reader import Reader
from tests.servers.recorder import Recorder, environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOTHING = Plant("nothing", "", "", "", drop("absent"))


class Difference(NamedTuple):
    """What a comparison says: its class, and the place."""

    kind: str
    where: str


@dataclass(frozen=True)
class Garden:
    """A recording, a planter in front of a Dovecot that can be made fresh again, and the commands that compare."""

    recording: str
    server: Dovecot
    planter: Planter
    reader: Reader
    password: Path

    def replayed(self, plant: Plant, session: int) -> str:
        """The name of a replay of that session with that planted."""
        self.server.reseed("bob")
        self.planter.plant(plant)
        url = f"imap+insecure://localhost:{self.planter.port}"
        name = plant.name.replace(" ", "-")
        # Nothing is encrypted here, but reading all the system's authorities takes longer than the rest.
        words = ("--password-file", str(self.password), "--write", "--name", name, "--upstream-ca", str(self.server.ca))
        code, _, output = self.reader.run("replay", f"{self.recording}/{session}", "--to", url, *words)
        assert code in (0, 1), output
        return name

    def compared(self, plant: Plant) -> tuple[int, list[Difference], list[str]]:
        """Exit code of the comparison of a replay with that planted, what it has found, and what it did not compare."""
        during = re.compile(plant.during.encode(), re.IGNORECASE)
        number = next((at for at, each in enumerate(sessions(), 1) if any(map(during.search, each))), 1)
        name = self.replayed(plant, number)
        words = (f"{self.recording}/{number}", f"{name}/{number}", "--format", "json")
        code, stdout, output = self.reader.run("diff", *words)
        assert stdout, output
        (session,) = json.loads(stdout)["sessions"]
        pairs = session["exchanges"]
        found = [Difference(each["kind"], each["where"]) for pair in pairs for each in pair["differences"]]
        return code, found, [pair["reason"] for pair in pairs if pair["state"] not in {"equal", "different"}]


def say(port: int, commands: list[bytes]) -> None:
    """These commands, one after another, at a recorder's port in clear."""
    with socket.create_connection(("localhost", port)) as connection, connection.makefile("rb") as answers:
        answers.readline()
        for number, command in enumerate(commands, 1):
            tag = b"a%d" % number
            connection.sendall(tag + b" " + command + b"\r\n")
            while (line := answers.readline()) and not line.startswith(tag + b" "):
                continue


@pytest.fixture(scope="module")
def garden(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Garden]:
    folder = tmp_path_factory.mktemp("garden")
    password = folder / "password"
    password.write_text("secret\n")
    password.chmod(0o600)
    listen = ("--listen", "imap+insecure://127.0.0.1:0")
    with Dovecot(seed=write_old_mail) as server:
        upstream = f"imap+insecure://localhost:{server.plain_port}"
        with Recorder(folder / "record", upstream, *listen) as recorder:
            for session in sessions():
                say(recorder.port("plain"), session)
                server.reseed("bob")
        env = {**environment(folder / "home"), "IMAPTAP_DB": recorder.db}
        with Planter(server, NOTHING) as planter:
            yield Garden(recorder.recording, server, planter, Reader(env), password)


@pytest.mark.parametrize("during", ["NAMESPACE", "SORT", "EXPUNGE"])
def test_nothing_differs_where_nothing_is_planted(during: str, garden: Garden) -> None:
    assert garden.compared(replace(NOTHING, name=f"nothing {during}", during=during)) == (0, [], [])
    assert garden.planter.bed.grown == 0


@pytest.mark.parametrize("plant", [plant for plant in PLANTS if plant.kind], ids=lambda plant: plant.name)
def test_what_is_planted_is_found_and_nothing_else(plant: Plant, garden: Garden) -> None:
    code, found, left_out = garden.compared(plant)
    assert (code, left_out) == (1, [])
    (difference,) = found
    assert difference.kind == plant.kind
    assert re.search(plant.where, difference.where), difference


@pytest.mark.parametrize("plant", [plant for plant in PLANTS if not plant.kind], ids=lambda plant: plant.name)
def test_what_means_the_same_is_let_pass(plant: Plant, garden: Garden) -> None:
    assert garden.compared(plant) == (0, [], [])
    assert garden.planter.bed.grown
