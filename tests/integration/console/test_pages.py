"""What the pages show, to whom, and at how many statements."""

import re
from datetime import timedelta
from html import unescape

import pytest

from desk_core.kit.clock import FakeClock
from desk_core.kit.db import Database
from desk_core.knowledge.repository import articles
from desk_core.learning.service import corrections
from desk_core.people.entities import Agent
from desk_core.people.permissions import Role
from desk_core.tickets import belonging, service
from desk_core.tickets.entities import Ticket
from tests.factories.desk import DeskFactory
from tests.fakes.queries import QueryRecorder
from tests.integration.console.conftest import Browser, LogIn

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7*7 }}"


class TestInbox:
    async def test_shows_the_unassigned_with_what_is_owed(self, console: Browser, make: DeskFactory) -> None:
        ticket = await make.ticket(subject="Printer 305 is silent")
        page = (await console.get("/console?view=unassigned")).text
        assert "Printer 305 is silent" in page
        assert f"/console/tickets/{ticket.number}" in page
        assert " h" in page  # the timer in words

    async def test_asks_as_much_for_fifty_rows_as_for_one(
        self, console: Browser, make: DeskFactory, database: Database, query_recorder: QueryRecorder
    ) -> None:
        await make.tickets(1)
        with query_recorder(database) as one:
            await console.get("/console?view=unassigned")
        await make.tickets(15)
        await console.get("/console")  # a quarter of an hour later presence is noted anew; not in the count
        with query_recorder(database) as many:
            await console.get("/console?view=unassigned")
        assert len(one) == len(many) == 4  # the log-in, the teams, the counters, the rows

    @pytest.mark.parametrize("view", ["mine", "unassigned", "my_line", "overdue", "waiting", "bot", "failed", "all", "closed", "nonsense"])
    async def test_every_view_opens_empty_with_a_reason(self, console: Browser, view: str) -> None:
        response = await console.get(f"/console?view={view}")
        assert response.status_code == 200
        assert 'class="empty"' in response.text

    async def test_counters_tell_how_much_waits(self, console: Browser, make: DeskFactory) -> None:
        await make.tickets(3)
        page = (await console.get("/console?view=mine")).text
        assert 'Unassigned <span class="count">3</span>' in page

    async def test_pages_by_cursor_without_losing_or_repeating(self, console: Browser, make: DeskFactory) -> None:

        await make.tickets(55)
        first = (await console.get("/console?view=unassigned")).text
        more = re.search(r'hx-get="(/console/list\?[^"]*after=[^"]*)"', first)
        assert more is not None
        second = (await console.get(more.group(1).replace("&amp;", "&"), headers={"HX-Request": "true"})).text
        numbers = [re.findall(r'href="/console/tickets/(\d+)', text) for text in (first, second)]
        assert (len(numbers[0]), len(numbers[1])) == (50, 5)
        assert not set(numbers[0]) & set(numbers[1])

    async def test_a_made_up_cursor_begins_anew(self, console: Browser, make: DeskFactory) -> None:
        await make.tickets(1)
        assert "Request 0" in (await console.get("/console?view=unassigned&after=%00garbage")).text

    @pytest.mark.parametrize("words", ["305", "PRINTER", "Борис", "борис", "#{number}", "boris@x.example"])
    async def test_finds_by_words_person_number_and_address(self, console: Browser, make: DeskFactory, words: str) -> None:
        contact = await make.contact("Борис Петров", address="boris@x.example", channel="email")
        ticket = await make.ticket(await make.conversation(contact, channel="email"), subject="The printer 305 is silent")
        await make.ticket(subject="Something else")
        page = (await console.get("/console", params={"q": words.format(number=ticket.number)})).text
        assert "The printer 305 is silent" in page
        assert "Something else" not in page

    async def test_the_bots_conversations_are_there_without_a_request(self, console: Browser, make: DeskFactory) -> None:
        conversation = await make.conversation(await make.contact("Marat"))
        await make.says(conversation, "my mail does not work")
        page = (await console.get("/console?view=bot")).text
        assert "my mail does not work" in page
        opened = (await console.get(f"/console/conversations/{conversation.id}")).text
        assert "Taking over opens a request" in opened

    async def test_speaks_russian_to_who_wants_it(self, console: Browser) -> None:
        assert '<html lang="ru"' in (await console.get("/console?lang=ru")).text


