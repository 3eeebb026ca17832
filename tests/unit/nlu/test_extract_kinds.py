"""Each kind of value: what is found in real sentences, what is not, and where it stands in the text as it was sent."""

import re
import time
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

import presets
from desk_core.catalogue.presets import load_preset
from models.words import normalise, trace
from nlu.extract import Extractor, Found, Numbering, Vocabulary
from nlu.understood import FormDef, SlotDef

WEDNESDAY = datetime(2026, 11, 25, 14, 30, tzinfo=ZoneInfo("Europe/Moscow"))
SHOP = Vocabulary(
    numbers=(
        Numbering("order", r"[0-9]{8}", said=("заказ", "order"), alone=True, slots=("order_number",)),
        Numbering("invoice", r"[A-ZА-Я]{2}-[0-9]{3,6}", said=("счёт", "счет", "invoice")),
    ),
    devices={"Электронная очередь": ("Электронная очередь", "талонный автомат")},
    programs={"Честный знак": ("Честный знак",)},
)
EXTRACTOR = Extractor(SHOP)


def everything(text: str) -> tuple[Found, ...]:
    return EXTRACTOR.find(text, now=WEDNESDAY)


def values(text: str, kind: str) -> list[str]:
    return [found.value for found in everything(text) if found.kind == kind]


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("phone", "наберите +7 912 345-67-89 после обеда", ["+79123456789"]),
        ("phone", "мой номер 8 (912) 345-67-89, звоните", ["+79123456789"]),
        ("phone", "call me on +44 20 7946 0958, please", ["+442079460958"]),
        ("phone", "телефон в заказе 8 905 123-45-67", ["+79051234567"]),
        ("phone", "заказ 89123456789 не привезли", []),
        ("phone", "order no. 89123456789 is late", []),
        ("phone", "ИНН 7707083893, карта 4276 1234 5678 9012", []),
        ("phone", "https://example.com/89123456789", []),
        ("email", "пишите на Anna.Brown@Example.COM.", ["anna.brown@example.com"]),
        ("email", "собака @ в имени файла", []),
        ("link", "(см. https://wiki.example.com/vpn_(new).)", ["https://wiki.example.com/vpn_(new)"]),
        ("link", "сайт www.example.ru не открывается", ["www.example.ru"]),
        ("link", "http:// в адресе", []),
        ("money", "списали 4 990 ₽ дважды", ["4990 RUB"]),
        ("money", "I was charged $1,200.50 twice", ["1200.50 USD"]),
        ("money", "это 1,5 млн руб. в год", ["1500000 RUB"]),
        ("money", "пополнил на 5 тысяч рублей", ["5000 RUB"]),
        ("money", "в кабинете 100 стульев", []),
        ("number", "где мой заказ № 48120573?", ["48120573"]),
        ("number", "заказ №48120573 где?", ["48120573"]),
        ("number", "my order number 48120573 is late", ["48120573"]),
        ("number", "48120573 всё ещё в пути", ["48120573"]),
        ("number", "по счёту СФ-00412 вопрос", ["СФ-00412"]),
        ("number", "модель СФ-00412 не печатает", []),
        ("number", "файл весит 481205731 байт", []),
        ("asset", "инв. № 10452 и s/n CN8AB/17", ["10452", "CN8AB/17"]),
        ("asset", "инв. №10452", ["10452"]),
        ("asset", "серийный номер не знаю", []),
        ("error_code", "вылетает с 0x80070005", ["0x80070005"]),
        ("error_code", "пишет «сеть недоступна»", ["сеть недоступна"]),
        ("error_code", "видео-кодек: H264", []),
        ("error_code", "no errors so far", []),
        ("system", "у меня винда 10, у коллеги Ubuntu", ["Windows 10", "Linux"]),
        ("system", "выиграли тендер", []),
        ("location", "room 305, second floor", ["room 305, second floor"]),
        ("location", "сижу в каб. 214", ["каб. 214"]),
        ("location", "каб. №305", ["каб. No305"]),
        ("location", "building a report takes hours", []),
        ("software", "аутлук и честный знак тормозят", ["Outlook", "Честный знак"]),
        ("software", "фотошп не открывает файл", ["Photoshop"]),
        ("software", "слово за слово", []),
        ("software", "our team sends excellent reports", []),
        ("device", "на севере всё работает, several times", []),
        ("device", "screens and printers are off", ["screens", "printers"]),
        ("device", "клавиатуры и мышки нет", ["клавиатуры", "мышки"]),
        ("device", "талонный автомат завис", ["талонный автомат"]),
        ("device", "прнтер молчит", ["прнтер"]),
        ("device", "спринтер прибежал первым", []),
        ("person", "Меня зовут Анна Иванова", ["Анна Иванова"]),
        ("person", "новый сотрудник Пётр Смирнов", ["Пётр Смирнов"]),
        ("person", "доступ для Кузнецовой Марии Петровны", ["Кузнецовой Марии Петровны"]),
        ("person", "approved by Mary O'Neil yesterday", ["Mary O'Neil"]),
        ("person", "Принтер Не Печатает", []),
        ("person", "this is Outlook again", []),
        ("urgency", "работа стоит, сделайте срочно", ["high"]),
        ("urgency", "no rush, it can wait", ["low"]),
        ("urgency", "есть обходной путь, пока печатаю через соседний", ["medium"]),
        ("urgency", "we use the old portal as a workaround", ["medium"]),
        ("urgency", "there is no workaround", ["high"]),
        ("urgency", "отчёт не сдать, обходного пути нет, работа стоит", ["high"]),
        ("urgency", "this is blocking our month-end closing", ["high"]),
        ("urgency", "my account is blocked after three tries", []),
        ("urgency", "учётка блокируется после ввода пароля", []),
        ("urgency", "принтер стоит у окна", []),
        ("impact", "не работает у 12 человек", ["group"]),
        ("impact", "the whole company is offline", ["organisation"]),
        ("impact", "нас трое, и почта молчит с утра", ["group"]),
        ("impact", "не входят пять сотрудников склада", ["group"]),
        ("impact", "человек 40 сидят без интернета", ["organisation"]),
        ("impact", "two colleagues have the same", ["group"]),
        ("impact", "dozens of users cannot print", ["group"]),
        ("impact", "hundreds of people are offline", ["organisation"]),
        ("impact", "I have 2 monitors and 3 problems", []),
        ("impact", "нужно поставить пять программ", []),
        ("impact", "у меня не работает", []),
    ],
)
def test_finds_what_people_write(kind: str, text: str, expected: list[str]) -> None:
    assert values(text, kind) == expected


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("зайдите завтра после обеда", "moment", "2026-11-26T13:00+03:00/2026-11-26T18:00+03:00"),
        ("нужен доступ к пятнице", "moment", "2026-11-27"),
        ("выходит с понедельника", "moment", "2026-11-30"),
        ("1 декабря в 15:00 совещание", "moment", "2026-12-01T15:00+03:00"),
        ("сдать сегодня к 18 часам", "moment", "2026-11-25T18:00+03:00"),
        ("tomorrow at 5 pm", "moment", "2026-11-26T17:00+03:00"),
        ("by next Monday", "moment", "2026-11-30"),
        ("Срок до 28.11.", "moment", "2026-11-28"),
        ("со вчерашнего вечера тишина", "since", "2026-11-24"),
        ("in two weeks", "moment", "2026-12-09"),
        ("tomorrow at 4 o'clock", "moment", "2026-11-26T04:00+03:00"),
        ("broke a couple of days ago", "since", "2026-11-23"),
        ("договор от 24.12.2026", "moment", "2026-12-24"),
        ("не работает с понедельника", "since", "2026-11-23"),
        ("down since Monday 9 am", "since", "2026-11-23T09:00+03:00"),
        ("с утра нет сети", "since", "2026-11-25T09:00+03:00"),
        ("уже третий день жду", "since", "2026-11-23"),
        ("it has been broken for two hours", "since", "2026-11-25T12:30+03:00"),
        ("нужны наушники к среде", "moment", "2026-12-02"),
        ("в среду выходит новый кладовщик", "moment", "2026-12-02"),
        ("please have it ready by Wednesday", "moment", "2026-12-02"),
        ("на встрече в среду пропал звук", "moment", "2026-11-25"),
        ("сломалось час назад", "since", "2026-11-25T13:30+03:00"),
    ],
)
def test_reads_days_and_times_in_the_zone_of_the_person(text: str, kind: str, value: str) -> None:
    assert [(found.kind, found.value) for found in everything(text) if found.kind in {"moment", "since"}] == [(kind, value)]


