"""Commands in flight, however many there are."""

from __future__ import annotations

from proxy.imap.lint.flights import FLIGHTS_COUNTED, FLIGHTS_MOST, Flight, Flights


def flight(number: int, tag: bytes = b"a", name: str = "NOOP") -> Flight:
    return Flight(number, tag, name, None, 0, [], was_selected=False)


def test_they_are_found_by_tag_and_name() -> None:
    flights = Flights()
    for each in (flight(1, b"a", "SELECT"), flight(2, b"B"), flight(3, b"a", "FETCH")):
        flights.add(each)
    assert (flights.has_tag(b"a"), flights.has_tag(b"b"), flights.has_tag(b"b", any_case=True)) == (True, False, True)
    assert flights.running(["FETCH", "NOOP"]) is flights.get(2)
    assert flights.besides(frozenset({"SELECT", "NOOP"}))
    assert not flights.besides(frozenset({"SELECT", "NOOP", "FETCH", "STORE"}))
    assert flights.pop(1) is not None
    assert flights.has_tag(b"a")  # of the third
    assert flights.pop(3) is not None
    assert not flights.has_tag(b"a")
    assert flights.running(["SELECT", "FETCH"]) is None
    assert flights.pop(3) is None


def test_the_oldest_are_given_up() -> None:
    flights = Flights()
    for number in range(1, FLIGHTS_MOST + 3):
        flights.add(flight(number, b"%d" % number))
    assert len(flights) == FLIGHTS_MOST
    assert (flights.get(2), flights.has_tag(b"2")) == (None, False)
    assert [each.number for each in flights.oldest(2)] == [3, 4]
    assert len(list(flights.named("NOOP"))) == FLIGHTS_COUNTED


def test_a_server_that_makes_up_words_is_counted_to_a_bound() -> None:
    one = flight(1)
    for number in range(1000):
        one.count(f"X{number}" + "y" * 1000)
    one.count("X1" + "y" * 1000)
    assert len(one.seen) == 200
    assert max(map(len, one.seen)) == 40
    assert one.seen["X1" + "y" * 38] == 2
