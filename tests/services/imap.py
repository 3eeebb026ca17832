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
    """`url` is what an inbox is given; `put` is how mail gets into it."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="priyom-imap-")
        self.port = free_port()
        command = [sys.executable, "-W", "ignore", "-c", _RUN, "--host", "127.0.0.1", "--port", str(self.port), "--no-tls", "dict"]
        self._server = Watched(command, log=Path(self.folder.name) / "log")
        self._server.wait_until(self._ready)

    @property
    def url(self) -> str:
        return f"imap://demouser:demopass@127.0.0.1:{self.port}/"

    def _ready(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False

    def put(self, *raws: bytes) -> None:
        """Deliver mails. Blocks."""
        with self._mailbox() as client:
            for raw in raws:
                assert client.append("INBOX", None, None, raw)[0] == "OK"

    def count(self, what: str) -> int:
        """How many mails are `UNSEEN`, `ALL`, ... Blocks."""
        with self._mailbox() as client:
            client.select("INBOX", readonly=True)
            return len(client.search(None, what)[1][0].split())

    def _mailbox(self) -> imaplib.IMAP4:
        client = imaplib.IMAP4("127.0.0.1", self.port, timeout=10)
        client.login("demouser", "demopass")
        return client

    def remove(self) -> None:
        self._server.kill()
        self.folder.cleanup()
