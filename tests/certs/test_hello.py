import pytest
from hypothesis import given
from hypothesis import strategies as st

from certs.hello import LIMIT, Hello, read_hello
from tests.certs.making import first_bytes


def in_records(hello: bytes, size: int) -> bytes:
    """The same handshake message in records of ``size`` bytes."""
    body = hello[5:]
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"\x16\x03\x01" + len(part).to_bytes(2, "big") + part for part in parts)


def test_the_name_and_the_protocols_of_a_real_hello() -> None:
    hello = first_bytes("mail.example.com", ("imap", "x"))
    assert read_hello(hello) == Hello(tls=True, server_name="mail.example.com", alpn=("imap", "x"))


def test_a_hello_without_a_name() -> None:
    assert read_hello(first_bytes(None)) == Hello(tls=True)


@pytest.mark.parametrize("size", [1, 7, 100])
def test_a_hello_in_many_records(size: int) -> None:
    hello = read_hello(in_records(first_bytes("mail.example.com"), size))
    assert hello is not None
    assert hello.server_name == "mail.example.com"


def test_a_hello_that_is_not_all_there_needs_more() -> None:
    hello = first_bytes("mail.example.com", ("imap",))
    assert all(read_hello(hello[:size]) is None for size in range(len(hello)))
    assert read_hello(hello + b"more") == read_hello(hello)


@pytest.mark.parametrize("data", [b"a1 LOGIN", b"GET /", b"\x80\x2e\x01", b"\x15\x03\x01\x00\x02\x02\x28"])
def test_what_is_no_tls_is_told_at_its_first_byte(data: bytes) -> None:
    assert read_hello(data[:1]) == Hello(tls=False)
    assert read_hello(data) == Hello(tls=False)


@pytest.mark.parametrize("data", [b"\x16\x03\x01\x00\x00", b"\x16\x03\x01\x00\x01\x02", b"\x16HTTP/"])
def test_a_handshake_that_is_no_hello(data: bytes) -> None:
    assert read_hello(data) == Hello(tls=False)


def test_a_name_that_is_not_ascii_is_escaped() -> None:
    hello = first_bytes("mail.example.com").replace(b"mail.example.com", b"mail.ex\xe4mple\x00com")
    found = read_hello(hello)
    assert found is not None
    assert found.server_name == "mail.ex\\xe4mple\x00com"


def test_a_damaged_hello_has_no_name() -> None:
    hello = bytearray(first_bytes("mail.example.com"))
    hello[5 + 4 + 2 + 32] = 255  # a session id longer than allowed swallows what follows
    found = read_hello(bytes(hello))
    assert found is not None
    assert found.server_name is None


def test_a_hello_without_end_is_given_up() -> None:
    endless = b"\x16\x03\x01\x40\x00\x01\xff\xff\xff" + bytes(LIMIT)
    assert read_hello(endless) == Hello(tls=True)


@given(st.binary(max_size=300))
def test_nothing_raises(data: bytes) -> None:
    read_hello(data)
    read_hello(b"\x16\x03\x01" + len(data).to_bytes(2, "big") + data)


@given(st.data())
def test_no_damage_raises(data: st.DataObject) -> None:
    hello = bytearray(first_bytes("mail.example.com", ("imap",)))
    for _ in range(data.draw(st.integers(1, 4))):
        hello[data.draw(st.integers(0, len(hello) - 1))] = data.draw(st.integers(0, 255))
    read_hello(bytes(hello))
