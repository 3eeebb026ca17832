"""The requester's own page: what is shown, what is not, and that only a press of a button changes anything."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from selectolax.lexbor import LexborHTMLParser
from sqlalchemy import select, update

from desk_core.context import Context
from desk_core.conversations.entities import Attachment, Inbox, Message
from desk_core.conversations.files import store_file
from desk_core.conversations.ports import ChannelKind, InboundKind, InboundMessage, Sender
from desk_core.kit.errors import StoreUnavailable
from desk_core.kit.ids import new_id
from desk_core.people.entities import Agent
from desk_core.tickets import belonging, service
from desk_core.tickets.entities import Ticket
from gateway import inboxes
from tests.integration.channels.webform.conftest import Page, Site

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 64
ZIP = b"PK\x03\x04" + b"\x00" * 64


async def page_of(site: Site, ticket: Ticket, **params: str) -> Page:
    return await site.get(f"/s/{ticket.token}", params=params or None)


async def again(site: Site, ticket: Ticket) -> Ticket:
    return next(one for one in await site.tickets() if one.id == ticket.id)


async def answered(site: Site, ticket: Ticket, agent: Agent, text: str, *, resolve: bool = False, files: Any = ()) -> None:
    ctx: Context = await site.desk.context()
    async with site.desk.database.unit() as uow:
        await service.reply(uow, ctx, ticket.id, by=agent, text=text, resolve=resolve, files=files)


async def solved(site: Site, ticket: Ticket) -> Agent:
    agent = await site.agent()
    await answered(site, ticket, agent, "I replaced the toner.", resolve=True)
    return agent


async def test_what_was_taken_away_from_the_person_is_not_shown(site: Site) -> None:
    ticket = await site.request()
    agent = await site.agent()
    for text in ("This was for somebody else.", "The toner is on its way."):
        await answered(site, ticket, agent, text)
    assert "This was for somebody else." in (await page_of(site, ticket)).words
    async with site.desk.database.unit() as uow:
        await uow.execute(update(Message).where(Message.text == "This was for somebody else.").values(deleted_at=site.clock.now()))
    page = await page_of(site, ticket)
    assert "somebody else" not in page.response.text
    assert "The toner is on its way." in page.words


async def test_a_wrong_token_is_not_there_whatever_is_tried(site: Site) -> None:
    ticket = await site.request()
    for path in (
        "/s/wrong",
        f"/s/{ticket.token}x",
        f"/s/{ticket.token[:-1]}",
        "/s/%00",
        f"/s/{ticket.token}/files/{new_id()}",
        "/s/x/files/1",
    ):
        assert (await site.get(path)).status == 404, path
    for verb in ("reply", "solved", "rate"):
        assert (await site.post(f"/s/wrong/{verb}", {"text": "x", "solved": "yes", "score": "5"})).status == 404


async def test_the_state_stands_first_in_one_sentence_with_its_promise(site: Site) -> None:
    ticket = await site.request()
    page = await page_of(site, ticket)
    assert page.one("h1").text() == "Your request is in the queue."
    assert page.one(".lead").text().startswith("We answer")
    site.clock.advance(timedelta(days=3))
    assert "later than we promised" in (await page_of(site, ticket)).one(".lead").text()


async def test_both_sides_are_shown_and_notes_and_the_desks_own_business_never(site: Site) -> None:
    ticket = await site.request(text="My very own words")
    agent = await site.agent()
    ctx = await site.desk.context()
    secret = await store_file(site.desk.blobs, name="secret.txt", content=b"internal", limit=100)
    async with site.desk.database.unit() as uow:
        note = await service.note(uow, ctx, ticket.id, by=agent, text="INTERNAL-WORDS", files=[secret])
        await belonging.prioritise(uow, ctx, ticket.id, by=service.Actor.of(agent), priority="P1")
        await belonging.escalate(uow, ctx, ticket.id, by=service.Actor.of(agent), line=3, reason="ESCALATION-REASON")
    await answered(site, ticket, agent, "**Boris** here: [guide](https://desk.example/guide)")
    page = await page_of(site, ticket)
    assert "My very own words" in page.words
    assert "Boris Petrov" in page.words
    assert page.one('.say a[href="https://desk.example/guide"]').attributes["rel"]
    for hidden in ("INTERNAL-WORDS", "ESCALATION-REASON", "secret.txt", "P1", "boris@desk.example"):
        assert hidden not in page.response.text
    async with site.desk.database.read() as session:
        file_id = await session.scalar(select(Attachment.id).where(Attachment.message_id == note.id))
    assert (await site.get(f"/s/{ticket.token}/files/{file_id}")).status == 404


async def test_an_answer_that_may_still_be_taken_back_is_not_shown(site: Site) -> None:
    ticket = await site.request()
    agent, ctx = await site.agent(), await site.desk.context()
    async with site.desk.database.unit() as uow:
        window = {"webform": timedelta(seconds=10)}
        message = await service.reply(uow, ctx, ticket.id, by=agent, text="Perhaps I am wrong.", window=window)
    assert "Perhaps I am wrong." not in (await page_of(site, ticket)).words
    async with site.desk.database.unit() as uow:
        (await uow.session.get_one(Message, message.id)).delivery_state = "sent"
    assert "Perhaps I am wrong." in (await page_of(site, ticket)).words


class TestFiles:
    async def test_a_picture_is_shown_and_an_archive_that_says_it_is_one_is_offered_for_download(self, site: Site) -> None:
        ticket = await site.request(files=[("files", ("real.png", PNG, "image/png")), ("files", ("fake.png", ZIP, "image/png"))])
        links = {node.text().split()[0]: node.attributes["href"] or "" for node in (await page_of(site, ticket)).all(".file")}
        real, fake = await site.get(links["real.png"]), await site.get(links["fake.png"])
        assert (real.response.headers["content-type"], real.response.content) == ("image/png", PNG)
        assert real.response.headers["content-disposition"].startswith("inline")
        assert fake.response.headers["content-type"] == "application/octet-stream"
        assert fake.response.headers["content-disposition"] == "attachment; filename*=utf-8''fake.png"
        for page in (real, fake):
            assert page.response.headers["x-content-type-options"] == "nosniff"
            assert "sandbox" in page.response.headers["content-security-policy"]

    async def test_a_page_of_html_comes_as_a_download(self, site: Site) -> None:
        ticket = await site.request(files=[("files", ("page.html", b"<script>alert(1)</script>", "text/html"))])
        (link,) = (await page_of(site, ticket)).all(".file")
        page = await site.get(link.attributes["href"] or "")
        assert page.response.headers["content-type"] == "application/octet-stream"
        assert page.response.headers["content-disposition"].startswith("attachment")

    async def test_a_file_of_another_request_is_not_there(self, site: Site) -> None:
        mine = await site.request(text="mine", files=[("files", ("mine.png", PNG, "image/png"))])
        other = await site.request(text="other")
        link = (await page_of(site, mine)).one(".file").attributes["href"] or ""
        assert (await site.get(link.replace(mine.token, other.token))).status == 404


class TestReply:
    async def test_a_reply_with_a_file_joins_the_request_and_wakes_it(self, site: Site) -> None:
        ticket = await site.request()
        agent = await site.agent()
        await answered(site, ticket, agent, "Which floor?")
        page = await page_of(site, ticket)
        sent = await site.post(
            f"/s/{ticket.token}/reply", {**page.values(), "text": "The third one."}, [("files", ("map.png", PNG, "image/png"))]
        )
        assert sent.status == 303
        page = await site.follow(sent)
        assert "Your message is in." in page.words
        assert "The third one." in page.words
        assert page.all(".file")
        now = await again(site, ticket)
        assert (now.last_speaker, now.unread) == ("contact", True)
        assert len(await site.tickets()) == 1

    async def test_a_reply_is_heard_while_the_bot_has_the_word_and_the_bot_is_silent(self, site: Site) -> None:
        ticket = await site.request()
        before = len(await site.messages(ticket))
        page = await page_of(site, ticket)
        await site.post(f"/s/{ticket.token}/reply", {**page.values(), "text": "спасибо, and one more thing"})
        after = await site.messages(ticket)
        assert [message.direction for message in after[before:]] == ["inbound"]

    async def test_the_same_press_twice_is_one_message(self, site: Site) -> None:
        ticket = await site.request()
        values = {**(await page_of(site, ticket)).values(), "text": "once only"}
        for _press in range(2):
            assert (await site.post(f"/s/{ticket.token}/reply", values)).status == 303
        assert [message.text for message in await site.messages(ticket)].count("once only") == 1

    async def test_an_empty_reply_is_asked_for_words(self, site: Site) -> None:
        ticket = await site.request()
        page = await site.post(f"/s/{ticket.token}/reply", {"text": "  "})
        assert page.status == 422
        assert "Write something first" in page.words

    async def test_a_full_store_keeps_the_reply(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        async def refuse(*_args: object, **_more: object) -> None:
            raise StoreUnavailable(reason="disk full")

        ticket = await site.request()
        values = {**(await page_of(site, ticket)).values(), "text": "long and precious"}
        working = site.desk.accept
        monkeypatch.setattr(site.desk, "accept", refuse)
        page = await site.post(f"/s/{ticket.token}/reply", values)
        assert page.status == 503
        kept = page.values("form")
        assert kept["text"] == "long and precious"
        monkeypatch.setattr(site.desk, "accept", working)
        target = page.one("form").attributes["action"] or ""
        assert "long and precious" in (await site.follow(await site.post(target, kept))).words

    async def test_a_reply_long_after_closing_opens_a_follow_up_and_leads_to_its_page(self, site: Site) -> None:
        ticket = await site.request()
        await solved(site, ticket)
        await site.post(f"/s/{ticket.token}/solved", {"solved": "yes"})
        site.clock.advance(timedelta(days=60))
        page = await page_of(site, ticket)
        assert "becomes a new request" in page.words
        page = await site.follow(await site.post(f"/s/{ticket.token}/reply", {**page.values(), "text": "It is back."}))
        old, new = await site.tickets()
        assert old.status == "closed"
        assert f"Request #{new.number}" in page.words
        assert "It is back." in page.words

    @pytest.mark.parametrize("limits", [{"webform_per_hour": 2}])
    async def test_replies_are_limited_by_address_and_kept(self, site: Site) -> None:
        ticket = await site.request()
        for place in range(2):
            assert (await site.post(f"/s/{ticket.token}/reply", {"text": f"{place}"})).status == 303
        page = await site.post(f"/s/{ticket.token}/reply", {"text": "too much"})
        assert (page.status, page.values()["text"]) == (429, "too much")


class TestSolved:
    @pytest.mark.parametrize("do", ["solved", "not_solved", "rate"])
    async def test_opening_a_letters_link_changes_nothing(self, site: Site, do: str) -> None:
        ticket = await site.request()
        await solved(site, ticket)
        page = await page_of(site, ticket, do=do, score="1")
        assert "opening the link alone changes nothing" in page.words
        now = await again(site, ticket)
        assert (now.status, now.rating_score) == ("resolved", None)
        assert (await site.client.head(f"/s/{ticket.token}?do=rate&score=1")).status_code in (200, 405)
        assert (await again(site, ticket)).rating_score is None

    async def test_yes_closes_it_and_asks_for_a_rating(self, site: Site) -> None:
        ticket = await site.request()
        await solved(site, ticket)
        assert (await page_of(site, ticket)).all("#solved")
        page = await site.follow(await site.post(f"/s/{ticket.token}/solved", {"solved": "yes"}))
        assert page.one("h1").text() == "This request is closed."
        assert page.all("#rate")
        assert (await again(site, ticket)).status == "closed"

    async def test_no_opens_it_again(self, site: Site) -> None:
        ticket = await site.request()
        await solved(site, ticket)
        await site.post(f"/s/{ticket.token}/solved", {"solved": "no"})
        assert (await again(site, ticket)).status == "open"

    async def test_one_may_close_ones_own_request_rate_it_and_open_it_again(self, site: Site) -> None:
        ticket = await site.request()
        await site.post(f"/s/{ticket.token}/solved", {"solved": "yes"})
        now = await again(site, ticket)
        assert (now.status, now.resolution) == ("closed", "self")
        await site.post(f"/s/{ticket.token}/rate", {"score": "4", "comment": "good"})
        assert (await again(site, ticket)).rating_score == 4
        page = await page_of(site, ticket)
        assert "It is not solved, open it again" in page.words
        await site.post(f"/s/{ticket.token}/solved", {"solved": "no"})
        assert (await again(site, ticket)).status == "open"

    async def test_said_twice_it_is_said_once(self, site: Site) -> None:
        ticket = await site.request()
        await solved(site, ticket)
        for _press in range(2):
            assert (await site.post(f"/s/{ticket.token}/solved", {"solved": "yes"})).status == 303
        assert (await again(site, ticket)).status == "closed"

    async def test_an_answer_that_is_neither_changes_nothing(self, site: Site) -> None:
        ticket = await site.request()
        await site.post(f"/s/{ticket.token}/solved", {"solved": "perhaps"})
        assert (await again(site, ticket)).status == "new"


class TestRating:
    async def test_a_link_preselects_and_a_press_of_the_button_rates(self, site: Site) -> None:
        ticket = await site.request()
        await solved(site, ticket)
        page = await page_of(site, ticket, do="rate", score="4")
        assert [node.attributes["value"] for node in page.all("[name=score][checked]")] == ["4"]
        done = await site.follow(await site.post(f"/s/{ticket.token}/rate", {"score": "4", "comment": "Quick <b>help</b>"}))
        assert "Thank you" in done.words
        now = await again(site, ticket)
        assert (now.rating_score, now.rating_comment) == (4, "Quick <b>help</b>")

    async def test_it_may_be_changed(self, site: Site) -> None:
        ticket = await site.request()
        await solved(site, ticket)
        await site.post(f"/s/{ticket.token}/rate", {"score": "2"})
        await site.post(f"/s/{ticket.token}/rate", {"score": "5"})
        assert (await again(site, ticket)).rating_score == 5

    @pytest.mark.parametrize("score", ["0", "6", "", "five", "-1", "5 "])
    async def test_only_one_to_five_stars_are_a_rating(self, site: Site, score: str) -> None:
        ticket = await site.request()
        await solved(site, ticket)
        page = await site.post(f"/s/{ticket.token}/rate", {"score": score, "comment": "my words"})
        if score.strip() == "5":
            assert page.status == 303
            return
        assert page.status == 422
        assert page.one("[name=comment]").text() == "my words"
        assert (await again(site, ticket)).rating_score is None

    async def test_an_open_request_is_not_rated(self, site: Site) -> None:
        ticket = await site.request()
        assert not (await page_of(site, ticket)).all("#rate")
        await site.post(f"/s/{ticket.token}/rate", {"score": "1"})
        assert (await again(site, ticket)).rating_score is None


@pytest.mark.usefixtures("own_articles")
class TestOtherChannels:
    """The page of a request that began in a letter: what is written here joins that very request."""

    async def letter(self, site: Site) -> tuple[Inbox, Ticket]:
        async with site.desk.database.unit() as uow:
            inbox = await inboxes.add(
                uow, name="mail", channel=ChannelKind.EMAIL, address="help@desk.example", language="en", config={}, sealed=None,
                clock=site.clock,
            )  # fmt: skip
        message = InboundMessage(
            kind=InboundKind.MESSAGE, external_id="<1@company.example>", lane="in:email:anna@company.example",
            sender=Sender(address="anna@company.example", name="Anna"), at=site.clock.now(), subject="Printer",
            text="The printer 305 does not print at all.",
        )  # fmt: skip
        await site.desk.accept(inbox.id, message)
        await site.desk.worker().drain()
        (ticket,) = await site.tickets()
        return inbox, ticket

    async def test_a_reply_from_the_page_of_a_letter_joins_its_conversation(self, idle_site: Site) -> None:
        site = idle_site
        inbox, ticket = await self.letter(site)
        page = await page_of(site, ticket)
        assert "The printer 305 does not print" in page.words
        agent = await site.agent()
        await answered(site, ticket, agent, "Try now, please.")
        sent = await self.reply(site, ticket, "It prints, thank you.")
        assert sent.status == 303
        (now,) = await site.tickets()
        story = await site.messages(now)
        assert story[-1].text == "It prints, thank you."
        assert (story[-1].conversation_id, story[-1].inbox_id) == (ticket.conversation_id, inbox.id)
        assert story[-1].author == "Anna"
        assert story[-1].meta["address"] == "anna@company.example"

    async def reply(self, site: Site, ticket: Ticket, text: str) -> Page:
        page = await page_of(site, ticket)
        posting = asyncio.create_task(site.post(f"/s/{ticket.token}/reply", {**page.values(), "text": text}))
        while not posting.done():
            await site.desk.worker().drain()
            await asyncio.sleep(0.02)
        return await posting

    async def test_a_link_scanner_that_opens_every_link_of_a_letter_votes_for_nothing(self, idle_site: Site) -> None:
        site = idle_site
        _inbox, ticket = await self.letter(site)
        agent = await site.agent()
        await answered(site, ticket, agent, "Done.", resolve=True)
        page = await page_of(site, ticket)
        links = {node.attributes.get("href") or "" for node in LexborHTMLParser(page.response.text).css("a")}
        for link in [*(one for one in links if one.startswith("/s/")), *(f"/s/{ticket.token}?do={do}" for do in ("solved", "not_solved"))]:
            await site.get(link)
        now = await again(site, ticket)
        assert (now.status, now.rating_score) == ("resolved", None)


async def test_the_page_says_nothing_to_caches_or_other_sites(site: Site) -> None:
    ticket = await site.request()
    headers = (await page_of(site, ticket)).response.headers
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "same-origin"
    assert "noindex" in (await page_of(site, ticket)).response.text
    assert "unsafe-inline" not in headers["content-security-policy"]


class TestLinksIntoTelegram:
    @pytest.mark.parametrize("limits", [{"webform_per_hour": 2}])
    async def test_are_limited_by_address(self, site: Site) -> None:
        ticket = await site.request()
        async with site.desk.database.unit() as uow:
            uow.add(
                Inbox(
                    id=new_id(), name="bot", channel="telegram", address="bot", language="en", state="active",
                    config={"username": "desk_bot"}, secrets=None, last_received_at=None, last_success_at=None, last_error=None,
                    created_at=site.clock.now(), version=1,
                )
            )  # fmt: skip
        for purpose in ("join", "continue"):
            assert (await site.post(f"/s/{ticket.token}/telegram", {"purpose": purpose})).status == 200
        refused = await site.post(f"/s/{ticket.token}/telegram", {"purpose": "join"})
        assert refused.status == 429
        assert "from your address" in refused.words
