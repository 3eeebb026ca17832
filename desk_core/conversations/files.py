"""Files on their way in: named harmlessly, typed by their bytes, stored once."""

import re
import unicodedata
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath

import puremagic

from desk_core.conversations.ports import Blobs

INLINE_TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""Types a browser may show from our address: pictures that cannot carry script."""

_ZIP_FAMILY = ("application/vnd.openxmlformats-", "application/vnd.oasis.opendocument.", "application/epub+zip", "application/java-archive")
_OLE_FAMILY = ("application/msword", "application/vnd.ms-", "application/x-msi")


@dataclass(frozen=True, slots=True)
class NewFile:
    """A stored file that is about to be attached. `content_type` is what its bytes say."""

    name: str
    sha256: str
    size: int
    content_type: str
    declared_type: str | None = None
    inline: bool = False


def safe_name(name: str | None) -> str:
    """The last part of a path, without control characters, at most 150 letters; "file" when nothing is left."""
    text = unicodedata.normalize("NFC", name or "")
    text = PurePosixPath(PureWindowsPath(text).name).name
    text = re.sub(r"[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069\"<>|:*?]", "", text).strip(" .")
    if len(text) > 150:
        stem, dot, extension = text.rpartition(".")
        text = f"{stem[: 140 - len(extension)]}{dot}{extension}" if dot and len(extension) < 12 else text[:150]
    return text or "file"


def sniff(content: bytes, declared: str | None) -> str:
    """The type that the first bytes show. A declared type is believed only inside the family that the bytes belong to."""
    declared = (declared or "").split(";")[0].strip().lower()
    if _is_text(content):
        # Whatever it claims to be, text is shown as text: a page or a script must not come alive from our address.
        return "message/rfc822" if declared == "message/rfc822" else "text/plain"
    if content.startswith(b"PK"):
        return declared if declared.startswith(_ZIP_FAMILY) else "application/zip"
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        return declared if declared.startswith(_OLE_FAMILY) else "application/x-ole-storage"
    try:
        return puremagic.from_string(content, mime=True) or "application/octet-stream"
    except (puremagic.PureError, ValueError):
        return "application/octet-stream"


def _is_text(content: bytes) -> bool:
    if b"\x00" in content:
        return False
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        # The head of a file may end in the middle of a letter.
        return error.start >= len(content) - 3 and error.start > 0
    return True


async def store_file(
    blobs: Blobs, *, name: str | None, content: bytes | AsyncIterator[bytes], limit: int, declared: str | None = None, inline: bool = False
) -> NewFile:
    """Store one file; raises `TooLarge` past `limit` bytes."""
    sha256, size = await blobs.put(content, limit=limit)
    head = content[:2048] if isinstance(content, bytes) else (await blobs.read(sha256))[:2048]
    return NewFile(
        name=safe_name(name), sha256=sha256, size=size, content_type=sniff(head, declared), declared_type=declared, inline=inline
    )
