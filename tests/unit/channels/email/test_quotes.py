"""Only what is new is the reply; whatever is folded can be shown again."""

import pytest

from channels.email.containers import structure_of
from channels.email.html_text import text_of_html
from channels.email.quotes import first_author, parted, split, without_ours

NEW = "Спасибо, теперь печатает."
OLD = "> Проверьте кабель.\n> Техподдержка"


@pytest.mark.parametrize(
    "attribution",
    [
        "On Mon, Nov 23, 2026 at 3:19 PM Support <support@x.example> wrote:",
        "On 23 Nov 2026, at 15:19, Support <support@x.example> wrote:",
        "On Mon, Nov 23, 2026 at 3:19 PM Support with a long name\n<support@x.example> wrote:",
        "ср, 30 апр. 2026 г. в 15:19, Support <support@x.example>:",
        "понедельник, 6 октября 2026 г. пользователь Support написал:",
        '20 окт. 2026 г. 19:37 пользователь "Support" <\nsupport@x.example> написал:',
        "4 сент. 2026 г., в 09:43, Support <support@x.example> написал(а):",
        "12.05.2026 14:32, Иван Иванов пишет:",
        '01.09.2026, 10:04, "Support" <support@x.example>:',
        "Понедельник, 24 августа 2026, 00:01 +03:00 от Support <support@x.example>:",
        "Иван Петров пишет:",
        "Support <support@x.example> wrote:",
    ],
)
def test_a_reply_above_its_quote_is_the_reply(attribution: str) -> None:
    parts = split(f"{NEW}\n\n{attribution}\n\n{OLD}\n")
    assert parts.reply == NEW
    assert attribution.split("\n")[0] in parts.quoted
    assert "Проверьте кабель" in parts.quoted


@pytest.mark.parametrize(
    "history",
    [
        "-----Исходное сообщение-----\nОт: Support\nКому: Anna\nТема: Принтер\n\nПроверьте кабель.",
        "-----Original Message-----\nFrom: Support\nSent: Monday\nTo: Anna\nSubject: Printer\n\nCheck the cable.",
        "________________________________\nОт: Support <s@x>\nОтправлено: 23 ноября 2026 г. 15:19\nКому: Anna\nТема: Принтер\n\nПроверьте.",
        "From: Support <s@x>\nSent: Monday, November 23, 2026\nTo: Anna\nSubject: Printer\n\nCheck the cable.",
        "*От:* Support\n*Дата:* 23 ноября\n*Кому:* Anna\n*Тема:* Принтер\n\nПроверьте.",
        "12.05.2026 14:32, Support <s@x.example> пишет:\nПроверьте кабель.",
    ],
)
def test_outlook_history_is_folded(history: str) -> None:
    parts = split(f"{NEW}\n\n{history}")
    assert parts.reply == NEW
    assert "Пров" in parts.quoted or "Check" in parts.quoted


@pytest.mark.parametrize(
    "attribution",
    [
        "Il giorno mar 3 nov 2026 alle ore 10:15 Mario Rossi <m.rossi@x.example> ha scritto:",
        "Em ter., 3 de nov. de 2026 às 10:15, João Silva <joao@x.example> escreveu:",
        "Op di 3 nov 2026 om 10:15 schreef S. Bakker <s.bakker@x.example>:",
        "út 3. 11. 2026 v 10:15 odesílatel Jan Novák <jan@x.example> napsal:",
        "Ayşe Demir <ayse@x.example>, 3 Kas 2026 Sal, 10:15 tarihinde şunu\nyazdı:",
        "2026 ж. 3 қар., сс 10:15, Айдар <a@x.example> жазды:",
        "Вы писали 3 ноября 2026 г., 10:15:01:",
        "W dniu 3.11.2026 o 10:15, Anna Wiśniewska pisze:",
        "Le 3 novembre 2026 à 10:15, Jean <jean@x.example> a écrit :",
    ],
)
def test_who_wrote_before_is_told_in_any_language(attribution: str) -> None:
    parts = split(f"{NEW}\n\n{attribution}\n\n{OLD}\n")
    assert parts.reply == NEW
    assert "Проверьте кабель" in parts.quoted