class TestTicketPage:
    async def test_tells_the_whole_story(self, console: Browser, make: DeskFactory, clock: FakeClock) -> None:
        conversation = await make.conversation(await make.contact("Boris Petrov"))
        await make.says(conversation, "hello")
        await make.bot_says(conversation, "**This** may help", buttons=("Helped", "Not it"))
        clock.advance(timedelta(minutes=1))
        ticket = await make.ticket(conversation, slots={"printer_device": "printer 305", "printer_trouble": "no_print"})
        page = (await console.get(f"/console/tickets/{ticket.number}")).text
        for told in (
            "hello", "<strong>This</strong>", "Not it", "Printer", "Does not print", "87 % sure", "Because of:",
            "Hardware goes to workplace support",
            "First answer", "Boris Petrov opened the request.",
            "Goes to Boris Petrov by Telegram", "only colleagues see it",
        ):  # fmt: skip
            assert told in page

    async def test_no_category_is_called_certain(self, console: Browser, make: DeskFactory) -> None:
        ticket = await make.ticket(confidence=0.9987)
        assert "99 % sure" in (await console.get(f"/console/tickets/{ticket.number}")).text

    async def test_costs_the_same_whatever_its_length(
        self, console: Browser, make: DeskFactory, database: Database, query_recorder: QueryRecorder
    ) -> None:
        ticket = await make.ticket()
        await console.get(f"/console/tickets/{ticket.number}")
        with query_recorder(database) as short:
            await console.get(f"/console/tickets/{ticket.number}")
        conversation = await make.conversation(await make.contact("Other"))
        for number in range(20):
            await make.bot_says(conversation, f"part {number}", ticket=ticket)
        with query_recorder(database) as long:
            await console.get(f"/console/tickets/{ticket.number}")
        assert len(short) == len(long) <= 16, "\n".join(one[:150] for one in short)

    async def test_the_pane_alone_for_htmx(self, console: Browser, make: DeskFactory) -> None:
        ticket = await make.ticket()
        headers = {"HX-Request": "true", "HX-Request-Type": "partial"}
        part = (await console.get(f"/console/tickets/{ticket.number}", headers=headers)).text
        assert part.lstrip().startswith("<article")
        assert "<html" not in part

    async def test_nothing_of_what_people_wrote_comes_alive(
        self, console: Browser, make: DeskFactory, anna: Agent, database: Database
    ) -> None:
        contact = await make.contact(HOSTILE, address=HOSTILE)
        conversation = await make.conversation(contact)
        await make.says(conversation, HOSTILE, subject=HOSTILE, original_text=HOSTILE + "more", card={"kind": HOSTILE})
        ticket = await make.ticket(conversation, subject=HOSTILE, slots={"location": HOSTILE, HOSTILE: HOSTILE}, reasons=(HOSTILE,))
        async with database.unit() as uow:
            ctx = make.context()
            await belonging.tag(uow, ctx, ticket.id, by=belonging.SYSTEM_ROUTER, add=[HOSTILE])
            await service.note(uow, ctx, ticket.id, by=anna, text=HOSTILE)
            await service.reply(uow, ctx, ticket.id, by=anna, text=HOSTILE)
        await make.failed_message(ticket, reason=HOSTILE)
        await make.dead_item(reason=HOSTILE)
        for address in (
            f"/console/tickets/{ticket.number}",
            "/console?view=mine",
            "/console?view=failed",
            "/console?view=bot",
            f"/console?q={HOSTILE}",
            f"/console/conversations/{conversation.id}",
        ):
            page = (await console.get(address)).text
            for bad in ("<script>alert", "<img src=x", '"><img', "{{ 7*7 }}49"):
                assert bad not in page.replace("&#34;", "").replace("&#39;", ""), address
            assert "<script>" not in page
            assert "onerror=alert(2)>" not in page

    @pytest.mark.parametrize(
        "address", ["tickets/999999", "tickets/99999999999999999999", "tickets/-1", "tickets/x", "conversations/x", "files/../x"]
    )
    async def test_what_does_not_exist_is_a_page_with_words(self, console: Browser, address: str) -> None:
        response = await console.get(f"/console/{address}")
        assert response.status_code == 404
        assert "Nothing here" in response.text
        assert "not_found" in response.text

    async def test_the_list_says_what_a_mail_server_meant_and_keeps_its_words(self, console: Browser, make: DeskFactory) -> None:
        said = "550 5.1.1 <vera@a.example>: this is what we have to tell you"
        await make.failed_message(await make.ticket(await make.conversation(channel="email")), reason=said)
        await make.failed_message(await make.ticket(await make.conversation(channel="telegram")), reason="Bad Request: chat not found")
        rows = unescape((await console.get("/console/list?view=failed")).text)
        assert f'title="{said}">there is no such mailbox<' in rows
        assert ">Bad Request: chat not found<" in rows

    async def test_an_answer_that_failed_offers_to_be_sent_again(self, console: Browser, make: DeskFactory, database: Database) -> None:
        ticket = await make.ticket()
        message = await make.failed_message(ticket)
        assert "Send again" in (await console.get(f"/console/tickets/{ticket.number}")).text
        response = await console.post(f"/console/messages/{message.id}/resend?back={ticket.number}")
        assert response.headers["location"] == f"/console/tickets/{ticket.number}"
        assert "Send again" not in (await console.get(f"/console/tickets/{ticket.number}")).text