@pytest.mark.parametrize(
    "text",
    [
        "версия 10.2.3",
        "31.02.2026",
        "IP 10.0.0.15:8080",
        "настроить среду разработки",
        "it may 5 times crash",
        "access for two weeks",
        "с днём рождения",
        "в кабинете 305",
        "последний день",
        "рабочая среда не открывается",
        "a few days ago",
        "несколько дней назад",
        "письма за последние 15 минут",
    ],
)
def test_what_only_looks_like_a_day_is_none(text: str) -> None:
    assert [found for found in everything(text) if found.kind in {"moment", "since"}] == []


def test_both_ends_of_a_stretch_are_on_its_day() -> None:
    assert values("вчера с 10:00 до 14:00", "moment") == ["2026-11-24T10:00+03:00", "2026-11-24T14:00+03:00"]


def test_the_same_words_are_another_moment_in_another_zone() -> None:
    elsewhere = WEDNESDAY.astimezone(ZoneInfo("Asia/Vladivostok"))
    found = EXTRACTOR.find("сегодня в 9", now=elsewhere)
    assert [one.value for one in found if one.kind == "moment"] == ["2026-11-25T09:00+10:00"]


def test_a_place_is_that_of_the_text_as_it_was_sent() -> None:
    text = "  Ошибка\u200b  на ｐｃ,\r\n\tпишите\u00a0 на  An\u200bna@Example.com !"
    (found,) = (one for one in everything(text) if one.kind == "email")
    assert (found.value, text[found.start : found.end]) == ("anna@example.com", "An\u200bna@Example.com")


