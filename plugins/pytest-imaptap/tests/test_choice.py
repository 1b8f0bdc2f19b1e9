"""Which file, and whether it is recorded or served."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from pytest_imaptap.choice import Choice, choose, default_file, signed
from pytest_imaptap.values import CassetteError

URL = "imaps://mail.example.org"
OTHER = Path("/ca.pem")
Options = dict[str, object]


Marker = pytest.mark.imap_cassette


def chosen(folder: Path, marker: pytest.MarkDecorator | None, **options: object) -> Choice:
    """For a test with this marker, in a folder where the file `there` is (`anna` is its user) and `gone` is not."""
    (folder / "there").write_text(signed("imaptap cassette 1\nS: * OK hi\n", "anna"))
    nothing = dict.fromkeys(("imap_upstream", "imap_upstream_ca", "imap_user", "imap_mode"))
    given = argparse.Namespace(**nothing | options)
    return choose(folder / "test_module.py", "test_it", marker.mark if marker else None, given)


SERVED = [
    (Marker("there"), {}, "anna", True),
    (Marker("there"), {"imap_upstream": URL}, "anna", True),
    (Marker("there", mode="none"), {}, "anna", True),
    (Marker("there", mode="all"), {"imap_mode": "none"}, "anna", True),
    (Marker("there", user="bob", strict=False), {"imap_user": "eve"}, "bob", False),
    (Marker("there"), {"imap_user": "eve"}, "anna", True),
]


@pytest.mark.parametrize(("marker", "options", "user", "strict"), SERVED)
def test_served(tmp_path: Path, marker: pytest.MarkDecorator, options: Options, user: str, strict: bool) -> None:
    assert chosen(tmp_path, marker, **options) == Choice(tmp_path / "there", user, strict)


RECORDED = [
    (Marker("gone"), {}, "gone", "user", None),
    (Marker("gone", mode="once"), {}, "gone", "user", None),
    (Marker("there", mode="all"), {"imap_user": "eve"}, "there", "eve", None),
    (Marker("there", mode="all", user="bob"), {"imap_user": "eve"}, "there", "bob", None),
    (Marker("there", mode="none"), {"imap_mode": "all"}, "there", "user", None),
    (Marker("gone"), {"imap_upstream_ca": OTHER}, "gone", "user", OTHER),
    (Marker(), {}, "cassettes/test_module/test_it.cassette", "user", None),
    (None, {}, "cassettes/test_module/test_it.cassette", "user", None),
]


@pytest.mark.parametrize(("marker", "options", "file", "user", "ca"), RECORDED)
def test_recorded(
    tmp_path: Path, marker: pytest.MarkDecorator | None, options: Options, file: str, user: str, ca: Path | None
) -> None:
    choice = chosen(tmp_path, marker, imap_upstream=URL, **options)
    assert choice == Choice(tmp_path / file, user, True, URL, ca)


REFUSED = [
    (Marker("gone"), {}, "There is no cassette .*gone, and no server is given.\nGive the server: --imap-upstream"),
    (Marker("there", mode="all"), {}, "The cassette .*there is to be recorded, and no server is given.\nGive the"),
    (Marker("gone", mode="none"), {"imap_upstream": URL}, "no cassette .*gone, and with mode 'none' .*\nRecord it: "),
    (Marker("there", mode="never"), {}, "The marker imap_cassette has no mode 'never'.\nWrite @pytest"),
    (Marker("there", speed=1), {}, "The marker imap_cassette cannot be read: .*'speed'.\nWrite @pytest"),
    (Marker("there", "once", "bob", True, 1), {}, "The marker imap_cassette cannot be read: .*\nWrite @pytest"),
]


@pytest.mark.parametrize(("marker", "options", "said"), REFUSED)
def test_refused(tmp_path: Path, marker: pytest.MarkDecorator, options: Options, said: str) -> None:
    """One sentence says what, one what to do."""
    with pytest.raises(CassetteError, match=said):
        chosen(tmp_path, marker, **options)


@pytest.mark.parametrize(
    ("test", "name"),
    [
        ("test_it", "test_it"),
        ("TestBoxes::test_it[INBOX]", "TestBoxes.test_it-INBOX"),
        ("TestBoxes::TestInner::test_it[a/b c-1]", "TestBoxes.TestInner.test_it-a-b-c-1"),
        ("test_it[../../x]", "test_it-..-..-x"),
    ],
)
def test_default_file(test: str, name: str) -> None:
    """Below the folder of the module, whatever stands in a parameter."""
    assert default_file(Path("/tests/test_a.py"), test) == Path(f"/tests/cassettes/test_a/{name}.cassette")
