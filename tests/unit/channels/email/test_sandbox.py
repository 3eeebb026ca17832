"""The mail sandbox: a mailbox on disk, its pages, and a pretend customer who writes by real SMTP."""

import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI

from channels.email.compose import Mailbox, compose, to_bytes
from channels.email.intake import InboxAddress
from channels.email.sandbox.correspondent import Correspondent, NothingHeard
from channels.email.sandbox.mailbox import MailSandbox
from channels.email.sandbox.pages import create_pages
from channels.email.smtp_in import MailListener
from desk_core.conversations.ports import InboundKind
from desk_core.kit.clock import FakeClock
from tests.unit.channels.email.mails import INBOX, NOW, SECRET, SUPPORT, MemoryBlobs, Storing
from tests.unit.channels.email.test_compose import CONVERSATION, MESSAGE

ANNA = "anna@example.com"


class Post:
    """A sandbox with its pages, and a desk that listens and stores."""

    def __init__(self, root: Path) -> None:
        self.sandbox, self.accept = MailSandbox(root, keep=5), Storing()
        self.listener = MailListener(
            "127.0.0.1",
            0,
            inboxes=lambda address: InboxAddress(INBOX, SUPPORT) if address == SUPPORT else None,
            accept=self.accept,
            blobs=MemoryBlobs(),
            secret=SECRET,
            clock=FakeClock(NOW),
        )
        app = FastAPI()
        app.include_router(create_pages(self.sandbox, smtp=lambda: ("127.0.0.1", self.listener.port), inboxes=self._inboxes))
        self.http = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://desk.example")

    async def _inboxes(self) -> Sequence[tuple[str, str]]:
        return [(SUPPORT, "Support")]

    def anna(self) -> Correspondent:
        return Correspondent(ANNA, sandbox=self.sandbox, smtp=("127.0.0.1", self.listener.port), desk=SUPPORT, name="Анна")

    async def desk_writes(self) -> str:
        raw = to_bytes(compose(MESSAGE, mailbox=Mailbox(SUPPORT, "Support"), secret=SECRET))
        return (await self.sandbox.put(raw, sender=SUPPORT, recipient=ANNA)).id


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    post = Post(tmp_path / "mail")
    await post.listener.start()
    yield post
    await post.http.aclose()
    await post.listener.stop()


class TestCorrespondent:
    async def test_writes_to_the_desk(self, post: Post) -> None:
        written = await post.anna().writes("Принтер", "Не печатает", ("Фото.png", "image/png", b"\x89PNG"))
        stored = post.accept.stored[written]
        assert (stored.text, stored.subject, stored.sender.name) == ("Не печатает", "Принтер", "Анна")
        assert [file.name for file in stored.files] == ["Фото.png"]

    async def test_hears_and_replies_in_the_thread(self, post: Post) -> None:
        await post.desk_writes()
        anna = post.anna()
        heard = await anna.hears(timeout=5, matching="#1042")
        replied = post.accept.stored[await anna.replies(heard, "Принтер номер 305")]
        assert replied.text == "Принтер номер 305"
        assert replied.tokens == (CONVERSATION,)
        assert replied.references[-1] == heard.letter.message_id
        with pytest.raises(NothingHeard):
            await anna.hears(timeout=0.1)


class TestMailbox:
    async def test_forgets_the_oldest(self, post: Post) -> None:
        kept = [await post.desk_writes() for _ in range(7)]
        assert [letter.id for letter in await post.sandbox.letters()] == kept[:1:-1]
        assert await post.sandbox.open(kept[0]) is None

    @pytest.mark.parametrize("letter_id", ["", "../../etc/passwd", "0" * 36])
    async def test_knows_no_strange_ids(self, post: Post, letter_id: str) -> None:
        assert await post.sandbox.open(letter_id) is None


