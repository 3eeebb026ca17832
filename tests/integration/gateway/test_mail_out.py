"""Letters of a whole desk on their way out: where reports about them come back to, and what becomes of them then."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from channels.email.intake import InboxAddress
from channels.email.relay_checkup import Tried
from channels.email.signing import Algorithm, make_key
from channels.email.smtp_in import MailListener
from channels.email.smtp_out import SandboxSender
from channels.email.threading import CHECK, make_message_id, read_token
from desk_core.conversations import holding
from desk_core.conversations.entities import Attachment, Inbox, Message
from desk_core.conversations.files import NewFile, store_file
from desk_core.conversations.ports import RetryLater
from desk_core.kit.clock import FakeClock
from desk_core.lanes.entities import WorkItem
from desk_core.people import service as people
from desk_core.people.entities import ContactIdentity
from gateway import mail_inboxes, mail_signing
from gateway.file_links import FileLinks, LinkExpired
from gateway.mail_inboxes import MailOptions
from tests.conftest import MONDAY
from tests.integration.gateway.conftest import VERA, Post
from tests.unit.channels.email.mails import MemoryBlobs, Storing

pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)


class TestReports:
    async def test_come_back_to_the_very_conversation(self, post: Post) -> None:
        await post.vera_writes()
        answer = await post.answers()
        await post.desk.worker().drain()
        envelopes = [letter.letter.envelope_from for letter in await post.letters()]
        assert len(envelopes) > 1
        assert {read_token(one, post.desk.key) for one in envelopes} == {answer.conversation_id}
        assert {letter.letter.sender for letter in await post.letters()} == {"help@desk.example"}

    async def test_that_name_no_mail_of_ours_are_shown_at_the_last_one(self, post: Post) -> None:
        await post.vera_writes()
        answer = await post.answers()
        await post.desk.worker().drain()
        sent = (await post.letters())[-1]
        await post.comes(
            "From: MAILER-DAEMON@relay.example\nSubject: Undelivered Mail Returned to Sender\nMessage-ID: <r1@relay.example>",
            f"<{VERA}>: 550 5.1.1 no such person here\n\nMessage-ID: <changed-by-the-relay@relay.example>\n",
            envelope_from="",
            to=sent.letter.envelope_from,
        )
        failed = await post.message(answer.id)
        assert failed.delivery_state == "failed"
        assert "no such person here" in str(failed.delivery_reason)
        assert (await post.happened()).count("delivery_failed") == 1
        assert (await post.ticket()).unread
        async with post.desk.database.read() as session:
            identity = (await session.scalars(select(ContactIdentity).where(ContactIdentity.address == VERA))).one()
            report = (await session.scalars(select(Message).where(Message.verdict_code == "bounce"))).one()
        assert "no such person here" in str(identity.failed_reason)
        assert (report.conversation_id, report.ticket_id) == (answer.conversation_id, answer.ticket_id)
        assert len(await post.letters()) == 2, "nobody answers a report"

    async def test_of_a_delay_change_nothing(self, post: Post) -> None:
        await post.vera_writes()
        answer = await post.answers()
        await post.desk.worker().drain()
        await post.comes(
            "From: MAILER-DAEMON@relay.example\nSubject: Delayed Mail (still being retried)\nMessage-ID: <r1@relay.example>",
            f"<{VERA}>: 451 4.3.0 try again later, will be retried\n",
            envelope_from="",
            to=(await post.letters())[-1].letter.envelope_from,
        )
        assert (await post.message(answer.id)).delivery_state == "sent"
        assert "delivery_failed" not in await post.happened()


@pytest.mark.parametrize("zone", ["Asia/Vladivostok", None])
async def test_the_letter_answered_is_quoted_with_the_time_of_the_persons_clock(post: Post, clock: FakeClock, zone: str | None) -> None:
    async with post.desk.database.unit() as uow:
        contact = await people.identify(uow, channel="email", address=VERA, name="Вера", language=None, verified=True, now=clock.now())
        contact.time_zone = zone
    await post.vera_writes()
    local = clock.now().astimezone(ZoneInfo(zone or (await post.desk.context()).config.time_zone))
    assert f"{local:%d.%m.%Y %H:%M}, Вера" in (await post.letters())[0].text


class TestALetterOfARobotThatIsTakenUp:
    @pytest.mark.parametrize("sender", ["no-reply@shop.example", "mailer-daemon@shop.example", ""])
    async def test_opens_a_request_and_is_not_answered_by_itself(self, post: Post, sender: str) -> None:
        head = f"From: {sender}\n" if sender else ""
        await post.comes(f"{head}Subject: Принтер\nMessage-ID: <r1@shop.example>", "Не печатает принтер.", envelope_from=sender)
        async with post.desk.database.read() as session:
            held = (await session.scalars(select(Message))).one()
        ctx = await post.desk.context()
        async with post.desk.database.unit() as uow:
            await holding.release(uow, ctx, held.id, by="Ольга")
        await post.desk.worker().drain()
        assert (await post.ticket()).subject
        assert await post.letters() == []
        async with post.desk.database.read() as session:
            said = (await session.scalars(select(Message).where(Message.direction == "outbound"))).all()
        assert [message.delivery_state for message in said] == ["withheld"]


async def test_the_letter_of_a_check_waits_for_nobody(post: Post) -> None:
    message_id = make_message_id("m", CHECK, "desk.example", post.desk.key)
    await post.comes(f"From: help@desk.example\nSubject: check\nMessage-ID: <{message_id}>", "Seen?", envelope_from="help@desk.example")
    async with post.desk.database.read() as session:
        kept = (await session.scalars(select(Message))).one()
    assert (kept.verdict_code, kept.hold) == ("own_check", "left")
    assert await post.letters() == []


class Waiting:
    """A way out that has no room at the moment."""

    async def deliver(self, raw: bytes, *, sender: str, recipient: str) -> None:
        raise RetryLater("enough", after=timedelta(seconds=30), free=True)

    async def test(self) -> list[Tried]:
        return []

    async def close(self) -> None:
        """Holds nothing."""


async def test_a_letter_that_waits_for_the_pace_is_not_given_up(post: Post, clock: FakeClock) -> None:
    post.desk.way_out = lambda _relays: Waiting()  # type: ignore[method-assign]
    await post.vera_writes()
    for _ in range(15):
        clock.advance(timedelta(seconds=31))
        await post.desk.worker().drain()
    async with post.desk.database.read() as session:
        [item] = (await session.scalars(select(WorkItem).where(WorkItem.kind == "deliver"))).all()
    assert (item.attempts, item.last_error) == (0, "not sent: enough")


class TestLargeFiles:
    @staticmethod
    async def files(post: Post, *megabytes: int) -> list[NewFile]:
        kept = post.desk.blobs
        return [await store_file(kept, name=f"файл {size}.bin", content=bytes(size << 20), limit=50 << 20) for size in megabytes]

    async def test_beyond_the_limit_are_links(self, post: Post) -> None:
        await post.vera_writes()
        await post.answers(files=await self.files(post, 12, 1, 9))
        await post.desk.worker().drain()
        letter = (await post.letters())[-1]
        assert [file.name for file in letter.files] == ["файл 1.bin", "файл 9.bin"]
        assert "Слишком большие для письма" in letter.text
        [url] = re.findall(r"файл 12\.bin \(12 МБ\): (http://127\.0\.0\.1:8080/files/\S+)", letter.text)
        assert letter.html is not None
        assert url in letter.html
        links = FileLinks(post.desk.key)
        async with post.desk.database.read() as session:
            file = (await session.scalars(select(Attachment).where(Attachment.name == "файл 12.bin"))).one()
        token = url.rpartition("/")[2]
        now = post.desk.clock.now()
        assert links.read(token, now=now + timedelta(days=13, hours=23)) == file.id
        with pytest.raises(LinkExpired):
            links.read(token, now=now + timedelta(days=14))

    async def test_that_fit_go_along(self, post: Post) -> None:
        await post.vera_writes()
        await post.answers(files=await self.files(post, 7, 8))
        await post.desk.worker().drain()
        letter = (await post.letters())[-1]
        assert (len(letter.files), "/files/" in letter.text) == (2, False)


class TestRelaysOfItsOwn:
    """An inbox may have servers of its own; the desk's are for the others."""

    @pytest.fixture
    async def relay(self) -> AsyncIterator[MailListener]:
        listener = MailListener(
            "127.0.0.1", 0, inboxes=lambda address: InboxAddress("theirs", address), accept=Storing(), blobs=MemoryBlobs(),
            secret=b"theirs", clock=FakeClock(MONDAY),
        )  # fmt: skip
        await listener.start()
        yield listener
        await listener.stop()

    async def test_a_running_desk_goes_over_to_them_and_back(self, post: Post, relay: MailListener) -> None:
        async def goes_by(urls: str) -> int:
            async with post.desk.database.unit() as uow:
                inbox = await uow.session.get_one(Inbox, post.inbox.id)
                await mail_inboxes.set_mail(uow, inbox, MailOptions(smtp_url=urls), box=post.desk.box)
                version = inbox.version
            before = len(await post.letters())
            await post.desk.channel(post.inbox.id, version=version)
            await post.answers("Ответ.")
            await post.desk.worker().drain()
            return len(await post.letters()) - before

        await post.vera_writes()
        assert await goes_by(f"smtp://127.0.0.1:{relay.port}") == 0, "none is left in the sandbox"
        assert await goes_by("") == 1
        async with post.desk.database.read() as session:
            states = (await session.scalars(select(Message.delivery_state).where(Message.author_kind == "agent"))).all()
        assert states == ["sent", "sent"]

    async def test_inboxes_with_the_same_share_their_connections(self, post: Post) -> None:
        way_out = post.desk.way_out
        assert way_out("smtp://a.example") is way_out("smtp://a.example")
        assert way_out("smtp://b.example") is not way_out("smtp://a.example")
        assert isinstance(way_out(""), SandboxSender)


async def test_an_inbox_may_leave_its_letters_unsigned(post: Post) -> None:
    pair = make_key(Algorithm.ED25519)
    async with post.desk.database.unit() as uow:
        await mail_signing.add_key(uow, "desk.example", pair, selector="s1", box=post.desk.box, now=post.desk.clock.now())
    await post.vera_writes()
    async with post.desk.database.unit() as uow:
        inbox = await uow.session.get_one(Inbox, post.inbox.id, with_for_update=True)
        assert mail_inboxes.set_habits(inbox, dkim=False) == ["dkim"]
        version = inbox.version
    await post.desk.channel(post.inbox.id, version=version)
    await post.answers("Ответ.")
    await post.desk.worker().drain()
    signed = [b"DKIM-Signature: " in letter.raw for letter in await post.letters()]
    assert signed == [True, False]
