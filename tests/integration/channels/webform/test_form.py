"""The web form without JavaScript: the happy way, and every way it can go wrong without losing a word."""

import asyncio
import hashlib
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from desk_core.conversations.entities import Inbox, RawInbound
from desk_core.kit.errors import StoreUnavailable
from desk_core.knowledge.entities import Article, ArticleFeedback
from desk_core.people.entities import Contact
from tests.integration.channels.webform.conftest import Files, Site

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 64
TOPIC = "hardware.printer"
TYPED = {"name": "Anna <b>Orlova</b>", "email": "anna@company.example", "text": 'It says "E-05" & <stops>'}


async def accepted(site: Site) -> int:
    async with site.desk.database.read() as session:
        return int(await session.scalar(select(func.count()).select_from(RawInbound)) or 0)


def has(values: dict[str, Any], typed: dict[str, Any]) -> bool:
    return {name: values.get(name) for name in typed} == typed


@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
async def test_a_person_without_javascript_sends_a_request_and_gets_its_number(site: Site) -> None:
    form = await site.get("/f/site", params={"topic": TOPIC})
    assert [node.attributes["name"] for node in form.all("#fields [name]")] == [
        "slot.printer_device",
        "slot.printer_trouble",
        "slot.affected",
    ]
    site.clock.advance(timedelta(seconds=30))
    answers = {"slot.printer_device": "printer 305, third floor", "slot.printer_trouble": "jam", "slot.affected": ""}
    person = {"name": "Anna Orlova", "email": "Anna@Company.example", "text": "Paper is stuck.", "consent": "yes"}
    files: Files = [("files", ("photo.png", PNG, "image/png")), ("files", ("log.txt", b"line", "text/plain"))]
    posted = await site.post("/f/site", {**form.values(), **answers, **person}, files)
    assert posted.status == 303
    page = await site.follow(posted)
    (ticket,) = await site.tickets()
    assert f"Request #{ticket.number} is in" in page.words
    assert f"http://desk.test/s/{ticket.token}" in page.words
    assert "We answer" in page.words
    assert (ticket.category_key, ticket.channel, ticket.subject) == (TOPIC, "webform", "Paper is stuck")
    assert (ticket.slots["printer_trouble"], "affected" in ticket.slots) == ("jam", False)
    assert len(ticket.token) >= 24
    async with site.desk.database.read() as session:
        contact = await session.get_one(Contact, ticket.contact_id)
    assert contact.name == "Anna Orlova"
    inbound = [message for message in await site.messages(ticket) if message.direction == "inbound"]
    assert [message.text for message in inbound] == ["Paper is stuck."]


async def test_topics_stand_in_groups_and_a_person_need_not_choose_one(site: Site) -> None:
    form = await site.get("/f/site")
    assert len(form.all("#f-topic optgroup")) >= 10
    assert form.all(f'#f-topic option[value="{TOPIC}"]')
    ticket = await site.request(text="Everything is somehow strange")
    assert ticket.status == "new"


async def test_the_button_for_the_questions_of_a_topic_keeps_what_was_typed(site: Site) -> None:
    typed = await site.filled(topic="", **TYPED)
    page = await site.post("/f/site", {**typed, "topic": TOPIC, "step": "topic"}, [("files", ("a.png", PNG, "image/png"))])
    assert page.status == 200
    assert page.all('[name="slot.printer_device"]')
    assert has(page.values(), {**TYPED, "topic": TOPIC})
    assert len(page.values()["kept"]) == 1
    assert await accepted(site) == 0


async def test_htmx_gets_the_fields_of_a_topic_alone(site: Site) -> None:
    part = await site.get("/f/site", params={"topic": TOPIC}, headers={"hx-request": "true"})
    assert "<html" not in part.response.text
    assert part.all('[name="slot.printer_device"]')


