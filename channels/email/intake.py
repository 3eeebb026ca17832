"""From raw bytes to an accepted message: the one path that the listener and the IMAP fetcher share."""

import asyncio
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from channels.email.examining import Examiner, trust_of
from channels.email.filters.forged import distrusted
from channels.email.mapping import ParsedMail, parse, to_inbound
from channels.email.rules import NONE, Rules
from channels.email.trust import NOBODY_TRUSTED, Origin, Trusted
from desk_core.conversations.ports import Accept, Accepted, Blobs, InboundFile, InboundMessage
from desk_core.kit.clock import Clock
from desk_core.kit.errors import StoreUnavailable, TooLarge

_IN_A_THREAD = 256 * 1024  # bytes; smaller mails are parsed faster than a thread is woken
_READERS = 2
MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class InboxAddress:
    """An inbox that takes mail. `addresses` are all of the desk's, aliases and spellings too: it never answers itself.

    Mail for a `paused` inbox is asked to come again later, so that a pause loses nothing. `trusted` are the servers whose word about
    senders counts here.
    """

    inbox_id: str
    address: str
    addresses: tuple[str, ...] = ()
    paused: bool = False
    rules: Rules = NONE
    trusted: Trusted = NOBODY_TRUSTED

    @property
    def own(self) -> tuple[str, ...]:
        return (self.address, *self.addresses)


class MailIntake:
    """Parses a mail, stores its files, then accepts it. Returns only when everything is durable.

    Whether the sender is who it says is told by a trusted server, else by `examiner` where there is one; where neither is, nobody asks.
    """

    def __init__(
        self,
        *,
        blobs: Blobs,
        secret: bytes,
        clock: Clock,
        file_limit: int = 20 * MEGABYTE,
        mail_limit: int = 50 * MEGABYTE,
        examiner: Examiner | None = None,
    ) -> None:
        self._blobs, self._secret, self._clock, self._examiner = blobs, secret, clock, examiner
        self._file_limit, self._mail_limit = file_limit, mail_limit
        # Threads of their own: a mail that is long to read must not keep files and everything else waiting.
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="mail-reader")

    async def take(
        self,
        raw: bytes,
        *,
        inbox: InboxAddress,
        accept: Accept,
        envelope_from: str | None = None,
        envelope_to: Collection[str] = (),
        origin: Origin | None = None,
    ) -> Accepted:
        """Raises `StoreUnavailable` when anything could not be stored; then the sender must keep the mail.

        `origin` is the SMTP client where it is not a server of our own.
        """

        def read() -> ParsedMail:
            return parse(
                raw,
                inbox_id=inbox.inbox_id,
                inbox_addresses=inbox.own,
                secret=self._secret,
                received_at=self._clock.now(),
                envelope_from=envelope_from,
                envelope_to=tuple(envelope_to),
                rules=inbox.rules,
            )

        parsed = await asyncio.get_running_loop().run_in_executor(self._readers, read) if len(raw) > _IN_A_THREAD else read()
        if self._examiner is not None or inbox.trusted.authserv:
            trust = await trust_of(
                raw, identity=parsed.sender.address, trusted=inbox.trusted, examiner=self._examiner, envelope_from=envelope_from,
                origin=origin,
            )  # fmt: skip
            if trust is not None:
                parsed = distrusted(parsed, trust, secret=self._secret)
        try:
            message = await self._with_files(parsed)
        except OSError as error:
            raise StoreUnavailable(reason=type(error).__name__) from error
        return await accept(inbox.inbox_id, message, raw=raw)

    async def _with_files(self, parsed: ParsedMail) -> InboundMessage:
        message = to_inbound(parsed)
        if not parsed.files:
            return message
        left = self._mail_limit
        files: list[InboundFile] = []
        too_large: list[dict[str, Any]] = []
        enclosed = message.card.get("passed_on", {}).get("files", {}).get("enclosed", ())
        for at, (part, file) in enumerate(zip(parsed.files, message.files, strict=True)):
            size = len(part.content)
            try:
                sha256, _size = await self._blobs.put(part.content, limit=min(self._file_limit, left))
            except TooLarge:
                # The raw mail keeps it; the operator sees its name and size.
                if at not in enclosed:  # the letter that it lies in is a file too
                    too_large.append({"name": part.name, "size": size})
                files.append(file)
                continue
            left -= size
            files.append(replace(file, sha256=sha256))
        card = {**message.card, "too_large": too_large} if too_large else message.card
        return replace(message, files=tuple(files), card=card)
