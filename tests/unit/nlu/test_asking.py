"""A question about how things are done is told from a fault and from an order."""

import pytest

from nlu import lexicon
from nlu.asking import asks_how
from nlu.understood import Intent


@pytest.mark.parametrize(
    "text",
    [
        "как самому сменить пароль?", "Подскажите, до скольки вы работаете", "скажите пожалуйста, где взять пропуск",
        "кто согласует отпуск?", "можно ли работать из дома", "а какой пароль от гостевого вайфая?", "куда писать про замену мышки?",
        "How do I change my password", "could you tell me where can I find the manual", "what's the guest wifi password?",
        "What are your opening hours?", "is it allowed to install games", "can I use my own laptop?", "when is the help desk open",
    ],
)  # fmt: skip
def test_a_question_is_heard(text: str) -> None:
    assert asks_how(text)


@pytest.mark.parametrize(
    "text",
    [
        "почему тормозит ноутбук?", "кто-то удалил файл, можно вернуть?", "когда открываю файл, эксель вылетает",
        "принтер не печатает, что делать?", "как только включаю, гаснет экран", "why is my laptop slow?",
        "what is wrong with my mail?", "what's going on with the wifi?",
        "can I get a new mouse?", "can you install Visio?", "can I have access to Jira?", "The VPN does not connect. How do I work?", "",
    ],
)  # fmt: skip
def test_a_fault_or_an_order_is_none(text: str) -> None:
    assert not asks_how(text)


@pytest.mark.parametrize("text", ["спасибо огромное, всё заработало", "thanks a lot, it works now", "Заработало, благодарю!"])
def test_thanks_for_what_works_are_thanks(text: str) -> None:
    assert lexicon.intent_of(text) is Intent.THANKS


@pytest.mark.parametrize("text", ["спасибо, но не заработало", "thanks, but it still works badly", "спасибо, заработало?"])
def test_thanks_with_a_but_are_for_a_model_to_judge(text: str) -> None:
    assert lexicon.intent_of(text) is None