class TestErrors:
    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"name": ""}, "name"),
            ({"name": "x" * 200}, "name"),
            ({"email": "not an address"}, "email"),
            ({"text": ""}, "text"),
            ({"text": "x" * 20_001}, "text"),
            ({"slot.printer_trouble": "no such choice"}, "slot.printer_trouble"),
            ({"slot.printer_device": "x" * 500}, "slot.printer_device"),
            ({"consent": ""}, "consent"),
        ],
    )
    async def test_every_error_stands_beside_its_field_and_in_the_summary_and_nothing_is_lost(
        self, site: Site, wrong: dict[str, str], field: str
    ) -> None:
        answers = {"slot.printer_device": "printer 305", "slot.printer_trouble": "jam"}
        sent = {**await site.filled(topic=TOPIC, **TYPED), **answers, **wrong}
        files: Files = [("files", ("photo.png", PNG, "image/png"))] if sent["text"] else []
        page = await site.post("/f/site", sent, files)
        assert page.status == 422
        assert page.all(f'#errors a[href="#f-{field}"]')
        assert page.one(f'[id="f-{field}-error"]').text().strip()
        assert page.one(f'[id="f-{field}"]').attributes["aria-invalid"] == "true"
        kept = page.values()
        expected = {name: value for name, value in sent.items() if name not in ("consent", "token", "slot.printer_trouble")}
        expected["name"] = sent["name"]
        assert has(kept, expected)
        assert len(kept.get("kept", ())) == len(files)
        assert await accepted(site) == 0

    async def test_files_of_a_refused_form_go_with_the_corrected_one(self, site: Site) -> None:
        sent = await site.filled(**TYPED, consent="")
        page = await site.post("/f/site", sent, [("files", ("photo.png", PNG, "image/png")), ("files", ("b.txt", b"b", "text/plain"))])
        assert page.status == 422
        assert "photo.png" in page.words
        done = await site.follow(await site.post("/f/site", {**page.values(), "consent": "yes"}))
        assert done.status == 200
        (ticket,) = await site.tickets()
        status = await site.get(f"/s/{ticket.token}")
        assert {node.text().split()[0] for node in status.all(".file")} == {"photo.png", "b.txt"}

    async def test_a_file_taken_out_again_is_not_sent(self, site: Site) -> None:
        sent = await site.filled(**TYPED, consent="")
        page = await site.post("/f/site", sent, [("files", ("photo.png", PNG, "image/png"))])
        values = {**page.values(), "consent": "yes"}
        del values["kept"]
        await site.follow(await site.post("/f/site", values))
        (ticket,) = await site.tickets()
        assert not (await site.get(f"/s/{ticket.token}")).all(".file")

    async def test_a_reference_to_a_file_that_we_did_not_sign_attaches_nothing(self, site: Site) -> None:
        sent = await site.filled(**TYPED)
        await site.follow(await site.post("/f/site", {**sent, "kept": ["eyJuYW1lIjoicGFzc3dkIn0.forged"]}))
        (ticket,) = await site.tickets()
        assert not (await site.get(f"/s/{ticket.token}")).all(".file")

    async def test_a_file_that_is_too_large_is_named_and_the_others_stay(self, site: Site) -> None:
        files: Files = [("files", ("big.bin", b"x" * (1024 * 1024 + 1), "")), ("files", ("small.png", PNG, "image/png"))]
        page = await site.post("/f/site", await site.filled(**TYPED), files)
        assert page.status == 422
        assert "“big.bin” is larger than 1 MB" in page.words
        assert has(page.values(), TYPED)
        assert len(page.values()["kept"]) == 1

    async def test_a_form_larger_than_any_form_may_be_is_refused_before_it_is_read(self, site: Site) -> None:
        page = await site.post("/f/site", await site.filled(), [("files", ("big.bin", b"x" * 6 * 1024 * 1024, ""))])
        assert page.status == 413

    async def test_the_desk_may_need_an_email(self, site: Site) -> None:
        async with site.desk.database.unit() as uow:
            (await uow.session.get_one(Inbox, site.inbox.id)).config = {"email_required": True}
        page = await site.post("/f/site", await site.filled())
        assert page.status == 422
        assert page.all('#errors a[href="#f-email"]')

    async def test_a_full_store_answers_503_with_every_word_and_the_form_goes_through_later(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def refuse(*_args: object, **_more: object) -> None:
            raise StoreUnavailable(reason="disk full")

        answers = {"slot.printer_device": "printer 305"}
        sent = {**await site.filled(topic=TOPIC, **TYPED), **answers}
        working = site.desk.accept
        monkeypatch.setattr(site.desk, "accept", refuse)
        page = await site.post("/f/site", sent, [("files", ("photo.png", PNG, "image/png"))])
        assert page.status == 503
        values = page.values("form")
        assert has(values, {**TYPED, **answers, "topic": TOPIC, "consent": "yes"})
        monkeypatch.setattr(site.desk, "accept", working)
        done = await site.follow(await site.post("/f/site", values))
        assert "is in" in done.words
        (ticket,) = await site.tickets()
        assert len((await site.get(f"/s/{ticket.token}")).all(".file")) == 1

    async def test_a_full_disk_for_files_answers_503_with_every_word(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        async def full(*_args: object, **_more: object) -> tuple[str, int]:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(site.desk.blobs, "put", full)
        page = await site.post("/f/site", await site.filled(**TYPED), [("files", ("photo.png", PNG, "image/png"))])
        assert page.status == 503
        assert has(page.values("form"), TYPED)
        assert await accepted(site) == 0

    async def test_a_paused_form_says_so_and_keeps_what_was_typed(self, site: Site) -> None:
        sent = await site.filled(**TYPED)
        async with site.desk.database.unit() as uow:
            (await uow.session.get_one(Inbox, site.inbox.id)).state = "paused"
        page = await site.post("/f/site", sent)
        assert page.status == 503
        assert has(page.values(), TYPED)
        assert (await site.get("/f/site")).status == 503

    async def test_an_unknown_form_is_not_there(self, site: Site) -> None:
        assert (await site.get("/f/nowhere")).status == 404
        assert (await site.get("/f/site/done/unknown-token")).status == 404


class TestProtection:
    async def refused(self, site: Site, sent: dict[str, Any], status: int) -> dict[str, Any]:
        """Refused with this status, nothing stored, every word kept, and the next press of the button goes through."""
        page = await site.post("/f/site", sent)
        assert page.status == status, page.words
        assert await accepted(site) == 0
        assert has(page.values(), TYPED)
        site.clock.advance(timedelta(seconds=3))
        again = await site.follow(await site.post("/f/site", page.values()))
        assert "is in" in again.words
        return page.values()

    async def test_without_its_token_a_form_is_refused(self, site: Site) -> None:
        await self.refused(site, {**await site.filled(**TYPED), "token": ""}, 403)

    async def test_with_a_foreign_token_a_form_is_refused(self, site: Site) -> None:
        sent = await site.filled(**TYPED)
        await self.refused(site, {**sent, "token": sent["token"][:-2] + "xx"}, 403)

    async def test_a_token_of_another_form_is_foreign(self, site: Site) -> None:
        from channels.webform.protection import Signer

        sent = await site.filled(**TYPED)
        await self.refused(site, {**sent, "token": Signer(site.desk.key).token("other", site.clock.now())}, 403)

    async def test_a_page_open_for_more_than_a_day_gets_a_fresh_token(self, site: Site) -> None:
        sent = await site.filled(**TYPED)
        site.clock.advance(timedelta(days=1, minutes=1))
        await self.refused(site, sent, 403)

    async def test_faster_than_a_person_is_refused_once(self, site: Site) -> None:
        page = await site.get("/f/site")
        await self.refused(site, {**page.values(), **TYPED, "consent": "yes"}, 422)

    async def test_the_trap_is_sprung_by_robots_and_emptied_for_people(self, site: Site) -> None:
        await self.refused(site, {**await site.filled(**TYPED), "website": "http://spam.example"}, 422)

    async def test_work_that_proves_nothing_is_refused(self, site: Site) -> None:
        await self.refused(site, {**await site.filled(**TYPED), "work": "0"}, 422)

    async def test_proved_work_passes(self, site: Site) -> None:
        sent = await site.filled(**TYPED)
        work = next(
            str(number)
            for number in range(1_000_000)
            if int.from_bytes(hashlib.sha256(f"{sent['token']}:{number}".encode()).digest()[:4], "big") >> 19 == 0
        )
        done = await site.follow(await site.post("/f/site", {**sent, "work": work}))
        assert "is in" in done.words

    @pytest.mark.parametrize("limits", [{"webform_per_hour": 2}])
    async def test_an_address_has_a_limit_and_over_it_every_word_is_kept(self, site: Site) -> None:
        for place in range(2):
            assert "is in" in (await site.send(text=f"request {place}")).words
        page = await site.post("/f/site", await site.filled(**TYPED))
        assert page.status == 429
        assert has(page.values(), TYPED)
        assert len(await site.tickets()) == 2

    @pytest.mark.parametrize("limits", [{"webform_per_hour": 1}])
    async def test_a_forwarded_address_is_believed_from_a_trusted_proxy_only(self, site: Site) -> None:
        first = {**await site.filled(**TYPED), "text": "first"}
        second = {**await site.filled(**TYPED), "text": "second"}
        assert (await site.post("/f/site", first, headers={"x-forwarded-for": "198.51.100.1"})).status == 303
        # The peer (10.0.0.9) is nobody's proxy: what it claims changes nothing.
        assert (await site.post("/f/site", second, headers={"x-forwarded-for": "198.51.100.2"})).status == 429

    async def test_the_same_page_sent_twice_is_one_request_and_other_words_are_another(self, site: Site) -> None:
        sent = await site.filled(**TYPED)
        one, two = await asyncio.gather(site.post("/f/site", sent), site.post("/f/site", sent))
        assert one.response.headers["location"] == two.response.headers["location"]
        await site.post("/f/site", {**sent, "text": "something else"})
        assert len(await site.tickets()) == 2

    async def test_another_site_cannot_post_in_a_persons_name(self, site: Site) -> None:
        sent = await site.filled(**TYPED)
        page = await site.post("/f/site", sent, headers={"origin": "https://evil.example", "sec-fetch-site": "cross-site"})
        assert page.status == 403
        assert await accepted(site) == 0


class TestBadInput:
    async def test_html_in_every_field_stays_text_everywhere(self, site: Site) -> None:
        evil = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
        sent = {**await site.filled(topic=TOPIC), "name": evil[:100], "text": evil, "slot.printer_device": evil, "email": evil}
        refused = await site.post("/f/site", sent, [("files", (evil, PNG, "image/png"))])
        assert refused.status == 422
        done = await site.follow(await site.post("/f/site", {**refused.values(), "email": ""}))
        (ticket,) = await site.tickets()
        pages = [refused, done, await site.get(f"/s/{ticket.token}")]
        for page in pages:
            assert "<script>alert" not in page.response.text
            assert not page.all("img[onerror]")
        assert "<script>alert(1)</script>" in pages[2].words

    async def test_a_path_in_a_file_name_is_only_a_name(self, site: Site) -> None:
        names = ["../../etc/passwd", "C:\\windows\\system32\\cmd.exe", "\u202egnp.exe"]
        await site.send([("files", (name, b"content", "text/plain")) for name in names], **TYPED)
        (ticket,) = await site.tickets()
        shown = [node.text().split()[0] for node in (await site.get(f"/s/{ticket.token}")).all(".file")]
        assert sorted(shown) == sorted(["passwd", "cmd.exe", "gnp.exe"])

    async def test_null_bytes_and_ten_thousand_letters_arrive_as_text(self, site: Site) -> None:
        ticket = await site.request(text="a\x00b" + "я" * 10_000, name="An\x00na")
        inbound = (await site.messages(ticket))[0]
        assert inbound.text == "ab" + "я" * 10_000

    async def test_only_a_file_is_a_request_too(self, site: Site) -> None:
        done = await site.send([("files", ("photo.png", PNG, "image/png"))], text="")
        assert "is in" in done.words

    async def test_an_unknown_topic_is_no_topic(self, site: Site) -> None:
        sent = {**await site.filled(), "topic": "no.such.topic"}
        assert "is in" in (await site.follow(await site.post("/f/site", sent))).words


class TestSuggestions:
    async def test_articles_are_suggested_while_typing(self, site: Site) -> None:
        part = await site.get("/f/site/suggest", params={"q": "printer does not print"})
        assert 1 <= len(part.all("details.suggestion")) <= 3
        assert "<html" not in part.response.text

    @pytest.mark.parametrize("text", ["", "hi", "qwrtpsdfg zxcvbnm wqrtp"])
    async def test_nothing_is_suggested_for_nothing(self, site: Site, text: str) -> None:
        assert not (await site.get("/f/site/suggest", params={"q": text})).all("details")

    async def test_what_helped_is_noted_once_and_opens_no_request(self, own_articles: None, site: Site) -> None:
        sent = {**await site.filled(**TYPED), "topic": TOPIC, "step": "topic", "text": "printer does not print"}
        page = await site.post("/f/site", sent)
        button = page.all(".suggestion button")[0]
        assert button.attributes["formaction"] == "/f/site/helped"
        article_id = button.attributes["value"]
        for _press in range(2):
            done = await site.follow(await site.post("/f/site/helped", {**page.values(), "article": article_id}))
            assert "No request was opened" in done.words
        async with site.desk.database.read() as session:
            opinions = (await session.scalars(select(ArticleFeedback))).all()
        assert [(one.article_id, one.verdict) for one in opinions] == [(article_id, "helped")]
        assert (await accepted(site), await site.tickets()) == (0, [])

    async def test_feedback_without_our_page_is_refused(self, site: Site) -> None:
        async with site.desk.database.read() as session:
            article_id = await session.scalar(select(Article.id).limit(1))
        page = await site.post("/f/site/helped", {"article": article_id, "token": "forged", **TYPED})
        assert page.status == 403
        assert has(page.values(), TYPED)


async def test_a_request_that_is_not_processed_yet_is_registered_and_shows_the_same_link(
    idle_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    from channels.webform import routes

    monkeypatch.setattr(routes, "PATIENCE", 0.05)
    page = await idle_site.send(**TYPED)
    assert "Your request is registered" in page.words
    link = page.one(".own-link a").attributes["href"] or ""
    waiting = await idle_site.get(link)
    assert waiting.status == 200
    assert "registered" in waiting.words
    await idle_site.desk.worker().drain()
    (ticket,) = await idle_site.tickets()
    assert link.endswith(f"/s/{ticket.token}")
    assert f"#{ticket.number}" in (await idle_site.get(link)).words


async def test_the_form_speaks_russian(site: Site) -> None:
    page = await site.get("/f/site", params={"lang": "ru", "topic": TOPIC})
    assert page.one("html").attributes["lang"] == "ru"
    assert "Принтер" in page.words
    site.clock.advance(timedelta(seconds=5))
    typed = {"name": "Анна", "text": "Замяло бумагу", "consent": "yes"}
    await site.post("/f/site", {**page.values(), **typed})
    (ticket,) = await site.tickets()
    assert ticket.language == "ru"


@pytest.mark.parametrize(("zone", "kept"), [("Asia/Vladivostok", "Asia/Vladivostok"), ("Nowhere/City", None), ("../../etc/passwd", None)])
async def test_the_promise_is_told_in_the_browsers_time_zone(site: Site, zone: str, kept: str | None) -> None:
    page = await site.send(zone=zone)
    (ticket,) = await site.tickets()
    async with site.desk.database.read() as session:
        assert (await session.get_one(Contact, ticket.contact_id)).time_zone == kept
    assert ticket.next_due_at is not None
    local = ticket.next_due_at.astimezone(ZoneInfo(kept or "Europe/Moscow"))
    assert f"{local:%H:%M}" in page.words
