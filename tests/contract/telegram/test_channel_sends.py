"""The Telegram adapter against the sandbox over real HTTP: what is sent, and that it is a whole `Channel`."""

import pytest

from channels.telegram.channel import TelegramChannel
from channels.telegram.sandbox import Sandbox
from channels.telegram.sandbox.person import File, Person, buttons
from desk_core.conversations.ports import (
    Channel,
    ChannelKind,
    OutboundButton,
    OutboundFile,
    Refused,
    RetryLater,
    TopicGone,
)
from tests.contract.telegram.wire import PNG, TOKEN, MemoryBlobs, Store, letter, receiving


class TestSending:
    async def test_text_arrives_formatted_with_buttons_and_a_receipt(self, channel: TelegramChannel, anna: Person) -> None:
        asked = await anna.says("помогите")
        keyboard = ((OutboundButton("Помогло", token="tok-1"), OutboundButton("Человек", token="tok-2")),)
        receipt = await channel.send(letter(anna, "**Готово**, 1 < 2", buttons=keyboard, reply_to=f"{anna.id}:{asked['message_id']}"))
        heard = await anna.hears()
        assert heard["text"] == "Готово, 1 < 2"
        assert heard["entities"][0]["type"] == "bold"
        assert buttons(heard) == ["Помогло", "Человек"]
        assert heard["reply_to_message"]["message_id"] == asked["message_id"]
        assert receipt.external_id == f"{anna.id}:{heard['message_id']}"

    async def test_an_answer_to_a_deleted_message_arrives_all_the_same(self, channel: TelegramChannel, anna: Person) -> None:
        await anna.opens()
        await channel.send(letter(anna, "ответ", reply_to=f"{anna.id}:999999999"))
        assert (await anna.hears())["text"] == "ответ"

    async def test_a_long_text_arrives_in_parts_with_the_keyboard_last(self, channel: TelegramChannel, anna: Person) -> None:
        await anna.opens()
        receipt = await channel.send(letter(anna, "**слово " + "слово " * 1498 + "слово**", buttons=((OutboundButton("Да", token="t"),),)))
        parts = [await anna.hears(), await anna.hears(), await anna.hears()]
        assert " ".join(part["text"] for part in parts).split() == ["слово"] * 1500
        assert [buttons(part) for part in parts] == [[], [], ["Да"]]
        ids = [f"{anna.id}:{part['message_id']}" for part in parts]
        assert (receipt.external_id, receipt.extra) == (ids[2], (ids[0], ids[1]))

    async def test_files_arrive_as_photo_document_and_album(self, channel: TelegramChannel, blobs: MemoryBlobs, anna: Person) -> None:
        await anna.opens()
        picture, paper = blobs.file("экран.png", "image/png", PNG), blobs.file('от"чёт.pdf', "application/pdf", b"%PDF-1.4 test")
        await channel.send(letter(anna, "смотрите", files=(picture,)))
        seen = await anna.hears()
        assert "photo" in seen
        assert seen["caption"] == "смотрите"
        await channel.send(letter(anna, files=(paper,)))
        seen = await anna.hears()
        assert seen["document"]["file_name"] == "от'чёт.pdf"
        assert await anna.downloads(seen) == b"%PDF-1.4 test"
        receipt = await channel.send(letter(anna, "два файла", files=(picture, paper)))
        one, two = await anna.hears(), await anna.hears()
        assert one["media_group_id"] == two["media_group_id"]
        assert len(receipt.extra) == 1

    async def test_a_broken_picture_is_sent_as_a_document(self, channel: TelegramChannel, blobs: MemoryBlobs, anna: Person) -> None:
        await anna.opens()
        await channel.send(letter(anna, files=(blobs.file("x.png", "image/png", b"not a picture at all"),)))
        assert (await anna.hears())["document"]["file_name"] == "x.png"

    async def test_markup_that_telegram_refuses_is_sent_once_more_as_plain_text(
        self, sandbox: Sandbox, channel: TelegramChannel, anna: Person
    ) -> None:
        await anna.opens()
        sandbox.faults.error("sendMessage", code=400, description="Bad Request: can't parse entities: Unsupported start tag")
        await channel.send(letter(anna, "**жирный** [сайт](https://x.example)"))
        heard = await anna.hears()
        assert heard["text"] == "жирный сайт (https://x.example)"
        assert await anna.hears_nothing(within=0.2)

    async def test_a_topic_that_is_gone_is_told_as_such_and_nothing_is_sent(self, channel: TelegramChannel, anna: Person) -> None:
        await anna.opens()
        with pytest.raises(TopicGone):
            await channel.send(letter(anna, "всё равно", thread_key=f"{anna.id}:77"))
        await channel.send(letter(anna, "всё равно"))
        assert (await anna.hears())["text"] == "всё равно"
        assert await anna.hears_nothing(within=0.2)

    async def test_nothing_to_send_is_refused(self, channel: TelegramChannel, anna: Person) -> None:
        with pytest.raises(Refused, match="nothing to send"):
            await channel.send(letter(anna, " "))

    async def test_a_file_whose_content_is_gone_is_refused_in_words(self, channel: TelegramChannel, anna: Person) -> None:
        await anna.opens()
        with pytest.raises(Refused, match=r"gone\.txt"):
            await channel.send(letter(anna, files=(OutboundFile("gone.txt", "text/plain", 3, "0" * 64),)))


