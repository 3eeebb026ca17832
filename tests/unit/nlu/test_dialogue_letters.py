"""One letter, one page: the request opens at once and what is missing is asked in one list."""

from dataclasses import replace

import pytest

from nlu.turn import AddToTicket, ConfirmSolved, FillSlots, HandOver, Heard, Manner, OpenTicket
from nlu.understood import Hit, Intent, Triage
from tests.fakes.talk import Talk, request
from tests.fakes.tools import FakeTools

HITS = tuple(Hit(f"a{n}", f"k{n}", f"Статья {n}", "1. Шаг", "ru", 0.8) for n in range(4))


@pytest.fixture
def mail() -> Talk:
    return Talk(manner=Manner.MAIL, tools=FakeTools(articles={"полос": HITS}))


@pytest.fixture
def page() -> Talk:
    return Talk(manner=Manner.FORM)


class Courteous(FakeTools):
    """A model that knows few words, and takes every text with a word of thanks in it for thanks."""

    def triage(self, text: str, *, language: str) -> Triage:
        words = text.casefold().split()
        thanks = [word for word in words if word.startswith(("thank", "спасиб"))]
        known = [word for word in words if word.isascii()]
        said = replace(super().triage(text, language=language), familiarity=len(known) / max(len(words), 1))
        return replace(said, intent=Intent.THANKS, intent_confidence=0.99) if thanks or not known else said


class TestALetter:
    def test_opens_a_request_at_once_with_its_questions_and_articles(self, mail: Talk) -> None:
        turn = mail.says("Здравствуйте!\nПринтер печатает полосами.\nС уважением, Анна", subject="Принтер")
        ticket = mail.ticket()
        assert ticket.questions == ("device", "scope", "location")
        assert ticket.articles == ("a0", "a1")
        assert ticket.subject == "Принтер"
        assert mail.state.asked == ticket.questions
        assert turn.replies == ()

    @pytest.mark.parametrize(
        ("subject", "text"),
        [("Re: спасибо", "Спасибо"), (None, "Добрый день, коллеги! Спасибо.")],
    )
    def test_of_thanks_opens_nothing_and_is_not_answered(self, mail: Talk, subject: str | None, text: str) -> None:
        turn = mail.says(text, subject=subject)
        assert turn.actions == ()
        assert turn.replies == ()

    @pytest.mark.parametrize(
        ("subject", "text", "said"), [(None, "Здравствуйте!", "greet"), ("", "", "ask_problem"), ("Привет", "", "ask_problem")]
    )
    def test_that_says_nothing_is_asked_what_happened(self, mail: Talk, subject: str | None, text: str, said: str) -> None:
        turn = mail.says(text, subject=subject)
        assert turn.actions == ()
        assert [reply.key for reply in turn.replies] == [said]

    def test_with_courtesy_under_a_telling_subject_opens_one(self, mail: Talk) -> None:
        mail.says("Спасибо!", subject="Не работает принтер в бухгалтерии")
        assert mail.ticket().category == "hardware.printer"

    @pytest.mark.parametrize(
        "text", ["The wobbler on desk 4 is gloink.\n\nThanks!", "куыуе ьн зфыыцщкв здуфыу\n\nThanks!", "куыуе ьн зфыыцщкв здуфыу"]
    )
    def test_with_thanks_under_words_that_no_model_knows_opens_one(self, text: str) -> None:
        mail = Talk(manner=Manner.MAIL, tools=Courteous())
        mail.says(text)
        assert mail.ticket().text == text

    @pytest.mark.parametrize("text", ["Hello!\nThank you all so much, lovely people", "Lovely people, thanks a million to everybody there"])
    def test_of_thanks_in_words_of_its_own_opens_nothing(self, text: str) -> None:
        mail = Talk(manner=Manner.MAIL, tools=Courteous())
        assert mail.says(text).actions == ()

    def test_of_files_alone_opens_one(self, mail: Talk) -> None:
        mail.says("", attachments=1)
        assert mail.ticket().subject

    def test_of_an_empty_body_takes_the_subject(self, mail: Talk) -> None:
        mail.says("", subject="Fwd: Принтер не печатает")
        assert mail.ticket().text == "Принтер не печатает"

    @pytest.mark.parametrize(("subject", "language"), [("Не печатает принтер", "ru"), ("My printer does not work", "en"), (None, "ru")])
    def test_of_an_empty_body_is_in_the_language_of_its_subject(self, mail: Talk, subject: str | None, language: str) -> None:
        assert mail.says("", subject=subject, attachments=1).language == language

    def test_that_asks_for_a_person_gets_one(self, mail: Talk) -> None:
        mail.says("Позовите оператора")
        assert mail.did(HandOver) == [HandOver("person_asked")]
        assert len(mail.did(OpenTicket)) == 1

    def test_that_must_not_wait_goes_to_people_without_questions(self, mail: Talk) -> None:
        mail.says("На компьютере вирус, всё зашифровано")
        assert mail.did(HandOver) == [HandOver("human_now")]
        assert mail.ticket().questions == ()

    def test_asking_for_status_is_told_without_a_new_request(self, mail: Talk) -> None:
        mail.requests = (request(),)
        mail.says("статус заявки")
        assert mail.replied() == ("status",)
        assert mail.did(OpenTicket) == []


