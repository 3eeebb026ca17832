"""What a story says already is not asked again."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from nlu.extract import Extractor, asset, device, email, error_code, location, phone, software, system
from nlu.extract.gazetteer import Gazetteer
from nlu.understood import FormDef, SlotDef

WEDNESDAY = datetime(2026, 11, 25, 14, 30, tzinfo=ZoneInfo("Europe/Moscow"))
EXTRACTOR = Extractor()


def fill(text: str, form: FormDef | None) -> dict[str, str]:
    return EXTRACTOR.fill(text, form=form, now=WEDNESDAY)


def slot(name: str, kind: str, **more: object) -> SlotDef:
    return SlotDef(name, kind, {}, {}, {}, **more)  # type: ignore[arg-type]


TROUBLE = slot(
    "printer_trouble",
    "choice",
    choices=(("jam", {}), ("no_print", {}), ("other", {})),
    words={"jam": ("застряла", "jam", "jammed"), "no_print": ("не печатает", "not print"), "other": ("другое",)},
)
BLOCKED = slot(
    "work_blocked",
    "choice",
    choices=(("stopped", {}), ("works", {})),
    words={"stopped": ("стоит", "не могу работать"), "works": ("да", "могу", "it can wait")},
    sets={"stopped": {"urgency": "high"}, "works": {"urgency": "low"}},
)
FORM = FormDef(
    "printer",
    (TROUBLE, BLOCKED, slot("printer_device", "device"), slot("location", "location"), slot("phone", "phone"), slot("error_text", "text")),
)


def test_fills_what_the_text_says() -> None:
    text = "Принтер 305 в каб. 214 не печатает, пишет «Замятие в лотке», звоните +7 912 345-67-89, срочно"
    assert fill(text, FORM) == {
        "printer_trouble": "no_print",
        "work_blocked": "stopped",
        "printer_device": "Принтер 305",
        "location": "каб. 214",
        "phone": "+79123456789",
        "error_text": "Замятие в лотке",
    }


def test_leaves_out_what_is_not_certain() -> None:
    assert fill("Сломался принтер, он стоит у окна", FORM) == {}
    assert fill("застряла бумага и не печатает теперь уже совсем", FormDef("f", (TROUBLE,))) == {"printer_trouble": "no_print"}


def test_a_denied_choice_is_no_choice() -> None:
    assert fill("there is no jammed paper", FormDef("f", (TROUBLE,))) == {}


def test_without_a_form_nothing_is_looked_for() -> None:
    assert fill("+7 912 345-67-89", None) == {}


def test_a_value_must_fit_the_pattern_and_the_length() -> None:
    form = FormDef("f", (slot("device_number", "asset", pattern=r"\d{5}"), slot("place", "location", max_length=6)))
    assert fill("инв. 10452, room 305", form) == {"device_number": "10452", "place": "room 3"}
    assert fill("инв. 99", form) == {}


def test_a_broken_pattern_of_a_preset_stops_nothing() -> None:
    form = FormDef("f", (slot("device_number", "asset", pattern="["),))
    assert fill("инв. 10452", form) == {"device_number": "10452"}


@pytest.mark.parametrize("text", ["", "👍", "\x00" * 50, "1 " * 50_000, "a@" * 10_000, "«" * 10_000, "ошибка " * 10_000, "<script>"])
def test_odd_texts_give_nothing_and_take_no_time(text: str) -> None:
    assert fill(text, FORM) == {}


def test_each_kind_by_itself() -> None:
    assert [found.value for found in email.find("пишите на Anna.Brown@Example.COM.")] == ["anna.brown@example.com"]
    assert [found.value for found in phone.find("8 (912) 345-67-89")] == ["+79123456789"]
    assert phone.find("заказ 123") == []
    assert [found.value for found in asset.find("asset tag AB-1234, с/н 77X")] == ["AB-1234", "77X"]
    assert [found.value for found in location.find("room 305, second floor")] == ["room 305, second floor"]
    assert [found.value for found in system.find("у меня винда 10 и айфон")] == ["Windows 10", "iOS"]
    assert [found.value for found in error_code.find("error code 0x80070005")] == ["0x80070005"]
    assert [found.value for found in error_code.find("ошибка 691")] == ["ошибка 691"]
    assert [found.value for found in device.find("прнтер и клавиатура", Gazetteer(device.DEVICES))] == ["прнтер", "клавиатура"]
    assert [found.value for found in software.find("аутлук и 1C", Gazetteer(software.PROGRAMS))] == ["Outlook", "1С"]
    assert device.find_specific("принтер не печатает", device.find("принтер не печатает", Gazetteer(device.DEVICES))) == []
