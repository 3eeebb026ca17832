"""One talk by mail: a report, its acknowledgement, an answer to that, and the next letter; and what has to be true of each."""

import hashlib
import re
import time
from dataclasses import dataclass, field

from benchmarks.mail_clients.mailboxes import Box
from benchmarks.mail_clients.programs import Client, Failed, Library, Report
from benchmarks.mail_clients.store import Store, Taken, header, references, until
from benchmarks.running import ADMIN, RunningDesk
from channels.email.sandbox.mailbox import Opened

NOT_YET = "it did not come to that"
ONE = "the mail is one request"
WORDS = "subject and text are as written"
FILE = "the file came whole, under its name"
ACKNOWLEDGED = "the acknowledgement threads to the mail"
ANSWERS = "the answer threads to the acknowledgement"
JOINS = "the answer joins the same request"
NEXT = "the next letter threads to the answer"
TALK = (ONE, WORDS, FILE, ACKNOWLEDGED, ANSWERS, JOINS, NEXT)
COMMITTED = "nothing is marked before the commit"
SETTLED = "each mail lies where it was to go"
IDLE = "IDLE told of it"
ONCE = "each mail was fetched once"
FETCHED = (SETTLED, IDLE, COMMITTED)
FETCHED_MAILS = 3
"""How many mails one talk puts into a mailbox."""
_MESSAGE_ID = re.compile(r"^<[^\s<>@]+@[^\s<>@]+>$")
_HELD = 3.0  # seconds that nobody can commit
_SOON = 15.0  # seconds; looking without IDLE is done once a minute


@dataclass(slots=True)
class Judged:
    """What was seen of one client: a complaint for each thing looked at, empty where all is well."""

    name: str
    found: dict[str, str] = field(default_factory=dict)
    seconds: float | None = None
    """From the end of sending the answer to its place in a request."""

    def note(self, what: str, complaint: str) -> None:
        self.found[what] = complaint


def threads(letter_id: str, answers: str, refs: tuple[str, ...], *, parent: str, parent_refs: tuple[str, ...]) -> str:
    """What RFC 5322, section 3.6.4, has against a letter that answers `parent`; empty: nothing."""
    if answers != parent:
        return f"In-Reply-To is {answers!r}, not {parent!r}"
    if refs != (*parent_refs, parent):
        return f"References are {refs}, not {(*parent_refs, parent)}"
    return "" if letter_id not in (parent, *parent_refs) else "its Message-ID was there before"