class TestLongLogs:
    async def test_come_as_a_file(self, channel: TelegramChannel, anna: Person) -> None:
        await anna.opens()
        log = "\n".join(f"{number} ошибка <x>" for number in range(500))
        await channel.send(letter(anna, f"Журнал:\n\n```\n{log}\n```"))
        text, file = (await anna.chat())[-2:]
        assert text["text"].startswith("Журнал:")
        assert file["document"]["file_name"] == "log.log"
        assert (await anna.downloads(file)).decode().strip() == log


class TestFiles:
    async def test_are_streamed_whole(self, channel: TelegramChannel, anna: Person) -> None:
        content = bytes(range(256)) * 2_000
        async with receiving(channel, Store()) as store:
            await anna.sends_file("отчёт.bin", content)
            message = await store.until(lambda one: bool(one.files))
        remote_id = message.files[0].remote_id
        assert remote_id is not None
        chunks = [chunk async for chunk in channel.fetch(remote_id)]
        assert b"".join(chunks) == content
        assert len(chunks) > 1

    async def test_larger_than_telegram_hands_out_are_refused_in_words(self, channel: TelegramChannel, anna: Person) -> None:
        sent = await anna.sends_file("big.iso", b"0" * (20 * 1024 * 1024 + 1))
        with pytest.raises(Refused, match="20 MB"):
            _ = [chunk async for chunk in channel.fetch(sent["document"]["file_id"])]

    async def test_that_cannot_be_had_now_are_tried_later(self, sandbox: Sandbox, channel: TelegramChannel, anna: Person) -> None:
        sent = await anna.sends_album([File("a.txt", b"abc"), File("b.txt", b"abc")])
        file_id = sent[0]["document"]["file_id"]
        sandbox.faults.error("file", code=502)
        with pytest.raises(RetryLater) as caught:
            _ = [chunk async for chunk in channel.fetch(file_id)]
        assert TOKEN not in caught.value.reason
        with pytest.raises(RetryLater):
            _ = [chunk async for chunk in channel.fetch("no-such-file")]
        assert b"".join([chunk async for chunk in channel.fetch(file_id)]) == b"abc"


async def test_the_connection_test_says_who_the_bot_is(channel: TelegramChannel) -> None:
    names = [words for _, passed, words in await channel.test() if passed]
    assert names[0] == "Help (@help_bot)"
    assert names[1] == "polling"


async def test_the_adapter_is_a_channel(channel: TelegramChannel) -> None:
    as_channel: Channel = channel
    assert as_channel.kind is ChannelKind.TELEGRAM
    assert TOKEN not in repr(channel)
