"""The demonstration itself: cassette, recorder and client, in one process and on this machine only."""

from __future__ import annotations

import asyncio
import imaplib
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from certs.authority import Authority
from imaptap.recording import Job, Ready
from imaptap.serving.run import Miss, Play, serve
from imaptap.serving.scenes import scenes
from proxy.live.endpoint import Endpoint, Security
from proxy.live.settings import Settings
from storage import Recording, Store, open_store
from storage.cassette import import_cassette

if TYPE_CHECKING:
    from imaptap.recording import Tell

CASSETTE = Path(__file__).with_name("demo.cassette")
"""The session that is served."""

_HERE = Endpoint(Security.PLAIN, "localhost", 143)
"""What stands in the server's place; nobody connects to it."""
_SECONDS = 20.0


async def play(home: Path, db: str, tell: Tell) -> bool:
    """Record the demonstration's session into `db`. Whether all was recorded.

    In `home` the authority is made, and the store that the cassette is read into. Raises as `serve` does, and what
    imaplib raises.
    """
    settings = Settings(upstream=_HERE, listen=(Endpoint(Security.TLS, "localhost", 0),))
    job = Job(settings, Authority.load_or_create(home), db)
    stop = asyncio.Event()
    begun = asyncio.get_running_loop().create_future()

    def missed(miss: Miss) -> None:
        tell(f"The demonstration's cassette has no answer to {miss.command}.", "Please report this.")

    with open_store(home / "cassette.db", create=True) as store:
        served = Play(scenes(store, store.sessions(_imported(store))))
        serving = asyncio.ensure_future(serve(served, job, stop, begun.set_result, tell, missed, kept=True))
        await asyncio.wait({begun, serving}, return_when=asyncio.FIRST_COMPLETED)
        try:
            if begun.done():
                await asyncio.to_thread(converse, begun.result())
        finally:
            stop.set()
        return (await serving).recorded


def _imported(store: Store) -> Recording:
    with CASSETTE.open("rb") as file:
        return import_cassette(store, file, CASSETTE.stem)


def converse(ready: Ready) -> None:
    """What a person would type who wants to know whether a mail server works. Blocks."""
    trust = ssl.create_default_context(cafile=str(ready.ca))
    with imaplib.IMAP4_SSL("localhost", ready.listen[0].port, ssl_context=trust, timeout=_SECONDS) as client:
        client.login("anna@example.org", "correct horse battery")
        client.capability()
        client.list('""', '"*"')
        client.list("INBOX", '"*"')
        client.select("Drafts")
        for items in ("FULL", "RFC822.HEADER", "RFC822", "FLAGS"):
            client.fetch("4", items)