class TestAReportOfSuccess:
    @pytest.mark.parametrize("text", ["Спасибо, помогло!", "Заработало, можно закрывать", "It works now, thanks"])
    def test_closes_the_request_by_the_persons_own_word(self, mail: Talk, text: str) -> None:
        mail.active = request()
        mail.says(text, subject="Re: [#1042] Принтер")
        assert mail.did(ConfirmSolved) == [ConfirmSolved("t1042", solved=True)]
        assert mail.did(AddToTicket) == [AddToTicket("t1042")]

    @pytest.mark.parametrize("text", ["Да", "ок", "Не помогло", "Помогло, но ненадолго", "Решено?"])
    def test_is_not_a_bare_yes_nor_a_doubt(self, mail: Talk, text: str) -> None:
        mail.active = request()
        mail.says(text, subject="Re: [#1042] Принтер")
        assert mail.did(ConfirmSolved) == []


class TestAnswersByMail:
    @pytest.fixture
    def mail(self, mail: Talk) -> Talk:
        mail.says("Не печатает принтер")
        assert mail.state.asked == ("device", "scope", "location")
        return mail

    @pytest.mark.parametrize(
        "text",
        [
            "1. HP 305\n2. у всех\n3. второй этаж",
            "3) второй этаж\n1) HP 305\n2) у всех",
            "Устройство: HP 305\nГде: второй этаж\nКого касается: у всех",
            "HP 305\nу всех\nвторой этаж",
            "Здравствуйте!\n\nНе печатает HP 305, это у всех, второй этаж.\n\nСпасибо!",
            "> 2. Это только у вас?\nу всех\n\n> 1. Какое это устройство?\nHP 305\n\n> 3. Где это?\nвторой этаж",
        ],
    )
    def test_are_understood_numbered_named_or_free(self, mail: Talk, text: str) -> None:
        mail.says(text)
        (filled,) = mail.did(FillSlots)
        assert filled.ticket_id == "t1042"
        assert {name: value.casefold() for name, value in filled.slots.items()} == {
            "device": "hp 305",
            "scope": "all",
            "location": "второй этаж",
        }
        assert len(mail.did(AddToTicket)) == 1

    def test_what_is_quoted_is_not_what_the_person_says(self, mail: Talk) -> None:
        mail.says("> 1. Какое это устройство?\nHP 305\n\n> Спасибо, что написали! Это у всех на втором этаже?\nпока не знаю")
        assert mail.did(FillSlots)[0].slots == {"device": "HP 305"}

    def test_may_come_one_by_one(self, mail: Talk) -> None:
        mail.says("2. у всех")
        assert mail.did(FillSlots)[0].slots == {"scope": "all"}
        mail.says("3. второй этаж")
        assert mail.did(FillSlots)[0].slots == {"location": "второй этаж"}

    def test_that_answer_nothing_are_added_all_the_same(self, mail: Talk) -> None:
        mail.says("Когда вы уже придёте, мы ждём с самого утра и ничего не происходит")
        assert mail.did(FillSlots) == []
        assert len(mail.did(AddToTicket)) == 1


