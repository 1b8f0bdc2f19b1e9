"""An OAuth token endpoint that says yes to everybody, for emailproxy: token_stub.py PORT."""

from __future__ import annotations

import http.server
import json
import sys

ANSWER = {"access_token": "tok", "refresh_token": "ref", "expires_in": 360000, "token_type": "Bearer"}


class Stub(http.server.BaseHTTPRequestHandler):
    """Any POST gets the same token."""

    def do_POST(self) -> None:
        """Read the request to its end, then answer."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = json.dumps(ANSWER).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - its name there
        """Say nothing."""


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Stub).serve_forever()
