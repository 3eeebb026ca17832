"""Files of the sandbox: kept in memory up to a limit, the oldest forgotten first."""

import hashlib
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Final

MEGABYTE: Final = 1024 * 1024
LARGEST_FILE: Final = 50 * MEGABYTE
LARGEST_PHOTO: Final = 10 * MEGABYTE
LARGEST_DOWNLOAD: Final = 20 * MEGABYTE

# The first letters of a file_id tell its kind in the real API too.
_PREFIX: Final = {
    "photo": "AgAC",
    "document": "BQAC",
    "voice": "AwAC",
    "audio": "CQAC",
    "video": "BAAC",
    "animation": "CgAC",
    "video_note": "DQAC",
    "sticker": "CAAC",
}
_FOLDER: Final = {
    "photo": "photos",
    "document": "documents",
    "voice": "voice",
    "audio": "music",
    "video": "videos",
    "animation": "animations",
    "video_note": "video_notes",
    "sticker": "stickers",
}
_OF_DOCUMENTS: Final = ("file_id", "file_unique_id", "file_size", "mime_type", "file_name")


@dataclass(frozen=True, slots=True)
class StoredFile:
    file_id: str
    unique_id: str
    kind: str
    name: str
    mime_type: str | None
    path: str
    data: bytes
    duration: int = 0

    @property
    def size(self) -> int:
        return len(self.data)

    def as_content(self) -> dict[str, Any]:
        """The part of a Message that carries this file."""
        card: dict[str, Any] = {"file_id": self.file_id, "file_unique_id": self.unique_id, "file_size": self.size}
        if self.kind == "photo":
            width, height = picture_size(self.data) or (800, 600)
            small = {**card, "width": max(1, width // 4), "height": max(1, height // 4)}
            return {"photo": [small, {**card, "width": width, "height": height}]}
        if self.kind == "sticker":
            width, height = picture_size(self.data) or (512, 512)
            return {"sticker": {**card, "type": "regular", "width": width, "height": height, "is_animated": False, "is_video": False}}
        if self.kind != "document":
            card["duration"] = self.duration
        if self.kind == "video_note":
            return {"video_note": {**card, "length": 240}}
        if self.mime_type:
            card["mime_type"] = self.mime_type
        if self.kind in ("video", "animation"):
            card |= {"width": 640, "height": 480}
        if self.kind != "voice":
            card["file_name"] = self.name
        # An animation comes as a document too, as the API has it for those who know no animations.
        return {self.kind: card} | ({"document": {k: v for k, v in card.items() if k in _OF_DOCUMENTS}} if self.kind == "animation" else {})


class FileStore:
    """Files by id and by path, at most `limit` bytes together."""

    def __init__(self, *, limit: int) -> None:
        self._limit = limit
        self._bytes = 0
        self._by_id: OrderedDict[str, StoredFile] = OrderedDict()
        self._serial = 0

    def put(self, data: bytes, *, kind: str, name: str | None = None, mime_type: str | None = None, duration: int = 0) -> StoredFile:
        # Telegram names what it stores itself; only the ending of the sender's name survives in the path.
        name = (name or kind).replace("\\", "/").rsplit("/", 1)[-1] or kind
        ending = name.rsplit(".", 1)[-1] if "." in name else {"photo": "jpg", "voice": "oga"}.get(kind, "bin")
        ending = ending if ending.isascii() and ending.isalnum() else "bin"
        stored = StoredFile(
            file_id=_PREFIX[kind] + secrets.token_urlsafe(30),
            unique_id="AQAD" + hashlib.sha256(data).hexdigest()[:12],
            kind=kind,
            name=name,
            mime_type=mime_type or ("audio/ogg" if kind == "voice" else None),
            path=f"{_FOLDER[kind]}/file_{self._serial}.{ending}",
            data=data,
            duration=duration,
        )
        self._serial += 1
        self._by_id[stored.file_id] = stored
        self._bytes += stored.size
        while self._bytes > self._limit and len(self._by_id) > 1:
            self._bytes -= self._by_id.popitem(last=False)[1].size
        return stored

    def get(self, file_id: str) -> StoredFile | None:
        return self._by_id.get(file_id)

    def at(self, path: str) -> StoredFile | None:
        return next((stored for stored in self._by_id.values() if stored.path == path), None)


def picture_size(data: bytes) -> tuple[int, int] | None:
    """Width and height of a PNG, GIF, JPEG or WebP; None where the bytes are no such picture."""
    if data[:8] == b"\x89PNG\r\n\x1a\n" and len(data) >= 24:
        return int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
    if data[:4] == b"GIF8" and len(data) >= 10:
        return int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return 800, 600
    if data[:2] == b"\xff\xd8":
        return _jpeg_size(data)
    return None


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 < len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4])
        # The start-of-frame markers carry the size; C4, C8 and CC are tables that share their range.
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return int.from_bytes(data[at + 7 : at + 9]), int.from_bytes(data[at + 5 : at + 7])
        at += 2 + length
    return (800, 600) if len(data) > 100 else None
