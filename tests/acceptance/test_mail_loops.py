"""Robots answer robots: whatever hides at the other end, the desk says little by itself, loses nothing, and people's mail still passes."""

import re
from collections.abc import AsyncIterator, Callable
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from email.utils import make_msgid
from pathlib import Path

import pytest

from channels.email.sandbox.mailbox import Letter
from desk_core.tickets import service
from tests.acceptance.conftest import MONDAY_NOON, store_of_a_house
from tests.acceptance.house import EMBEDDED, House
from tests.services import Stores

pytestmark = pytest.mark.timeout(300)

ROUNDS = 12
"""A loop that is not broken would go on through all of them."""
TELLING = ("Auto-Submitted", "X-Auto-Response-Suppress", "Precedence", "List-Unsubscribe", "Return-Path")

Robot = Callable[[EmailMessage], EmailMessage | None]


@pytest.fixture(scope="module")
async def other(models: Path, stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A second desk, of another company."""
    url = await store_of_a_house(stores, "sqlite", tmp_path_factory)
    made = House(EMBEDDED, home=tmp_path_factory.mktemp("other"), start=MONDAY_NOON, database_url=url, support="help@other.test")
    try:
        yield await made.open(models=models)
    finally:
        await made.close()
        await stores.drop(url)


async def sent_to(house: House, address: str) -> list[tuple[Letter, EmailMessage]]:
    """The desk's letters to an address, oldest first."""
    from gateway.mail import sandbox_of

    sandbox = sandbox_of(house.front.settings, house.clock)
    opened = [await sandbox.open(letter.id) for letter in await house.letters(address)]
    return [(one.letter, BytesParser(policy=default).parsebytes(one.raw)) for one in opened if one is not None]


async def answered_by(robot: Robot, house: House, address: str) -> int:
    """Let a robot at `address` answer every letter of the desk until nothing more comes; how many letters the desk sent it."""
    seen: set[str] = set()
    for _ in range(ROUNDS):
        await house.quiet()
        fresh = [(letter, mail) for letter, mail in await sent_to(house, address) if letter.id not in seen]
        if not fresh:
            break
        for letter, mail in fresh:
            seen.add(letter.id)
            if (answer := robot(mail)) is not None:
                await house.takes(answer.as_bytes(), sender=address)
    return len(seen)


def answer(mail: EmailMessage, *, sender: str, text: str, subject: str, threaded: bool) -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = sender, str(mail["From"]), subject
    made["Message-ID"] = make_msgid(domain="robot.test")
    if threaded:
        made["In-Reply-To"] = made["References"] = str(mail["Message-ID"])
    made.set_content(text)
    return made


AWAY = "Письмо передано дежурному, он прочтёт его в свою смену."  # no filter knows these words
"""Of a robot that says nothing by which it could be told; one that says that nobody is there is held at once."""


class TestAgainstAnAwayRobot:
    """None of them says what it is in a header: only such are left to answer at all."""

    @pytest.mark.parametrize("threaded", [True, False], ids=["in the thread", "outside of it"])
    async def test_that_says_the_same_each_time(self, house: House, threaded: bool) -> None:
        vera = house.correspondent()
        await vera.writes("Принтер", "Не печатает принтер в приёмной.")
        count = await answered_by(
            lambda mail: answer(mail, sender=vera.address, text=AWAY, subject="Ответ", threaded=threaded), house, vera.address
        )
        assert count <= 2
        assert len(await house.tickets(vera.address)) <= 2
        await self.still_passes(house)

    async def test_that_says_something_else_each_time(self, house: House) -> None:
        vera = house.correspondent()
        await vera.writes("Принтер", "Не печатает принтер в приёмной.")
        said = iter(range(100))

        def robot(mail: EmailMessage) -> EmailMessage:
            number = next(said)
            return answer(mail, sender=vera.address, text=f"{AWAY} Номер письма {number}.", subject=f"Ответ {number}", threaded=False)

        assert await answered_by(robot, house, vera.address) <= 2
        codes = [message["verdict"]["code"] for message in await house.messages(vera.address) if message["direction"] == "inbound"]
        assert codes[-1] == "unanswered"
        await self.still_passes(house)

    async def test_that_quotes_everything_each_time(self, house: House) -> None:
        vera = house.correspondent()
        await vera.writes("Принтер", "Не печатает принтер в приёмной.")

        def robot(mail: EmailMessage) -> EmailMessage:
            body = mail.get_body(("plain",))
            quoted = "\n".join(f"> {line}" for line in (body.get_content() if body else "").split("\n"))
            return answer(mail, sender=vera.address, text=f"{AWAY}\n\n{quoted}", subject=f"Re: {mail['Subject']}", threaded=True)

        assert await answered_by(robot, house, vera.address) <= 2
        await self.still_passes(house)

    @staticmethod
    async def still_passes(house: House) -> None:
        person = house.correspondent()
        await person.writes("VPN", "Из дома не подключается VPN, пишет про сертификат.")
        await person.hears()


class TestAgainstABouncingAddress:
    async def test_one_letter_goes_out_and_its_report_is_shown(self, house: House) -> None:
        vera = house.correspondent()
        await vera.writes("Принтер", "Не печатает принтер в приёмной.")
        letter = await vera.hears()
        await vera.bounces(letter, permanent=False)
        await vera.bounces(letter)
        await house.quiet()
        assert len(await house.letters(vera.address)) == 1
        (ticket,) = await house.tickets(vera.address)
        assert await house.happened(ticket["number"], "delivery_failed")
        await TestAgainstAnAwayRobot.still_passes(house)


class TestTwoDesks:
    @pytest.mark.parametrize("stripped", [False, True], ids=["as they are", "headers lost on the way"])
    async def test_that_write_to_each_other_fall_silent(self, house: House, other: House, stripped: bool) -> None:
        ours, theirs = house.support, other.support
        first = EmailMessage()
        first["From"], first["To"], first["Subject"] = f"Другая служба <{theirs}>", ours, f"Не работает печать {stripped}"
        first["Message-ID"] = make_msgid(domain="other.test")
        first.set_content(f"Добрый день! У вас не печатает принтер у проходной? ({stripped})")
        await house.takes(first.as_bytes(), sender=theirs)
        sent = {"ours": 0, "theirs": 0}
        seen: set[str] = set()
        for _ in range(ROUNDS):
            await house.quiet()
            await other.quiet()
            moved = False
            for side, writer, reader, address, back in (("ours", house, other, theirs, ours), ("theirs", other, house, ours, theirs)):
                for letter, mail in await sent_to(writer, address):
                    if letter.id in seen:
                        continue
                    seen.add(letter.id)
                    sent[side] += 1
                    moved = True
                    if stripped:
                        for name in TELLING:
                            del mail[name]
                    # Plus-addresses of a desk lead to the desk.
                    to = re.search(r"[\w.+-]+@[\w.-]+", str(mail["To"]))
                    await reader.takes(
                        mail.as_bytes(), sender=back, to=to[0] if to and to[0].endswith(address.rpartition("@")[2]) else address
                    )
            if not moved:
                break
        assert sent["ours"] <= 2
        assert sent["theirs"] <= 2
        assert sent["ours"] >= 1, "the first letter is answered"
        await TestAgainstAnAwayRobot.still_passes(house)
        await TestAgainstAnAwayRobot.still_passes(other)


class TestWhatGrows:
    """Beyond the caps: the talk itself is found, held and told, also where a person of the desk speaks in it."""

    async def test_a_machine_that_counts_on_is_held_with_the_reason(self, house: House) -> None:
        vera = house.correspondent()
        await vera.writes("Принтер", "Не печатает принтер в приёмной.")
        said = iter(range(100))

        def robot(mail: EmailMessage) -> EmailMessage:
            number = next(said)
            return answer(mail, sender=vera.address, text=f"{AWAY} Номер {number}.", subject=f"Re: {mail['Subject']}", threaded=True)

        (ticket,) = await self.taken(house, vera.address, robot)
        assert await self.codes(house, vera.address) == ["loop_words"]
        assert ticket["status"] != "closed"
        await TestAgainstAnAwayRobot.still_passes(house)

    async def test_a_machine_that_repeats_everything_is_held_with_the_reason(self, house: House) -> None:
        vera = house.correspondent()
        await vera.writes("Принтер", "Не печатает принтер в приёмной.")
        journal: list[str] = []
        said = iter(("Передано в смену.", "Инженер назначен автоматически.", "Статус изменён системой учёта.", "Обработка продолжается."))

        def robot(mail: EmailMessage) -> EmailMessage:
            journal.insert(0, next(said))
            return answer(mail, sender=vera.address, text="\n".join(journal), subject=f"Re: {mail['Subject']}", threaded=True)

        await self.taken(house, vera.address, robot)
        assert await self.codes(house, vera.address) == ["loop_growth"]
        await TestAgainstAnAwayRobot.still_passes(house)

    async def test_a_person_in_a_hurry_is_heard_however_long_the_history_grows(self, house: House) -> None:
        vera = house.correspondent()
        await vera.writes("Принтер", "Не печатает принтер в приёмной.")
        kept = [""]
        said = iter(("Перезагрузила, не помогло.", "Горит красная лампа.", "Бумага есть, тонер тоже.", "Что ещё проверить?"))

        def person(mail: EmailMessage) -> EmailMessage:
            body = mail.get_body(("plain",))
            kept[0] = "\n".join(f"> {line}" for line in f"{body.get_content() if body else ''}\n{kept[0]}".split("\n"))
            return answer(mail, sender=vera.address, text=f"{next(said)}\n\n{kept[0]}", subject="Re: Принтер", threaded=True)

        await self.taken(house, vera.address, person)
        assert await self.codes(house, vera.address) == []

    @staticmethod
    async def taken(house: House, address: str, robot: Robot) -> list[dict[str, object]]:
        """An operator answers each time, which no cap holds back, and so does the machine, three times."""
        seen: set[str] = set()
        for turn in range(3):
            await house.quiet()
            fresh = [(letter, mail) for letter, mail in await sent_to(house, address) if letter.id not in seen]
            assert fresh, f"the desk wrote in turn {turn}"
            for letter, mail in fresh:
                seen.add(letter.id)
                made = robot(mail)
                assert made is not None
                await house.takes(made.as_bytes(), sender=address)
            await house.quiet()
            (ticket,) = await house.tickets(address)
            if turn < 2:
                await house.acts(service.reply, ticket["number"], text=f"Ответ оператора, ход {turn}.")
        return await house.tickets(address)

    @staticmethod
    async def codes(house: House, address: str) -> list[str]:
        codes = [one["verdict"]["code"] for one in await house.messages(address) if one["direction"] == "inbound"]
        return [code for code in codes if code.startswith("loop_")]
