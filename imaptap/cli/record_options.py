"""What `imaptap record` can be told: every option in one place, and a value that holds what was typed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from imaptap.cli.amounts import Size
from imaptap.cli.authority import ca_key_password_option
from imaptap.cli.options import Option, as_one, bodies_option, choice_option, db_option
from imaptap.cli.passwords import Source, password_option
from imaptap.cli.trust_options import FILE, TRUST_OPTIONS
from proxy.imap.capabilities import Scram
from proxy.imap.letters.policy import Bodies
from proxy.imap.transcript import BODY_MIN
from proxy.live.limits import MAX_SESSIONS
from proxy.live.settings import Compress
from proxy.live.transport import TransportKind

LEAF_KEY_PASSWORD = "IMAPTAP_LEAF_KEY_PASSWORD"
"""Variable of the environment that may hold a password."""

DEFAULT_LISTEN = ("imaps://localhost:1993", "imap://localhost:1143")


@dataclass(frozen=True, slots=True)
class RecordOptions:
    """What was typed, by the names of the options below; an option that was not given has its default."""

    upstream: str
    listen: tuple[str, ...]
    allow: tuple[str, ...]
    routes: tuple[str, ...]
    db: str
    name: str | None
    upstream_ca: Path | None
    upstream_name: str | None
    upstream_fingerprint: str | None
    upstream_cert: Path | None
    upstream_key: Path | None
    upstream_key_password: Source | None
    max_sessions: int | None
    max_rate: int | None
    max_literal: int | None
    bodies: Bodies
    compress: Compress
    scram: Scram
    ca_cert: Path | None
    ca_key: Path | None
    ca_key_password: Source | None
    leaves: tuple[str, ...]
    leaf_key_password: Source | None
    ready_file: Path | None
    transport: TransportKind
    workers: int
    fail_closed: bool
    quiet: bool


LISTEN_OPTIONS: tuple[Option, ...] = (
    click.option(
        "--listen",
        multiple=True,
        metavar="URL",
        default=DEFAULT_LISTEN,
        show_default=True,
        help="Where clients connect; port 0 picks a free one. May be given several times.",
    ),
    click.option(
        "--allow",
        multiple=True,
        metavar="CIDR",
        help="Let in clients of this network (or address) and of this machine only. May be given several times.",
    ),
)
"""Gives a command `listen` and `allow`: where clients connect, and whose may."""
ready_file_option = click.option("--ready-file", type=FILE, help="Write a JSON file there once clients may connect.")
"""Gives the command a `ready_file: Path | None`."""

_OPTIONS: tuple[Option, ...] = (
    click.argument("upstream", metavar="URL"),
    *LISTEN_OPTIONS,
    click.option(
        "--route",
        "routes",
        multiple=True,
        metavar="NAME=URL",
        help="Another server for clients that ask for NAME (TLS server name), or come to port NAME.",
    ),
    db_option,
    click.option("--name", help="Name of the recording (default: the time)."),
    *TRUST_OPTIONS,
    click.option(
        "--max-sessions",
        type=click.IntRange(min=1),
        metavar="N",
        help=f"Most sessions at once; further clients wait until one ends (default: {MAX_SESSIONS}).",
    ),
    click.option(
        "--max-rate",
        type=click.IntRange(min=1),
        metavar="N",
        help="Most connections a minute from one address; what is more is turned away (default: any number).",
    ),
    click.option(
        "--max-literal",
        type=Size(BODY_MIN, "Shorter literals are names, flags and words to search for, and are always kept."),
        metavar="SIZE",
        help="Of longer literals keep only place, length and SHA-256: 500K, 10M (default: keep all).",
    ),
    bodies_option,
    choice_option(
        "--compress",
        Compress.DECODE,
        "COMPRESS=DEFLATE: inflate it in the record, hide the word, or keep it as it is.",
    ),
    choice_option(
        "--scram",
        Scram.AUTO,
        "Hide SCRAM where the server offers channel binding (auto), never (pass), always (hide).",
    ),
    click.option("--ca-cert", type=FILE, help="Your own CA certificate, with its chain, instead of imaptap's."),
    click.option("--ca-key", type=FILE, help="The key of --ca-cert."),
    ca_key_password_option,
    click.option(
        "--leaf",
        "leaves",
        multiple=True,
        metavar="NAME=CERT,KEY",
        help="Your own server certificate and key for clients that ask for NAME.",
    ),
    password_option("--leaf-key-password", LEAF_KEY_PASSWORD, "Where the password of keys of --leaf is"),
    ready_file_option,
    choice_option("--transport", TransportKind.AUTO, "What carries the bytes."),
    click.option(
        "--workers",
        type=click.IntRange(min=1, max=256),
        default=1,
        show_default=True,
        help="Processes that share the work, for machines with more cores.",
    ),
    click.option("--fail-closed", is_flag=True, help="Stop the traffic rather than let it pass unrecorded."),
    click.option("-q", "--quiet", is_flag=True, help="Show no line per exchange."),
)

record_options = as_one(RecordOptions, _OPTIONS)
"""Gives `imaptap record` all of them."""