def test_says_what_it_went_by() -> None:
    sources = {(one.value, one.source) for one in everything("заказ 48120573, аутлук и аутлоок, меня зовут Анна")}
    assert {("48120573", "order"), ("Outlook", "list"), ("Анна", "self")} <= sources


def test_a_pattern_that_could_run_away_is_not_used() -> None:
    bomb = Extractor(Vocabulary(numbers=(Numbering("bomb", r"(\d+)*x", alone=True),)))
    assert [one for one in bomb.find("1" * 5_000, now=WEDNESDAY) if one.kind == "number"] == []


PIECES = st.sampled_from(
    [
        "заказ 48120573", "+7 912 345-67-89", "anna@example.com", "завтра после обеда", "since Monday 9 am", "4 990 ₽", "аутлук",
        "принтер 305", "каб. 214", "пишет «нет сети»", "0x80070005", "у 12 человек", "срочно", "меня зовут Анна Иванова", "винда 10",
        "www.example.ru", "\u200b", "е\u0308", "İ", "ﬁ", "\r\n", "\u202e", "¼", "31.02.2026", "👍", "<b>", "'; --", "\x00", "(((",
        "99999999999999999999",
    ]
)  # fmt: skip
TEXTS = st.one_of(st.text(max_size=200), st.lists(st.one_of(PIECES, st.text(max_size=6)), max_size=12).map(" ".join))