@pytest.mark.parametrize(
    "head",
    [
        "De : Camille Lefèvre\nEnvoyé : jeudi 15 octobre 2026 16:34\nÀ : Jean\nObjet : Panne",
        "De: Jean <j@x.example>\nEnviado el: martes, 3 de noviembre de 2026 10:15\nPara: Lucía <l@x.example>\nAsunto: Factura",
        "Od: Jan <j@x.example>\nWysłano: wtorek, 3 listopada 2026 10:15\nDo: Anna <a@x.example>\nTemat: Drzwi",
        "Kimden: Ahmet <a@x.example>\nGönderildi: 8 Kasım 2026 Pazar 09:53\nKime: Ayşe <y@x.example>\nKonu: Teklif",
        "Кімнен: Гүлнар <g@x.example>\nЖіберілді: 2026 ж. 15 қыркүйек 10:06\nКімге: Айдар\nТақырыбы: Есеп",
        "-------- Түпнұсқа хабар --------\nЖіберуші: Г <g@x.example>\nКүні: 01.10.2026  08:40\nКімге: a@x.example\nТақырыбы: Мектеп",
        "  Original Message  \nFrom: Michael <m@x.example>\nSent: Tuesday, September 8, 2026 3:21 PM\nTo: Emily\nSubject: Contract",
    ],
)
def test_the_head_of_an_earlier_mail_is_told_in_any_language(head: str) -> None:
    parts = split(f"{NEW}\n\n{head}\n\nПроверьте кабель.")
    assert parts.reply == NEW
    assert "Проверьте кабель" in parts.quoted


def test_the_bat_quotes_with_initials() -> None:
    text = "Вы писали 8 ноября 2026 г., 11:29:01:\n\nАК> Какой принтер?\n\nТот, что у окна.\n\nАК> С каких пор?\n\nСо среды."
    assert split(text).reply == "> Какой принтер?\nТот, что у окна.\n\n> С каких пор?\nСо среды."


def test_a_phone_may_write_the_quote_behind_its_author() -> None:
    text = f"{NEW}\n\n  On Tue, Sep 1, 2026 at 4:24 PM, Emily<e@x.example> wrote:   Проверьте кабель.  "
    assert split(text).reply == NEW


def test_a_warning_of_the_mail_server_is_not_what_the_person_says() -> None:
    warning = "Внимание! Внешняя почта. Не переходите по ссылкам, если не уверены в отправителе."
    parts = split(f"{warning}\n\n{NEW}")
    assert (parts.reply, parts.quoted) == (NEW, warning)
    english = "CAUTION: This email originated from outside of the organization.\nDo not click links."
    assert split(f"{english}\n\n{NEW}").reply == NEW
    assert split(warning).reply == warning, "alone it is all there is"
    assert split(f"Внешняя почта не работает с утра.\n\n{NEW}").reply.startswith("Внешняя"), "a person may write of it"


def test_a_signature_above_a_forward_is_folded() -> None:
    text = (
        "Прошу оформить.\n\n-- \nОльга Смирнова"
        "\n\n-------- Перенаправленное сообщение --------\nОт: Дмитрий <d@x.example>\n\nНужны пропуска."
    )
    parts = split(text)
    assert parts.quoted == "-- \nОльга Смирнова"
    assert parts.reply.startswith("Прошу оформить.\n\n--------") and parts.reply.endswith("Нужны пропуска.")


def test_an_answer_below_the_quote_is_the_reply() -> None:
    assert split(f"12.05.2026 14:32, Support пишет:\n{OLD}\n\n{NEW}").reply == NEW


