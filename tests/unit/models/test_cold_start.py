"""A new category with five examples is recognised in other words, because the encoder knows what they mean."""

from pathlib import Path

import pytest

from desk_core.catalogue.presets import load_preset
from models.encoder import NullEncoder, load_encoder
from models.rows import Row
from models.train import fit

ROOT = Path(__file__).resolve().parents[3]
NEW = "office.parking"
FIVE = [
    Row("нужен пропуск на парковку", NEW, "ru"),
    Row("закажите место для машины у офиса", NEW, "ru"),
    Row("шлагбаум не открывается по моему номеру", NEW, "ru"),
    Row("I need a parking permit", NEW, "en"),
    Row("the barrier does not let my car in", NEW, "en"),
]
HELD_BACK = [
    "оформите парковочное место для автомобиля гостя", "добавьте мою машину в список на въезд",
    "не могу заехать на стоянку, шлагбаум закрыт",
    "где поставить автомобиль, есть ли стоянка?", "where can I leave my car, I want a parking space", "the gate stays shut when I drive up",
    "register my vehicle for the car park",
]  # fmt: skip
OTHERS = {
    "не печатает принтер в бухгалтерии": "hardware.printer", "vpn does not connect from home": "network.vpn",
    "забыл пароль от компьютера": "access.password", "please order me a new mouse": "hardware.request",
}  # fmt: skip
_EACH = 25


@pytest.fixture(scope="module")
def known() -> list[Row]:
    """A desk that has been at work: some examples of each of its categories."""
    preset = load_preset(ROOT / "presets" / "it_service_desk")
    second = {category.key for category in preset.categories if category.parent is not None}
    return [
        Row(text, key, language) for (key, language), texts in sorted(preset.examples.items()) if key in second for text in texts[:_EACH]
    ]


def test_five_examples_are_enough_with_the_encoder(known: list[Row]) -> None:
    encoder = load_encoder()
    assert encoder.dimension, "the extra `encoder` is part of the tests' environment"
    draft = fit([*known, *FIVE], encoder=encoder, name="category")
    scored = [draft.model.score(text, encoder.encode_one(text)) for text in HELD_BACK]
    right = sum(one.label == NEW for one in scored)
    assert right >= len(HELD_BACK) - 1, [(text, one.ranked) for text, one in zip(HELD_BACK, scored, strict=True)]
    assert all(NEW in [label for label, _ in one.ranked] for one in scored)
    # What the model page says of it: five examples, and how many of them it would have found.
    told = draft.metrics["classes"][NEW]
    assert told["rows"] == len(FIVE)
    assert 0.0 <= told["recall"] <= 1.0
    assert {text: draft.model.score(text, encoder.encode_one(text)).label for text in OTHERS} == OTHERS


def test_words_alone_know_less_of_it(known: list[Row]) -> None:
    encoder = load_encoder()
    words = fit([*known, *FIVE], encoder=NullEncoder(), name="category").model
    both = fit([*known, *FIVE], encoder=encoder, name="category").model
    with_meaning = sum(both.score(text, encoder.encode_one(text)).label == NEW for text in HELD_BACK)
    assert with_meaning > sum(words.score(text).label == NEW for text in HELD_BACK)
