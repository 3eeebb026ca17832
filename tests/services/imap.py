"""A real IMAP server of our own, from the `pymap` package: one mailbox in memory."""

import contextlib
import imaplib
import socket
import sys
import tempfile
from pathlib import Path

from tests.services.process import Watched, free_port

_RUN = "from pymap.main import main; main()"


class ImapServer:
    """`url` is what an inbox is given; `put` is how mail gets into it. With a certificate (and its key) it offers STARTTLS."""

    def __init__(self, *, certificate: tuple[Path, Path] | None = None) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="priyom-imap-")
        self.port = free_port()
        protection = ["--no-tls"] if certificate is None else ["--cert", str(certificate[0]), "--key", str(certificate[1])]
        command = [sys.executable, "-W", "ignore", "-c", _RUN, "--host", "127.0.0.1", "--port", str(self.port), *protection, "dict"]
        self._server = Watched(command, log=Path(self.folder.name) / "log")
        self._server.wait_until(self._ready)

    @property
    def url(self) -> str:
        return f"imap://demouser:demopass@127.0.0.1:{self.port}/"

    def _ready(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False

    def put(self, raw: bytes) -> None:
        """Deliver a mail. Blocks."""
        with self.open() as client:
            assert client.append("INBOX", None, None, raw)[0] == "OK"

    def count(self, what: str) -> int:
        """How many mails are `UNSEEN`, `ALL`, ... Blocks."""
        with self.open() as client:
            client.select("INBOX", readonly=True)
            return len(client.search(None, what)[1][0].split())

    def open(self) -> imaplib.IMAP4:
        """A connection, logged in; leaving its context ends it. Blocks."""
        client = imaplib.IMAP4("127.0.0.1", self.port, timeout=10)
        client.login("demouser", "demopass")
        return client

    def remove(self) -> None:
        self._server.kill()
        self.folder.cleanup()
