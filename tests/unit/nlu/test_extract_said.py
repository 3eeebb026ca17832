"""What a person has said they want is not asked again: things, purposes, logins, paths, screens, rooms, extensions, who comes and goes."""

from datetime import UTC, datetime

import pytest

from nlu.extract import Extractor, said
from nlu.extract.said import login, on_screen, ordered, path, purpose
from nlu.understood import FormDef, SlotDef

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def filled(text: str, name: str, kind: str) -> str | None:
    form = FormDef("form", (SlotDef(name, kind, {}, {}, {}),))
    return Extractor().fill(text, form=form, now=NOW).get(name)


@pytest.mark.parametrize(
    ("text", "thing"),
    [
        ("Прошу заказать мне второй монитор на 27 дюймов", "второй монитор на 27 дюймов"),
        ("нужна новая мышка, желательно беспроводная, старая умерла", "новая мышка, желательно беспроводная"),
        ("закажите, пожалуйста, док-станцию", "док-станцию"),
        ("Need a replacement charger, mine got lost", "a replacement charger"),
        ("I'd like to order a headset because mine broke", "a headset"),
    ],
)
def test_what_is_ordered_is_read(text: str, thing: str) -> None:
    assert [one.value for one in ordered(text)] == [thing]
    assert filled(text, "equipment_what", "text") == thing


@pytest.mark.parametrize("text", ["как заказать технику?", "how do I order equipment?", "мышь сломалась"])
def test_no_thing_is_made_up(text: str) -> None:
    assert ordered(text) == []


@pytest.mark.parametrize(
    ("text", "what_for"),
    [
        ("нужен доступ к Jira, чтобы работать в проекте «Склад», согласовал Орлов", "работать в проекте «Склад»"),
        ("поставьте программу для просмотра чертежей", "просмотра чертежей"),
        ("I need it for data cleaning", "data cleaning"),
        ("access to Confluence to review the specs, approved by Ann", "review the specs"),
    ],
)
def test_what_it_is_for_is_read(text: str, what_for: str) -> None:
    assert [one.value for one in purpose(text)] == [what_for]
    assert filled(text, "access_purpose", "text") == what_for


@pytest.mark.parametrize("text", ["I need access to the sales folder", "antivirus asks to renew the license", "сделайте это для меня"])
def test_no_purpose_is_made_up(text: str) -> None:
    assert purpose(text) == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("учётка заблокирована, логин i.petrov", "i.petrov"),
        ("мой логин: ivanova", "ivanova"),
        ("Account locked, user name is jdoe", "jdoe"),
        ("please unlock account j_doe2", "j_doe2"),
        (r"логин CORP\smirnov", r"CORP\smirnov"),
    ],
)
def test_a_login_is_read(text: str, name: str) -> None:
    assert [one.value for one in login(text)] == [name]
    assert filled(text, "login_name", "text") == name


@pytest.mark.parametrize(
    "text", ["my account locks every hour", "user name is right, the password is not", "login fails", "account inactive", "забыл логин"]
)
def test_no_login_is_made_up(text: str) -> None:
    assert login(text) == []


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("Не открывается папка «Договоры»", "папка «Договоры»"),
        ("пропал файл с диска S", "диска S"),
        ("«нет места на диске S»", "диске S"),
        (r"cannot open \\srv\share\plans", r"\\srv\share\plans"),
        ("I can't open the Marketing share", "Marketing share"),
    ],
)
def test_a_path_is_read(text: str, place: str) -> None:
    assert [one.value for one in path(text)] == [place]
    assert filled(text, "storage_path", "text") == place


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("аутлук ругается, что ящик переполнен", "ящик переполнен"),
        ("it says gateway unreachable", "gateway unreachable"),
        ("ошибка: порт закрыт сервером", "порт закрыт сервером"),
    ],
)
def test_what_the_screen_says_is_read(text: str, words: str) -> None:
    assert [one.value for one in on_screen(text)] == [words]
    assert filled(text, "error_text", "text") == words


def test_a_quoted_message_and_a_code_go_before_loose_words() -> None:
    assert filled("Reader shows “An internal error occurred” and it says nothing else at all", "error_text", "text") == (
        "An internal error occurred"
    )


@pytest.mark.parametrize("text", ["программа выдаёт ошибку при запуске", "a client says he sent the invoice", "пишет на почту каждый день"])
def test_what_people_say_is_on_no_screen(text: str) -> None:
    assert on_screen(text) == []


@pytest.mark.parametrize(
    ("text", "number"), [("мой внутренний 2145", "2145"), ("callers can't hear me, extension 3310", "3310"), ("доб. 12-34", "12-34")]
)
def test_an_extension_is_a_phone_number(text: str, number: str) -> None:
    assert filled(text, "phone_number", "phone") == number


def test_a_bare_number_is_no_extension() -> None:
    assert filled("кабинет 2145", "phone_number", "phone") is None


@pytest.mark.parametrize(
    ("text", "room"),
    [
        ("В переговорной Байкал не работает камера", "переговорной Байкал"),
        ("Projector in room Everest shows nothing", "room Everest"),
        ("tv in the Baikal room says no signal", "Baikal room"),
        ("The meeting room is cold", None),
        ("в переговорной нет звука", None),
    ],
)
def test_a_room_with_a_name_is_a_place(text: str, room: str | None) -> None:
    assert filled(text, "meeting_room", "location") == room


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("1 декабря выходит новый менеджер Смирнова Ольга", "Смирнова Ольга"),
        ("Peter Novak is leaving the company on Friday", "Peter Novak"),
        ("Антон Кузнецов увольняется", "Антон Кузнецов"),
        ("new intern Anna Schmidt needs a laptop", "Anna Schmidt"),
        ("The Manager left early", None),
    ],
)
def test_who_comes_and_goes_is_read(text: str, name: str | None) -> None:
    assert filled(text, "employee_name", "person") == name


def test_a_weekday_is_enough_where_the_first_day_is_asked() -> None:
    text = "к нам в пятницу приходит стажёр"
    assert filled(text, "start_date", "date") == "2026-11-27"
    assert filled(text, "needed_by", "date") is None


def test_other_slots_get_nothing_of_it() -> None:
    assert said.find("закажите мышь, логин i.petrov", "work_kit") == ()
