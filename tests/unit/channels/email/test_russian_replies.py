"""What people answer is found under whatever their mail program puts around it."""

from datetime import UTC, datetime
from email.message import EmailMessage

import pytest

from channels.email.mapping import parse
from tests.factories.russian_mail import PROGRAMS, Body, Earlier, as_mail

SAID = {
    "a line": ["Принтер HP, третий этаж."],
    "paragraphs": [
        "Добрый день!",
        "",
        "Всё ещё не печатает.",
        "Вчера мастер приходил, но бумагу опять жуёт.",
        "",
        "Когда вы снова придёте?",
    ],
    "words that look like a quote": ["Вчера мой коллега написал:", "у него то же самое.", "От: нас ничего не требуется, я спросила."],
    "a list": ["1. HP LaserJet 305", "2. кабинет 214, второй этаж", "Ошибка 49.4C02 от 24.11.2026, 18:40: на экране"],
}
SIGNATURES = {
    "none": [],
    "regards": ["", "С уважением,", "Анна Иванова", "ведущий бухгалтер ООО «Клиент»", "тел. +7 912 345-67-89"],
    "a line": ["", "--", "Анна Иванова | klient.ru"],
    "disclaimer": [
        "", "С наилучшими пожеланиями,", "Анна", "",
        "Настоящее сообщение и вложения к нему содержат конфиденциальную информацию и предназначены только для адресата.",
    ],
}  # fmt: skip


def read(raw: bytes) -> str:
    found = parse(raw, inbox_id="i", inbox_addresses=["help@romashka.ru"], secret=b"s", received_at=datetime(2026, 11, 25, tzinfo=UTC))
    return found.text


@pytest.mark.parametrize("signature", SIGNATURES)
@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize("program", PROGRAMS)
def test_the_reply_is_what_was_said(program: str, said: str, signature: str) -> None:
    words = SAID[said]
    assert squeezed(read(as_mail(PROGRAMS[program]([*words, *SIGNATURES[signature]], Earlier())))) == squeezed("\n".join(words))


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_history_of_several_answers_is_folded_whole(program: str) -> None:
    text, html = PROGRAMS[program](["Не помогло"], Earlier())
    deeper = Earlier(name="Анна Иванова", address="anna@klient.ru", lines=tuple((text or "Не помогло").split("\n")))
    assert squeezed(read(as_mail(PROGRAMS[program](["Теперь работает"], deeper)))) == "Теперь работает"
    assert html is not None or text is not None


def bottom(program: str) -> Body:
    head = {
        "Thunderbird": "25.11.2026 12:10, Служба поддержки пишет:",
        "The Bat!": "Здравствуйте, Служба.\n\nВы писали 25 ноября 2026 г., 12:10:",
        "mutt": "On Wed, Nov 25, 2026 at 12:10:00PM +0300, Служба поддержки wrote:",
    }[program]
    return f"{head}\n> Какое это устройство?\n\nПринтер HP 305.\nОн у окна.\n", None


@pytest.mark.parametrize("program", ["Thunderbird", "mutt"])
def test_an_answer_under_the_whole_quote_is_the_reply(program: str) -> None:
    assert read(as_mail(bottom(program))) == "Принтер HP 305.\nОн у окна."


INLINE = {
    "Thunderbird": "25.11.2026 12:10, Служба поддержки пишет:\n{0}\nHP 305\n{1}\nвторой этаж\n",
    "Gmail": "ср, 25 нояб. 2026 г. в 12:10, Служба поддержки <help@romashka.ru>:\n\n{0}\n\nHP 305\n\n{1}\n\nвторой этаж\n",
    "Apple Mail": "> 25 нояб. 2026 г., в 12:10, Служба поддержки <help@romashka.ru> написал(а):\n> \n{0}\nHP 305\n\n{1}\nвторой этаж\n",
    "Mail.ru": "Среда, 25 ноября 2026, 12:10 +03:00 от Служба поддержки <help@romashka.ru>:\n{0}\nHP 305\n{1}\nвторой этаж\n",
}


@pytest.mark.parametrize("program", INLINE)
def test_answers_between_the_questions_stay_with_them(program: str) -> None:
    text = INLINE[program].format("> Здравствуйте!\n>\n> 1. Какое это устройство?", "> 2. Где оно стоит?")
    assert read(as_mail((text, None))) == "> 1. Какое это устройство?\nHP 305\n\n> 2. Где оно стоит?\nвторой этаж"


