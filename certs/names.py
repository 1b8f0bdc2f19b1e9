"""Names that may stand in a certificate: from what a person or a TLS client wrote to what X.509 can hold."""

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from cryptography import x509

LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""Names every leaf carries: people point their clients at these."""

# RFC 5280 appendix A.1, ub-common-name.
_COMMON_NAME_MAX = 64
# RFC 1035 2.3.4: a label is at most 63 octets, a name 255 on the wire, which is 253 written out.
_NAME_MAX = 253
# RFC 1123 2.1 letters, digits, hyphens; the underscore is no host name, but real private networks have it.
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")


def address_of(text: str) -> IPv4Address | IPv6Address | None:
    """The IP address that ``text`` is, ``[::1]`` in brackets too; None when it is something else."""
    try:
        return ip_address(text[1:-1] if text.startswith("[") and text.endswith("]") else text)
    except ValueError:
        return None


def usable_name(text: str) -> str | None:
    """``text`` as a certificate may hold it, or None.

    In: a DNS name (U-labels are turned into A-labels, RFC 5280 7.2; case and a final dot are dropped), or an IP
    address. Out: the canonical form, or None for whatever cannot be a host: empty, over-long, with spaces, control
    characters or a zone index. Never raises: a TLS client may send anything as its server name.
    """
    address = address_of(text)
    if address is not None:
        return None if "%" in str(address) else str(address)
    try:
        name = text.rstrip(".").encode("idna").decode("ascii").lower()
    except UnicodeError:
        return None
    labels = name.split(".")
    if len(name) > _NAME_MAX or not all(_LABEL.fullmatch(label) for label in labels):
        return None
    # A last label of digits only is a mistyped address (RFC 1123 2.1), and strict clients refuse it as a DNS name.
    return None if labels[-1].isdigit() else name


def general_name(name: str) -> x509.GeneralName:
    """The subjectAltName entry (RFC 5280 4.2.1.6) for a name that `usable_name` returned."""
    address = address_of(name)
    return x509.DNSName(name) if address is None else x509.IPAddress(address)


def constraint(name: str) -> x509.GeneralName:
    """What allows ``name`` in a name constraint (RFC 5280 4.2.1.10): a DNS name and all below it, or one address."""
    address = address_of(name)
    return x509.DNSName(name) if address is None else x509.IPAddress(ip_network(address))


def common_name(names: Iterable[str]) -> str:
    """The first of ``names`` that fits a common name; clients match the SANs, this is only for people to read."""
    return next((name for name in names if len(name) <= _COMMON_NAME_MAX), LOOPBACK[0])


def permits(constraints: x509.NameConstraints, name: str) -> bool:
    """Whether a CA with these ``constraints`` may speak for ``name`` (RFC 5280 4.2.1.10).

    Only constraints of the same kind count: a CA that is limited to some DNS names is free in addresses.
    """
    address = address_of(name)
    kind = x509.DNSName if address is None else x509.IPAddress
    permitted = [tree for tree in constraints.permitted_subtrees or () if isinstance(tree, kind)]
    excluded = [tree for tree in constraints.excluded_subtrees or () if isinstance(tree, kind)]
    inside = not permitted or any(_within(name, tree) for tree in permitted)
    return inside and not any(_within(name, tree) for tree in excluded)


def _within(name: str, tree: x509.GeneralName) -> bool:
    if isinstance(tree, x509.DNSName):
        base = tree.value.lower().lstrip(".")
        return not base or name == base or name.endswith("." + base)
    address = address_of(name)
    network = ip_network(str(tree.value), strict=False)
    return address is not None and address.version == network.version and address in network