def test_a_quote_of_mailx_is_marked_with_tabs() -> None:
    quote = "Support <s@x.example> wrote:\n\n\tПроверьте кабель.\n\t\n\t-- \n\tТехподдержка"
    below = split(f"{quote}\n{NEW}")
    assert below.reply == NEW, "a quoted line that begins a signature begins none of the person's own"
    assert "Техподдержка" in below.quoted
    assert split(f"{NEW}\n\n{quote}\n").reply == NEW
    assert split("У меня так:\n\tошибка 5\nЧто делать?").reply == "У меня так:\n\tошибка 5\nЧто делать?"


def test_answers_between_the_lines_are_kept_with_what_they_answer() -> None:
    text = "On 23 Nov 2026, Support <s@x.example> wrote:\n> Which printer?\nNumber 305.\n> Since when?\nSince Monday.\n"
    assert split(text).reply == "> Which printer?\nNumber 305.\n\n> Since when?\nSince Monday."


@pytest.mark.parametrize(
    "text",
    [
        "Вчера мой коллега написал:\nвсё сломалось",
        "От: нас ничего не требуется\nспасибо",
        "Нужно так:\n1. Открыть\n2. Закрыть",
        "Fwd\n---------- Forwarded message ---------\nFrom: Bob <b@x>\nDate: Mon\nSubject: Help\nTo: me\n\nIt is broken.",
        "Смотрите ниже\n-------- Пересылаемое сообщение --------\nОт кого: Bob\nКому: me\nДата: Среда\nТема: Помогите\n\nСломалось.",
        "From: and To: are words too",
        "На наклейке:\n\nОт: Склад № 3, Тверь\nКому: Магазин «Уют»\nДата: 04.10.2026\nТема: хрупкое\n\nА груз уехал в Калугу.",
        "Из журнала:\n\nFrom: info@firma.example\nTo: zakaz@sklad.example\nSubject: Zakaz 55\nstatus=bounced\n\nПочему?",
    ],
)
def test_what_is_no_quote_stays(text: str) -> None:
    assert split(text).reply == text
    assert split(text).quoted == ""


def test_a_forward_keeps_its_header_block() -> None:
    text = "Помогите клиенту\n\nОт: Bob <b@x>\nОтправлено: вчера\nКому: me\nТема: Сломалось\n\nНе работает."
    assert split(text, forward=True).reply == text


def test_a_body_that_is_only_a_quote_is_shown() -> None:
    assert "Проверьте кабель" in split(OLD).reply


def test_mobile_signatures_are_folded() -> None:
    assert split(f"{NEW}\n\nОтправлено с iPhone").reply == NEW
    assert split(f"{NEW}\n\nSent from my iPhone\n\nOn 23 Nov 2026, S <s@x.example> wrote:\n{OLD}").reply == NEW


def test_html_quotes_are_folded_too() -> None:
    html = (
        "<div>Спасибо</div>"
        "<div class='gmail_quote'><div>пн, 23 нояб. 2026 г. в 15:19, S &lt;s@x.example&gt;:</div><blockquote>Старое</blockquote></div>"
    )
    assert split(text_of_html(html), structure=structure_of(html)).reply == "Спасибо"


def test_nothing_is_slow() -> None:
    split("On 23 Nov 2026 " * 20_000 + "\n" + "> > > >" * 20_000 + "\n" + "а: " * 50_000)


def test_a_forward_of_nothing_ends() -> None:
    assert split("Смотрите ниже.\n\n>\n", forward=True).reply == "Смотрите ниже."
    assert split("> \n>\n", forward=True).reply == ">\n>"


