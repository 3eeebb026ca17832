"""Talking to the bot in a chat, as people do it on the first day."""

from dataclasses import replace
from typing import cast

import pytest

from nlu.labels import label
from nlu.scene import CATEGORY, PROBLEM
from nlu.turn import ArticleFeedback, DialogueState, HandOver, OpenTicket, Phase, SetLanguage
from nlu.understood import Hit, Intent
from tests.fakes.talk import Talk, request
from tests.fakes.tools import FakeTools

JAM = Hit("a1", "paper-jam", "Замятие бумаги", "1. Откройте крышку\n2. Вытяните лист", "ru", 0.8)
DRIVER = Hit("a2", "driver", "Установка драйвера", "1. Скачайте драйвер", "ru", 0.6)
VPN = Hit("a3", "vpn", "VPN не подключается", "1. Перезапустите клиент", "ru", 0.7)


@pytest.fixture
def talk() -> Talk:
    return Talk(tools=FakeTools(articles={"бумаг": (JAM, DRIVER), "vpn": (VPN,)}))


class TestSmallWords:
    def test_start_greets_with_three_ways_to_go(self, talk: Talk) -> None:
        talk.commands("start")
        assert talk.replied() == ("greet",)
        assert talk.offered() == ["new", "mine", "faq"]

    @pytest.mark.parametrize(
        "words",
        [
            "Привет!",
            "спасибо большое",
            "Как дела?",
            "hi",
            "thank you",
            "спасибо за помощь вчера",
            "Добрый день, коллеги! Спасибо.",
            "ок",
            "нет",
            "👍",
            "🙏",
        ],
    )
    def test_courtesy_opens_nothing(self, talk: Talk, words: str) -> None:
        turn = talk.says(words)
        assert turn.actions == ()
        assert turn.state == DialogueState()
        assert turn.replies

    def test_help_and_unknown_commands_are_answered(self, talk: Talk) -> None:
        assert talk.commands("help").replies[0].key == "help"
        assert talk.commands("whatever").replies[0].key == "help"

    def test_out_of_scope_is_said_with_a_way_to_a_person(self, talk: Talk) -> None:
        talk.says("Какая завтра погода в Самаре?")
        assert talk.replied() == ("out_of_scope",)
        assert talk.offered() == ["faq", "human"]

    def test_nothing_to_cancel(self, talk: Talk) -> None:
        talk.commands("cancel")
        assert talk.replied() == ("nothing_to_cancel",)

    def test_an_empty_message_changes_nothing(self, talk: Talk) -> None:
        turn = talk.says("")
        assert turn.state == DialogueState()
        assert turn.actions == ()


