"""Mail from files, or from the past of a mailbox, taken in one by one through the path of mail that arrives."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from channels.email import archives
from channels.email.imap import Placed, everything_since
from channels.email.imap_account import Account
from channels.email.imap_mailbox import CommandRefused, Fetched
from channels.email.intake import MEGABYTE, InboxAddress, MailIntake
from channels.email.mapping import parse
from desk_core.conversations.addresses import spellings
from desk_core.conversations.entities import Inbox, RawInbound
from desk_core.conversations.ports import Accepted, ChannelKind, InboundMessage
from desk_core.kit.errors import DeskError, Invalid, NotFound
from desk_core.kit.i18n import gettext_noop as _
from gateway.inboxes import access_tokens
from gateway.mail import inbox_address
from gateway.mail_inboxes import mail_account

if TYPE_CHECKING:
    from gateway.bootstrap import Desk


class WhichInbox(Invalid):
    code, text = "which_inbox", _("There are several mail inboxes: %(names)s. Name one with --inbox.")


class NoMailbox(Invalid):
    code, text = "no_mailbox", _("This inbox fetches from no mailbox. Give it one: priyom inbox set-email --imap-url.")


@dataclass(slots=True)
class MailImport:
    """One import into one inbox; `run` goes through the files, `report` tells what became of them."""

    desk: "Desk"
    inbox: InboxAddress
    answer: bool
    dry_run: bool
    account: Account | None = None
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
        every = spellings(address for one in found for address in one.addresses)
        (one,) = chosen
        # Nothing is checked anew: keys and addresses of old mail are long gone. What our own servers said when it came still stands.
        return cls(desk, inbox_address(one, every), answer, dry_run, mail_account(one.config, desk.box.open(one.secrets)))

    async def run(self, path: Path) -> AsyncIterator[int]:
        """Take in every mail under `path`; gives the number of each when it is done."""
        for number, (where, raw) in enumerate(archives.mails(path), 1):
            await self._one(where, raw)
            yield number

    async def run_mailbox(self, day: date, *, folders: Sequence[str] = ()) -> AsyncIterator[tuple[int, int]]:
        """Take in what came to the mailbox since `day`, seen or not, and mark nothing; gives (done, found so far).

        Raises `NoMailbox`, or `MailboxFailed`; after that the same command goes on, as what is there already is known.
        """
        if self.account is None:
            raise NoMailbox(inbox=self.inbox.inbox_id)
        tokens = access_tokens(self.account, self.desk.database, self.desk.box, self.inbox.inbox_id)
        totals: dict[str, int] = {}
        number = 0
        async for where, total, found in everything_since(self.account, day, folders=folders, tokens=tokens):
            totals[where.rpartition("/")[0]] = total
            if isinstance(found, CommandRefused):
                self._refuse(where, found)
            else:
                await self._one(where, found.raw, found)
            number += 1
            yield number, sum(totals.values())

    def _refuse(self, where: str, error: DeskError) -> None:
        self.refused.append({"file": where, "reason": f"{error.code}: {error.fields.get('reason', error.text)}"})

    def report(self) -> dict[str, Any]:
        return {
            "new": self.new, "known": self.known, "verdicts": dict(self.verdicts.most_common()), "refused": self.refused,
            "dry_run": self.dry_run,
        }  # fmt: skip

    async def _one(self, where: str, raw: bytes, found: Fetched | None = None) -> None:
        try:
            await (self._look(raw) if self.dry_run else self._take(raw, found))
        except DeskError as error:
            self._refuse(where, error)

    async def _take(self, raw: bytes, found: Fetched | None) -> None:
        settings = self.desk.settings
        intake = MailIntake(
            blobs=self.desk.blobs, secret=self.desk.key, clock=self.desk.clock, file_limit=settings.limits.attachment_mb * MEGABYTE
        )
        accepted = await intake.take(raw, inbox=self.inbox, accept=self._accept if found is None else Placed(self._accept, found))
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
            received_at=self.desk.clock.now(), rules=self.inbox.rules,
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
