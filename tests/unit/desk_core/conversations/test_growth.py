"""What tells a talk between machines from a person's."""

from datetime import UTC, datetime, timedelta

import pytest

from desk_core.conversations.growth import GROWS, SAME_WORDS, Heard, pattern

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
AWAY = "Спасибо, ваше письмо получено и будет прочитано сотрудником. Номер письма"
Told = tuple[str, int, str]


def letters(*told: Told, apart: timedelta = timedelta(minutes=1), after: timedelta | None = None) -> list[Heard]:
    return [Heard(NOON + place * apart, text, size, subject, after) for place, (text, size, subject) in enumerate(told)]


class TestMachines:
    def test_say_nearly_the_same(self) -> None:
        assert pattern(letters(*((f"{AWAY} {n}.", 100, "Ответ") for n in (17, 18, 19)))) == SAME_WORDS

    def test_quote_more_each_time(self) -> None:
        words = ("Принято, передаю инженеру смены.", "Принято, передаю другому инженеру смены.", "Принято, передаю снова инженеру.")
        said = [(text, 100 * place, "Re: x") for place, text in enumerate(words)]
        assert pattern(letters(*said)) == GROWS

    def test_count_their_answers_in_the_subject(self) -> None:
        said = [(word, 50, f"{'Re: ' * n}Печать") for n, word in enumerate(("Номер принят", "Срок изменён", "Передано дальше"))]
        assert pattern(letters(*said, after=timedelta(seconds=4))) == GROWS
        assert pattern(letters(*said, after=timedelta(minutes=4))) is None, "a person takes longer"
        assert pattern(letters(*(("ок", 50, f"Re[{n}]: Печать") for n in (1, 2, 3)))) == GROWS


class TestPeople:
    @pytest.mark.parametrize("count", [0, 1, 2])
    def test_may_write_twice_whatever_they_write(self, count: int) -> None:
        assert pattern(letters(*(("То же самое письмо ещё один раз.", 100 * n, "Re: " * n) for n in range(count)))) is None

    def test_say_something_else_though_their_quotes_grow(self) -> None:
        words = ("Не печатает принтер в приёмной.", "HP LaserJet 1020, лампочка мигает красным.", "Перезагрузили, что дальше?")
        assert pattern(letters(*((text, 400 * place, "Re: Печать") for place, text in enumerate(words)))) is None

    def test_thank_again_and_again(self) -> None:
        assert pattern(letters(*(("Спасибо!", 10, "Re: Печать") for _ in range(3)))) is None

    def test_have_all_day(self) -> None:
        assert pattern(letters(*((f"{AWAY} {n}.", 100, "Ответ") for n in range(3)), apart=timedelta(hours=1))) is None