class TestArticlesFirst:
    def test_up_to_three_articles_are_offered_with_three_answers(self, talk: Talk) -> None:
        talk.says("Принтер зажевал бумагу")
        assert talk.replied() == ("article_intro", "article")
        assert talk.offered() == ["article", "helped", "not_it", "human"]
        assert talk.did(ArticleFeedback) == [ArticleFeedback("a1", "shown"), ArticleFeedback("a2", "shown")]
        assert "Вытяните лист" in (talk.last.replies[1].text or "")  # type: ignore[union-attr]  # said above

    def test_a_long_one_is_read_page_by_page(self, talk: Talk) -> None:
        long = ("Откройте крышку.", "Вытяните лист.", "Закройте крышку.")
        tools = cast("FakeTools", talk.tools)
        tools.articles = {word: [replace(hit, pages=long) for hit in hits] for word, hits in tools.articles.items()}
        talk.says("Принтер зажевал бумагу")
        assert talk.offered() == ["article", "article", "helped", "not_it", "human"]
        shown = []
        for page in range(3):
            talk.presses("article", id="a1", page=page)
            shown.append((talk.last.replies[-1].text or "").rpartition("\n\n")[2])
            assert talk.did(ArticleFeedback) == [], "to turn a page is no verdict"
        assert tuple(shown) == long
        assert talk.offered() == ["article", "helped", "not_it", "human"]
        assert talk.presses("helped", article="a1").actions == (ArticleFeedback("a1", "helped"),)

    def test_helped_opens_no_request(self, talk: Talk) -> None:
        talk.says("Принтер зажевал бумагу")
        turn = talk.presses("helped")
        assert turn.actions == (ArticleFeedback("a1", "helped"),)
        assert talk.replied() == ("article_helped",)
        assert turn.state == DialogueState()

    @pytest.mark.parametrize("words", ["Спасибо, помогло!", "да, помогло", "всё заработало", "спасибо"])
    def test_helped_may_be_said_in_words(self, talk: Talk, words: str) -> None:
        talk.says("Принтер зажевал бумагу")
        talk.says(words)
        assert talk.did(ArticleFeedback) == [ArticleFeedback("a1", "helped")]

    @pytest.mark.parametrize("words", ["не помогло", "нет", "Это не то"])
    def test_not_it_goes_on_to_the_first_missing_question(self, talk: Talk, words: str) -> None:
        talk.says("Принтер зажевал бумагу")
        turn = talk.says(words)
        # Of the second one only the title was on the screen: nobody can say that it did not help.
        assert talk.did(ArticleFeedback) == [ArticleFeedback("a1", "refused")]
        assert turn.state.pending == "device"
        assert talk.replied() == ("ask_equipment_device",)

    def test_another_of_the_articles_can_be_opened(self, talk: Talk) -> None:
        talk.says("Принтер зажевал бумагу")
        talk.presses("article", id="a2")
        assert "Скачайте драйвер" in (talk.last.replies[0].text or "")  # type: ignore[union-attr]  # said above
        talk.presses("helped")
        assert talk.did(ArticleFeedback) == [ArticleFeedback("a2", "helped")]

    def test_the_same_article_is_not_offered_twice_for_one_request(self, talk: Talk) -> None:
        talk.says("Принтер зажевал бумагу")
        turn = talk.says("Бумага опять рвётся внутри принтера")
        assert "article" not in talk.replied()
        assert turn.state.phase is Phase.FORM

    def test_a_question_without_an_article_is_told_so_and_taken_on(self, talk: Talk) -> None:
        talk.says("Как настроить сканер на почту?")
        assert talk.replied()[0] == "articles_none"
        assert talk.state.phase is Phase.FORM

    def test_faq_shows_titles_that_open(self, talk: Talk) -> None:
        talk.commands("faq")
        assert talk.replied() == ("faq_intro",)
        talk.presses("article", id="a3")
        assert talk.offered() == ["helped", "not_it", "human"]
        talk.presses("not_it")
        assert talk.replied() == ("ask_problem",)


