"""The demonstration itself: server, recorder and client, in one process and on this machine only."""

from __future__ import annotations

import asyncio
import imaplib
import ssl
from typing import TYPE_CHECKING

from certs.authority import Authority
from imaptap.demo.server import DemoServer
from imaptap.recording import Job, Ready, run
from proxy.live.endpoint import Endpoint, Security
from proxy.live.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from imaptap.recording import Tell

_SECONDS = 20.0


async def play(home: Path, db: str, tell: Tell) -> bool:
    """Record the demonstration's session into `db`; the authority is made in `home`. Whether all was recorded."""
    stop = asyncio.Event()
    begun = asyncio.get_running_loop().create_future()
    async with DemoServer() as server:
        settings = Settings(
            upstream=Endpoint(Security.PLAIN, "127.0.0.1", server.port),
            listen=(Endpoint(Security.TLS, "localhost", 0),),
        )
        job = Job(settings, Authority.load_or_create(home), db)
        recording = asyncio.ensure_future(run(job, stop, begun.set_result, None, tell))
        await asyncio.wait({begun, recording}, return_when=asyncio.FIRST_COMPLETED)
        try:
            if begun.done():
                await asyncio.to_thread(converse, begun.result())
        finally:
            stop.set()
        return await recording


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
