"""The nearest examples are those a person would call alike."""

import pytest

from models.encoder import Encoder, NullEncoder
from models.nearest import nearest
from models.rows import Row
from tests.unit.models.small import HashEncoder

ROWS = [
    Row("принтер не печатает", "hardware.printer", "ru"),
    Row("кончился тонер", "hardware.printer", "ru"),
    Row("как подключить принтер", "hardware.printer", "ru", "article"),
]


@pytest.mark.parametrize("encoder", [NullEncoder(), HashEncoder()])
def test_the_likest_words_of_people_come_first(encoder: Encoder) -> None:
    found = nearest("у меня принтер не печатает", ROWS, encoder=encoder)
    assert found[0].text == "принтер не печатает"
    assert [one.likeness for one in found] == sorted((one.likeness for one in found), reverse=True)
    assert all(0 < one.likeness <= 1 for one in found)
    assert "как подключить принтер" not in [one.text for one in found]


def test_nothing_is_like_nothing() -> None:
    assert nearest("принтер", [], encoder=NullEncoder()) == []
    assert nearest("", ROWS, encoder=HashEncoder()) == []
    assert nearest("погода", ROWS, encoder=NullEncoder()) == []


def test_no_more_than_asked_for() -> None:
    assert len(nearest("принтер не печатает тонер", ROWS, encoder=NullEncoder(), limit=1)) == 1