class TestOneQuestionAtATime:
    def test_a_problem_becomes_a_request_with_what_was_said(self, talk: Talk) -> None:
        talk.says("Сломался принтер, не печатает счета")
        assert talk.state.pending == "device"
        talk.says("HP 305")
        assert talk.state.pending == "scope"
        assert talk.offered() == ["slot", "slot", "skip", "back", "cancel"]
        talk.presses("slot", slot="scope", value="all")
        talk.says("третий этаж")
        assert talk.replied() == ("summary_intro", "summary")
        card = talk.last.replies[-1].text or ""  # type: ignore[union-attr]  # said above
        assert card.splitlines() == [
            "Принтеры и печать",
            "Сломался принтер, не печатает счета",
            "Устройство: HP 305",
            "Кого касается: У всех",
            "Где: третий этаж",
        ]
        talk.presses("send")
        ticket = talk.ticket()
        assert (ticket.category, ticket.impact, ticket.urgency) == ("hardware.printer", "organisation", "high")
        assert ticket.slots == {"device": "HP 305", "scope": "all", "location": "третий этаж"}
        assert ticket.subject == "Сломался принтер, не печатает счета"
        assert talk.state == DialogueState()

    def test_in_english_too(self, talk: Talk) -> None:
        talk.says("Hello, the scanner is broken for everybody on the third floor")
        assert talk.language == "en"
        assert talk.last.replies[-1].text == "Which device is it?"  # type: ignore[union-attr]  # said above
        talk.says("Epson V39")
        talk.says("+44 20 7946 0958")
        talk.says("since Monday")
        assert talk.replied() == ("summary_intro", "summary")
        talk.says("yes, send it")
        assert talk.ticket().slots == {
            "device": "Epson V39",
            "scope": "all",
            "location": "third floor",
            "phone": "+442079460958",
            "since": "since Monday",
        }

    def test_what_the_story_and_the_contact_hold_is_not_asked(self, talk: Talk) -> None:
        talk.known = {"phone": "+79123456789"}
        talk.says("У всех на третьем этаже не печатает принтер HP 305")
        assert talk.state.pending == "since"
        talk.presses("skip")
        assert talk.replied() == ("summary_intro", "summary")

    def test_at_most_three_questions(self, talk: Talk) -> None:
        talk.says("Сломался принтер")
        for _ in range(3):
            assert talk.state.phase is Phase.FORM
            talk.presses("skip")
        assert talk.state.phase is Phase.SUMMARY

    @pytest.mark.parametrize("words", ["не знаю", "пропустить", "I don't know", "skip"])
    def test_a_question_can_be_skipped_in_words(self, talk: Talk, words: str) -> None:
        talk.says("Сломался принтер")
        talk.says(words)
        assert talk.state.pending == "scope"
        assert talk.state.skipped == ("device",)

    def test_back_asks_the_question_before_again(self, talk: Talk) -> None:
        talk.says("Сломался принтер")
        talk.says("HP 305")
        talk.says("назад")
        assert talk.state.pending == "device"
        talk.says("Canon 20")
        assert talk.state.slots["device"] == "Canon 20"
        assert talk.state.pending == "scope"

    def test_back_from_the_first_question_returns_to_the_story(self, talk: Talk) -> None:
        talk.says("Сломался принтер")
        talk.presses("back")
        assert talk.replied() == ("ask_problem",)
        talk.says("Он печатает полосами")
        assert talk.state.phase is Phase.FORM
        assert talk.state.text == "Сломался принтер\nОн печатает полосами"

    @pytest.mark.parametrize("leave", [lambda t: t.presses("cancel"), lambda t: t.says("отмена"), lambda t: t.commands("cancel")])
    def test_a_form_can_be_left_and_says_so(self, talk: Talk, leave: object) -> None:
        talk.says("Сломался принтер")
        leave(talk)  # type: ignore[operator]  # one of the three ways above
        assert talk.replied() == ("cancelled",)
        assert talk.state == DialogueState()

    def test_two_failures_give_an_example_and_three_a_person(self, talk: Talk) -> None:
        talk.says("У всех не печатает принтер HP 305 на третьем этаже")
        assert talk.state.pending == "phone"
        talk.says("позвоните мне")
        assert talk.replied() == ("not_understood",)
        talk.says("обычный")
        assert talk.replied() == ("example",)
        assert talk.last.replies[0].params["example"] == "+7 912 345-67-89"  # type: ignore[union-attr]  # said above
        talk.says("да любой")
        assert talk.ticket().slots["device"] == "HP 305"
        assert talk.did(HandOver) == [HandOver("failures")]
        assert talk.replied() == ("human",)

    def test_a_side_question_is_answered_and_the_form_resumes(self, talk: Talk) -> None:
        talk.says("Сломался принтер")
        talk.says("А как подключить vpn?")
        assert talk.replied() == ("side_answer", "article", "resume", "ask_equipment_device")
        assert talk.state.pending == "device"

    def test_a_status_question_in_a_form_is_answered_and_the_form_resumes(self, talk: Talk) -> None:
        talk.requests = (request(),)
        talk.says("Сломался принтер")
        talk.says("что с моей заявкой?")
        assert talk.replied() == ("status", "resume", "ask_equipment_device")

    def test_files_in_a_form_are_counted_and_the_question_stays(self, talk: Talk) -> None:
        talk.says("Сломался принтер")
        talk.sends_files(2)
        assert talk.state.attachments == 2
        assert talk.state.pending == "device"

    def test_a_form_that_lost_its_slot_meanwhile_goes_on(self, talk: Talk) -> None:
        talk.state = DialogueState(phase=Phase.FORM, text="Сломался принтер", category="hardware.printer", pending="gone", asked=("gone",))
        talk.says("HP 305")
        assert talk.state.phase is Phase.FORM
        assert talk.state.slots == {"device": "HP 305"}

    def test_the_open_question_is_repeated_on_demand(self, talk: Talk) -> None:
        talk.says("Сломался принтер, не печатает счета")
        talk.says("повторите вопрос")
        assert talk.replied() == ("resume", "ask_equipment_device")


