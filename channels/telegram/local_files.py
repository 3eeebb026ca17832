"""Files of a local Bot API server: it keeps them on its own disk and names them by their whole path."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path, PurePosixPath
from typing import Final

LARGEST_DOWNLOAD: Final = 2000 * 1024 * 1024
READY_SECONDS: Final = 900.0
"""The server fetches the whole file before it answers where that is."""
_CHUNK: Final = 1024 * 1024


def within(path: str, token: str) -> PurePosixPath | None:
    """The path below the bot's own folder; None where it leads anywhere else, since a server does not choose what of this disk is read."""
    parts = PurePosixPath(path).parts
    # On Windows a folder has no colon in its name.
    at = next((place for place, part in enumerate(parts) if part in (token, token.replace(":", "~"))), None)
    if at is None or ".." in parts or at + 1 >= len(parts):
        return None
    return PurePosixPath(*parts[at + 1 :])


async def stream(path: Path) -> AsyncIterator[bytes]:
    """The bytes of a file on this disk, a piece at a time; raises OSError."""
    file = await asyncio.to_thread(path.open, "rb")
    try:
        while chunk := await asyncio.to_thread(file.read, _CHUNK):
            yield chunk
    finally:
        await asyncio.to_thread(file.close)


async def is_here(path: Path) -> bool:
    """Whether the file lies on a disk that this process can read."""
    return await asyncio.to_thread(_readable, path)


def _readable(path: Path) -> bool:
    try:
        return path.resolve(strict=True) == path and path.is_file()
    except OSError:
        return False
