"""What stands under a message and is not said: signatures, phones' lines, list footers, disclaimers."""

import pytest

from channels.email.signatures import own_lines


def own(text: str, *, sender: str = "") -> str:
    lines = text.split("\n")
    return "\n".join(lines[: own_lines(lines, sender=sender)]).strip()


@pytest.mark.parametrize(
    "signature",
    [
        "-- \nИван Петров\nотдел логистики",
        "--\nIvan",
        "С уважением,\nИван Петров\nначальник отдела логистики\n+7 912 345-67-89",
        "С наилучшими пожеланиями, Иван",
        "Спасибо,\nИван",
        "Best regards,\nIvan Petrov\nHead of Logistics",
        "-Ivan Petrov",
        "Отправлено с iPhone",
        "Отправлено из мобильной Почты Mail.ru",
        "Sent from my Galaxy",
        "Get Outlook for Android",
        "Иван Петров\nтел. +7 912 345-67-89\nivan@example.org",
        "_______________________________________________\nusers mailing list\nusers@lists.example.org",
        "С уважением,\nИван\n\nНастоящее сообщение и вложения к нему содержат конфиденциальную информацию и предназначены только адресату.",
        "This message is confidential and intended only for the person named above.",
        "С уважением,\nИван\n\nОтправлено с iPhone",
        "Наилучшие пожелания,\nТатьяна",
        "С ув., Игорь Белов",
        "Mit freundlichen Grüßen\nHans Müller\n\nDiese E-Mail enthält vertrauliche und/oder rechtlich geschützte Informationen.",
        "Bien à vous,\nJean Dupont",
        "Un saludo,\nLucía Gómez",
        "Cordiali saluti,\nMario Rossi",
        "Z poważaniem,\nAnna Wiśniewska",
        "Met vriendelijke groet,\nSanne Bakker",
        "Құрметпен,\nАйдар",
        "З павагай,\nВольга",
        "Отправлено со смартфона Samsung Galaxy.",
        "Sent from my BlackBerry 10 smartphone.",
        "Envoyé de mon iPhone",
        "Wysłane z iPhone’a",
        "Inviato da iPhone",
        "Von meinem/meiner Galaxy gesendet",
        "Менің Galaxy құрылғымнан жіберілді",
        "Получить Outlook для iOS",
        "Outlook für iOS beziehen<https://aka.ms/o0ukef>",
        "Virus-free.www.avast.com",
    ],
)
def test_is_folded(signature: str) -> None:
    assert own(f"Принтер на третьем этаже не печатает.\n\n{signature}\n") == "Принтер на третьем этаже не печатает."


@pytest.mark.parametrize(
    "text",
    [
        "Спасибо",
        "Принтер не печатает. Спасибо",
        "Есть вопросы:\n- где бумага?\n- Когда придёт мастер",
        "Спасибо, но это не помогло: всё равно не печатает, и бумага застревает каждый раз, когда я пробую.",
        "Не работают:\n- Принтер\n- Сканер",
        "С уважением отношусь к вашей работе, но третий день ждать?",
        "Звоните мне: +7 912 345-67-89",
        "Мой адрес ivan@example.org, телефон +7 912 345-67-89",
        "Here is a fix -- this is no signature.\n\nkthxbai",
        "Here is another one\n\nSent from my desk, it is much easier than my mobile phone.",
        "Два ящика не дошли.\n\nОтправлено со склада вчера, без накладной.",
        "-- ",
        "",
    ],
)
def test_what_is_said_stays(text: str) -> None:
    assert own(text) == text.strip()


def test_the_senders_name_ends_a_message() -> None:
    assert own("Не печатает.\n\nИван Петров\nчерез телефон", sender="Иван Петров") == "Не печатает."
    assert own("Не печатает.\n\nИван", sender="Иван Петров") == "Не печатает."
    assert own("Не печатает.\n\nИван", sender="Пётр") == "Не печатает.\n\nИван"