class TestUnsureTopic:
    def test_an_unclear_topic_is_one_of_the_three_questions(self, talk: Talk) -> None:
        talk.says("На рабочем месте странно мигает лампочка")
        assert talk.replied() == ("ask_category",)
        assert talk.offered() == ["category", "category", "category", "skip", "back", "cancel"]
        talk.presses("category", key="hardware.printer")
        assert talk.state.category == "hardware.printer"
        talk.presses("skip")
        talk.presses("skip")
        assert talk.state.phase is Phase.SUMMARY
        assert talk.state.asked == (CATEGORY, "device", "scope")

    def test_a_topic_can_be_typed(self, talk: Talk) -> None:
        talk.says("На рабочем месте странно мигает лампочка")
        talk.says("Принтеры и печать")
        assert talk.state.category == "hardware.printer"

    def test_a_topic_can_be_skipped(self, talk: Talk) -> None:
        talk.says("На рабочем месте странно мигает лампочка")
        talk.presses("skip")
        assert talk.state.phase is Phase.SUMMARY
        talk.presses("send")
        assert talk.ticket().category is None

    @pytest.mark.parametrize("words", ["не работает", "Ничего не работает!!!", "it doesn't work"])
    def test_too_vague_a_story_is_asked_for_once(self, talk: Talk, words: str) -> None:
        talk.says(words)
        assert talk.replied() == ("ask_problem",)
        assert talk.state.asked == (PROBLEM,)
        talk.says("не работает и всё")
        assert talk.replied() == ("ask_category",)

    def test_a_topic_the_models_are_certain_of_gives_way_to_a_new_story(self, talk: Talk) -> None:
        talk.says("Сломался принтер, не печатает счета")
        assert talk.state.confidence < 1.0


class TestTwoProblems:
    @pytest.mark.parametrize("words", ["две", "отдельно, пожалуйста", "two requests"])
    def test_two_problems_become_two_requests(self, talk: Talk, words: str) -> None:
        turn = talk.says("Сломался принтер, и ещё нужен новый пароль")
        assert (turn.state.phase, talk.replied(), talk.offered()) == (Phase.CHOOSING, ("ask_split",), ["apart", "together"])
        talk.says(words)
        assert (talk.ticket().category, talk.ticket().text) == ("access.password", "нужен новый пароль")
        assert (talk.state.category, talk.state.text) == ("hardware.printer", "Сломался принтер")

    def test_two_problems_may_be_one_request(self, talk: Talk) -> None:
        talk.says("Сломался принтер, и ещё нужен новый пароль")
        turn = talk.presses("together")
        assert turn.actions == ()
        assert turn.state.text == "Сломался принтер, и ещё нужен новый пароль"
        assert turn.state.phase is Phase.FORM


class TestSummary:
    def _card(self, talk: Talk) -> None:
        talk.says("Не подключается впн")
        talk.says("только у меня")
        talk.says("дома, Самара")
        assert talk.replied() == ("summary_intro", "summary")

    def test_offers_send_edit_cancel(self, talk: Talk) -> None:
        self._card(talk)
        assert talk.offered() == ["send", "edit", "cancel"]

    @pytest.mark.parametrize("words", ["да", "отправить", "всё верно", "ок", "👍"])
    def test_a_yes_sends(self, talk: Talk, words: str) -> None:
        self._card(talk)
        talk.says(words)
        assert talk.ticket().category == "network.vpn"

    def test_an_answer_can_be_changed(self, talk: Talk) -> None:
        self._card(talk)
        talk.presses("edit")
        assert talk.replied() == ("ask_edit",)
        talk.presses("edit_slot", slot="location")
        assert talk.replied() == ("ask_network_location",)
        talk.says("в офисе")
        assert talk.replied() == ("summary_intro", "summary")
        assert talk.state.slots["location"] == "в офисе"

    def test_the_story_can_be_told_again(self, talk: Talk) -> None:
        self._card(talk)
        talk.says("изменить")
        talk.says(label("ru", "problem"))
        assert talk.state.pending == PROBLEM
        talk.says("впн отваливается каждые пять минут")
        assert talk.state.text == "впн отваливается каждые пять минут"
        assert talk.replied() == ("summary_intro", "summary")

    def test_the_topic_can_be_changed_and_what_fits_is_kept(self, talk: Talk) -> None:
        self._card(talk)
        talk.presses("edit")
        talk.presses("edit_slot", slot=CATEGORY)
        talk.says("принтер")
        assert talk.state.category == "hardware.printer"
        assert talk.state.slots == {"scope": "me", "location": "дома, Самара"}

    def test_a_correction_in_words_changes_the_topic(self, talk: Talk) -> None:
        talk.says("Сломался принтер")
        talk.says("HP 305")
        turn = talk.says("нет, не принтер, а сканер")
        assert turn.state.category == "hardware.peripherals"
        assert turn.state.slots["device"] == "HP 305"
        assert turn.state.pending == "scope"
        assert talk.replied()[-2:] == ("resume", "ask_equipment_scope")

    def test_a_correction_in_words_changes_an_answer(self, talk: Talk) -> None:
        talk.says("Сломался принтер")
        talk.says("HP 305")
        talk.says("нет, не HP 305, а Canon 20")
        assert talk.state.slots == {"device": "Canon 20"}

    def test_more_words_are_added_to_the_story(self, talk: Talk) -> None:
        self._card(talk)
        talk.says("Забыл сказать: пишет ошибку 809")
        assert talk.state.text.endswith("ошибку 809")
        assert talk.replied() == ("summary_intro", "summary")

    def test_the_wrong_half_of_a_correction_leaves_the_story_and_the_answers(self, talk: Talk) -> None:
        talk.says("Сломался принтер HP 12, у всех")
        assert talk.state.slots["device"] == "HP 12"
        turn = talk.says("нет, не HP 12, а кабинетный")
        assert "HP 12" not in turn.state.text
        assert turn.state.slots.get("device") != "HP 12"


