"""What the desk sent while no relay is configured, as files: any process writes, any process reads."""

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from channels.email.addresses import addresses
from channels.email.contents import FilePart, contents_of
from channels.email.html_text import safe_html
from channels.email.mime import read
from desk_core.kit.clock import Clock, SystemClock
from desk_core.kit.ids import new_id

_ID = re.compile(r"^[0-9a-f-]{36}$")
_ID_IN_HEADER = re.compile(r"<([^<>\s]+)>")


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter's envelope and what a list shows of it. `mailbox` is whose letter it is: the person's address, in lower case."""

    id: str
    mailbox: str
    direction: str  # "sent": by the desk to the person; "written": by the pretend person to the desk
    sender: str
    recipient: str
    subject: str
    message_id: str
    at: str
    size: int
    envelope_from: str = ""
    thread: str = ""  # the oldest letter it says that it belongs to; its own id where it begins one

    @property
    def moment(self) -> datetime:
        return datetime.fromisoformat(self.at)


@dataclass(frozen=True, slots=True)
class Opened:
    """A letter with its content, as a mail program would show it."""

    letter: Letter
    text: str
    html: str | None
    headers: tuple[tuple[str, str], ...]
    references: str
    reply_to: str
    others: tuple[str, ...]
    """Whom an answer to all goes to besides."""
    files: tuple[FilePart, ...]
    raw: bytes

    def header(self, name: str) -> str:
        """What a header says, for people; empty where there is none."""
        return next((value for key, value in self.headers if key == name), "")

    def to_json(self) -> dict[str, Any]:
        return {
            **asdict(self.letter),
            "text": self.text,
            "html": self.html,
            "headers": dict(self.headers),
            "reply_to": self.reply_to,
            "files": [{"name": file.name, "size": len(file.content), "type": file.declared_type} for file in self.files],
        }


class MailSandbox:
    """A bounded mailbox in a folder: the oldest letters go when there are more than `keep`."""

    def __init__(self, root: Path, *, keep: int = 1000, clock: Clock | None = None) -> None:
        self.root, self._keep, self._clock = root, keep, clock or SystemClock()

    async def put(self, raw: bytes, *, sender: str, recipient: str, direction: str = "sent", thread: str = "") -> Letter:
        """Keep a letter, in the thread of its own headers where none is given; raises `OSError` when the disk refuses."""
        return await asyncio.to_thread(self._put, raw, sender, recipient, direction, thread)

    async def letters(self, mailbox: str | None = None, *, limit: int = 200) -> list[Letter]:
        """The newest letters, newest first."""
        return await asyncio.to_thread(self._letters, mailbox, limit)

    async def mailboxes(self) -> list[tuple[str, int]]:
        """(address, number of letters), most recently used first."""
        counted: dict[str, int] = {}
        for letter in await self.letters(limit=self._keep):
            counted[letter.mailbox] = counted.get(letter.mailbox, 0) + 1
        return list(counted.items())

    async def open(self, letter_id: str) -> Opened | None:
        """A letter with its content; None where there is none by that id."""
        return await asyncio.to_thread(self._open, letter_id)

    def _put(self, raw: bytes, sender: str, recipient: str, direction: str, thread: str) -> Letter:
        root = read(raw)
        message_id = root.get("message-id").strip("<> ")
        before = _ID_IN_HEADER.findall(f"{root.get('references')} {root.get('in-reply-to')}")
        letter = Letter(
            id=new_id(),
            mailbox=(recipient if direction == "sent" else sender).lower(),
            direction=direction,
            sender=next((address for _name, address in addresses(root.raw("from"))), sender),
            recipient=recipient,
            subject=root.get("subject"),
            message_id=message_id,
            at=self._clock.now().isoformat(),
            size=len(raw),
            envelope_from=sender,
            thread=thread or (before[0] if before else message_id),
        )
        self.root.mkdir(parents=True, exist_ok=True)
        (self.root / f"{letter.id}.eml").write_bytes(raw)
        # The envelope makes the letter visible, so it comes last and appears whole.
        draft = self.root / f"{letter.id}.tmp"
        draft.write_text(json.dumps(asdict(letter), ensure_ascii=False), encoding="utf-8")
        draft.replace(self.root / f"{letter.id}.json")
        self._forget_oldest()
        return letter

    def _forget_oldest(self) -> None:
        envelopes = sorted(self.root.glob("*.json"))
        for envelope in envelopes[: max(0, len(envelopes) - self._keep)]:
            envelope.unlink(missing_ok=True)
            envelope.with_suffix(".eml").unlink(missing_ok=True)

    def _letters(self, mailbox: str | None, limit: int) -> list[Letter]:
        wanted = mailbox.lower() if mailbox else None
        found: list[Letter] = []
        for letter in self._newest_first():
            if wanted is None or letter.mailbox == wanted:
                found.append(letter)
                if len(found) >= limit:
                    break
        return found

    def _newest_first(self) -> Iterator[Letter]:
        if not self.root.is_dir():
            return
        # Ids are UUIDv7: their order is the order in time.
        for envelope in sorted(self.root.glob("*.json"), reverse=True):
            try:
                yield Letter(**json.loads(envelope.read_text(encoding="utf-8")))
            except FileNotFoundError:
                continue  # another process made room meanwhile

    def _open(self, letter_id: str) -> Opened | None:
        if not _ID.match(letter_id):
            return None
        try:
            letter = Letter(**json.loads((self.root / f"{letter_id}.json").read_text(encoding="utf-8")))
            raw = (self.root / f"{letter_id}.eml").read_bytes()
        except FileNotFoundError:
            return None
        root = read(raw)
        found = contents_of(root)
        html = found.html()
        answers = addresses(root.raw("reply-to")) or addresses(root.raw("from"))
        reply_to = answers[0][1] if answers else letter.sender
        people = [address for key, value in root.headers if key in ("to", "cc") for _name, address in addresses(value)]
        return Opened(
            letter=letter,
            text=found.text(),
            html=safe_html(html) if html else None,
            headers=tuple((name, root.get(name)) for name, _value in root.headers),
            references=root.get("references"),
            reply_to=reply_to,
            others=tuple(dict.fromkeys(one for one in people if one not in {letter.mailbox, reply_to, letter.sender})),
            files=tuple(found.files),
            raw=raw,
        )
