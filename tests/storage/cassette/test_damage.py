"""A cassette that somebody has damaged is refused, with its line and column, or is another well-formed one."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import open_store
from storage.cassette import CassetteError
from storage.cassette.importing import heard
from storage.cassette.reader import read_cassette
from tests.proxy.imap.playing import play
from tests.proxy.imap.scripts import FOLDER, load
from tests.storage.cassette.test_round_trip import SLOW, tale
from tests.storage.cassette.tripping import exported, imported, record, trip
from tests.storage.scenes import Wire, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from storage import Store

HAND = r"""imaptap cassette 1
# by hand
recording settings="a test" started=2026-01-31T12:00:00.000000Z
session client=me
layer is=plain
S: * OK [CAPABILITY IMAP4rev1] ready
C: a1 LOGIN {{user:bob}} {{password:secret}}
S: a1 OK{{=20}}done
+1.500000
C: a2 APPEND x {13}
S: + go
C| Subject{{+0.000100}}: hi
C:
event kind=notice name="a word" side=server offset=3 length=2
S: a2 OK done{{=0a}}{{-}}
S# AP8=
end how="closed by server" reason="bye"

session tells=everything
S: * OK hi
exchange number=1 tag=a command=NOOP started=0.001000 client-bytes=0 server-bytes=0 responses={"FETCH": 2} marks=["x"]
span side=server start=0 end=9 first=0.001000 last=0.001000 units=1 certainty=likely open=[1, 2]
hole side=server length=5
body side=client start=0 size=5000
C: x
end at=1.000000
"""

CHARACTERS = st.sampled_from([*'{}=:|#+-.CS0129az" \n\\[]', "\x00", "\t", "\u2028", "é"])


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(tmp_path_factory.mktemp("store") / "recordings.db", create=True) as store:
        yield store


@pytest.fixture(scope="module")
def texts(store: Store) -> list[str]:
    """By hand; of a session that tells events; of one that tells everything."""
    recordings = [record(store, tale().end())]
    scripts = (load(FOLDER / f"{name}.imap") for name in ("doubts_end", "compress", "out_of_order"))
    recordings += (record(store, play(script.turns).records, opened=True) for script in scripts)
    wire = Wire()
    recordings.append(record(store, [opened(), wire.say(b"* OK\r\n"), *wire.literal(b"x" * 5000), wire.closed()]))
    return [HAND, *(exported(store, each) for each in recordings)]


def read(data: bytes) -> CassetteError | None:
    """What is wrong with a cassette, which is neither written nor kept."""
    try:
        for _ in heard(read_cassette(io.BytesIO(data)), 0):
            pass
    except CassetteError as error:
        return error
    return None


def test_the_example_is_sound(store: Store) -> None:
    text = exported(store, imported(store, HAND))
    assert text.count("tells=events") == 1
    assert exported(store, imported(store, text)) == text


@given(st.data())
def test_one_character(texts: list[str], data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(texts))
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.one_of(st.just(""), CHARACTERS, CHARACTERS.map(lambda character: character + text[place])))
    check(text, text[:place] + other + text[place + 1 :])


@given(st.data())
def test_lines(texts: list[str], data: st.DataObject) -> None:
    """One is missing, said twice, or moved."""
    text = data.draw(st.sampled_from(texts))
    lines = text.splitlines(keepends=True)
    place, other = (data.draw(st.integers(0, len(lines) - 1)) for _ in range(2))
    line = lines.pop(place)
    for _ in range(data.draw(st.integers(0, 2))):
        lines.insert(other, line)
    check(text, "".join(lines))


def check(text: str, damaged: str) -> None:
    error = read(damaged.encode())
    if error is not None:
        assert error.hint
        lines = damaged.split("\n")
        assert 1 <= error.line <= len(lines)
        assert 1 <= error.column <= len(lines[error.line - 1]) + 1
        assert f"line {error.line}, column {error.column}: " in str(error)


@given(st.binary(max_size=200), st.integers(0, 10_000))
def test_any_bytes(texts: list[str], junk: bytes, place: int) -> None:
    whole = texts[0].encode()
    place %= len(whole)
    read(whole[:place] + junk + whole[place:])
    read(b"imaptap cassette 1\n" + junk)
    read(junk)


@SLOW
@given(st.data())
def test_what_is_not_refused_is_well_formed(store: Store, texts: list[str], data: st.DataObject) -> None:
    """It can be recorded, and its own cassette holds all of it."""
    text = data.draw(st.sampled_from(texts[:3]))
    place = data.draw(st.integers(19, len(text) - 1))
    damaged = text[:place] + data.draw(CHARACTERS) + text[place + 1 :]
    if read(damaged.encode()) is None:
        recording = imported(store, damaged)
        assert trip(store, store.recording(str(recording.id)))
