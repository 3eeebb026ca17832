"""What tells a talk between machines from a person's."""

from datetime import UTC, datetime, timedelta

import pytest

from desk_core.conversations.growth import GROWS, SAME_WORDS, Heard, pattern

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
AWAY = "Спасибо, ваше письмо получено и будет прочитано сотрудником. Номер письма"
Told = tuple[str, str]


def letters(*told: Told, apart: timedelta = timedelta(minutes=1), after: timedelta | None = None) -> list[Heard]:
    return [Heard(NOON + place * apart, text, subject, after) for place, (text, subject) in enumerate(told)]


class TestMachines:
    def test_say_nearly_the_same(self) -> None:
        assert pattern(letters(*((f"{AWAY} {n}.", "Ответ") for n in (17, 18, 19)))) == SAME_WORDS

    def test_say_more_each_time(self) -> None:
        words = ("Принято, передаю инженеру.", "Принято, передаю инженеру смены.", "Принято, передаю инженеру второй смены.")
        assert pattern(letters(*((text, "Re: x") for text in words))) == GROWS

    def test_count_their_answers_in_the_subject(self) -> None:
        said = [(word, f"{'Re: ' * n}Печать") for n, word in enumerate(("Номер принят", "Срок изменён", "Передано дальше"))]
        assert pattern(letters(*said, after=timedelta(seconds=4))) == GROWS
        assert pattern(letters(*said, after=timedelta(minutes=4))) is None, "a person takes longer"
        assert pattern(letters(*(("ок", f"Re[{n}]: Печать") for n in (1, 2, 3)))) == GROWS


class TestPeople:
    @pytest.mark.parametrize("count", [0, 1, 2])
    def test_may_write_twice_whatever_they_write(self, count: int) -> None:
        assert pattern(letters(*(("То же самое письмо ещё один раз.", "Re: " * n) for n in range(count)))) is None

    def test_may_hurry(self) -> None:
        words = ("Перезагрузила роутер, не помогло.", "Горит красная лампочка.", "Пишет «нет сети», что дальше?")
        assert pattern(letters(*((text, "Re: Интернет") for text in words), after=timedelta(seconds=40))) is None

    def test_say_something_else(self) -> None:
        words = ("Не печатает принтер в приёмной.", "HP LaserJet 1020, лампочка мигает красным.", "Перезагрузили, что дальше?")
        assert pattern(letters(*((text, "Re: Печать") for text in words))) is None

    def test_thank_again_and_again(self) -> None:
        assert pattern(letters(*(("Спасибо!", "Re: Печать") for _ in range(3)))) is None

    def test_have_all_day(self) -> None:
        assert pattern(letters(*((f"{AWAY} {n}.", "Ответ") for n in range(3)), apart=timedelta(hours=1))) is None
