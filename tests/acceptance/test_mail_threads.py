"""Which request a letter belongs to, and who may decide in it: letters over a real SMTP connection to our listener."""

import pytest
from sqlalchemy import select

from desk_core.people.entities import ContactIdentity
from desk_core.tickets import service
from tests.acceptance.house import House
from tests.acceptance.test_mail_stories import PRINTER, number_of

pytestmark = pytest.mark.timeout(300)


class TestThreads:
    async def test_by_references_though_the_token_is_lost(self, house: House) -> None:
        vera = house.correspondent()
        await vera.writes("Принтер", PRINTER)
        letter = await vera.hears()
        headers = {"In-Reply-To": f"<{letter.letter.message_id}>", "References": f"<{letter.letter.message_id}>"}
        await vera.writes("Совсем другая тема", "Ещё и скрипит", headers=headers)
        await house.quiet()
        ticket = await house.ticket(number_of(letter))
        joined = next(message for message in ticket["messages"] if message["text"] == "Ещё и скрипит")
        assert joined["verdict"]["code"] in ("joined_references", "joined_token")

    async def test_by_the_persons_own_first_letter(self, house: House) -> None:
        vera = house.correspondent()
        first = await vera.writes("Принтер", PRINTER)
        number = number_of(await vera.hears())
        await vera.writes("Re: Принтер", "Забыла: кабинет 305", headers={"In-Reply-To": f"<{first}>", "References": f"<{first}>"})
        await house.quiet()
        messages = (await house.ticket(number))["messages"]
        assert next(message for message in messages if message["text"] == "Забыла: кабинет 305")["verdict"]["code"] == "joined_references"

    async def test_by_a_number_that_the_sender_owns(self, house: House) -> None:
        vera = house.correspondent()
        await vera.writes("Принтер", PRINTER)
        number = number_of(await vera.hears())
        await vera.writes(f"По обращению #{number}", "Принтер стоит в кабинете 305")
        await house.quiet()
        joined = [m for m in (await house.ticket(number))["messages"] if m["text"] == "Принтер стоит в кабинете 305"]
        assert [message["verdict"]["code"] for message in joined] == ["joined_number"]
        assert len(await house.tickets(vera.address)) == 1

    async def test_a_number_of_somebody_else_opens_a_request_of_its_own(self, house: House) -> None:
        vera, stranger = house.correspondent(), house.correspondent()
        await vera.writes("Принтер", PRINTER)
        number = number_of(await vera.hears())
        before = len((await house.ticket(number))["messages"])
        await stranger.writes(f"По обращению #{number}", "Пришлите мне всю переписку по этому обращению, пожалуйста")
        await house.quiet()
        assert len((await house.ticket(number))["messages"]) == before
        own = await house.tickets(stranger.address)
        assert [one["number"] != number for one in own] == [True]
        kept = (await house.ticket(own[0]["number"]))["messages"]
        assert next(message for message in kept if message["direction"] == "inbound")["verdict"]["code"] == "number_not_owned"


class TestWhoKnowsAThreadAndIsNotItsPerson:
    """A token and a Message-ID are known to everybody who got a copy of a letter: they prove nothing about who writes."""

    @pytest.mark.parametrize("by", ["reference", "token"])
    async def test_their_words_join_and_decide_nothing(self, house: House, by: str) -> None:
        vera, eve = house.correspondent(name="Вера"), house.correspondent(name="Ева")
        await vera.writes("Принтер", PRINTER)
        opened = await vera.hears()
        number = number_of(opened)
        headers = {"References": f"<{opened.letter.message_id}>"} if by == "reference" else {}
        to = opened.reply_to if by == "token" else None
        await eve.writes(f"Re: {opened.letter.subject}", "Закройте заявку, всё решено.", headers=headers, to=to)
        await house.quiet()
        ticket = await house.ticket(number)
        assert ticket["status"] != "closed"
        assert ticket["contact"]["name"] == "Вера"
        joined = next(one for one in ticket["messages"] if "Закройте" in one["text"])
        assert joined["verdict"]["code"] == "another_address"
        await house.acts(service.reply, number, text="Мастер придёт в три.")
        await house.quiet()
        await vera.hears(matching="Мастер придёт")
        assert await house.letters(eve.address) == [], "neither answers nor the secret page go to whoever only knew the thread"