class TestAPersonIsAlwaysReachable:
    @pytest.mark.parametrize(
        "words", ["оператор", "Позовите оператора!", "human", "I want to talk to a person", "соедините с оператором, пожалуйста"]
    )
    @pytest.mark.parametrize(
        "before", [[], ["Сломался принтер"], ["Сломался принтер", "HP 305"], ["не работает"], ["Принтер зажевал бумагу"]]
    )
    def test_at_once_and_with_everything_collected(self, talk: Talk, words: str, before: list[str]) -> None:
        for said in before:
            talk.says(said)
        slots = dict(talk.state.slots)
        talk.says(words)
        assert talk.ticket().slots == slots
        collected = talk.ticket().text + str(talk.ticket().slots)
        assert all(said in collected for said in before)
        assert talk.did(HandOver) == [HandOver("person_asked")]
        assert talk.replied() == ("human",)
        assert talk.state == DialogueState()

    def test_out_of_hours_it_is_said(self, talk: Talk) -> None:
        talk.working_now = False
        talk.commands("human")
        assert talk.replied() == ("human_out_of_hours",)
        assert talk.ticket().subject == "A person is asked for" or talk.ticket().subject

    def test_for_an_active_request_no_second_one_is_opened(self, talk: Talk) -> None:
        talk.active = request()
        talk.presses("human")
        assert talk.did(OpenTicket) == []
        assert talk.did(HandOver) == [HandOver("person_asked")]

    def test_what_must_not_wait_goes_to_people_at_once(self, talk: Talk) -> None:
        talk.active = request()
        talk.says("Кажется, у меня вирус: файлы переименованы")
        assert talk.ticket().category == "security.incident"
        assert talk.did(HandOver) == [HandOver("human_now")]

    def test_nonsense_gets_an_example_and_then_a_person(self, talk: Talk) -> None:
        talk.says("qwrtp")
        assert talk.replied() == ("not_understood",)
        talk.says("zxcvb")
        assert talk.replied() == ("example",)
        talk.says("?!?!")
        assert talk.did(HandOver) == [HandOver("failures")]
        assert len(talk.did(OpenTicket)) == 1

    def test_anger_is_answered_and_a_person_offered(self, talk: Talk) -> None:
        talk.says("Да вы идиоты там все")
        assert talk.replied() == ("complaint",)
        assert talk.offered() == ["human"]
        assert talk.did(OpenTicket) == []
        talk.presses("human")
        assert "идиоты" in talk.ticket().text

    def test_a_problem_inside_angry_words_is_taken_up(self, talk: Talk) -> None:
        talk.says("Этот чёртов принтер опять не печатает!")
        assert talk.replied() == ("complaint", "ask_equipment_device")

    def test_a_complaint_can_become_a_request(self, talk: Talk) -> None:
        talk.says("Хочу подать жалобу")
        talk.says("Жалоба на грубость по телефону, вчера в обед")
        assert talk.state.phase is Phase.SUMMARY
        talk.says("да")
        assert (talk.ticket().category, talk.ticket().kind) == ("general.complaint", "complaint")