class TestAResolvedRequestByMail:
    @pytest.fixture
    def mail(self, mail: Talk) -> Talk:
        mail.resolved = request(status="resolved")
        return mail

    @pytest.mark.parametrize("text", ["решено", "Спасибо, работает", "close it", "Thanks, it works now!", "Закройте, пожалуйста"])
    def test_is_confirmed_in_words(self, mail: Talk, text: str) -> None:
        turn = mail.says(text)
        assert turn.actions == (ConfirmSolved("t1042", solved=True),)

    def test_is_reopened_by_a_complaint_about_it(self, mail: Talk) -> None:
        mail.says("Нет, по-прежнему отваливается")
        assert mail.did(ConfirmSolved) == [ConfirmSolved("t1042", solved=False)]
        assert mail.did(AddToTicket) == [AddToTicket("t1042")]

    def test_is_left_as_it_is_by_mere_thanks(self, mail: Talk) -> None:
        assert mail.says("Спасибо!").actions == ()

    def test_an_open_one_is_not_closed_by_words(self, mail: Talk) -> None:
        mail.active, mail.resolved = request(), None
        turn = mail.says("Спасибо, работает")
        assert turn.actions == (AddToTicket("t1042"),)


class TestAPage:
    def test_opens_a_request_from_topic_fields_and_story(self, page: Talk) -> None:
        page.hears(Heard(text="Не печатает", category="hardware.printer", slots={"device": "HP 305", "scope": "all", "location": ""}))
        ticket = page.ticket()
        assert (ticket.category, ticket.confidence, ticket.impact) == ("hardware.printer", 1.0, "organisation")
        assert ticket.slots == {"device": "HP 305", "scope": "all"}

    def test_without_a_topic_is_placed_by_its_words(self, page: Talk) -> None:
        page.hears(Heard(text="Не подключается впн"))
        assert page.ticket().category == "network.vpn"

    def test_without_words_is_named_by_its_topic(self, page: Talk) -> None:
        page.hears(Heard(category="hardware.printer", slots={"device": "HP 305"}))
        assert page.ticket().subject == "Принтеры и печать"

    def test_of_a_topic_that_must_not_wait_goes_to_people(self, page: Talk) -> None:
        page.hears(Heard(text="Прислали странное письмо", category="security.incident"))
        assert page.did(HandOver) == [HandOver("human_now")]

    def test_of_a_request_that_is_open_adds_to_it(self, page: Talk) -> None:
        page.active = request()
        page.says("Ещё одна подробность")
        assert page.did(AddToTicket) == [AddToTicket("t1042")]
        assert page.replied() == ("added",)


class TestAnEncryptedLetter:
    def test_opens_a_request_and_says_that_nobody_can_read_it(self, mail: Talk) -> None:
        turn = mail.says("", subject="Принтер печатает полосами", sealed="S/MIME", attachments=1)
        ticket = mail.ticket()
        assert "зашифровано (S/MIME)" in ticket.notice
        assert (ticket.subject, ticket.questions, ticket.articles) == ("Принтер печатает полосами", (), ())
        assert (turn.replies, turn.looked) == ((), None)

    @pytest.mark.parametrize("subject", ["...", None, ""])
    def test_without_a_subject_to_read_is_named_for_what_it_is(self, mail: Talk, subject: str | None) -> None:
        mail.says("", subject=subject, sealed="PGP")
        assert mail.ticket().subject in {"Зашифрованное письмо", "Encrypted letter"}

    @pytest.mark.parametrize("place", ["active", "resolved"])
    def test_to_a_known_request_joins_it_closes_nothing_and_is_answered(self, mail: Talk, place: str) -> None:
        setattr(mail, place, request())
        turn = mail.says("", subject="Re: Принтер", sealed="PGP", attachments=2)
        assert [type(action) for action in turn.actions] == [AddToTicket]
        assert [reply.key for reply in turn.replies] == ["encrypted"]
