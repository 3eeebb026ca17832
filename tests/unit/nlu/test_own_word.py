"""Words by which a person says that their request is solved, and those that only sound so: by the first a request is closed."""

import pytest

from nlu import lexicon


@pytest.mark.parametrize(
    "words",
    [
        "Спасибо, решено!", "Всё заработало", "Только что заработало", "Помогло, закройте", "Проблема ушла сама", "Вопрос снят",
        "Заявку можно закрыть", "Закройте, пожалуйста, обращение №1042, спасибо", "Уже неактуально", "Больше не нужно, спасибо",
        "Разобрались сами, спасибо", "Отбой, нашёл", "Можете закрывать", "Отлично, решено, хорошего дня", "It works now, thanks",
        "Issue resolved", "No longer needed", "Never mind, found it", "Please close my ticket", "That did it, thanks",
        "Ivan, thanks, it works fine now. Best regards, Vera",
    ],
)  # fmt: skip
def test_says_that_it_is_solved(words: str) -> None:
    assert lexicon.reports_success(words)


@pytest.mark.parametrize(
    "words",
    [
        # wishes and questions without their mark
        "решено ли", "Сообщите, когда будет решено", "Должно быть решено до пятницы", "Прошу, чтобы вопрос был решён", "Жду, пока решено",
        "Если заработает, закройте", "when it works fine let me know", "has to be solved today", "hope it works now",
        "Will be fixed tomorrow",
        # a part, or for a while
        "Решено наполовину", "Все работает, кроме почты", "заработало на одном компьютере из пяти", "Помогло ненадолго",
        "Заработал, через час снова упал", "works now except the scanner", "it works sometimes", "У соседей заработало",
        # somebody else's words, and bitter ones
        "Вы пишете, что решено", "Что значит решено", "Ну конечно, решено", "Заработало! ага, щас",
        # something else is to be closed, fixed or done
        "Закройте доступ уволенному", "Закройте, пожалуйста, доступ Иванову", "Окно закройте", "You can close port 22 on the firewall",
        "Прошу закрыть заявку и открыть новую на сканер", "fixed price contract", "Не нужно, спасибо",
        "Разобрался, в чём дело: сгорел блок", "нет, опять не работает",
    ],
)  # fmt: skip
def test_only_sounds_so(words: str) -> None:
    assert not lexicon.reports_success(words)
