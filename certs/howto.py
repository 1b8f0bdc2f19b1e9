"""How each mail client comes to trust the authority: the steps, with the real path in them."""

import shlex
from dataclasses import dataclass
from pathlib import Path

# {path} as it is; {quoted} as a POSIX shell wants it.
_STEPS = (
    (
        "Thunderbird",
        (
            "Settings > Privacy & Security > Certificates > Manage Certificates... > Authorities > Import..., choose\n"
            "{path}\n"
            "and tick 'Trust this CA to identify websites' (it counts for mail servers too)."
        ),
    ),
    (
        "Apple Mail (macOS)",
        (
            "security add-trusted-cert -r trustRoot -p ssl -k ~/Library/Keychains/login.keychain-db {quoted}\n"
            "or open the file in Keychain Access, double-click the certificate,\n"
            "and set Trust > Secure Sockets Layer (SSL) to 'Always Trust'. Then start Mail again."
        ),
    ),
    (
        "Apple Mail (iPhone, iPad)",
        (
            "imaptap ca export --der -o imaptap.cer\n"
            "Send that file to the device (AirDrop, or a mail to yourself) and open it there.\n"
            "Settings > General > VPN & Device Management: install the profile.\n"
            "Settings > General > About > Certificate Trust Settings: switch on full trust for it."
        ),
    ),
    (
        "Outlook (classic, Windows)",
        (
            "Outlook uses the store of Windows. On the Windows machine, with a copy of {path}:\n"
            "certutil -user -addstore Root ca.pem"
        ),
    ),
    (
        "Android",
        (
            "imaptap ca export --der -o imaptap.crt\n"
            "Copy that file to the device.\n"
            "Settings > Security > Encryption & credentials > Install a certificate > CA certificate (names vary).\n"
            "Since Android 7 an app must agree to use such certificates: K-9 Mail and Thunderbird for Android do,\n"
            "others may not."
        ),
    ),
    (
        "Java (JavaMail, Jakarta Mail)",
        (
            "keytool -importcert -noprompt -alias imaptap -file {quoted} -keystore imaptap.p12 "
            "-storetype PKCS12 -storepass changeit\n"
            "java -Djavax.net.ssl.trustStore=imaptap.p12 -Djavax.net.ssl.trustStorePassword=changeit ...\n"
            "This store replaces Java's own for that program."
        ),
    ),
    (
        "OpenSSL-based clients",
        (
            "SSL_CERT_FILE={quoted} CLIENT ...   (replaces the system's certificates for this one run)\n"
            "openssl s_client -CAfile {quoted} -verify_return_error -connect localhost:PORT\n"
            "curl --cacert {quoted} imaps://localhost:PORT/"
        ),
    ),
    (
        "mutt, NeoMutt",
        (
            "Built with GnuTLS (`mutt -v` shows +USE_SSL_GNUTLS, `neomutt -v` +gnutls):\n"
            'set ssl_ca_certificates_file="{path}"\n'
            "Built with OpenSSL: append the certificate to the file that $certificate_file names:\n"
            "cat {quoted} >> ~/.mutt_certificates"
        ),
    ),
    (
        "mbsync (isync)",
        'In the IMAPAccount section of the configuration:\nCertificateFile "{path}"',
    ),
    (
        "Python (imaplib, IMAPClient, aioimaplib)",
        (
            'context = ssl.create_default_context(cafile="{path}")\n'
            'imaplib.IMAP4_SSL("localhost", PORT, ssl_context=context)\n'
            "or set SSL_CERT_FILE as for OpenSSL-based clients."
        ),
    ),
)


@dataclass(frozen=True)
class Howto:
    """How one mail client comes to trust the authority: its name, and the steps as lines of text."""

    client: str
    steps: str


def howtos(ca_file: Path) -> tuple[Howto, ...]:
    """The steps for every client we know, for the certificate at ``ca_file`` (made absolute)."""
    path = str(ca_file.absolute())
    return tuple(Howto(client, steps.format(path=path, quoted=shlex.quote(path))) for client, steps in _STEPS)