class TestStaleButtons:
    @pytest.mark.parametrize(
        ("action", "value"),
        [
            ("send", {}),
            ("edit", {}),
            ("helped", {"article": "a1"}),
            ("not_it", {}),
            ("slot", {"slot": "scope", "value": "me"}),
            ("category", {"key": "network.vpn"}),
            ("edit_slot", {"slot": "location"}),
            ("solved", {"ticket": "t1"}),
            ("rate", {"ticket": "t1", "score": 9}),
            ("rate", {"ticket": None, "score": "many"}),
            ("slot", {"slot": ["x"], "value": {}}),
            ("article", {"id": "none"}),
            ("add", {}),
            ("unheard_of", {}),
        ],
    )
    def test_file_nothing_and_are_answered_with_the_open_question(self, talk: Talk, action: str, value: dict[str, object]) -> None:
        talk.says("Сломался принтер")
        turn = talk.presses(action, **{"none": None, **value})
        assert turn.actions == ()
        assert talk.replied() == ("stale_button", "resume", "ask_equipment_device")
        assert talk.state.pending == "device"

    def test_when_nothing_is_open_they_are_only_answered(self, talk: Talk) -> None:
        talk.presses("send")
        assert talk.replied() == ("stale_button",)

    def test_the_send_pressed_twice_opens_one_request(self, talk: Talk) -> None:
        talk.says("Забыл пароль от почты")
        talk.presses("send")
        assert len(talk.did(OpenTicket)) == 1
        talk.presses("send")
        assert talk.did(OpenTicket) == []


class TestLanguage:
    def test_a_switch_in_the_middle_is_followed(self, talk: Talk) -> None:
        talk.says("Сломался принтер")
        turn = talk.says("Sorry, can we speak English please? What is this about")
        assert turn.language == "en"
        talk.says("HP 305")
        assert talk.language == "en"
        talk.says("только у меня сломалось вот это")
        assert talk.language == "ru"

    def test_a_product_name_is_not_a_switch(self, talk: Talk) -> None:
        talk.says("Сломался принтер")
        talk.says("HP LaserJet Pro MFP M428fdw")
        assert talk.language == "ru"
        assert talk.state.slots["device"] == "HP LaserJet Pro MFP M428fdw"

    @pytest.mark.parametrize("words", ["switch to English", "English please", "давай по-английски"])
    def test_a_wish_is_granted_and_the_question_repeated_in_it(self, talk: Talk, words: str) -> None:
        talk.says("Сломался принтер")
        talk.says(words)
        assert talk.did(SetLanguage) == [SetLanguage("en")]
        assert talk.replied() == ("language_set", "resume", "ask_equipment_device")
        assert talk.last.replies[-1].text == "Which device is it?"  # type: ignore[union-attr]  # said above

    def test_lang_offers_buttons(self, talk: Talk) -> None:
        talk.commands("lang")
        assert talk.offered() == ["lang", "lang"]
        talk.presses("lang", language="en")
        assert talk.did(SetLanguage) == [SetLanguage("en")]
        assert talk.commands("lang", "ru").language == "ru"


class TestLongAndStrange:
    def test_ten_thousand_characters(self, talk: Talk) -> None:
        talk.says("Добрый день! У нас сломался принтер. " + "Подробности того, как это было, очень важны. " * 220)
        assert talk.state.phase is Phase.FORM
        talk.says("оператор")
        assert talk.ticket().subject == "У нас сломался принтер"

    def test_a_vague_beginning_is_no_subject(self, talk: Talk) -> None:
        talk.says("Ничего не работает")
        talk.says("Забыл пароль от почты")
        talk.presses("send")
        assert talk.ticket().subject == "Забыл пароль от почты"

    def test_subjects_are_cut_at_a_word(self, talk: Talk) -> None:
        talk.says("Принтер " + "совершенно " * 30)
        talk.says("оператор")
        assert len(talk.ticket().subject) <= 80
        assert talk.ticket().subject.endswith("…")

    def test_null_bytes_and_lone_surrogates_do_not_reach_the_state(self, talk: Talk) -> None:
        talk.says("Сломался\x00 принтер \ud83d")
        assert talk.state.text == "Сломался принтер"

    def test_intents_are_reported(self, talk: Talk) -> None:
        assert talk.says("привет").intent is Intent.GREET
        assert talk.says("Сломался принтер").intent is Intent.REPORT
