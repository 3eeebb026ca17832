"""What people send in Telegram beside words: albums, edits, reactions, places, files too large or too many; on both stores."""

from typing import Any

import httpx2
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from channels.telegram.mapping import to_inbound
from channels.webform.upload_links import LIFE, UploadLinks
from desk_core.conversations.entities import Conversation, Message
from desk_core.conversations.ports import InboundFile, InboundKind, OutboundMessage
from desk_core.knowledge.entities import ArticleFeedback
from gateway.app import create_app
from nlu import labels
from tests.integration.gateway.conftest import Chat, SmallDesk

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 40
ANNA = {"id": 7001, "is_bot": False, "first_name": "Анна", "language_code": "ru"}
PRIVATE = {"id": 7001, "type": "private"}


async def arrives(chat: Chat, update: dict[str, Any]) -> None:
    chat.said += 1
    inbound = to_inbound({"update_id": 1000 + chat.said, **update}, inbox_id=chat.inbox.id, burst_seconds=0, now=chat.desk.clock.now())
    await chat.desk.accept(chat.inbox.id, inbound)
    await chat.desk.worker().drain()


def body(number: int, **content: Any) -> dict[str, Any]:
    return {"message_id": number, "from": ANNA, "chat": PRIVATE, "date": 1767225600 + number, **content}


def photo(chat: Chat, name: str) -> list[dict[str, Any]]:
    chat.desk.fake.files[name] = PNG + name.encode()
    return [{"file_id": name, "file_unique_id": f"u-{name}", "width": 10, "height": 10, "file_size": 50}]


async def kept(desk: SmallDesk) -> list[Message]:
    async with desk.database.read() as session:
        query = select(Message).where(Message.direction != "outbound").order_by(Message.at, Message.id)
        return list(await session.scalars(query.options(selectinload(Message.attachments), selectinload(Message.versions))))


async def said(desk: SmallDesk, key: str) -> list[OutboundMessage]:
    """Deliveries of one reply of the desk."""
    async with desk.database.read() as session:
        ids = {
            one.id for one in await session.scalars(select(Message).where(Message.direction == "outbound")) if one.meta.get("key") == key
        }
    return [one for one in desk.fake.sent if one.message_id in ids]


async def test_a_part_of_an_album_that_comes_late_stands_where_it_was_sent(desk: SmallDesk, chat: Chat) -> None:
    from gateway.console.timeline import _in_order

    for number, caption in ((12, "второй"), (13, ""), (11, "первый")):
        await arrives(chat, {"message": body(number, photo=photo(chat, f"p{number}"), media_group_id="g", caption=caption)})
    (album,) = [message for message in await kept(desk) if message.attachments]
    assert album.text == "первый\nвторой"
    assert [file.name for file in _in_order(album)] == ["photo_11.jpg", "photo_12.jpg", "photo_13.jpg"]


async def test_an_edited_caption_of_a_later_part_changes_that_part_alone(desk: SmallDesk, chat: Chat) -> None:
    for number, caption in ((11, "один"), (12, "два")):
        await arrives(chat, {"message": body(number, photo=photo(chat, f"p{number}"), media_group_id="g", caption=caption)})
    edited = body(12, photo=photo(chat, "p12"), media_group_id="g", caption="три", edit_date=1767229999)
    await arrives(chat, {"edited_message": edited})
    (album,) = [message for message in await kept(desk) if message.attachments]
    assert album.text == "один\nтри"
    assert [version.text for version in album.versions] == ["один\nдва"]
    assert len(album.attachments) == 2


async def test_a_replaced_photo_keeps_both(desk: SmallDesk, chat: Chat) -> None:
    await arrives(chat, {"message": body(5, photo=photo(chat, "old"), caption="экран")})
    await arrives(chat, {"edited_message": body(5, photo=photo(chat, "new"), caption="экран", edit_date=1767229999)})
    (message,) = [message for message in await kept(desk) if message.attachments]
    assert len(message.attachments) == 2
    assert message.meta["replaced"] == [message.attachments[0].sha256]
    assert message.edited_at is not None