class TestALetterUnderATakenId:
    async def test_is_kept_beside_the_other(self, house: House) -> None:
        vera, eve = house.correspondent(), house.correspondent()
        await eve.writes("Вопрос", "Как сбросить пароль от портала?", headers={"Message-ID": "<device@x.example>"})
        await vera.writes("Принтер", PRINTER, headers={"Message-ID": "<device@x.example>"})
        await vera.hears()
        await vera.writes("Принтер", PRINTER, headers={"Message-ID": "<device@x.example>"})
        await house.quiet()
        assert len(await house.tickets(vera.address)) == 1, "the very same letter again is the same letter"


class TestTheSameWordsAgain:
    async def test_after_it_was_solved_the_trouble_is_back(self, house: House) -> None:
        vera = house.correspondent()
        await vera.writes("Принтер", PRINTER)
        number = number_of(await vera.hears())
        await house.acts(service.resolve, number, text="Готово.")
        await house.quiet()
        await vera.writes("Принтер", PRINTER)
        await house.quiet()
        assert len(await house.tickets(vera.address)) == 2


class TestAReportOfSomebodyElse:
    async def test_marks_no_address_that_nothing_of_ours_went_to(self, house: House) -> None:
        vera, eve = house.correspondent(), house.correspondent()
        mine = await vera.writes("Принтер", PRINTER)
        number = number_of(await vera.hears())
        refused = f"The mail could not be delivered.\n\n<{vera.address}>: 550 5.1.1 no such user"
        report = f"{refused}\n\n--- Original message ---\nMessage-ID: {mine}\n"
        await eve.writes("Undelivered Mail Returned to Sender", report, headers={"X-Failed-Recipients": vera.address})
        await house.quiet()
        async with house.front.database.read() as session:
            assert await session.scalar(select(ContactIdentity.failed_at).where(ContactIdentity.address == vera.address)) is None
        ticket = await house.ticket(number)
        assert not any(one.get("delivery_state") == "failed" for one in ticket["messages"])


class TestOtherAddressesOfTheInbox:
    async def test_one_letter_to_it_and_to_an_alias_is_one_request_and_its_answers_come_from_the_inbox(self, house: House) -> None:
        alias, old = "it@desk.test", "помощь@старая-фирма.рф"
        await house.takes_mail_for(alias, old)
        vera = house.correspondent(name="Вера")
        message_id = await vera.writes("Принтер", PRINTER, to=alias, cc=[house.support])
        copy = f"From: {vera.address}\nTo: {alias}\nCc: {house.support}\nMessage-ID: <{message_id}>\nSubject: Принтер\n\n{PRINTER}"
        for recipient in (house.support, "it+x@desk.test"):  # as servers do that deliver to each recipient by itself
            await house.takes(copy.encode(), sender=vera.address, to=recipient)
        opened = await vera.hears()
        await house.quiet()
        (ticket,) = await house.tickets(vera.address)
        assert len(await house.letters(vera.address)) == 1, "one acknowledgement"
        assert opened.letter.sender == house.support
        await vera.replies(opened, "Кабинет 305", cc=[alias])
        await vera.writes("Re: Принтер", "И замялась бумага", to=alias, headers={"References": f"<{message_id}>"})
        await house.quiet()
        said = [one["text"] for one in (await house.ticket(ticket["number"]))["messages"] if one["direction"] == "inbound"]
        assert [any(words in text for text in said) for words in ("Кабинет 305", "И замялась бумага")] == [True, True]
        assert len(await house.tickets(vera.address)) == 1
        await house.acts(service.reply, ticket["number"], text="Мастер придёт в три.")
        answer = await vera.hears(matching="Мастер придёт")
        assert answer.letter.sender == house.support
