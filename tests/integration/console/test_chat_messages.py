"""Messages of a chat on the console's page: formatting, kinds in words, players, what was before, and files in ranges."""

import pytest

from desk_core.conversations.entities import Attachment
from desk_core.conversations.files import NewFile, store_file
from tests.factories.desk import DeskFactory
from tests.fakes.webdesk import FakeWebDesk
from tests.integration.console.conftest import Browser

OGG = b"OggS\x00\x02" + b"\x00" * 22 + b"\x01\x13OpusHead" + b"\x00" * 200


async def voice(desk: FakeWebDesk) -> NewFile:
    return await store_file(desk.blobs, name="voice.ogg", content=OGG, limit=10_000, declared="audio/ogg")


async def test_formatting_is_shown_and_markup_of_the_person_is_not(make: DeskFactory, console: Browser) -> None:
    talk = await make.conversation()
    marks = [[0, 4, "bold", ""], [5, 9, "text_link", "javascript:alert(1)"], [10, 13, "spoiler", ""], [90, 91, "bold", ""], "odd"]
    await make.says(talk, "text here <b>", card={"marks": marks})
    page = (await console.get(f"/console/conversations/{talk.id}")).text
    assert "<b>text</b> here" in page
    assert "javascript:" not in page
    assert '<span class="spoiler" tabindex="0">&lt;b&gt;</span>' in page


@pytest.mark.parametrize(
    ("card", "words"),
    [
        ({"kind": "location", "latitude": 55.75, "longitude": 37.61}, ("Place", "openstreetmap.org/?mlat=55.75&amp;mlon=37.61")),
        ({"kind": "dice", "details": {"value": 4}}, ("Dice", "<dd>4</dd>")),
        ({"kind": "hologram", "details": {"deep_size": 3}}, ("Something new from Telegram: Hologram", "<dt>Deep size</dt>")),
        (
            {"kind": "my_chat_member", "details": {"new_chat_member": "administrator"}},
            ("The bot&#39;s place in a chat changed", "administrator"),
        ),
        ({"forwarded_from": "News", "forwarded_link": "https://t.me/news/1"}, ("Forwarded from News", 'href="https://t.me/news/1"')),
        ({"quote": "that one", "answers": {"from": "Bot", "text": "all of it"}}, ("that one", "<b>Bot</b>")),
        ({"via_bot": "gif"}, ("by way of @gif",)),
    ],
)
async def test_what_it_is_is_told_in_words(make: DeskFactory, console: Browser, card: dict[str, object], words: tuple[str, ...]) -> None:
    talk = await make.conversation()
    await make.says(talk, "x", card=card)
    page = (await console.get(f"/console/conversations/{talk.id}")).text
    for one in words:
        assert one in page


async def test_reactions_say_who(make: DeskFactory, console: Browser) -> None:
    talk = await make.conversation()
    await make.says(talk, "x", meta={"reactions": {"1": {"name": "Boris", "emoji": ["🔥"]}}, "reaction_counts": [["👍", 3]]})
    page = (await console.get(f"/console/conversations/{talk.id}")).text
    assert '🔥 <span class="muted">Boris</span>' in page
    assert '👍 <span class="muted">× 3</span>' in page


async def test_sound_has_a_player_that_starts_when_asked(make: DeskFactory, console: Browser, desk: FakeWebDesk) -> None:
    talk = await make.conversation()
    message = await make.says(talk, "", card={"kind": "voice", "duration": 75})
    file = await make.attach(message, await voice(desk))
    page = (await console.get(f"/console/conversations/{talk.id}")).text
    assert f'<audio controls preload="none" src="/console/files/{file.id}"' in page
    assert "1:15" in page
    assert "autoplay" not in page


async def test_a_file_is_given_in_the_ranges_that_a_player_asks_for(make: DeskFactory, console: Browser, desk: FakeWebDesk) -> None:
    message = await make.says(await make.conversation(), "")
    file: Attachment = await make.attach(message, await voice(desk))
    whole = await console.get(f"/console/files/{file.id}")
    part = await console.get(f"/console/files/{file.id}", headers={"range": "bytes=4-9"})
    assert (whole.status_code, whole.content, whole.headers["content-type"]) == (200, OGG, "audio/ogg")
    assert (part.status_code, part.content) == (206, OGG[4:10])
    assert part.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert part.headers["x-content-type-options"] == "nosniff"


async def test_a_replaced_file_stands_behind_the_new_one(make: DeskFactory, console: Browser, desk: FakeWebDesk) -> None:
    talk = await make.conversation()
    kept = await voice(desk)
    message = await make.says(talk, "", edited_at=make.clock.now(), meta={"replaced": [kept.sha256]})
    await make.attach(message, kept)
    page = (await console.get(f"/console/conversations/{talk.id}")).text
    assert "changed; these files were there before" in page