async def test_an_edit_of_a_message_nobody_knows_is_kept_and_can_be_edited_again(desk: SmallDesk, chat: Chat) -> None:
    await arrives(chat, {"edited_message": body(77, text="второе", edit_date=1767229999)})
    await arrives(chat, {"edited_message": body(77, text="третье", edit_date=1767229999)})
    (message,) = await kept(desk)
    assert (message.meta["kind"], message.text, [one.text for one in message.versions]) == ("edit", "третье", ["второе"])


async def test_a_place_that_moves_moves_on_its_card(desk: SmallDesk, chat: Chat) -> None:
    await arrives(chat, {"message": body(6, location={"latitude": 55.75, "longitude": 37.61, "live_period": 900})})
    await arrives(
        chat, {"edited_message": body(6, location={"latitude": 55.8, "longitude": 37.7, "live_period": 900}, edit_date=1767229999)}
    )
    (message,) = await kept(desk)
    assert (message.card["latitude"], message.text, message.versions) == (55.8, "55.8, 37.7", [])


async def test_reactions_stand_at_their_message_and_go_when_withdrawn(desk: SmallDesk, chat: Chat) -> None:
    await arrives(chat, {"message": body(7, text="привет")})
    heart, none = [{"type": "emoji", "emoji": "❤"}], []
    told = {"chat": PRIVATE, "message_id": 7, "user": ANNA, "date": 1767225700}
    await arrives(chat, {"message_reaction": {**told, "old_reaction": none, "new_reaction": heart}})
    (message,) = await kept(desk)
    assert message.meta["reactions"] == {"7001": {"name": "Анна", "emoji": ["❤"]}}
    await arrives(chat, {"message_reaction": {**told, "old_reaction": heart, "new_reaction": none}})
    (message,) = await kept(desk)
    assert message.meta["reactions"] == {}


async def test_more_bytes_than_a_day_allows_are_refused_with_one_notice(desk: SmallDesk, chat: Chat) -> None:
    desk.settings = desk.settings.model_copy(update={"limits": desk.settings.limits.model_copy(update={"telegram_mb_per_day": 1})})
    half = b"%PDF-1.7 " + b"x" * (600 * 1024)
    for name in ("a.pdf", "b.pdf", "c.pdf"):
        await chat.says(name, files=(chat.file(name, half + name.encode()),))
    assert [[file.name for file in message.attachments] for message in await kept(desk)] == [["a.pdf"], [], []]
    assert len(await said(desk, "quota_full")) == 1


async def test_a_group_hears_once_that_the_bot_works_in_private(desk: SmallDesk, chat: Chat) -> None:
    office = {"id": -100, "type": "supergroup", "title": "Офис"}
    for number in (1, 2):
        await arrives(chat, {"message": {**body(number, text="/new принтер"), "chat": office}})
    answered = {"message_id": 9, "from": {"id": 100200300, "is_bot": True, "first_name": "B"}, "chat": office, "date": 1}
    await arrives(chat, {"message": {**body(3, text="а почему?", reply_to_message=answered), "chat": office}})
    await arrives(chat, {"message": {**body(4, text="просто разговор"), "chat": office}})
    assert len(await said(desk, "group_private")) == 1


async def test_the_bot_let_into_a_group_is_shown(desk: SmallDesk, chat: Chat) -> None:
    change = {
        "chat": {"id": -100, "type": "group", "title": "Офис"},
        "from": ANNA,
        "date": 1,
        "new_chat_member": {"status": "administrator"},
    }
    await arrives(chat, {"my_chat_member": change})
    (message,) = await kept(desk)
    assert (message.card["kind"], message.card["chat_title"]) == ("my_chat_member", "Офис")


