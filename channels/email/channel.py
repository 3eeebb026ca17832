"""One mail inbox as a `Channel`: fetches where IMAP is configured, sends through the relay or into the sandbox."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from channels.email.checkup import STEPS, Checkup
from channels.email.compose import Mailbox, compose, envelope_sender, message_id_of, to_bytes
from channels.email.examining import Examiner
from channels.email.imap import ImapFetcher
from channels.email.imap_account import Account
from channels.email.imap_oauth import AccessTokens
from channels.email.intake import MEGABYTE, InboxAddress, MailIntake
from channels.email.rules import NONE, Rules
from channels.email.signing import Signer
from channels.email.smtp_out import Sender
from channels.email.trust import NOBODY_TRUSTED, Trusted
from desk_core.conversations.checkups import State
from desk_core.conversations.ports import Accept, Blobs, ChannelKind, OutboundMessage, Receipt, Refused, RetryLater, Unalterable
from desk_core.kit.clock import Clock
from desk_core.kit.errors import NotFound

_IN_A_THREAD = 256 * 1024


class EmailChannel(Unalterable):
    """The listener is shared by all mail inboxes and started by the gateway; `run` fetches by IMAP or just waits."""

    kind = ChannelKind.EMAIL

    def __init__(
        self,
        inbox_id: str,
        *,
        mailbox: Mailbox,
        sender: Sender,
        blobs: Blobs,
        secret: bytes,
        clock: Clock,
        own_addresses: Sequence[str] = (),
        rules: Rules = NONE,
        trusted: Trusted = NOBODY_TRUSTED,
        examiner: Examiner | None = None,
        signer: Signer | None = None,
        account: Account | None = None,
        keep_refresh_token: Callable[[str], Awaitable[None]] | None = None,
        poll_seconds: float = 60.0,
        file_limit: int = 20 * MEGABYTE,
        on_status: Callable[[str | None], None] | None = None,
    ) -> None:
        self.inbox_id, self.mailbox = inbox_id, mailbox
        self.sender, self._blobs, self._secret, self._clock = sender, blobs, secret, clock
        self._address = InboxAddress(inbox_id, mailbox.address.lower(), tuple(own_addresses), rules=rules, trusted=trusted)
        self._examiner, self._signer = examiner, signer
        self.account, self._poll_seconds, self._file_limit = account, poll_seconds, file_limit
        self.tokens = AccessTokens(account.oauth, keep=keep_refresh_token) if account is not None and account.oauth is not None else None
        self._on_status = on_status
        self._plain_sender = False

    async def run(self, accept: Accept) -> None:
        """Receive until cancelled."""
        if self.account is None:
            await asyncio.Event().wait()
            return
        intake = MailIntake(blobs=self._blobs, secret=self._secret, clock=self._clock, file_limit=self._file_limit, examiner=self._examiner)
        await ImapFetcher(
            self._address,
            self.account,
            accept=accept,
            intake=intake,
            tokens=self.tokens,
            poll_seconds=self._poll_seconds,
            on_status=self._on_status,
        ).run()

    async def send(self, message: OutboundMessage) -> Receipt:
        """Deliver once, always under the same Message-ID; raises `RetryLater` or `Refused`."""
        files = []
        for file in message.files:
            try:
                files.append((file, await self._blobs.read(file.sha256)))
            except NotFound as error:
                raise Refused(f"the attachment {file.name} is not in the store") from error
            except OSError as error:
                raise RetryLater(f"attachment: {type(error).__name__}") from error

        def write() -> bytes:
            raw = to_bytes(compose(message, mailbox=self.mailbox, secret=self._secret, files=files))
            return self._signer.sign(raw) if self._signer is not None else raw

        heavy = self._signer is not None or sum(file.size for file in message.files) > _IN_A_THREAD
        raw = await asyncio.to_thread(write) if heavy else write()
        await self._hand_over(raw, message)
        return Receipt(external_id=message_id_of(message, mailbox=self.mailbox, secret=self._secret))

    async def _hand_over(self, raw: bytes, message: OutboundMessage) -> None:
        """Some relays take mail only from the very address that logs in: then reports come back to that."""
        envelope_from = envelope_sender(message, mailbox=self.mailbox, secret=self._secret)
        recipient = message.copy_for or message.to
        if self._plain_sender:
            envelope_from = self.mailbox.address
        try:
            await self.sender.deliver(raw, sender=envelope_from, recipient=recipient)
        except Refused as error:
            if not error.sender or envelope_from == self.mailbox.address:
                raise
            await self.sender.deliver(raw, sender=self.mailbox.address, recipient=recipient)
            self._plain_sender = True

    async def typing(self, thread_key: str) -> None:
        """Mail shows no typing."""

    async def answer_press(self, callback_id: str, text: str | None = None) -> None:
        """Mail has no buttons to answer."""

    async def close_buttons(self, thread_key: str, external_id: str) -> None:
        """A letter cannot be changed once it is sent."""

    async def fetch(self, remote_id: str) -> AsyncIterator[bytes]:
        """Files of mail are stored as they arrive; nothing lies with the channel."""
        raise Refused(f"there is no remote file {remote_id}")
        yield b""

    async def test(self) -> Sequence[tuple[str, bool, str]]:
        """Outgoing, and the mailbox where one is configured; `channels.email.checkup` tells more."""
        found = Checkup(address=self.mailbox.address, account=self.account, tokens=self.tokens, sender=self.sender)
        return [(STEPS[step.key], step.state is not State.FAIL, step.words) for step in await found.run()]

    async def close(self) -> None:
        """Nothing is held between letters."""
