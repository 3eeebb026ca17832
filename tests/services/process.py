"""Child processes that do not outlive us, ports nobody uses, and the system user that may run a database."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

UNPRIVILEGED = "nobody"
"""PostgreSQL refuses to run as root; this user exists on every Debian and most other systems."""

# The child ends with us even when we are killed with -9: our end of the pipe closes, `read` returns, and the server is told to stop.
# The server becomes a child of this shell, in a process group of its own, so that ^C at a terminal reaches the tests first.
WATCHED = """
exec 3<&0 </dev/null
trap '' INT
"$@" 3<&- & child=$!
( read -r _; kill -{signal} "$child" 2>/dev/null ) <&3 & watcher=$!
exec 3<&-
wait "$child"; status=$?
kill "$watcher" 2>/dev/null
exit "$status"
"""


MEMORY = Path("/dev/shm")
ROOM = 2 * 1024**3


def fresh_folder(name: str, *, durable: bool = False) -> Path:
    """A new folder for a server or a store; in memory where there is plenty, unless `durable`: hundreds of tests would wait for a disk."""
    in_memory = not durable and MEMORY.is_dir() and os.access(MEMORY, os.W_OK | os.X_OK) and shutil.disk_usage(MEMORY).free > ROOM
    if in_memory:
        _sweep(MEMORY)
    return Path(tempfile.mkdtemp(prefix=f"priyom-{name}-{os.getpid()}-", dir=MEMORY if in_memory else None))


def _sweep(parent: Path) -> None:
    """Delete what test processes left in memory that were killed before they could."""
    for left in parent.glob("priyom-*-*-*"):
        owner = left.name.split("-")[2]
        if owner.isdigit() and not Path("/proc", owner).exists():
            shutil.rmtree(left, ignore_errors=True)


def free_port() -> int:
    """A TCP port of the loopback interface that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def system_user() -> str | None:
    """The user a database has to run as, or None where it may run as ourselves."""
    return UNPRIVILEGED if os.geteuid() == 0 else None


def readable_by_others(folder: Path) -> bool:
    """Whether every folder down to `folder` may be entered by any user."""
    return all(parent.stat().st_mode & 0o005 == 0o005 for parent in (folder, *folder.resolve().parents))


def copied_where_readable(folder: Path, target: Path) -> Path:
    """`folder` itself where any user may read it, otherwise a copy in `target`."""
    if readable_by_others(folder):
        return folder
    if not target.exists():
        shutil.copytree(folder, target, symlinks=True)
    return target


class Watched:
    """A server process with a log file, ended when we end."""

    def __init__(
        self, command: Sequence[str], *, log: Path, user: str | None = None, env: Mapping[str, str] | None = None, stop_signal: str = "TERM"
    ) -> None:
        read_end, write_end = os.pipe()
        self._hold = write_end
        self.log = log
        try:
            with log.open("ab") as output:
                self.process = subprocess.Popen(
                    ["/bin/sh", "-c", WATCHED.replace("{signal}", stop_signal), "watched", *command],
                    stdin=read_end, stdout=output, stderr=subprocess.STDOUT, user=user,
                    env=dict(env) if env is not None else None, start_new_session=True, cwd=log.parent,
                )  # fmt: skip
        finally:
            os.close(read_end)

    def wait_until(self, ready: Callable[[], bool], *, seconds: float = 60.0) -> None:
        """Return once `ready()`; raises with the end of the log when the process ends first or time runs out."""
        end = time.monotonic() + seconds
        while not ready():
            if self.process.poll() is not None or time.monotonic() > end:
                tail = self.log.read_text(errors="replace")[-2000:]
                self.kill()
                raise RuntimeError(f"{self.process.args!r} did not start:\n{tail}")
            time.sleep(0.02)

    def stop(self, *, seconds: float = 20.0) -> None:
        """Ask the server to end, and insist after `seconds`."""
        if self._hold >= 0:
            os.close(self._hold)
            self._hold = -1
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End the server and all its children at once, without a chance to tidy up."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)
        if self._hold >= 0:
            os.close(self._hold)
            self._hold = -1
