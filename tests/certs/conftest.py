"""An authority of its own for each test, in a folder of its own."""

from pathlib import Path

import pytest

from certs.authority import Authority


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    monkeypatch.setenv("IMAPTAP_HOME", str(folder))
    return folder


@pytest.fixture
def authority(home: Path) -> Authority:
    return Authority.load_or_create()
