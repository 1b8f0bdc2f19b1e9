"""A cassette that is recorded anew, where the run is cut short before it can be written."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from imaptap.cli.errors import UserError
from imaptap.cli.serve_modes import Course
from imaptap.cli.serve_options import Mode, ServeOptions
from imaptap.cli.serve_recorded import recorded_anew
from tests.imaptap.telling import Tale, recorded


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_what_was_said_stays(error: type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    found = Course(Mode.ALL, tmp_path / "a.cassette", there=False, upstream=None)
    options = ServeOptions.__new__(ServeOptions)  # a cassette needs none
    run = recorded_anew(options, found)
    anew = run.__enter__()
    recorded(Path(anew.db), Tale().say("S: * OK hi\nC: a NOOP\nS: a OK done").records)
    with pytest.raises((UserError, error)):  # noqa: PT012 - as `with` would do it
        raised = error()
        if not run.__exit__(error, raised, None):
            raise raised
    assert Path(anew.db).exists()


def test_a_run_without_a_word_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    found = Course(Mode.ALL, tmp_path / "a.cassette", there=False, upstream=None)
    with pytest.raises(KeyboardInterrupt), recorded_anew(ServeOptions.__new__(ServeOptions), found):
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())