async def test_a_file_too_large_goes_by_the_link_into_the_same_conversation(desk: SmallDesk, chat: Chat) -> None:
    await chat.says("видео", files=(InboundFile("video.mp4", "video/mp4", 30 * 1024 * 1024, remote_id="big"),))
    (told,) = await said(desk, "file_too_big")
    link = next(word for word in told.text.split() if "/u/" in word).strip(".")
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=await create_app(desk)), base_url=desk.public_url) as visitor:
        assert (await visitor.get(link)).status_code == 200
        for _ in range(2):
            answer = await visitor.post(link, files={"files": ("video.mp4", b"\x00\x00\x00\x20ftypisom" + b"\x00" * 64, "video/mp4")})
            assert answer.status_code == 303
        assert (await visitor.get(f"{desk.public_url}/u/wrong")).status_code == 404
    await desk.worker().drain()
    uploaded = [message for message in await kept(desk) if message.attachments]
    assert [(file.name, file.content_type) for message in uploaded for file in message.attachments] == [("video.mp4", "video/mp4")]


async def test_an_old_link_for_uploading_says_so(desk: SmallDesk, chat: Chat) -> None:
    await chat.says("принтер")
    async with desk.database.read() as session:
        conversation = (await session.scalars(select(Conversation))).one()
    old = UploadLinks(desk.key, public_url=desk.public_url).url(conversation.id, now=desk.clock.now() - 2 * LIFE)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=await create_app(desk)), base_url=desk.public_url) as visitor:
        assert (await visitor.get(old)).status_code == 410


async def test_a_long_lane_is_handled_to_its_end(desk: SmallDesk, chat: Chat) -> None:
    """More than a worker takes in one go, and nothing of it waits for a lease to run out."""
    for number in range(40):
        await desk.accept(chat.inbox.id, chat.message(f"слово {number}", kind=InboundKind.UNSUPPORTED, held=True))
    await desk.worker().drain()
    assert len(await kept(desk)) == 40


async def test_an_edited_story_is_read_anew_and_later_edits_are_for_operators(desk: SmallDesk, chat: Chat) -> None:
    await arrives(chat, {"message": body(30, text="не печатает принтер на складе")})
    await arrives(chat, {"edited_message": body(30, text="забыл пароль от почты, не могу войти", edit_date=1767229999)})
    async with desk.database.read() as session:
        talk = (await session.scalars(select(Conversation))).one()
        assert talk.dialogue["text"] == "забыл пароль от почты, не могу войти"
    for _ in range(8):
        shown = [button.label for row in chat.heard[-1].buttons for button in row]
        step = next(name for name in ("send", "not_it", "skip") if labels.label("ru", name) in shown)
        await chat.presses(labels.label("ru", step))
        if step == "send":
            break
    heard = len(chat.heard)
    await arrives(chat, {"edited_message": body(30, text="забыл пароль от vpn", edit_date=1767230999)})
    (story,) = [one for one in await kept(desk) if one.external_id == "7001:30"]
    assert (story.text, len(story.versions), len(chat.heard)) == ("забыл пароль от vpn", 2, heard)


async def test_a_thumb_on_an_article_is_an_opinion_and_closes_nothing(desk: SmallDesk, chat: Chat) -> None:
    await arrives(chat, {"message": body(40, text="не печатает принтер, замялась бумага")})
    async with desk.database.read() as session:
        shown = (await session.scalars(select(Message).where(Message.meta["key"].as_string() == "article"))).one()
        before = (await session.scalars(select(Conversation))).one().dialogue
    heard, at = len(chat.heard), shown.external_id or ""
    chat_id, _, number = at.rpartition(":")
    assert chat_id == "7001"
    for old, new in (([], "👍"), (["👍"], "👍"), (["👍"], "👎")):
        told = {"chat": PRIVATE, "message_id": int(number), "user": ANNA, "date": 1767225700}
        reactions = [{"type": "emoji", "emoji": one} for one in old], [{"type": "emoji", "emoji": new}]
        await arrives(chat, {"message_reaction": {**told, "old_reaction": reactions[0], "new_reaction": reactions[1]}})
    async with desk.database.read() as session:
        said = list(await session.scalars(select(ArticleFeedback.verdict).order_by(ArticleFeedback.at, ArticleFeedback.id)))
        after = (await session.scalars(select(Conversation))).one().dialogue
    assert ([one for one in said if one != "shown"], after, len(chat.heard)) == (["helped", "refused"], before, heard)