class TestPages:
    @pytest.mark.parametrize("language", ["ru", "en"])
    async def test_show_letters_and_forms(self, post: Post, language: str) -> None:
        letter_id = await post.desk_writes()
        listed = await post.http.get("/sandbox/mail", params={"box": ANNA, "lang": language})
        assert f"/sandbox/mail/{letter_id}" in listed.text
        opened = await post.http.get(f"/sandbox/mail/{letter_id}")
        for piece in ("Обращение #1042 принято.", "<iframe", "sandbox", 'action="/sandbox/mail/', "<textarea"):
            assert piece in opened.text
        assert "<script>" not in opened.text
        assert "style=" not in opened.text

    async def test_html_is_locked_away(self, post: Post) -> None:
        letter_id = await post.desk_writes()
        answer = await post.http.get(f"/sandbox/mail/{letter_id}/html")
        assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
        assert "<strong>#1042</strong>" in answer.text
        gone = await post.http.get("/sandbox/mail/unknown/html")
        assert (gone.status_code, "no such letter" in gone.text) == (404, True)

    async def test_the_source_can_be_read_and_saved(self, post: Post) -> None:
        letter_id = await post.desk_writes()
        assert "Message-ID:" in (await post.http.get(f"/sandbox/mail/{letter_id}/source")).text
        saved = await post.http.get(f"/sandbox/mail/{letter_id}/source", params={"download": "1"})
        assert saved.headers["content-disposition"].startswith("attachment")

    async def test_a_customer_writes_through_real_smtp(self, post: Post) -> None:
        form = {"sender": ANNA, "name": "Анна", "to": SUPPORT, "subject": "Принтер", "text": "Не печатает"}
        answer = await post.http.post("/sandbox/mail/write", data=form, files={"files": ("Фото.png", b"\x89PNG", "image/png")})
        assert answer.status_code == 303
        (stored,) = post.accept.stored.values()
        assert (stored.text, [file.name for file in stored.files]) == ("Не печатает", ["Фото.png"])

    async def test_a_customer_replies(self, post: Post) -> None:
        letter_id = await post.desk_writes()
        assert (await post.http.post(f"/sandbox/mail/{letter_id}/reply", data={"text": "305"})).status_code == 303
        assert [message.tokens for message in post.accept.stored.values()] == [(CONVERSATION,)]

    @pytest.mark.parametrize(
        ("what", "kind", "verdict", "permanent"),
        [
            ("away", InboundKind.MESSAGE, "out_of_office", None),
            ("bounce", InboundKind.BOUNCE, "bounce", True),
            ("delay", InboundKind.BOUNCE, "bounce", False),
        ],
    )
    async def test_machines_answer_as_they_do(self, post: Post, what: str, kind: InboundKind, verdict: str, permanent: bool | None) -> None:
        letter_id = await post.desk_writes()
        assert (await post.http.post(f"/sandbox/mail/{letter_id}/robot", data={"what": what})).status_code == 303
        (message,) = post.accept.stored.values()
        assert (message.kind, message.verdict, message.held, message.card.get("permanent")) == (kind, verdict, True, permanent)
        if kind is InboundKind.BOUNCE:
            assert message.card["address"] == ANNA
            sent = (await post.http.get("/sandbox/mail/api/messages", params={"mailbox": ANNA})).json()[0]
            assert message.edits == sent["message_id"], "the report says which of our letters it is about"

    async def test_a_refused_letter_loses_nothing_typed(self, post: Post) -> None:
        form = {"sender": ANNA, "to": "nobody@desk.example", "subject": "S", "text": "A long <b>story</b>"}
        answer = await post.http.post("/sandbox/mail/write", data=form)
        assert answer.status_code == 422
        assert "A long &lt;b&gt;story&lt;/b&gt;" in answer.text
        assert "550" in answer.text

    async def test_a_refusal_is_told_in_the_servers_own_words(self, post: Post) -> None:
        answer = await post.http.post(
            "/sandbox/mail/write", data={"sender": ANNA, "to": "nobody@desk.example", "subject": "S", "text": "T"}
        )
        told = re.search(r'role="alert">([^<]+)<', answer.text)
        assert told is not None
        assert re.fullmatch(r"The desk did not take this letter: 550 [\w .,:]+", told[1]), told[1]

    async def test_a_desk_that_does_not_listen_is_told(self, post: Post) -> None:
        await post.listener.stop()
        answer = await post.http.post("/sandbox/mail/write", data={"sender": ANNA, "to": SUPPORT, "text": "T"})
        assert (answer.status_code, "The desk does not listen for mail right now." in answer.text) == (422, True)

    @pytest.mark.parametrize(
        ("typed", "field"), [({"sender": "anna"}, "write-sender"), ({"to": "x"}, "write-to"), ({"cc": "boris@a.example, b"}, "write-cc")]
    )
    async def test_what_is_no_address_is_told_at_its_field(self, post: Post, typed: dict[str, str], field: str) -> None:
        form = {"sender": ANNA, "to": SUPPORT, "text": "T", **typed}
        answer = await post.http.post("/sandbox/mail/write", data=form)
        assert answer.status_code == 422
        assert f'id="{field}-error"' in answer.text
        assert f'aria-describedby="{field}-error"' in answer.text
        assert f'<a href="#{field}">' in answer.text, "a summary above the letters leads to the field below them"
        assert not post.accept.stored

    async def test_an_address_of_another_alphabet_writes(self, post: Post) -> None:
        page = (await post.http.get("/sandbox/mail")).text
        assert 'type="email"' not in page, "browsers refuse such an address there"
        form = {"sender": "Иван@почта.рф", "name": "Иван", "to": SUPPORT, "subject": "Принтер", "text": "Не печатает"}
        assert (await post.http.post("/sandbox/mail/write", data=form)).status_code == 303
        (stored,) = post.accept.stored.values()
        assert stored.sender.address == "иван@почта.рф"

    async def test_an_empty_letter_and_one_in_html_go(self, post: Post) -> None:
        for typed in ({"text": ""}, {"text": "plain", "html": "<p><b>rich</b></p>"}):
            form = {"sender": ANNA, "to": SUPPORT, "subject": "S", **typed}
            assert (await post.http.post("/sandbox/mail/write", data=form)).status_code == 303
        assert [message.html for message in post.accept.stored.values()] == [None, "<p><b>rich</b></p>\n"]

    async def test_a_letter_file_goes_as_a_file(self, post: Post) -> None:
        form = {"sender": ANNA, "to": SUPPORT, "subject": "S", "text": "T"}
        files = {"files": ("письмо.eml", b"Subject: x\r\n\r\nhello", "message/rfc822")}
        assert (await post.http.post("/sandbox/mail/write", data=form, files=files)).status_code == 303
        (stored,) = post.accept.stored.values()
        assert [file.name for file in stored.files] == ["письмо.eml"]

    async def test_whoever_is_copied_in_finds_it_and_answers_all(self, post: Post) -> None:
        boris = "boris@firma.example"
        form = {"sender": ANNA, "to": SUPPORT, "cc": f"{boris}, {SUPPORT}", "subject": "Принтер", "text": "Не печатает"}
        assert (await post.http.post("/sandbox/mail/write", data=form)).status_code == 303
        (letter,) = await post.sandbox.letters(boris)
        page = (await post.http.get(f"/sandbox/mail/{letter.id}")).text
        assert f"also to {SUPPORT}" in page
        await post.http.post(f"/sandbox/mail/{letter.id}/reply", data={"text": "To Anna alone"})
        assert len(post.accept.stored) == 1, "what is not for the desk does not go there"
        await post.http.post(f"/sandbox/mail/{letter.id}/reply", data={"text": "To all", "all": "1"})
        assert [message.sender.address for message in post.accept.stored.values()] == [ANNA, boris]
        assert [one.sender for one in await post.sandbox.letters(ANNA)] == [boris, boris]

    async def test_a_thread_holds_its_letters_and_waits_for_the_answer(self, post: Post) -> None:
        letter_id = await post.desk_writes()
        for _ in range(2):
            seen = await post.http.post(f"/sandbox/mail/{letter_id}/reply", data={"text": "305"})
        await post.http.post(f"/sandbox/mail/{letter_id}/robot", data={"what": "bounce"})
        page = (await post.http.get(seen.headers["location"])).text
        thread = page.split('id="thread"')[1].split("</section>")[0]
        assert thread.count("/sandbox/mail/") == 4, "the report stands at the letter that it is about"
        assert "appears here by itself" in page
        listed = (await post.http.get("/sandbox/mail", params={"box": ANNA})).text
        assert listed.split('id="letters-part"')[1].count("<li>") == 1
        newest = (await post.http.get("/sandbox/mail/api/newest", params={"box": ANNA})).text
        assert newest == (await post.sandbox.letters(ANNA))[0].id
        assert "setInterval" in (await post.http.get("/sandbox/mail/mail.js")).text

    @pytest.mark.parametrize(("what", "told"), [("away", "Nobody answers a robot"), ("bounce", "no such address"), ("delay", "delayed")])
    async def test_nobody_is_told_to_wait_for_an_answer_to_a_machine(self, post: Post, what: str, told: str) -> None:
        letter_id = await post.desk_writes()
        answer = await post.http.post(f"/sandbox/mail/{letter_id}/robot", data={"what": what})
        page = (await post.http.get(answer.headers["location"])).text
        assert told in page
        assert "appears here" not in page

    async def test_tests_read_letters_as_json(self, post: Post) -> None:
        await post.desk_writes()
        (letter,) = (await post.http.get("/sandbox/mail/api/messages", params={"mailbox": ANNA})).json()
        assert (letter["subject"], letter["recipient"], letter["headers"]["auto-submitted"]) == (
            "[#1042] Принтер",
            ANNA,
            "auto-replied",
        )

    async def test_an_unknown_letter_is_told(self, post: Post) -> None:
        assert (await post.http.get(f"/sandbox/mail/{'0' * 36}")).status_code == 404
