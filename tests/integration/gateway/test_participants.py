"""People in copy: kept from the requester's letter where the inbox wants it, answered in copy, heard, and never more than that."""

from email.parser import BytesParser
from email.policy import default

import pytest
from sqlalchemy import select, update

from channels.email.sandbox.mailbox import Opened
from desk_core.conversations.entities import Inbox, Message
from desk_core.kit.errors import NotFound
from desk_core.people.entities import Agent
from desk_core.tickets import copies, participants
from desk_core.tickets.copies import NotOnRequest
from desk_core.tickets.entities import Ticket, TicketParticipant
from desk_core.tickets.participants import AlreadyThere, NoAddress, OwnAddress
from tests.integration.gateway.conftest import VERA, Post

BOSS, ANNA = "boss@example.com", "anna@example.com"
CROWD = (
    f"\nCc: Начальник <{BOSS}>, no-reply@shop.example, office-list@example.com, help+x@desk.example, MAILER-DAEMON@example.com"
    f"\nBcc: hidden@example.com"
)


@pytest.fixture
async def post(post: Post) -> Post:
    """An inbox that keeps people in copy."""
    async with post.desk.database.unit() as uow:
        await uow.execute(update(Inbox).values(config={"participants": True}, version=Inbox.version + 1))
    return post


async def present(post: Post) -> list[str]:
    async with post.desk.database.read() as session:
        return [one.address for one in await copies.of(session, (await post.ticket()).id)]


async def act(post: Post, what: str, address: str) -> None:
    ticket, ctx = await post.ticket(), await post.desk.context()
    async with post.desk.database.unit() as uow:
        await getattr(participants, what)(uow, ctx, ticket.id, by=post.agent, address=address)


async def sent_to(post: Post, address: str) -> list[Opened]:
    return [letter for letter in await post.letters() if letter.letter.recipient == address]


def header(letter: Opened, name: str) -> str:
    return str(BytesParser(policy=default).parsebytes(letter.raw)[name] or "")


async def boss_replies(post: Post, text: str, *, to: str = VERA, number: int = 1) -> None:
    answered = (await sent_to(post, BOSS))[-1].letter.message_id
    head = f"From: Начальник <{BOSS}>\nSubject: Re: Принтер\nMessage-ID: <boss{number}@example.com>\nReferences: <{answered}>\nCc: {to}"
    await post.comes(head, text, envelope_from=BOSS)


async def answered(post: Post, text: str = "Уже идём.", **options: object) -> Message:
    message = await post.answers(text, **options)
    await post.desk.worker().drain()
    return message


class TestWhoIsKept:
    async def test_people_of_to_and_cc_but_no_robots_no_lists_no_blind_copies_and_not_ourselves(self, post: Post) -> None:
        await post.vera_writes(headers=CROWD)
        assert await present(post) == [BOSS]

    async def test_nobody_where_the_inbox_does_not_ask_for_it(self, post: Post) -> None:
        async with post.desk.database.unit() as uow:
            await uow.execute(update(Inbox).values(config={}, version=Inbox.version + 1))
        await post.vera_writes(headers=CROWD)
        await answered(post)
        assert await present(post) == []
        assert await sent_to(post, BOSS) == []

    async def test_who_was_removed_stays_so_whatever_later_letters_say(self, post: Post) -> None:
        await post.vera_writes(headers=f"\nCc: {BOSS}")
        await act(post, "remove", BOSS)
        letter = (await post.letters())[0]
        await post.vera_writes("Ещё одно.", headers=f"\nCc: {BOSS}\nReferences: <{letter.letter.message_id}>")
        assert await present(post) == []
        with pytest.raises(NotFound):
            await act(post, "remove", BOSS)
        await act(post, "add", BOSS)
        assert await present(post) == [BOSS]

    async def test_no_more_than_twenty(self, post: Post) -> None:
        await post.vera_writes(headers="\nCc: " + ", ".join(f"p{one}@example.com" for one in range(40)))
        assert len(await present(post)) == copies.MOST

    async def test_an_operator_adds_an_address_and_nothing_else(self, post: Post) -> None:
        await post.vera_writes()
        for wrong in ("", "nobody", "a@b", "a@b.c\nBcc: d@e.f", f"{ANNA}, {BOSS}"):
            with pytest.raises(NoAddress):
                await act(post, "add", wrong)
        await act(post, "add", f" {ANNA.upper()} ")
        assert await present(post) == [ANNA]
        for there in (ANNA, VERA):
            with pytest.raises(AlreadyThere):
                await act(post, "add", there)
        assert "participant_added" in await post.happened()

    @pytest.mark.parametrize("address", ["help@desk.example", "Help+x@desk.example"])
    async def test_the_desk_itself_is_nobody_to_copy_in(self, post: Post, address: str) -> None:
        await post.vera_writes()
        with pytest.raises(OwnAddress):
            await act(post, "add", address)
        assert await present(post) == []


