"""Talking to the bot in a chat about requests that exist: their state, more words, solved or not."""

from dataclasses import replace

import pytest

from nlu.turn import (
    AddToTicket,
    CancelTicket,
    ConfirmSolved,
    DialogueState,
    Heard,
    ListRequests,
    Phase,
    RateTicket,
    ShowRequest,
    UseRequest,
)
from nlu.understood import Intent
from tests.fakes.talk import Talk, request
from tests.fakes.tools import FakeTools


@pytest.fixture
def talk() -> Talk:
    return Talk(tools=FakeTools())


class _StatusTools(FakeTools):
    def _intent(self, text: str) -> Intent:
        return Intent.STATUS


class TestRequestsThatExist:
    def test_status_of_the_active_one(self, talk: Talk) -> None:
        talk.requests = (request(1041), request(1042))
        talk.active = request(1042)
        talk.says("что с моей заявкой?")
        assert talk.last.replies[0].params["number"] == 1042  # type: ignore[union-attr]  # said above
        assert talk.last.replies[0].params["promise"] == "14:30"  # type: ignore[union-attr]  # said above

    def test_status_by_number(self, talk: Talk) -> None:
        talk.requests = (request(1041), request(1042))
        talk.tools = _StatusTools()
        talk.says("есть новости по #1041?")
        assert talk.last.replies[0].params["number"] == 1041  # type: ignore[union-attr]  # said above

    def test_status_of_several_is_a_list_and_of_none_is_said(self, talk: Talk) -> None:
        talk.says("статус")
        assert talk.replied() == ("status_none",)
        talk.requests = (request(1041), request(1042))
        talk.says("статус")
        assert talk.did(ListRequests) == [ListRequests()]

    def test_my_and_show(self, talk: Talk) -> None:
        talk.commands("my")
        assert talk.did(ListRequests) == [ListRequests()]
        talk.presses("mine", offset=5)
        assert talk.did(ListRequests) == [ListRequests(offset=5)]
        talk.presses("show", ticket="t7")
        assert talk.did(ShowRequest) == [ShowRequest("t7")]

    def test_a_text_is_added_to_the_active_one(self, talk: Talk) -> None:
        talk.active = request()
        talk.says("Ещё пишет ошибку 809")
        assert talk.did(AddToTicket) == [AddToTicket("t1042")]
        assert talk.replied() == ("added",)

    def test_thanks_and_greetings_are_not(self, talk: Talk) -> None:
        talk.active = request()
        for words in ("спасибо", "добрый день", "статус"):
            assert talk.says(words).actions == ()

    def test_thanks_for_what_works_are_news_for_the_active_one(self, talk: Talk) -> None:
        talk.active = request()
        talk.says("спасибо, всё заработало")
        assert talk.did(AddToTicket)

    def test_only_files_are_added_to_the_active_one(self, talk: Talk) -> None:
        talk.active = request()
        talk.sends_files()
        assert talk.did(AddToTicket) == [AddToTicket("t1042")]

    def test_only_files_without_a_request_ask_for_the_story(self, talk: Talk) -> None:
        talk.sends_files(2)
        assert talk.replied() == ("only_attachment",)
        talk.says("Сломался принтер")
        assert talk.state.attachments == 2

    def test_something_clearly_new_is_asked_about(self, talk: Talk) -> None:
        talk.active = request()
        talk.says("Сломался принтер в приёмной")
        assert talk.replied() == ("ask_about",)
        assert talk.offered() == ["add", "new"]

    def test_whoever_points_at_the_request_is_not_asked(self, talk: Talk) -> None:
        talk.active = request()
        talk.requests = (talk.active, replace(request(1041), subject="Принтер в приёмной", category="hardware.printer"))
        talk.hears(Heard(text="Сломался принтер в приёмной", pointed=True))
        assert talk.did(AddToTicket) == [AddToTicket("t1042")]
        assert talk.replied() == ("added",)

    @pytest.mark.parametrize("words", ["На принтере та же самая ошибка", "the printer shows the same error"])
    def test_words_that_point_back_are_not_something_new(self, talk: Talk, words: str) -> None:
        talk.active = request()
        talk.says(words)
        assert talk.did(AddToTicket) == [AddToTicket("t1042")]

    def test_it_may_belong_to_the_active_one(self, talk: Talk) -> None:
        talk.active = request()
        talk.says("Сломался принтер в приёмной")
        talk.presses("add")
        assert talk.did(AddToTicket) == [AddToTicket("t1042", text="Сломался принтер в приёмной")]
        assert talk.state == DialogueState()

    @pytest.mark.parametrize("choose", [lambda t: t.presses("new"), lambda t: t.says("новое")])
    def test_or_be_a_new_one(self, talk: Talk, choose: object) -> None:
        talk.active = request()
        talk.says("Сломался принтер в приёмной")
        choose(talk)  # type: ignore[operator]  # one of the two ways above
        assert talk.did(UseRequest) == [UseRequest(None)]
        assert talk.state.pending == "device"
        assert talk.state.text.startswith("Сломался принтер в приёмной")

    def test_new_starts_another(self, talk: Talk) -> None:
        talk.active = request()
        talk.commands("new")
        assert talk.did(UseRequest) == [UseRequest(None)]
        assert talk.replied() == ("ask_problem",)
        talk.says("Сломался принтер")
        assert talk.state.pending == "device"

    def test_words_close_to_another_open_one_are_asked_about(self, talk: Talk) -> None:
        other = replace(request(1041), subject="Проектор в переговорной", category=None)
        talk.active, talk.requests = request(1042), (request(1042), other)
        talk.says("проектор снова мигает")
        assert talk.replied() == ("ask_which",)
        assert talk.offered() == ["add", "add", "new"]
        talk.presses("add", ticket="t1041")
        assert talk.did(AddToTicket) == [AddToTicket("t1041", text="проектор снова мигает")]
        assert talk.did(UseRequest) == [UseRequest("t1041")], "the talk goes on about that one"

    def test_the_active_one_may_be_meant_all_the_same(self, talk: Talk) -> None:
        other = replace(request(1041), subject="Проектор в переговорной", category=None)
        talk.active, talk.requests = request(1042), (request(1042), other)
        talk.says("проектор снова мигает")
        talk.says("1042")
        assert talk.did(AddToTicket) == [AddToTicket("t1042", text="проектор снова мигает")]
        assert talk.did(UseRequest) == []

    def test_a_word_that_all_subjects_have_tells_nothing(self, talk: Talk) -> None:
        other = replace(request(1041), subject=request(1042).subject)
        talk.active, talk.requests = request(1042), (request(1042), other)
        talk.says(request(1042).subject)
        assert talk.replied() == ("added",)

    def test_switching_by_button(self, talk: Talk) -> None:
        talk.active, talk.requests = request(1042), (request(1042), request(1041))
        talk.presses("use", ticket="t1041")
        assert talk.did(UseRequest) == [UseRequest("t1041")]
        assert talk.replied() == ("switched",)
        talk.presses("use", ticket="t7")
        assert talk.replied() == ("stale_button",)

    def test_add_details_waits_for_them(self, talk: Talk) -> None:
        talk.requests = (request(),)
        talk.presses("add", ticket="t1042")
        assert talk.replied() == ("ask_addition",)
        talk.says("Сломался ещё и принтер")
        assert talk.did(AddToTicket) == [AddToTicket("t1042")]

    def test_a_request_can_be_cancelled(self, talk: Talk) -> None:
        talk.requests = (request(),)
        talk.presses("cancel_request", ticket="t1042")
        assert talk.did(CancelTicket) == [CancelTicket("t1042")]
        assert talk.replied() == ("request_cancelled",)
        talk.presses("cancel_request", ticket="t1042")
        assert talk.replied() == ("stale_button",)

    @pytest.mark.parametrize("words", ["что с заявкой 1042?", "статус заявки №1042", "what is the status of my request #1042"])
    def test_status_by_number_needs_no_model(self, talk: Talk, words: str) -> None:
        talk.requests = (request(), request(1043))
        talk.says(words)
        assert [say.params["number"] for say in talk.last.replies] == [1042]  # type: ignore[union-attr]  # said above

    def test_the_same_trouble_is_asked_about_before_it_is_opened_twice(self, talk: Talk) -> None:
        talk.requests = (request(),)
        assert talk.says("опять не работает VPN").state.phase is Phase.CHOOSING
        assert talk.replied() == ("ask_about",)