class TestWhoWroteItFirst:
    @pytest.mark.parametrize(
        "text",
        [
            "See to it\n\n---------- Forwarded message ---------\nFrom: Пётр Иванов <petr@example.com>\nDate: Mon\nSubject: x\n\nhelp",
            "-------- Пересылаемое сообщение --------\n24.11.2026, 10:00, кому\nОт: Пётр Иванов <petr@example.com>\n\nпомогите",
            "Begin forwarded message:\n\n> From: Пётр Иванов <petr@example.com>\n> Subject: x\n>\n> help",
        ],
    )
    def test_is_told_by_the_head_of_what_is_passed_on(self, text: str) -> None:
        assert first_author(text) == ("Пётр Иванов", "petr@example.com")

    def test_yandex_says_it_in_one_line(self) -> None:
        text = 'см.\n\n-------- Пересылаемое сообщение --------\n27.11.2026, 10:00, "Зоя" <zoya@x.example>:\n\nпомогите'
        assert first_author(text) == ("Зоя", "zoya@x.example")
        assert parted(text) == ("см.", "помогите")

    def test_outlook_has_no_mark_but_the_subject_says_it(self) -> None:
        text = "fyi\n\nFrom: Petr <petr@example.com>\nSent: Monday\nTo: Anna\nSubject: printer\n\nhelp"
        assert first_author(text, forward=True) == ("Petr", "petr@example.com")
        assert first_author(text) is None

    @pytest.mark.parametrize("text", ["", "From: nobody in particular", "---------- Forwarded message ---------\nFrom: Petr\n\nhelp"])
    def test_nobody_is_made_up(self, text: str) -> None:
        assert first_author(text) is None


class TestWhatIsPassedOn:
    @pytest.mark.parametrize(
        "text",
        [
            "He again\n\n---------- Forwarded message ---------\nFrom: Bob <bob@x.example>\nDate: Mon\nSubject: x\n\nIt broke.\n\nBob",
            "Begin forwarded message:\n\n> From: Bob <bob@x.example>\n> Subject: x\n>\n> It broke.\n>\n> Bob\n\nHe again",
            (
                "He again\n-------- Пересылаемое сообщение --------\n27.11.2026, 10:00, Bob <bob@x.example>:\n\nIt broke.\n\nBob\n-- Конец "
                "пересылаемого сообщения --"
            ),
            "He again\n\nFrom: Bob <bob@x.example>\nSent: Monday\nTo: Anna\nSubject: printer\n\nIt broke.\n\nBob",
        ],
    )
    def test_is_told_from_what_is_said_to_it(self, text: str) -> None:
        assert parted(text, forward=True) == ("He again", "It broke.\n\nBob")

    def test_is_nothing_where_nothing_is_passed_on(self) -> None:
        assert parted("It broke.") == ("It broke.", "")


OURS = """Request #1001 is in. The service desk answers by 27 November, 09:00.

This may help:

- **The printer does not print**: what to check on the printer.

To help you faster, please answer in a reply to this letter:

1. Which printer is it? The number is on the sticker.
2. Does it show an error?"""


class TestWhatWeSent:
    def test_repeated_without_a_mark_it_falls_away_at_the_end(self) -> None:
        shown = OURS.replace("**", "").replace("- The", "* The")
        assert without_ours(f"It works now, thank you!\n\n{shown}", [OURS]) == "It works now, thank you!"

    def test_answers_between_its_lines_stay_with_what_they_answer(self) -> None:
        text = OURS.replace("sticker.", "sticker.\nHP LaserJet 1020\n").replace("an error?", "an error?\nYes, a red lamp")
        told = without_ours(text, [OURS])
        assert "> 1. Which printer is it? The number is on the sticker.\nHP LaserJet 1020" in told
        assert "> 2. Does it show an error?\nYes, a red lamp" in told
        assert "This may help" not in told

    @pytest.mark.parametrize(
        "text", ["The printer works again.", "1. Which printer is it? The number is on the sticker.\nI do not know.", "", "> quoted\nmine"]
    )
    def test_the_persons_own_words_are_left_alone(self, text: str) -> None:
        assert without_ours(text, [OURS]) == text
        assert without_ours(text, []) == text