class TestWhoGetsALetter:
    async def test_the_acknowledgement_goes_to_the_sender_alone(self, post: Post) -> None:
        await post.vera_writes(headers=f"\nCc: {BOSS}")
        (letter,) = await post.letters()
        assert letter.letter.recipient == VERA
        assert header(letter, "Cc") == ""

    async def test_an_answer_goes_to_the_requester_with_the_others_in_copy(self, post: Post) -> None:
        await post.vera_writes(headers=f"\nCc: Начальник <{BOSS}>")
        await answered(post)
        (copy,), mine = await sent_to(post, BOSS), (await sent_to(post, VERA))[-1]
        for letter in (copy, mine):
            assert header(letter, "To").endswith(f"<{VERA}>")
            assert header(letter, "Cc") == f"Начальник <{BOSS}>"
            assert header(letter, "Bcc") == ""
        assert copy.letter.message_id == mine.letter.message_id, "one letter, whoever reads it"

    async def test_a_copy_holds_no_way_to_close_or_rate(self, post: Post) -> None:
        await post.vera_writes(headers=f"\nCc: {BOSS}")
        await answered(post, resolve=True)
        ticket = await post.ticket()
        (copy,), mine = await sent_to(post, BOSS), (await sent_to(post, VERA))[-1]
        assert ticket.token in mine.text
        assert ticket.token not in copy.raw.decode()
        assert f"#{ticket.number}" in copy.text

    async def test_only_who_was_on_the_letter_answered_unless_an_operator_added_them(self, post: Post) -> None:
        await post.vera_writes(headers=f"\nCc: {BOSS}")
        first = (await post.letters())[0]
        await post.vera_writes("Только вам: пароль 123.", headers=f"\nReferences: <{first.letter.message_id}>")
        await answered(post)
        assert await sent_to(post, BOSS) == []
        await act(post, "add", ANNA)
        await answered(post, "Второй ответ.")
        assert (len(await sent_to(post, BOSS)), len(await sent_to(post, ANNA))) == (0, 1)
        await act(post, "add", BOSS)
        await answered(post, "Третий ответ.")
        assert len(await sent_to(post, BOSS)) == 1, "the operator has added them"

    async def test_an_operator_chooses_among_the_people_of_the_request(self, post: Post) -> None:
        await post.vera_writes(headers=f"\nCc: {BOSS}")
        await answered(post, copies=[])
        assert await sent_to(post, BOSS) == []
        with pytest.raises(NotOnRequest):
            await post.answers(copies=[ANNA])
        await answered(post, copies=[BOSS])
        assert len(await sent_to(post, BOSS)) == 1

    async def test_a_copy_that_comes_back_is_told_and_the_answer_stays_delivered(self, post: Post) -> None:
        await post.vera_writes(headers=f"\nCc: {BOSS}")
        message = await answered(post)
        (copy,) = await sent_to(post, BOSS)
        report = (
            f"--r\nContent-Type: text/plain\n\nno such user\n\n--r\nContent-Type: message/delivery-status\n\n"
            f"Reporting-MTA: dns; example.com\n\n"
            f"Final-Recipient: rfc822; {BOSS}\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 no such user\n\n"
            f"--r\nContent-Type: text/rfc822-headers\n\nMessage-ID: <{copy.letter.message_id}>\n\n--r--\n"
        )
        head = (
            "From: MAILER-DAEMON@example.com\nSubject: Undelivered\nMessage-ID: <b1@example.com>\nMIME-Version: 1.0\n"
            "Content-Type: multipart/report; report-type=delivery-status; boundary=r"
        )
        await post.comes(head, report, envelope_from="")
        assert (await post.message(message.id)).delivery_state == "sent"
        assert "copy_failed" in await post.happened()
        assert "delivery_failed" not in await post.happened()


