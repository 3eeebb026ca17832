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

PLAYED_TYPES = frozenset({"audio/ogg", "audio/mpeg", "audio/mp4", "audio/wav", "audio/webm", "video/mp4", "video/webm", "video/ogg"})
"""Types that the console's players are given: sound and pictures in motion, which carry no script either."""

_MEDIA_NAMES = {
    "application/ogg": "audio/ogg", "audio/wave": "audio/wav", "audio/x-wav": "audio/wav", "audio/x-m4a": "audio/mp4",
    "audio/m4a": "audio/mp4", "audio/mp3": "audio/mpeg",
}  # fmt: skip
_MEDIA_FAMILIES = (frozenset({"audio/ogg", "video/ogg"}), frozenset({"audio/mp4", "video/mp4"}), frozenset({"audio/webm", "video/webm"}))
HEAD = 2048
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
    remote_id: str | None = None  # what the channel calls it, and calls its bytes
    unique_id: str | None = None


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
    if content[4:12] == b"ftypM4A ":
        return "audio/mp4"
    try:
        found = puremagic.from_string(content, mime=True) or "application/octet-stream"
    except (puremagic.PureError, ValueError):
        return "application/octet-stream"
    found = _MEDIA_NAMES.get(found, found)
    claimed = _MEDIA_NAMES.get(declared, declared)
    # One container carries sound alone or pictures too; which of the two, only the sender knows.
    return claimed if any({found, claimed} <= family for family in _MEDIA_FAMILIES) else found


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
    """Store one file, in pieces where it comes in pieces; raises `TooLarge` past `limit` bytes."""
    sha256, size = await blobs.put(content, limit=limit)
    return await stored_file(blobs, name=name, sha256=sha256, size=size, declared=declared, inline=inline)


async def stored_file(
    blobs: Blobs, *, name: str | None, sha256: str, size: int | None, declared: str | None = None, inline: bool = False
) -> NewFile:
    """A file whose bytes are in the store already; only its head is read. Raises `NotFound`."""
    head = await blobs.head(sha256, HEAD)
    return NewFile(
        name=safe_name(name), sha256=sha256, size=await blobs.size(sha256) if size is None else size, content_type=sniff(head, declared),
        declared_type=declared, inline=inline,
    )  # fmt: skip
