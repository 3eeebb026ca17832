"""A person changes what they wrote while the bot still talks about it."""

from dataclasses import replace

import pytest

from nlu.turn import DialogueState, Edited, Heard, Phase, Turn
from nlu.understood import Hit
from tests.fakes.talk import Talk
from tests.fakes.tools import FakeTools

JAM = Hit("a1", "paper-jam", "Замятие бумаги", "1. Откройте крышку", "ru", 0.8)
VPN = Hit("a3", "vpn", "VPN не подключается", "1. Перезапустите клиент", "ru", 0.7)
PRINTER = "не печатает принтер на складе"


@pytest.fixture
def talk() -> Talk:
    return Talk(tools=FakeTools(articles={"бумаг": (JAM,), "vpn": (VPN,)}))


def edits(talk: Talk, before: str, now: str, *, last: bool = False) -> Turn:
    return talk.hears(Heard(text=now, edited=Edited(before, is_last=last)))


def test_the_answer_before_the_open_question_is_replaced_in_silence(talk: Talk) -> None:
    talk.says(PRINTER)
    talk.says("HP 305")
    talk.says("только у меня")
    assert talk.state.pending == "location"
    turn = edits(talk, "только у меня", "у всех")
    assert (turn.replies, turn.actions, talk.state.pending, talk.state.slots["scope"]) == ((), (), "location", "all")


def test_an_answer_that_does_not_fit_any_more_opens_its_question_again(talk: Talk) -> None:
    talk.says(PRINTER)
    talk.says("HP 305")
    talk.says("только у меня")
    turn = edits(talk, "только у меня", "ой, не то")
    assert (turn.state.pending, "scope" in turn.state.slots, len(turn.replies)) == ("scope", False, 1)


def test_an_answer_on_the_card_changes_the_card(talk: Talk) -> None:
    talk.says("vpn не работает")
    talk.presses("not_it")
    talk.says("только у меня")
    talk.says("третий этаж")
    assert talk.state.phase is Phase.SUMMARY
    turn = edits(talk, "третий этаж", "пятый этаж", last=True)
    assert (turn.state.phase, turn.state.slots["location"]) == (Phase.SUMMARY, "пятый этаж")
    assert talk.replied()[-1] == "summary"


def test_words_that_were_not_understood_are_an_answer_once_they_are_mended(talk: Talk) -> None:
    talk.says(PRINTER)
    talk.says("HP 305")
    talk.says("эээ")
    assert talk.state.failures == 1
    edits(talk, "эээ", "у всех", last=True)
    assert (talk.state.slots["scope"], talk.state.pending) == ("all", "location")


def test_the_story_is_told_anew_and_answers_stay(talk: Talk) -> None:
    talk.says(PRINTER)
    talk.says("HP 305")
    talk.says("только у меня")
    turn = edits(talk, PRINTER, "не печатает принтер в бухгалтерии")
    assert turn.replies == ()
    assert (turn.state.text, turn.state.slots["scope"], turn.state.pending) == ("не печатает принтер в бухгалтерии", "me", "location")


def test_another_story_asks_for_what_it_lacks(talk: Talk) -> None:
    talk.says(PRINTER)
    talk.says("HP 305")
    talk.says("только у меня")
    turn = edits(talk, PRINTER, "забыл пароль от почты")
    assert (turn.state.category, turn.state.phase, turn.state.text) == ("access.password", Phase.SUMMARY, "забыл пароль от почты")
    assert turn.replies


def test_other_articles_are_shown_where_the_story_asks_for_others(talk: Talk) -> None:
    talk.says("в принтере застряла бумага")
    assert talk.state.shown == ("a1",)
    assert edits(talk, "в принтере застряла бумага", "в принтере на складе застряла бумага").replies == ()
    turn = edits(talk, "в принтере на складе застряла бумага", "vpn не подключается")
    assert (turn.state.shown[-1], turn.state.category) == ("a3", "network.vpn")


def test_danger_told_by_an_edit_goes_to_people(talk: Talk) -> None:
    talk.says(PRINTER)
    talk.says("HP 305")
    turn = edits(talk, PRINTER, "на компьютере вирус, требуют деньги")
    assert [type(action).__name__ for action in turn.actions] == ["OpenTicket", "HandOver"]


def test_other_words_and_later_edits_change_nothing(talk: Talk) -> None:
    talk.says("привет")
    assert edits(talk, "привет", "привет!") == replace(edits(talk, "привет", "привет!"), replies=(), actions=())
    talk.says(PRINTER)
    talk.says("HP 305")
    before = talk.state
    assert edits(talk, "что-то другое", "совсем другое").state == before
    talk.state = DialogueState()
    assert edits(talk, PRINTER, "сканер").state == DialogueState()
