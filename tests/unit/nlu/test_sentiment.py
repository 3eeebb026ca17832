"""Trouble is told calmly, anger is heard, thanks are heard, and every word that told it stands where it is said to stand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlu.sentiment import read
from nlu.understood import Mood

CALM = [
    "принтер не печатает", "не могу войти в почту, пишет ошибку", "VPN отваливается каждые пять минут", "ошибка 691 при подключении",
    "сломалась мышь, нужна новая", "программа вылетает при сохранении", "завис компьютер", "нужен доступ к папке отдела продаж",
    "здравствуйте, подскажите, как настроить почту на телефоне?", "прошу создать учётную запись для нового сотрудника",
    "срочно, не работает касса", "удалён файл отчёта, помогите восстановить", "опять не печатает принтер",
    "Прошу сбросить пароль. Спасибо.", "1С не открывается у всех", "ХОЛОДИЛЬНИК", "не ужасно, но медленно",
    "the printer does not print", "I cannot log in, it says access denied", "VPN drops every five minutes",
    "error 0x80070005 when I install it", "my mouse is broken, I need a new one", "the app crashes when I save", "laptop freezes",
    "please give me access to the sales folder", "how do I set up mail on my phone?", "please create an account for a new colleague",
    "urgent: the till does not work", "a file was deleted, please restore it", "nobody can open 1C in our office",
    "Thanks in advance, Anna", "", "👍", "SAP ERP FI", "kill the process and the job fails with a fatal error",
]  # fmt: skip
UNHAPPY = [
    "жду уже третий день, никто не отвечает", "до сих пор нет доступа", "так и не помогли", "уже второй раз пишу об этом",
    "я очень недоволен", "разочарована вашей поддержкой", "когда же починят принтер", "устал ждать", "still no answer from you",
    "this is the third time I write", "I have been waiting since Monday", "very disappointed with the answer",
    "nobody answers my request", "it is so frustrating", "not happy with this", "я не разочарован, но до сих пор жду",
]  # fmt: skip
ANGRY = [
    "вы издеваетесь?!", "сколько можно, это безобразие", "да вы задолбали со своим впн", "какого хрена опять ничего не работает",
    "за что вам платят деньги", "буду писать жалобу руководству, никто не реагирует", "НИЧЕГО НЕ РАБОТАЕТ!!! до сих пор!!!",
    "идиоты, верните доступ", "бардак, уже третий день", "достали ваши обновления 😡", "this is ridiculous",
    "how many times do I have to ask", "are you kidding me", "what a joke, still not fixed", "wtf is going on with the vpn",
    "NOTHING WORKS AT ALL!!! STILL WAITING!!!", "absolutely unacceptable, nobody cares", "fed up with this printer",
    "worst support ever", "fix this stupid thing 😡",
]  # fmt: skip
GLAD = [
    "спасибо большое, всё заработало", "вы супер, выручили", "благодарю за помощь", "отлично, теперь печатает", "спасибо вам 😊",
    "thank you so much, it works", "great job, thanks a lot", "you are the best", "awesome, that fixed it", "perfect, many thanks 🎉",
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "mood"),
    [
        (text, mood)
        for mood, texts in ((Mood.CALM, CALM), (Mood.UNHAPPY, UNHAPPY), (Mood.ANGRY, ANGRY), (Mood.GLAD, GLAD))
        for text in texts
    ],
)
def test_hears_the_mood(text: str, mood: Mood) -> None:
    assert read(text).mood is mood


def test_names_the_words_that_told_it() -> None:
    found = read("Ну вы издеваетесь, жду уже третий день!!!")
    assert found.mood is Mood.ANGRY
    assert found.spoken[0].words == "издеваетесь"
    assert {"третий день", "уже третий день", "жду уже"} & {each.words for each in found.spoken}


def test_thanks_soften_a_complaint_and_take_back_no_insult() -> None:
    assert read("до сих пор не починили, но спасибо за ответ").mood is Mood.CALM
    assert read("идиоты, спасибо за ответ, как всегда ничего, сколько можно").mood is Mood.ANGRY


@given(st.text(max_size=400))
def test_every_word_stands_where_it_is_said_to_stand(text: str) -> None:
    found = read(text)
    assert 0 <= found.confidence <= 1
    for each in found.spoken:
        assert text[each.start : each.end].strip() == each.words


def test_a_long_text_is_read_in_no_time() -> None:
    assert read("спасибо вам, " * 50_000).mood is Mood.GLAD
    assert read("!" * 100_000 + "а" * 100_000).mood in (Mood.CALM, Mood.UNHAPPY)
