"""Growth is told, and what is only given back late is none."""

import pytest

from tests.end_to_end.rests import FLAT, Rest, Rests


@pytest.mark.parametrize(
    ("kib", "grew"),
    [
        ([], False),
        ([80_000], False),
        ([80_000, 80_000 + FLAT], False),
        ([80_000, 80_001 + FLAT], True),
        ([80_112, 82_900, 92_812, 83_476], False),  # given back late: the last one is as small as those before
        ([80_000, 82_500, 85_000, 87_500], True),  # a leak is in all that follow
        ([95_000, 80_000, 84_200, 90_000], True),  # one large rest at the beginning hides nothing
    ],
)
def test_growth(kib: list[int], grew: bool) -> None:
    rests = Rests(workers=1)
    for number, each in enumerate(kib):
        rests.add(Rest(each, 100 * number))
    assert bool(rests.growth()) is grew


def test_each_worker_may_have_as_much_more() -> None:
    rests = Rests(workers=2)
    for each in (80_000, 80_000 + 2 * FLAT):
        rests.add(Rest(each, 0))
    assert rests.growth() == []


def test_the_smallest_leak_goes_by_what_was_done_between_the_halves() -> None:
    rests = Rests(workers=1)
    for visits in (10, 20, 20 + FLAT, 9_000):
        rests.add(Rest(80_000, visits))
    assert rests.shown() == [("would show a leak of", f"1024 bytes a job or visit ({FLAT})")]
