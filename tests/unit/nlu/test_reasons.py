"""A reason is a word that means something, shown where it stands."""

from models.scoring import Contribution
from nlu.reasons import terms


def test_words_that_mean_nothing_alone_are_no_reasons() -> None:
    weighed = [Contribution(word, 0.5) for word in ("не", "печатает", "my", "принтер", "…", "doesn’t")]
    assert [reason.text for reason in terms("не печатает my принтер … doesn’t", weighed, limit=3)] == ["печатает", "принтер"]


def test_a_reason_stands_where_the_person_wrote_it() -> None:
    text = "  Здравствуйте!\r\n\tНе печатает\u200b ПРИНТЕР"
    (reason,) = terms(text, [Contribution("ПРИНТЕР", 0.5)], limit=3)
    assert reason.start is not None
    assert text[reason.start : reason.end] == "ПРИНТЕР"


def test_part_of_a_word_is_no_place_of_it() -> None:
    (reason,) = terms("ноутбук и ноут", [Contribution("ноут", 0.5)], limit=3)
    assert (reason.start, reason.end) == (10, 14)


def test_only_the_weightiest_are_shown() -> None:
    weighed = [Contribution(word, 1 / (number + 1)) for number, word in enumerate(("принтер", "бумага", "тонер", "лоток"))]
    assert len(terms("принтер бумага тонер лоток", weighed, limit=3)) == 3
