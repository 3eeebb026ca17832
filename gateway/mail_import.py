"""Mail from files, taken in one by one through the path of mail that arrives."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from channels.email import archives
from channels.email.intake import MEGABYTE, InboxAddress, MailIntake
from channels.email.mapping import parse
from channels.email.trust import Trusted
from desk_core.conversations.entities import Inbox, RawInbound
from desk_core.conversations.ports import Accepted, ChannelKind, InboundMessage
from desk_core.kit.errors import DeskError, Invalid, NotFound
from desk_core.kit.i18n import gettext_noop as _

if TYPE_CHECKING:
    from gateway.bootstrap import Desk


class WhichInbox(Invalid):
    code, text = "which_inbox", _("There are several mail inboxes: %(names)s. Name one with --inbox.")


@dataclass(slots=True)
class MailImport:
    """One import into one inbox; `run` goes through the files, `report` tells what became of them."""

    desk: "Desk"
    inbox: InboxAddress
    answer: bool
    dry_run: bool
    new: int = 0
    known: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    refused: list[dict[str, str]] = field(default_factory=list)

    @classmethod
    async def of(cls, desk: "Desk", name: str, *, answer: bool, dry_run: bool) -> "MailImport":
        """Raises `NotFound` where there is no such mail inbox, `WhichInbox` where it is not clear which."""
        async with desk.database.read() as session:
            found = (await session.scalars(select(Inbox).where(Inbox.channel == ChannelKind.EMAIL.value).order_by(Inbox.name))).all()
        chosen = [one for one in found if not name or one.name == name]
        if not chosen:
            raise NotFound(inbox=name or "email")
        if len(chosen) > 1:
            raise WhichInbox(names=", ".join(one.name for one in chosen))
        every = tuple(one.address.lower() for one in found)
        (one,) = chosen
        # Nothing is checked anew: keys and addresses of old mail are long gone. What our own servers said when it came still stands.
        address = InboxAddress(one.id, one.address.lower(), every, senders=one.config.get("senders", {}), trusted=Trusted.of(one.config))
        return cls(desk, address, answer, dry_run)

    async def run(self, path: Path) -> AsyncIterator[int]:
        """Take in every mail under `path`; gives the number of each when it is done."""
        for number, (where, raw) in enumerate(archives.mails(path), 1):
            try:
                await self._one(raw)
            except DeskError as error:
                self.refused.append({"file": where, "reason": f"{error.code}: {error.fields.get('reason', error.text)}"})
            yield number

    def report(self) -> dict[str, Any]:
        return {
            "new": self.new, "known": self.known, "verdicts": dict(self.verdicts.most_common()), "refused": self.refused,
            "dry_run": self.dry_run,
        }  # fmt: skip

    async def _one(self, raw: bytes) -> None:
        if self.dry_run:
            await self._look(raw)
            return
        settings = self.desk.settings
        intake = MailIntake(
            blobs=self.desk.blobs, secret=self.desk.key, clock=self.desk.clock, file_limit=settings.limits.attachment_mb * MEGABYTE
        )
        accepted = await intake.take(raw, inbox=self.inbox, accept=self._accept)
        self.known += accepted.duplicate
        self.new += not accepted.duplicate

    async def _accept(self, inbox_id: str, message: InboundMessage, *, raw: bytes | None = None) -> Accepted:
        self.verdicts[message.verdict] += 1
        now = self.desk.clock.now()
        at = min(_written_at(message) or now, now)
        card = message.card if self.answer else {**message.card, "imported": True}
        return await self.desk.accept(inbox_id, replace(message, at=at, card=card), raw=raw)

    async def _look(self, raw: bytes) -> None:
        parsed = await asyncio.to_thread(
            parse, raw, inbox_id=self.inbox.inbox_id, inbox_addresses=self.inbox.own, secret=self.desk.key,
            received_at=self.desk.clock.now(), senders=self.inbox.senders,
        )  # fmt: skip
        self.verdicts[parsed.verdict.code] += 1
        query = select(RawInbound.id).where(RawInbound.inbox_id == self.inbox.inbox_id, RawInbound.external_id == parsed.external_id[:500])
        async with self.desk.database.read() as session:
            there = await session.scalar(query)
        self.known += there is not None
        self.new += there is None


def _written_at(message: InboundMessage) -> datetime | None:
    try:
        written = parsedate_to_datetime(str(message.card.get("date", "")))
    except (TypeError, ValueError):
        return None
    return written.astimezone(UTC) if written.tzinfo is not None else written.replace(tzinfo=UTC)