class Talk:
    """A client and the desk. `play` fills `judged`; what does not happen in time is a complaint as well."""

    def __init__(self, client: Client, desk: RunningDesk, store: Store, report: Report) -> None:
        self.client, self._desk, self._store, self._report = client, desk, store, report
        self.judged = Judged(client.name)
        self._took: float | None = None

    def play(self) -> Judged:
        for what in TALK:
            self.judged.note(what, NOT_YET)
        try:
            first, acknowledgement = self._begins()
            if first is not None and acknowledgement is not None:
                self._goes_on(first, acknowledgement)
        except Failed as error:
            self.judged.note(next(what for what, words in self.judged.found.items() if words == NOT_YET), str(error))
        return self.judged

    def _begins(self) -> tuple[Taken | None, Opened | None]:
        self.client.writes(self._report)
        first = until(lambda: next(iter(self._taken()), None))
        if first is None:
            self.judged.note(ONE, "the desk did not take the mail in time")
            return None, None
        acknowledgement = until(lambda: next(iter(self._store.letters(self.client.address)), None))
        tickets = {mail.ticket for mail in self._taken()}
        self.judged.note(ONE, "" if len(self._taken()) == 1 and tickets != {None} else f"requests {tickets}")
        said = (first.subject, first.about, first.text.strip())
        wanted = (self._report.subject, self._report.subject, self._report.text.strip())
        self.judged.note(WORDS, "" if said == wanted else f"{said} instead of {wanted}")
        file = self._report.file
        files = ((file[0], hashlib.sha256(file[1]).hexdigest()),) if file else ()
        self.judged.note(FILE, "" if first.files == files else f"{first.files} instead of {files}")
        if acknowledgement is None:
            self.judged.note(ACKNOWLEDGED, "no letter came")
        else:
            self.judged.note(ACKNOWLEDGED, self._threads(acknowledgement, first))
        return first, acknowledgement

    def _goes_on(self, first: Taken, acknowledgement: Opened) -> None:
        text = "Кабинет 305, HP LaserJet.\nС утра так."
        self.client.replies(acknowledgement, text)
        sent_at = time.monotonic()
        answer = until(lambda: next(iter(self._taken()[1:]), None))
        if answer is None:
            self.judged.note(ANSWERS, "the desk did not take the answer in time")
            return
        self._took = time.monotonic() - sent_at
        parent = acknowledgement.letter.message_id
        before = references(header(acknowledgement, "references"))
        self.judged.note(ANSWERS, threads(answer.message_id, answer.answers, answer.references, parent=parent, parent_refs=before))
        same = answer.ticket == first.ticket and len(self._taken()) == 2 and answer.text.strip() == text
        self.judged.note(JOINS, "" if same else f"request {answer.ticket}, not {first.ticket}, saying {answer.text!r}")
        words = f"Мастер придёт до обеда ({self.client.name})"
        self._desk.priyom("tickets", "reply", str(first.ticket), "--by", ADMIN[0], "--text", words)
        letters = self._store.letters
        letter = until(lambda: next((one for one in letters(self.client.address) if words in one.text), None))
        self.judged.note(NEXT, self._threads(letter, answer) if letter is not None else "no letter came")

    def _threads(self, letter: Opened, parent: Taken) -> str:
        own = header(letter, "message-id")
        if not _MESSAGE_ID.match(own):
            return f"Message-ID is {own!r}"
        answers, refs = header(letter, "in-reply-to").strip("<>"), references(header(letter, "references"))
        return threads(own.strip("<>"), answers, refs, parent=parent.message_id, parent_refs=parent.references)

    def _taken(self) -> list[Taken]:
        return self._store.taken(self.client.address)


class FetchedTalk(Talk):
    """The same where the mails are put into a mailbox that the desk fetches; `lies` is what becomes of a mail there."""

    def __init__(self, client: Library, desk: RunningDesk, store: Store, report: Report, *, box: Box, lies: str) -> None:
        super().__init__(client, desk, store, report)
        self.client: Library = client
        self.box, self._lies = box, lies

    def play(self) -> Judged:
        super().play()
        mails = [mail.message_id for mail in self._taken()]
        settled = until(lambda: all(self._settled(mail) for mail in mails) or None, seconds=20)
        self.judged.note(SETTLED, "" if settled and mails else f"{[self.box.place(mail) for mail in mails]}, not {self._lies!r}")
        self.judged.seconds = self._took
        self.judged.note(IDLE, "" if self._took is not None and self._took < _SOON else f"the answer took {self._took} s")
        self.judged.note(COMMITTED, self._holds_back())
        return self.judged

    def _settled(self, mail: str) -> bool | None:
        return self.box.place(mail) == self._lies or None

    def _holds_back(self) -> str:
        """One more mail while nobody can commit: it has to lie there as it came, and to go its way afterwards."""
        with self._store.locked():
            self.client.writes(Report("Ещё одно", "Пока в базу нельзя писать."))
            mail = self.client.sent[-1]
            time.sleep(_HELD)
            held = self.box.place(mail)
        if held != f"{self.box.folder} unseen":
            return f"it is {held!r} while nothing can be committed"
        if until(lambda: self._settled(mail), seconds=40) is None:
            return f"it is {self.box.place(mail)!r} when the store is free again"
        return "" if self._store.kept(mail) == 1 else f"it was committed {self._store.kept(mail)} times"
