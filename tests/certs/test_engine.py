"""Every context we make survives the fast TLS engine; one that it cannot bear would take the process with it."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import asyncio, ssl, sys
from pathlib import Path
import aiofastnet
from certs.authority import Authority
from certs.contexts import ServerContexts
from certs.trust import upstream_context

kind, keylog = sys.argv[1], Path(sys.argv[2])
authority = Authority.load_or_create()
contexts = ServerContexts(authority, "mail.example.com", keylog=keylog if kind == "keylog" else None)
context = contexts.for_name("asked.example") if kind == "direct" else contexts.context

class Server(asyncio.Protocol):
    def connection_made(self, transport):
        tls = transport.get_extra_info("ssl_object")
        print(contexts.name_of(tls.context), "direct" if "Direct" in type(tls).__name__ else "fallback")
        transport.write(b"* OK")
        transport.close()

class Client(asyncio.Protocol):
    def __init__(self):
        self.lost = asyncio.get_running_loop().create_future()
    def data_received(self, data):
        print(data.decode())
    def connection_lost(self, error):
        self.lost.set_result(None)

async def main():
    loop = asyncio.get_running_loop()
    server = await aiofastnet.create_server(loop, Server, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    trusted = upstream_context(authority.certificate_file, keylog=keylog if kind == "keylog" else None)
    _, client = await aiofastnet.create_connection(
        loop, Client, "127.0.0.1", port, ssl=trusted, server_hostname="asked.example")
    await client.lost
    server.close()

asyncio.run(main())
"""


@pytest.mark.parametrize("kind", ["callback", "direct", "keylog"])
def test_the_fast_engine_survives(kind: str, home: Path, tmp_path: Path) -> None:
    aiofastnet = pytest.importorskip("aiofastnet")
    keylog = tmp_path / "keys.log"
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, kind, str(keylog)], capture_output=True, text=True, check=False, timeout=60
    )
    engine = "direct" if kind == "direct" and aiofastnet.OPENSSL_DYN_LIBS else "fallback"
    assert (done.returncode, done.stdout, done.stderr) == (0, f"asked.example {engine}\n* OK\n", "")
    if kind == "keylog":
        # Both legs.
        assert keylog.read_text().count("CLIENT_TRAFFIC_SECRET_0 ") == 2
