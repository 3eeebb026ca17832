"""File contents, addressed by their SHA-256, written once and streamed."""

import asyncio
import hashlib
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from desk_core.kit.errors import NotFound, TooLarge
from desk_core.kit.i18n import Phrase
from desk_core.kit.i18n import gettext_noop as _

UNITS = (_("%(n)s B"), _("%(n)s KB"), _("%(n)s MB"), _("%(n)s GB"))


class DirectoryBlobs:
    """Blobs in a directory, two levels deep. A blob appears under its name only when it is complete and on disk."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def path(self, sha256: str) -> Path:
        return self._root / sha256[:2] / sha256

    async def put(self, content: bytes | AsyncIterator[bytes], *, limit: int | None = None) -> tuple[str, int]:
        """Store `content`; the answer is (sha256, size). Raises `TooLarge` past `limit` bytes and leaves nothing behind."""
        if isinstance(content, bytes):
            _check_size(len(content), limit)
            return await asyncio.to_thread(self._put_bytes, content), len(content)
        self._root.mkdir(parents=True, exist_ok=True)
        digest, size = hashlib.sha256(), 0
        handle = tempfile.NamedTemporaryFile(dir=self._root, delete=False)  # noqa: SIM115 - closed below, kept across awaits
        try:
            async for chunk in content:
                size += len(chunk)
                _check_size(size, limit)
                digest.update(chunk)
                await asyncio.to_thread(handle.write, chunk)
            await asyncio.to_thread(self._finish, handle, digest.hexdigest())
        except BaseException:
            handle.close()
            await asyncio.to_thread(Path(handle.name).unlink, missing_ok=True)
            raise
        return digest.hexdigest(), size

    async def read(self, sha256: str) -> bytes:
        try:
            return await asyncio.to_thread(self.path(sha256).read_bytes)
        except FileNotFoundError as error:
            raise NotFound(blob=sha256) from error

    async def head(self, sha256: str, length: int) -> bytes:
        """The first bytes alone, however large the rest; raises `NotFound`."""
        try:
            return await asyncio.to_thread(self._head, sha256, length)
        except FileNotFoundError as error:
            raise NotFound(blob=sha256) from error

    async def size(self, sha256: str) -> int:
        """Raises `NotFound`."""
        try:
            return (await asyncio.to_thread(self.path(sha256).stat)).st_size
        except FileNotFoundError as error:
            raise NotFound(blob=sha256) from error

    def _head(self, sha256: str, length: int) -> bytes:
        with self.path(sha256).open("rb") as handle:
            return handle.read(length)

    def _put_bytes(self, content: bytes) -> str:
        name = hashlib.sha256(content).hexdigest()
        if not self.path(name).exists():
            self._root.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self._root, delete=False) as handle:
                handle.write(content)
                self._finish(handle, name)
        return name

    def _finish(self, handle: "tempfile._TemporaryFileWrapper[bytes]", name: str) -> None:
        # The row that names this blob commits after us, so the bytes must be on disk before.
        handle.flush()
        os.fsync(handle.fileno())
        handle.close()
        target = self.path(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        Path(handle.name).replace(target)


def _check_size(size: int, limit: int | None) -> None:
    if limit is not None and size > limit:
        raise TooLarge(limit=human_size(limit))


def human_size(size: int) -> Phrase:
    """1536 -> "1.5 KB"; whole megabytes without a fraction. `translate` says it in another language."""
    value, unit = float(size), 0
    while value >= 1024 and unit + 1 < len(UNITS):
        value, unit = value / 1024, unit + 1
    return Phrase(UNITS[unit], n=f"{value:.0f}" if value == int(value) else f"{value:.1f}")
