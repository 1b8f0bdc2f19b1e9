"""The server side of TLS: one context per name that clients ask for, made when first asked for, kept in memory."""

import datetime as dt
import ssl
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from certs.authority import Authority
from certs.engine import ALPN, Context, plain_context
from certs.errors import CertificateError
from certs.files import home, passing, reason
from certs.locking import KeyPassword
from certs.names import usable_name

_MAX_NAMES = 256
# With a key log each context keeps the log open, and a process has few file descriptors.
_MAX_NAMES_LOGGED = 64


@dataclass(frozen=True)
class OwnLeaf:
    """Somebody's own server certificate (PEM, with its chain after it) and key for one host name."""

    cert_file: Path
    key_file: Path
    password: bytes | None = field(default=None, repr=False)


class ServerContexts:
    """Makes and keeps the contexts that clients are met with.

    In: the ``authority`` that signs; ``default_name``, for clients that send no server name or one that no certificate
    can hold; ``extra_names`` that every leaf carries; ``own_leaves`` by host name, served instead of issued ones;
    ``keylog``, a file for Wireshark; ``alpn``, protocols to agree to. Raises CertificateError when an own leaf cannot
    be used or the authority may not speak for ``default_name``. Later nothing is raised: clients may ask for anything.
    """

    def __init__(
        self,
        authority: Authority,
        default_name: str,
        extra_names: Sequence[str] = (),
        own_leaves: Mapping[str, OwnLeaf] | None = None,
        keylog: Path | None = None,
        alpn: Sequence[str] = ALPN,
    ) -> None:
        self._authority, self._keylog, self._alpn = authority, keylog, tuple(alpn)
        self._extra = tuple(extra_names)
        self._default = _required(default_name)
        self._own = {_required(name): leaf for name, leaf in (own_leaves or {}).items()}
        self._made: OrderedDict[str | None, tuple[Context, dt.datetime]] = OrderedDict()
        self._limit = _MAX_NAMES if keylog is None else _MAX_NAMES_LOGGED
        self._check()
        self._spare, _ = self._make(None)
        self._base, _ = self._make(None)
        self._base.call_with_server_name(self.for_name)

    @property
    def context(self) -> Context:
        """The context to listen with: it changes to the client's name by itself (asyncio, or any `ssl` user).

        It has a callback into Python, so aiofastnet serves it with its slower engine; `for_name` avoids that. A
        server name that is not ASCII ends such a connection inside the ssl module, before any of our code.
        """
        return self._base

    def for_name(self, name: str | None) -> Context:
        """The context for a client that asked for ``name`` (None: for nothing). Never raises for any ``name``.

        With `certs.hello.read_hello` a listener knows the name beforehand, and can give this to the fastest engine.
        """
        wanted = None if name is None else name.lower()
        kept = self._made.get(wanted)
        if kept is None or kept[1] <= self._authority.clock():
            try:
                kept = self._made[wanted] = self._make(wanted)
            except (CertificateError, OSError):
                # Out of descriptors or disk: an old certificate, or the default one, is better than no session.
                return self._spare if kept is None else kept[0]
        self._made.move_to_end(wanted)
        # Names come from strangers: without a bound they would be a way to fill our memory.
        while len(self._made) > self._limit:
            self._made.popitem(last=False)
        return kept[0]

    def name_of(self, context: ssl.SSLContext | None) -> str | None:
        """The server name, in lower case, that the client of a connection with ``context`` sent; None for no name.

        Ask after the handshake, with the ``context`` of the connection's ssl object; older contexts keep their name.
        """
        return context.server_name if isinstance(context, Context) else None

    def __len__(self) -> int:
        return len(self._made)

    def _check(self) -> None:
        if self._default not in self._own and not self._authority.permits(self._default):
            raise CertificateError(
                f"The CA {self._authority.subject} in {self._authority.certificate_file} is limited to other names "
                f"than {self._default}.",
                "Use another folder (IMAPTAP_HOME) for a CA without this limit, or give a CA of your own.",
            )
        for name in self._own:
            self._make(name)

    def _make(self, name: str | None) -> tuple[Context, dt.datetime]:
        """A new context, and when to make another one."""
        context = plain_context(ssl.PROTOCOL_TLS_SERVER)
        context.server_name = name
        if self._alpn:
            context.set_alpn_protocols(list(self._alpn))
        if self._keylog is not None:
            context.log_keys(self._keylog)
        host = self._default if name is None else usable_name(name) or self._default
        if host in self._own:
            _load_own(context, self._own[host])
            return context, dt.datetime.max.replace(tzinfo=dt.UTC)
        return context, self._load_issued(context, host)

    def _load_issued(self, context: Context, host: str) -> dt.datetime:
        host = host if self._authority.permits(host) else self._default
        leaf = self._authority.issue(host, self._extra)
        with passing(leaf.key_pem + leaf.pem, home()) as path:
            context.load_cert_chain(path)
        # Half of what is left, 98 days for a fresh one: a recorder that runs for a year never shows an old leaf. An
        # authority at its end has no time left to give, and must not make a leaf per connection.
        now = self._authority.clock()
        return now + max((leaf.not_after - now) / 2, dt.timedelta(hours=1))


def _required(name: str) -> str:
    usable = usable_name(name)
    if usable is None:
        raise CertificateError(
            f"No certificate can be made for {name!r}, which is no host name.",
            "Give a DNS name such as mail.example.com, or an IP address.",
        )
    return usable


def _load_own(context: Context, leaf: OwnLeaf) -> None:
    key = KeyPassword(leaf.key_file, leaf.password, "--leaf-key-password")
    try:
        context.load_cert_chain(leaf.cert_file, leaf.key_file, key.ask)
    except ssl.SSLError as error:
        key.need_right(error)
        raise CertificateError(
            f"The certificate {leaf.cert_file} and the key {leaf.key_file} cannot be used together "
            f"({(error.reason or 'no PEM in them').replace('_', ' ').lower()}).",
            "Give a PEM certificate, with its chain after it, and the key it was made for.",
        ) from error
    except OSError as error:
        raise CertificateError(
            f"The certificate {leaf.cert_file} or the key {leaf.key_file} cannot be read: {reason(error)}.",
            "Name files that are there and that you may read.",
        ) from error