class TestAParticipantWrites:
    async def test_it_joins_and_is_shown_as_theirs(self, post: Post) -> None:
        await post.vera_writes(headers=f"\nCc: {BOSS}")
        await answered(post)
        before = len(await post.letters())
        await boss_replies(post, "Принтер стоит у меня в кабинете, не печатает совсем.")
        ticket = await post.ticket()
        async with post.desk.database.read() as session:
            told = (await session.scalars(select(Message).where(Message.verdict_code == "participant"))).one()
        assert (told.author, told.ticket_id) == ("Начальник", ticket.id)
        assert (ticket.last_speaker_name, ticket.unread) == ("Начальник", True)
        assert len(await post.letters()) == before, "nobody is told anything"

    @pytest.mark.parametrize("words", ["Спасибо, всё работает!", "Решено, можно закрывать.", "5", "Отмените заявку."])
    async def test_it_closes_rates_and_cancels_nothing(self, post: Post, words: str) -> None:
        await post.vera_writes(headers=f"\nCc: {BOSS}")
        await answered(post, resolve=True)
        await boss_replies(post, words)
        ticket = await post.ticket()
        assert ticket.status in ("resolved", "open")
        assert ticket.rating_score is None

    async def test_the_answer_to_it_goes_to_the_requester_and_who_was_on_it(self, post: Post) -> None:
        await post.vera_writes(headers=f"\nCc: {BOSS}, {ANNA}")
        await answered(post)
        await boss_replies(post, "Когда придёте? Только между нами: не продлевайте договор.", to="nobody@elsewhere.example")
        await answered(post, "Через час.")
        last = (await sent_to(post, VERA))[-1]
        assert "Через час." in last.text
        assert header(last, "Cc") == BOSS or header(last, "Cc").endswith(f"<{BOSS}>")
        assert len(await sent_to(post, ANNA)) == 1, "she was not on the letter answered"
        assert "между нами" not in last.text, "what the requester was not sent is not quoted to them"

    async def test_the_number_is_theirs_too(self, post: Post) -> None:
        await post.vera_writes(headers=f"\nCc: {BOSS}")
        number = (await post.ticket()).number
        head = f"From: {BOSS}\nSubject: [#{number}] принтер\nMessage-ID: <n1@example.com>"
        await post.comes(head, "Бумага есть.", envelope_from=BOSS)
        async with post.desk.database.read() as session:
            assert len((await session.scalars(select(Ticket))).all()) == 1
        head = f"From: stranger@example.com\nSubject: [#{number}] принтер\nMessage-ID: <n2@example.com>"
        await post.comes(head, "Тоже хочу. Не печатает принтер.", envelope_from="stranger@example.com")
        async with post.desk.database.read() as session:
            assert len((await session.scalars(select(Ticket))).all()) == 2

    async def test_whom_they_copy_in_is_not_on_the_request(self, post: Post) -> None:
        await post.vera_writes(headers=f"\nCc: {BOSS}")
        await answered(post)
        await boss_replies(post, "Добавляю коллегу.", to=f"{VERA}, {ANNA}")
        assert await present(post) == [BOSS]


async def test_the_table_knows_who_added_whom(post: Post) -> None:
    await post.vera_writes(headers=f"\nCc: {BOSS}")
    await act(post, "add", ANNA)
    async with post.desk.database.read() as session:
        rows = {one.address: one.added_by for one in await session.scalars(select(TicketParticipant))}
        agent = await session.get_one(Agent, post.agent.id)
    assert rows == {BOSS: None, ANNA: agent.name}