class TestSolved:
    @pytest.fixture
    def talk(self, talk: Talk) -> Talk:
        talk.resolved = request(status="resolved")
        return talk

    @pytest.mark.parametrize("words", ["да", "решено", "Спасибо, всё заработало!", "it works now", "закройте, пожалуйста"])
    def test_a_yes_closes_and_asks_for_stars(self, talk: Talk, words: str) -> None:
        talk.says(words)
        assert talk.did(ConfirmSolved) == [ConfirmSolved("t1042", solved=True)]
        assert talk.replied() == ("rate",)
        assert talk.offered() == ["rate"] * 5

    def test_stars_and_a_comment(self, talk: Talk) -> None:
        talk.presses("solved", ticket="t1042")
        talk.presses("rate", ticket="t1042", score=4)
        assert talk.did(RateTicket) == [RateTicket("t1042", score=4)]
        assert talk.replied() == ("rate_comment",)
        talk.says("Долго ждал ответа")
        assert talk.did(RateTicket) == [RateTicket("t1042", comment="Долго ждал ответа")]
        assert talk.replied() == ("rated",)

    @pytest.mark.parametrize("command", ["my", "help", "faq", "me"])
    def test_stars_are_offered_once_and_whatever_comes_after_is_answered_by_itself(self, talk: Talk, command: str) -> None:
        talk.presses("solved", ticket="t1042")
        talk.resolved = None
        talk.commands(command)
        assert not {"rate", "resume"} & set(talk.replied())
        talk.presses("rate", ticket="t1042", score=5)
        assert talk.did(RateTicket) == [RateTicket("t1042", score=5)]

    def test_stars_as_a_word_and_no_comment(self, talk: Talk) -> None:
        talk.says("решено")
        talk.says("5")
        assert talk.did(RateTicket) == [RateTicket("t1042", score=5)]
        talk.presses("skip")
        assert talk.replied() == ("rated",)
        assert talk.state == DialogueState()

    def test_stars_can_be_pressed_again_in_the_middle_of_something_else(self, talk: Talk) -> None:
        talk.resolved = None
        talk.says("Сломался принтер")
        talk.presses("rate", ticket="t1042", score=5)
        assert talk.did(RateTicket) == [RateTicket("t1042", score=5)]
        assert talk.replied() == ("rated", "resume", "ask_equipment_device")

    def test_a_story_instead_of_stars_is_a_new_story(self, talk: Talk) -> None:
        talk.says("решено")
        talk.says("А ещё сломался принтер")
        assert talk.state.pending == "device"

    def test_a_bare_no_reopens_and_waits_for_what_is_wrong(self, talk: Talk) -> None:
        talk.presses("not_solved", ticket="t1042")
        assert talk.did(ConfirmSolved) == [ConfirmSolved("t1042", solved=False)]
        assert talk.replied() == ("reopened", "ask_addition")
        talk.says("Сломалось снова")
        assert talk.did(AddToTicket) == [AddToTicket("t1042")]

    def test_words_about_the_same_trouble_reopen(self, talk: Talk) -> None:
        talk.says("Опять отваливается каждые пять минут")
        assert talk.did(ConfirmSolved) == [ConfirmSolved("t1042", solved=False)]
        assert talk.did(AddToTicket) == [AddToTicket("t1042")]

    def test_a_no_reopens_whatever_the_rest_sounds_like(self, talk: Talk) -> None:
        talk.says("Нет, теперь и принтер не печатает")
        assert talk.did(ConfirmSolved) == [ConfirmSolved("t1042", solved=False)]

    def test_bare_thanks_keep_the_question_open(self, talk: Talk) -> None:
        assert talk.says("спасибо").actions == ()
        assert talk.offered() == ["solved", "not_solved"]

    def test_an_answer_to_the_request_reopens_whatever_it_sounds_like(self, talk: Talk) -> None:
        talk.hears(Heard(text="Сломался принтер", pointed=True))
        assert talk.did(ConfirmSolved) == [ConfirmSolved("t1042", solved=False)]

    def test_a_different_trouble_is_asked_about(self, talk: Talk) -> None:
        talk.says("Сломался принтер")
        assert talk.replied() == ("ask_about",)
        talk.presses("add")
        assert talk.did(ConfirmSolved) == [ConfirmSolved("t1042", solved=False)]


class TestAnUnknownNumber:
    @pytest.mark.parametrize("words", ["что с заявкой 9999?", "what is the status of my request #9999"])
    def test_is_said_to_be_none_of_theirs_and_theirs_are_listed(self, talk: Talk, words: str) -> None:
        talk.requests = (request(), request(1043))
        talk.active = talk.requests[0]
        talk.says(words)
        assert talk.replied() == ("status_unknown",)
        assert talk.did(ListRequests) == [ListRequests()]

    def test_offers_a_new_one_to_who_has_none(self, talk: Talk) -> None:
        talk.says("что с заявкой 9999?")
        assert talk.replied() == ("status_unknown",)
        assert talk.offered() == ["new"]
