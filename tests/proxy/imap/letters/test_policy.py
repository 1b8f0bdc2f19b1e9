"""What the settings of a recording say of its letters."""

import pytest

from proxy.imap.letters.policy import Bodies, bodies_told

HERE = "imaps://mail.example.org on imaps://127.0.0.1:0 --compress decode --scram auto"


@pytest.mark.parametrize(
    ("settings", "bodies"),
    [
        ("", Bodies.FULL),
        (HERE, Bodies.FULL),
        (f"{HERE} --bodies headers", Bodies.HEADERS),
        (f"{HERE} --bodies hash --workers 2 --fail-closed", Bodies.HASH),
        ("rawlog import of --bodies none.log", Bodies.FULL),
        # Recorded so, and imported from its cassette with less.
        (f"{HERE} --bodies hash --bodies none", Bodies.NONE),
        (f"{HERE} --bodies hash --workers 2 --bodies none", Bodies.NONE),
    ],
)
def test_what_is_kept(settings: str, bodies: Bodies) -> None:
    assert bodies_told(settings) is bodies


@pytest.mark.parametrize("bodies", Bodies)
def test_it_is_told_as_it_is_read(bodies: Bodies) -> None:
    assert bodies_told(HERE + bodies.told) is bodies