@given(TEXTS)
def test_places_are_inside_the_text_and_say_the_value(text: str) -> None:
    for found in everything(text):
        assert 0 <= found.start < found.end <= len(text)
        assert 0 < found.confidence <= 1
        said = normalise(text[found.start : found.end])
        if found.kind in {"email", "link", "number", "asset", "device", "error_code", "person"}:
            assert " ".join(found.value.split()).casefold() == " ".join(said.split()).casefold()
        if found.kind == "phone":
            assert re.sub(r"\D", "", said)[-7:] == found.value[-7:]


@given(st.lists(PIECES, max_size=8).map(", ".join))
def test_noise_that_nobody_sees_changes_no_value(text: str) -> None:
    noisy = "\u200b" + text.replace(" ", " \u200b ").replace("а", "а\u00ad") + "  \n"
    assert [(one.kind, one.value) for one in everything(noisy)] == [(one.kind, one.value) for one in everything(text)]


@given(TEXTS)
def test_the_way_back_to_the_original_is_kept_through_normalisation(text: str) -> None:
    traced = trace(text)
    assert traced.text == normalise(text)
    assert len(traced.starts) == len(traced.ends) == len(traced.text)
    assert all(0 <= start < end <= len(text) for start, end in zip(traced.starts, traced.ends, strict=True))
    assert list(traced.starts) == sorted(traced.starts)


@pytest.mark.parametrize(
    "piece",
    [
        "1 ",
        "a@",
        "с ",
        "ошибка ",
        "заказ 89123456789 ",
        "12.12.2026 ",
        "завтра ",
        "Иванов ",
        "x\u0301",
        "прнтир ",
        "ｆ",
        "(",
        "8",
        "http://",
        "+7 912 ",
    ],
)
def test_a_hundred_thousand_characters_take_no_more_than_the_beginning(piece: str) -> None:
    text = (piece * 100_000)[:100_000]
    began = time.process_time()
    everything(text)
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    ("preset", "text", "slot", "value"),
    [
        ("it_service_desk", "Ноутбук с инв. номером NB-00871 не включается", "device_number", "NB-00871"),
        ("it_service_desk", "ноутбук, инв. № 10452, не включается", "device_number", "10452"),
        ("it_service_desk", "инв. №10452", "device_number", "10452"),
        ("it_service_desk", "не печатает HP LaserJet 1020", "printer_device", "HP LaserJet 1020"),
        ("it_service_desk", "HP обещает 1020 новых моделей", "printer_device", None),
        ("it_service_desk", "serial number 5CG1234XYZ, black screen", "device_number", "5CG1234XYZ"),
        ("it_service_desk", "прошу поставить фигму", "software_name", "Figma"),
        ("it_service_desk", "please install vs code", "software_name", "Visual Studio Code"),
        ("it_service_desk", "нужно к пятнице", "needed_by", "2026-11-27"),
        ("it_service_desk", "вчера сломалась мышь", "needed_by", None),
        ("it_service_desk", "новый сотрудник Мария Кузнецова", "employee_name", "Мария Кузнецова"),
        ("it_service_desk", "кто-то вошёл в мою почту сегодня около 11:00", "happened_when", "сегодня около 11:00"),
        ("customer_care", "где мой заказ 5530-118", "order_number", "5530-118"),
        ("customer_care", "my phone is 89123456789, where is the parcel", "order_number", None),
    ],
)
def test_the_numbers_and_names_of_a_preset_fill_its_slots(preset: str, text: str, slot: str, value: str | None) -> None:
    loaded = load_preset(Path(presets.__file__).parent / preset)
    one = loaded.slots[slot]
    form = FormDef("f", (SlotDef(slot, one.kind, one.titles, one.questions, one.examples, pattern=one.pattern),))
    filled = Extractor(Vocabulary.from_json(loaded.names)).fill(text, form=form, now=WEDNESDAY)
    assert filled.get(slot) == value
