"""The kind of `ssl.SSLContext` this program uses, and the one thing that must be known about TLS engines.

aiofastnet's direct engine makes OpenSSL connections that Python's ssl module knows nothing of. A context with a
callback into Python (a key log, a server name callback) then follows a null pointer, and the whole process dies. Such
a context therefore asks for aiofastnet's other engine, which is built on the ssl module; asyncio's own TLS always is.
"""

import ssl
from collections.abc import Callable
from pathlib import Path

from certs.errors import CertificateError
from certs.files import touch_private
from certs.privacy import need_private

ALPN = ("imap",)
"""The protocol name that IANA registered for IMAP over TLS (RFC 7595 registry, "imap")."""


class Context(ssl.SSLContext):
    """An `ssl.SSLContext` that remembers the server name it was made for (None: the client sent none)."""

    server_name: str | None = None
    # aiofastnet 1.x looks this name up on every context it is given.
    _aiofastnet_force_fallback_ssl: bool = False

    def log_keys(self, path: Path) -> None:
        """Append the secrets of every connection to ``path`` in the form Wireshark reads. Raises CertificateError."""
        # OpenSSL would make the file readable for everybody.
        touch_private(path, "key log file")
        need_private(path, "key log file")
        self._aiofastnet_force_fallback_ssl = True
        try:
            self.keylog_filename = str(path)
        except OSError as error:
            raise CertificateError(
                f"The key log file {path} cannot be used.", "Name a plain file in a folder that you may write to."
            ) from error

    def call_with_server_name(self, choose: Callable[[str | None], ssl.SSLContext]) -> None:
        """Let ``choose`` name the context of each connection, given the server name that the client sent."""

        def callback(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
            connection.context = choose(name)

        self._aiofastnet_force_fallback_ssl = True
        self.sni_callback = callback


def plain_context(protocol: ssl._SSLMethod) -> Context:  # pyright: ignore[reportPrivateUsage]
    """A context with nothing loaded: TLS 1.2 at least, no compression, none of what the environment asks for.

    `ssl.create_default_context` would obey SSLKEYLOGFILE by itself and so make a context that kills a direct engine.
    """
    context = Context(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
