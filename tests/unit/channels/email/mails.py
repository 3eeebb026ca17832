"""Small mails for the tests, and a desk that only stores."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from channels.email.mapping import ParsedMail, parse, to_inbound
from desk_core.conversations.ports import Accepted, InboundMessage
from desk_core.kit.errors import TooLarge

SECRET = b"a secret for tests"
NOW = datetime(2026, 11, 24, 11, 30, tzinfo=UTC)
INBOX = "01939f3e-0000-7000-8000-000000000001"
SUPPORT = "support@desk.example"


def mail(body: str | bytes = "Hello", *, charset: str = "utf-8", **headers: str) -> bytes:
    """A mail with usual headers; keyword `content_type` becomes `Content-Type`, an empty value leaves the header out."""
    given = {
        "From": "Anna <anna@example.com>",
        "To": SUPPORT,
        "Subject": "Printer",
        "Date": "Tue, 24 Nov 2026 14:30:00 +0300",
        "Message-ID": "<one@example.com>",
        "MIME-Version": "1.0",
        "Content-Type": f"text/plain; charset={charset}",
        **{name.replace("_", "-").title().replace("Id", "ID"): value for name, value in headers.items()},
    }
    if "Message-ID" in given:
        given["Message-ID"] = headers.get("message_id", given["Message-ID"])
    head = "".join(f"{name}: {value}\r\n" for name, value in given.items() if value)
    content = body if isinstance(body, bytes) else body.replace("\n", "\r\n").encode(charset)
    return head.encode("utf-8") + b"\r\n" + content


def parsed(raw: bytes, **options: object) -> ParsedMail:
    return parse(raw, inbox_id=INBOX, inbox_addresses=[SUPPORT], secret=SECRET, received_at=NOW, **options)  # type: ignore[arg-type]


def inbound(raw: bytes, **options: object) -> InboundMessage:
    message = to_inbound(parsed(raw, **options))
    assert InboundMessage.from_json(message.to_json()).external_id == message.external_id
    return message


class MemoryBlobs:
    """Blobs in a dictionary; `error` is raised instead of storing."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.error: Exception | None = None

    async def put(self, content: bytes | AsyncIterator[bytes], *, limit: int | None = None) -> tuple[str, int]:
        if self.error is not None:
            raise self.error
        assert isinstance(content, bytes)
        if limit is not None and len(content) > limit:
            raise TooLarge(limit=limit)
        name = hashlib.sha256(content).hexdigest()
        self.kept[name] = content
        return name, len(content)

    async def read(self, sha256: str) -> bytes:
        return self.kept[sha256]

    async def head(self, sha256: str, length: int) -> bytes:
        return self.kept[sha256][:length]

    async def size(self, sha256: str) -> int:
        return len(self.kept[sha256])


class Storing:
    """Accepts like intake does: once per external id. `error` is raised instead; `gate` holds the commit back until it is set."""

    def __init__(self) -> None:
        self.stored: dict[str, InboundMessage] = {}
        self.raw: dict[str, bytes | None] = {}
        self.error: Exception | None = None
        self.gate: asyncio.Event | None = None
        self.asked = asyncio.Event()
        self.refuses: set[str] = set()

    async def __call__(self, inbox_id: str, message: InboundMessage, *, raw: bytes | None = None) -> Accepted:
        self.asked.set()
        if self.gate is not None:
            await self.gate.wait()
        if self.error is not None:
            raise self.error
        if message.subject in self.refuses:
            raise ValueError("this one is stuck")
        duplicate = message.external_id in self.stored
        if not duplicate:
            self.stored[message.external_id] = message
            self.raw[message.external_id] = raw
        return Accepted(message.external_id, duplicate=duplicate)
