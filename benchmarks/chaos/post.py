"""Those who bring mail while the desk is being killed: mail servers that keep a mail until its 250, and a mailbox that never fails.

And the one who looks into the mail sandbox all the time: it keeps a thousand letters, and those who answer wait for theirs.
"""

import asyncio
import contextlib
import imaplib
import json
import random
import re
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from email.parser import BytesHeaderParser
from email.utils import parseaddr
from pathlib import Path

import aiosmtplib

from benchmarks.chaos.desks import Victim
from benchmarks.chaos.letters import Copy, Kind, Letter, write
from tests.services.imap import ImapServer

CONNECTIONS = 8
LONGEST_WAIT = 4.0
"""Seconds until a mail is offered again at the latest; real mail servers take minutes."""
PATIENCE = 30.0
"""Seconds that somebody who answers waits for the acknowledgement; afterwards they answer their own first mail."""
LOOK_SECONDS = 0.5
_HEADER = re.compile(rb"(?i)^message-id:\s*<([^>]+)>", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Seen:
    """A letter of the desk as it stands in the sandbox."""

    message_id: str
    mailbox: str
    reply_to: str


@dataclass(slots=True)
class Tray:
    """What became of the mails, as those who brought them know it."""

    handed_over: dict[str, int] = field(default_factory=dict)  # Message-ID -> offers that ended well, each copy its own
    answered: dict[str, str] = field(default_factory=dict)  # Message-ID of a mail -> of what it answers
    again: int = 0  # offers after the first of a copy
    known: int = 0  # of them, those that the desk had stored already: it was killed before its 250 was read
    refused: list[str] = field(default_factory=list)
    wire: list[Seen] = field(default_factory=list)
    over: bool = False  # nobody listens any more; who still tries may stop


class Watcher:
    """Reads every letter that appears in the sandbox; `first_to` waits for the first one to somebody."""

    def __init__(self, root: Path, tray: Tray) -> None:
        self._root, self._tray = root, tray
        self._known: set[str] = set()
        self._first: defaultdict[str, asyncio.Future[Seen]] = defaultdict(asyncio.get_running_loop().create_future)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        for seen in await asyncio.to_thread(lambda: list(self._fresh())):
            self._tray.wire.append(seen)
            if not self._first[seen.mailbox].done():
                self._first[seen.mailbox].set_result(seen)

    async def first_to(self, address: str) -> Seen | None:
        """None when patience runs out."""
        try:
            return await asyncio.wait_for(asyncio.shield(self._first[address.lower()]), PATIENCE)
        except TimeoutError:
            return None

    def _fresh(self) -> Iterator[Seen]:
        for envelope in sorted(self._root.glob("*.json")) if self._root.is_dir() else []:
            if envelope.name in self._known:
                continue
            self._known.add(envelope.name)
            told = json.loads(envelope.read_text(encoding="utf-8"))
            head = BytesHeaderParser().parsebytes(envelope.with_suffix(".eml").read_bytes())
            yield Seen(told["message_id"], told["mailbox"], parseaddr(str(head["Reply-To"]))[1])


class Post:
    """Brings all letters, each at its moment."""

    def __init__(self, victim: Victim, imap: ImapServer, tray: Tray, watcher: Watcher, *, seconds: float) -> None:
        self._victim, self._imap, self._tray, self._watcher, self._seconds = victim, imap, tray, watcher, seconds
        self._lines = asyncio.Semaphore(CONNECTIONS)
        self._counter = asyncio.Lock()  # the mailbox is filled through one connection
        self._mailbox: imaplib.IMAP4 | None = None
        self._began: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)  # who was written, by Message-ID

    async def bring(self, letters: Sequence[Letter]) -> None:
        """Returns when every copy of every letter was handed over."""
        with await asyncio.to_thread(self._imap.open) as self._mailbox:
            await asyncio.gather(*(self._brings(letter) for letter in letters))

    async def _brings(self, letter: Letter) -> None:
        rng = random.Random(f"post-{letter.number}")
        await asyncio.sleep(letter.moment * self._seconds)
        answered = reply_to = None
        if letter.answers is not None:
            await self._began[letter.answers.message_id].wait()
            seen = await self._watcher.first_to(letter.answers.sender) if letter.to_acknowledgement else None
            answered, reply_to = (seen.message_id, seen.reply_to) if seen else (letter.answers.message_id, None)
            if seen is None and letter.kind is not Kind.REPLY:
                answered = None  # nothing to report about yet
        if answered:
            self._tray.answered[letter.message_id] = answered
        raw = write(letter, answered=answered, reply_to=reply_to)
        # A plus-address is as good as the inbox's own.
        to = (reply_to,) if reply_to else letter.addressed
        copies = [*(self._by_smtp(letter, to, raw, rng) for _ in range(letter.by_smtp)), *(self._put(raw) for _ in range(letter.by_imap))]
        for copy in asyncio.as_completed(copies):
            await copy
            self._tray.handed_over[letter.message_id] = self._tray.handed_over.get(letter.message_id, 0) + 1
            self._began[letter.message_id].set()

    async def _put(self, raw: bytes) -> None:
        async with self._counter:
            assert self._mailbox is not None, "it is open while letters are brought"
            status, answer = await asyncio.to_thread(self._mailbox.append, "INBOX", None, None, raw)
            if status != "OK":
                raise RuntimeError(f"the mailbox refused a mail: {answer!r}")

    async def _by_smtp(self, letter: Letter, to: Sequence[str], raw: bytes, rng: random.Random) -> None:
        """As a mail server: keep it until 250, try again later and later, at whichever host of the domain answers."""
        wait, stored = 0.4, False
        while not self._tray.over:
            async with self._lines:
                code, words = await self._offer(rng.choice(list(self._victim.smtps.values())), letter, to, raw)
            if code == 250:
                self._tray.known += stored and letter.copy is Copy.NONE and "Known as" in words
                return
            if code >= 500:
                self._tray.refused.append(f"{letter.message_id}: {code} {words}")
            stored = stored or code == 0  # nobody can tell
            self._tray.again += 1
            await asyncio.sleep(wait * rng.uniform(0.7, 1.3))
            wait = min(LONGEST_WAIT, wait * 1.7)
        raise TimeoutError(f"{letter.message_id} was never taken")

    async def _offer(self, port: int, letter: Letter, to: Sequence[str], raw: bytes) -> tuple[int, str]:
        """The code and the words; 0 where the connection was lost or never came about."""
        sender = "" if letter.kind is Kind.BOUNCE else letter.sender
        try:
            async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, timeout=20, use_tls=False, start_tls=False) as client:
                self._victim.offered.set()
                turned_away, words = await client.sendmail(sender, list(to), raw)
        except aiosmtplib.SMTPRecipientsRefused as error:
            return error.recipients[0].code, error.recipients[0].message
        except aiosmtplib.SMTPResponseException as error:
            # The library makes an answer of its own of a connection that is closed on it.
            return (0 if error.code == -1 else error.code), error.message
        except (aiosmtplib.SMTPException, OSError):
            return 0, ""
        first = next(iter(turned_away.values()), None)
        return (first.code, first.message) if first else (250, words)


def mailbox(imap: ImapServer) -> list[tuple[str, bool]]:
    """(Message-ID, flagged as seen) of every mail in the mailbox. Blocks."""
    with imap.open() as client:
        client.select("INBOX", readonly=True)
        _status, answer = client.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])")
    found = []
    for item in answer:
        if isinstance(item, tuple):
            named = _HEADER.search(item[1])
            found.append((named[1].decode() if named else "", b"\\Seen" in item[0]))
    return found


async def all_seen(imap: ImapServer, *, seconds: float) -> bool:
    """Wait until nothing in the mailbox is unseen; False when time runs out."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with contextlib.suppress(OSError, imaplib.IMAP4.error):
            if await asyncio.to_thread(imap.count, "UNSEEN") == 0:
                return True
        await asyncio.sleep(1)
    return False
