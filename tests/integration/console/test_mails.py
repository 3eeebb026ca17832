"""A mail as it came: looked at in a frame that can do nothing, and taken away whole."""

from datetime import datetime

import pytest

from desk_core.conversations.entities import Message, RawInbound
from desk_core.kit.clock import FakeClock
from desk_core.kit.db import Database
from desk_core.kit.ids import new_id
from tests.factories.desk import DeskFactory
from tests.fakes.webdesk import FakeWebDesk
from tests.integration.console.conftest import Browser

RAW = (
    b"From: Boris <boris@example.com>\r\nSubject: =?utf-8?b?0J/RgNC40L3RgtC10YA=?=\r\nMessage-ID: <m1@example.com>\r\n"
    b"Content-Type: text/html; charset=utf-8\r\n\r\n<p>Look: <script>alert(1)</script><b>broken</b> "
    b'<img src="https://pictures.example/a.png"></p>\r\n'
)


async def kept(make: DeskFactory, database: Database, at: datetime, raw: bytes | None, blob: str | None = None) -> Message:
    conversation = await make.conversation(await make.contact(channel="email"), channel="email")
    fields = {"external_id": "m1@example.com", "subject": "Принтер", "html": "<p>Look: <b>broken</b></p>"}
    card = {
        "pictures": 1,
        "sealed": {"how": "signed", "by": "PGP"},
        "event": {"summary": "Planning", "starts": "2026-11-30T09:00:00+00:00"},
    }
    message = await make.says(conversation, "Look: broken", ticket=await make.ticket(conversation, channel="email"), card=card, **fields)
    async with database.unit() as uow:
        uow.add(
            RawInbound(
                id=new_id(), inbox_id=conversation.inbox_id, external_id="m1@example.com", lane="in:x", body={}, raw=raw, raw_blob=blob,
                request_id="r", received_at=at, state="done", message_id=message.id,
            )
        )  # fmt: skip
    return message


class TestAMail:
    async def test_is_shown_harmless_and_alone(self, console: Browser, make: DeskFactory, database: Database, clock: FakeClock) -> None:
        message = await kept(make, database, clock.now(), RAW)
        page = await console.get(f"/console/messages/{message.id}/mail")
        assert "<b>broken</b>" in page.text
        assert "alert" not in page.text
        assert "pictures.example" not in page.text
        policy = page.headers["content-security-policy"]
        assert "sandbox" in policy
        assert "img-src data:;" in policy
        fetched = await console.get(f"/console/messages/{message.id}/mail?pictures=1")
        assert "pictures.example" in fetched.text
        assert "https:" in fetched.headers["content-security-policy"]
        assert fetched.headers["referrer-policy"] == "no-referrer"

    async def test_is_taken_away_byte_by_byte(
        self, console: Browser, make: DeskFactory, database: Database, clock: FakeClock, desk: FakeWebDesk
    ) -> None:
        sha256, _ = await desk.blobs.put(RAW)
        message = await kept(make, database, clock.now(), None, sha256)
        found = await console.get(f"/console/messages/{message.id}/source")
        assert found.content == RAW
        assert found.headers["content-type"].startswith("message/rfc822")
        assert "attachment" in found.headers["content-disposition"]

    async def test_is_offered_in_the_story_with_what_else_is_known(
        self, console: Browser, make: DeskFactory, database: Database, clock: FakeClock
    ) -> None:
        message = await kept(make, database, clock.now(), RAW)
        page = (await console.get(f"/console/conversations/{message.conversation_id}")).text
        assert f"/console/messages/{message.id}/source" in page
        assert "Fetch 1 picture from elsewhere" in page
        for words in ("Planning", "30.11.2026 12:00", "signed with PGP"):
            assert words in page

    async def test_a_chat_message_has_none(self, console: Browser, make: DeskFactory) -> None:
        message = await make.says(await make.conversation(), "hello")
        assert f"{message.id}/source" not in (await console.get(f"/console/conversations/{message.conversation_id}")).text
        assert (await console.get(f"/console/messages/{message.id}/source")).status_code == 404

    @pytest.mark.parametrize("page", ["mail", "source"])
    async def test_is_for_operators_only(
        self, stranger: Browser, make: DeskFactory, database: Database, clock: FakeClock, page: str
    ) -> None:
        message = await kept(make, database, clock.now(), RAW)
        answer = await stranger.get(f"/console/messages/{message.id}/{page}")
        assert answer.status_code in (303, 401, 403)
        assert "broken" not in answer.text
