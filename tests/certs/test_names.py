import pytest

from certs.names import usable_name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Mail.Example.COM", "mail.example.com"),
        ("mail.example.com.", "mail.example.com"),
        ("localhost", "localhost"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("under_score.example", "under_score.example"),
        ("127.0.0.1", "127.0.0.1"),
        ("::1", "::1"),
        ("[::1]", "::1"),
        ("a" * 63 + ".example", "a" * 63 + ".example"),
    ],
)
def test_names_become_what_a_certificate_may_hold(text: str, name: str) -> None:
    assert usable_name(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "two words",
        "a..b",
        ".example",
        "a" * 64 + ".example",
        ".".join(["abcdefg"] * 40),
        "nul\0.example",
        "new\nline",
        "-dash.example",
        "dash-.example",
        "*.example.com",
        "10.0.0.256",
        "fe80::1%eth0",
        "\\xff",
        "\udcff.example",
        "a/b",
    ],
)
def test_what_cannot_be_a_host_is_refused_without_an_exception(text: str) -> None:
    assert usable_name(text) is None
