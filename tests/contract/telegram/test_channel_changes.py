"""The Telegram adapter against the sandbox over real HTTP: what becomes of what was sent."""

import pytest

from channels.telegram.channel import TelegramChannel
from channels.telegram.sandbox import Sandbox
from channels.telegram.sandbox.person import Person, buttons
from desk_core.conversations.ports import (
    InboundKind,
    OutboundButton,
    Refused,
)
from tests.contract.telegram.wire import Store, letter, receiving


class TestCourtesies:
    async def test_a_press_is_answered_and_the_keyboard_goes(self, channel: TelegramChannel, anna: Person) -> None:
        await anna.opens()
        receipt = await channel.send(letter(anna, "Помогло?", buttons=((OutboundButton("Да", token="tok-9"),),)))
        async with receiving(channel, Store()) as store:
            await anna.presses("Да")
            press = await store.until(lambda message: message.kind is InboundKind.PRESS)
        assert press.button == "tok-9"
        assert press.reply_to == receipt.external_id
        assert press.callback_id is not None
        await channel.answer_press(press.callback_id, "Принято" * 100)
        assert (await anna.sees_answer())["text"].startswith("Принято")
        assert press.thread_key is not None
        await channel.close_buttons(press.thread_key, receipt.external_id)
        assert buttons(await anna.sees_edit()) == []
        await channel.close_buttons(press.thread_key, receipt.external_id)

    async def test_typing_is_shown(self, sandbox: Sandbox, channel: TelegramChannel, anna: Person) -> None:
        await anna.opens()
        await channel.typing(str(anna.id))
        assert sandbox.calls[-1].method == "sendChatAction"

    async def test_none_of_them_ever_fails(self, sandbox: Sandbox, channel: TelegramChannel) -> None:
        sandbox.faults.cut_before(times=3)
        for _ in range(2):
            await channel.typing("404")
            await channel.answer_press("no such query", "x")
            await channel.close_buttons("404", "404:1")
        await channel.close_buttons("404", "nonsense")


class TestEditing:
    async def test_changes_words_and_buttons_in_place(self, channel: TelegramChannel, anna: Person) -> None:
        await anna.opens()
        receipt = await channel.send(letter(anna, "Какой **принтер**?", buttons=((OutboundButton("Пропустить", "t1"),),)))
        again = await channel.edit(letter(anna, "Принтер: 305. Что случилось?", buttons=((OutboundButton("Назад", "t2"),),)), receipt)
        assert again == receipt
        shown = (await anna.chat())[-1]
        assert (shown["text"], buttons(shown)) == ("Принтер: 305. Что случилось?", ["Назад"])

    async def test_to_the_same_is_no_failure(self, channel: TelegramChannel, anna: Person) -> None:
        await anna.opens()
        receipt = await channel.send(letter(anna, "Готово."))
        assert await channel.edit(letter(anna, "Готово."), receipt) == receipt

    async def test_shorter_takes_the_rest_away_and_longer_is_refused(self, channel: TelegramChannel, anna: Person) -> None:
        await anna.opens()
        long = "\n\n".join(f"Шаг {number}. " + "слово " * 150 for number in range(10))
        receipt = await channel.send(letter(anna, long))
        assert receipt.extra
        before = len(await anna.chat())
        short = await channel.edit(letter(anna, "Коротко."), receipt)
        assert not short.extra
        assert len(await anna.chat()) == before - len(receipt.extra)
        with pytest.raises(Refused):
            await channel.edit(letter(anna, long), short)
        assert (await anna.chat())[-1]["text"] == "Коротко."


class TestDeleting:
    async def test_takes_every_part_away_and_twice_is_no_failure(self, channel: TelegramChannel, anna: Person) -> None:
        await anna.opens()
        before = len(await anna.chat())
        receipt = await channel.send(letter(anna, "Не вам."))
        await channel.delete(str(anna.id), [receipt.external_id])
        await channel.delete(str(anna.id), [receipt.external_id])
        assert len(await anna.chat()) == before


class TestReacting:
    async def test_puts_one_reaction_and_takes_it_off(self, sandbox: Sandbox, channel: TelegramChannel, anna: Person) -> None:
        said = await anna.says("Не печатает")
        shown_id = f"{anna.id}:{said['message_id']}"
        for emoji in ("👀", "👌", None):
            await channel.react(str(anna.id), shown_id, emoji)
        reacted = [call for call in sandbox.calls if call.method == "setMessageReaction"]
        assert len(reacted) == 3

    async def test_what_bots_may_not_set_is_refused(self, channel: TelegramChannel, anna: Person) -> None:
        said = await anna.says("Не печатает")
        with pytest.raises(Refused):
            await channel.react(str(anna.id), f"{anna.id}:{said['message_id']}", "✅")