HTML_INLINE = {
    "Gmail": (
        '<div dir="ltr"><div class="gmail_quote"><div dir="ltr" class="gmail_attr">ср, 25 нояб. 2026 г. в 12:10, Служба '
        "&lt;<a>help@romashka.ru"
        '</a>&gt;:<br></div><blockquote class="gmail_quote">Здравствуйте!<br><br>1. Какое это устройство?</blockquote><div>HP 305</div>'
        '<blockquote class="gmail_quote">2. Где оно стоит?</blockquote><div>второй этаж</div></div></div>'
    ),
    "Yandex": (
        "<div>25.11.2026, 12:10, &quot;Служба&quot; &lt;help@romashka.ru&gt;:</div><blockquote><p>1. Какое это устройство?</p></blockquote>"
        "<div>HP 305</div><blockquote><p>2. Где оно стоит?</p></blockquote><div>второй этаж</div>"
    ),
    "Thunderbird": (
        '<div class="moz-cite-prefix">25.11.2026 12:10, Служба пишет:<br></div>'
        '<blockquote type="cite"><p>1. Какое это устройство?</p></blockquote>'
        '<p>HP 305</p><blockquote type="cite"><p>2. Где оно стоит?</p></blockquote><p>второй этаж</p>'
    ),
}


@pytest.mark.parametrize("program", HTML_INLINE)
def test_answers_between_the_questions_of_a_page_stay_with_them(program: str) -> None:
    assert squeezed(read(as_mail((None, HTML_INLINE[program])))) == squeezed(
        "> 1. Какое это устройство?\nHP 305\n\n> 2. Где оно стоит?\nвторой этаж"
    )


FORWARDED = {
    "Mail.ru": "-------- Пересылаемое сообщение --------\nОт кого: Пётр <petr@klient.ru>\nКому: Анна <anna@klient.ru>\n"
    "Дата: Среда, 25 ноября 2026, 12:10 +03:00\nТема: Сканер\n\nСканер не сканирует.\n--\nПётр",
    "Gmail": "---------- Forwarded message ---------\nОт: Пётр <petr@klient.ru>\nDate: ср, 25 нояб. 2026 г. в 12:10\nSubject: Сканер\n"
    "To: Анна <anna@klient.ru>\n\nСканер не сканирует.",
    "Yandex": '-------- Пересылаемое сообщение--------\n25.11.2026, 12:10, "Пётр" <petr@klient.ru>:\n\nСканер не сканирует.',
    "Outlook": "От: Пётр <petr@klient.ru>\nОтправлено: 25 ноября 2026 г. 12:10\nКому: Анна\nТема: Сканер\n\nСканер не сканирует.",
    "Apple Mail": "> Начало переадресованного сообщения:\n> \n> От: Пётр <petr@klient.ru>\n> Тема: Сканер\n> \n> Сканер не сканирует.",
    "Thunderbird": "-------- Перенаправленное сообщение --------\nТема: Сканер\nДата: Wed, 25 Nov 2026 12:10:00 +0300\n"
    "От: Пётр <petr@klient.ru>\nКому: Анна\n\nСканер не сканирует.",
}


@pytest.mark.parametrize("program", FORWARDED)
def test_what_is_forwarded_is_content(program: str) -> None:
    found = read(as_mail((f"Посмотрите, пожалуйста.\n\n{FORWARDED[program]}\n", None), subject="Fwd: Сканер"))
    assert found.startswith("Посмотрите, пожалуйста.")
    assert "Сканер не сканирует." in found
    assert not any(line.startswith(">") for line in found.split("\n"))


@pytest.mark.parametrize("charset", ["koi8-r", "windows-1251", "utf-8", "iso-8859-5", "cp866"])
def test_every_russian_charset_is_read(charset: str) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "anna@klient.ru", "help@romashka.ru", "Re: Принтер"
    text = "Всё ещё не печатает.\n\n25.11.2026 12:10, Служба поддержки пишет:\n> Здравствуйте!\n"
    message.set_content(text, charset=charset)
    assert read(message.as_bytes()) == "Всё ещё не печатает."


def squeezed(text: str) -> str:
    """Without empty lines, which programs put in and leave out at will."""
    return "\n".join(line.strip() for line in text.split("\n") if line.strip())