class TestDeadItems:
    async def test_are_not_for_every_operator(self, console: Browser) -> None:
        response = await console.get("/console/dead")
        assert response.status_code == 403
        assert "Your role does not allow this" in response.text

    async def test_a_supervisor_reads_the_reason_and_tries_again(
        self, log_in: LogIn, make: DeskFactory, database: Database, query_recorder: QueryRecorder
    ) -> None:
        console = await log_in(await make.agent("Sergey", role=Role.SUPERVISOR))
        item = await make.dead_item(reason="codec cannot decode")
        with query_recorder(database) as seen:
            page = (await console.get("/console/dead")).text
        assert "codec cannot decode" in page
        assert len(seen) <= 6
        assert (await console.post(f"/console/dead/{item.id}/replay")).status_code == 303
        assert "codec cannot decode" not in (await console.get("/console/dead")).text
        assert (await console.post(f"/console/dead/{item.id}/replay")).status_code == 404

    async def test_an_operator_cannot_replay_by_address(self, console: Browser, make: DeskFactory) -> None:
        item = await make.dead_item()
        assert (await console.post(f"/console/dead/{item.id}/replay")).status_code == 403


class TestSettings:
    async def test_show_inboxes_teams_and_desk(
        self, console: Browser, make: DeskFactory, database: Database, query_recorder: QueryRecorder
    ) -> None:
        await make.inbox("email")
        with query_recorder(database) as seen:
            page = (await console.get("/console/settings")).text
        assert "help@desk.example" in page
        assert "Workplace support" in page
        assert len(seen) == 5  # the log-in, inboxes, operators, members, groups

    async def test_language_zone_and_theme_are_kept(self, console: Browser) -> None:
        form = {"language": "ru", "time_zone": "Asia/Omsk", "theme": "dark", "availability": "busy"}
        assert (await console.post("/console/settings/profile", data=form)).status_code == 303
        page = (await console.get("/console/settings")).text
        assert '<html lang="ru" data-theme="dark"' in page
        assert '<option value="Asia/Omsk" selected>' in page

    async def test_what_nobody_offered_is_not_kept(self, console: Browser) -> None:
        form = {"language": "xx", "time_zone": "Mars/Base", "theme": "neon", "availability": "gone"}
        assert (await console.post("/console/settings/profile", data=form)).status_code == 303
        assert '<option value="Europe/Moscow" selected>' in (await console.get("/console/settings")).text

    async def test_a_new_password_ends_the_other_log_ins(self, log_in: LogIn, make: DeskFactory) -> None:
        from gateway.auth.passwords import hash_password

        agent = await make.agent("Vera", password_hash=hash_password("first password"))
        here, there = await log_in(agent), await log_in(agent)
        wrong = await here.post("/console/settings/password", data={"present": "nope", "fresh": "second password"})
        assert wrong.status_code == 422
        assert "not your present password" in wrong.text
        short = await here.post("/console/settings/password", data={"present": "first password", "fresh": "short"})
        assert short.status_code == 422
        done = await here.post("/console/settings/password", data={"present": "first password", "fresh": "second password"})
        assert done.status_code == 303
        assert (await here.get("/console")).status_code == 200
        assert (await there.get("/console")).status_code == 303


class TestHandOver:
    async def test_the_bots_packet_stands_on_top_until_somebody_answers(
        self, console: Browser, make: DeskFactory, database: Database
    ) -> None:
        ticket = await make.ticket(subject="The printer is silent", slots={"affected": "group"})
        async with database.unit() as uow:
            refused, titled = [one.id for one in await articles(uow.session)][:2]  # type: ignore[arg-type]  # a unit reads too
            kept = await uow.session.get_one(Ticket, ticket.id)
            kept.hand_over = {
                "text": "The printer is silent since Monday", "shown": [titled, refused], "read": [refused], "refused": [refused],
                "tried": ["I restarted it twice"], "mood": "angry", "reason": "failures", "questions": [],
            }  # fmt: skip
        page = (await console.get(f"/console/tickets/{ticket.number}")).text
        card = page[page.index('<details class="packet" id="packet"') :]
        card = card[: card.index("</details>")]
        assert card.startswith('<details class="packet" id="packet" open>')
        for said in ("Angry", "did not understand the answers", "since Monday", "I restarted it twice", "did not help", "only its title"):
            assert said in card
        await console.post(
            f"/console/tickets/{ticket.number}/reply", data={"text": "I am on my way"}, headers={"Sec-Fetch-Site": "same-origin"}
        )
        assert '<details class="packet" id="packet">' in (await console.get(f"/console/tickets/{ticket.number}")).text

    async def test_a_request_of_which_the_bot_knows_nothing_has_none(self, console: Browser, make: DeskFactory, database: Database) -> None:
        ticket = await make.ticket(category=None)
        assert 'id="packet"' not in (await console.get(f"/console/tickets/{ticket.number}")).text

    async def test_a_colleague_says_that_an_article_was_not_it_and_that_is_an_example(
        self, console: Browser, make: DeskFactory, database: Database
    ) -> None:
        ticket = await make.ticket(subject="The printer is silent")
        async with database.unit() as uow:
            [shown, other] = [one.id for one in await articles(uow.session)][:2]  # type: ignore[arg-type]  # a unit reads too
            (await uow.session.get_one(Ticket, ticket.id)).hand_over = {"shown": [shown], "read": [shown]}
        act = f"/console/tickets/{ticket.number}/article"
        page = (await console.post(act, data={"article": shown}, follow_redirects=True)).text
        assert "a colleague says: not this" in page
        assert f'value="{shown}"' not in page
        assert (await console.post(act, data={"article": other})).status_code == 404
        async with database.read() as session:
            [kept] = await corrections(session, kind="article")
        assert (kept.before, kept.after, kept.agent_id is not None) == (shown, "none", True)
