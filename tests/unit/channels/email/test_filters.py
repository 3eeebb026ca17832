"""What a mail is, and why: one reason a mail, the most certain first, and people's mail passes."""

import unicodedata

import pytest

from channels.email.filters.forged import distrusted
from channels.email.rules import Rules
from channels.email.trust import Standing, Trust
from desk_core.conversations.holding import rule_of
from desk_core.conversations.ports import FORGED_SENDER
from tests.unit.channels.email.mails import SECRET, mail, parsed


class TestOutOfOffice:
    @pytest.mark.parametrize(
        "text",
        [
            "Hello,\n\nI am out of the office until 5 December with limited access to email.\n\nRegards",
            "I'm on annual leave. For urgent matters please contact help@example.com.",
            "Thank you for your message. I will be on vacation and will reply when I am back.",
            "Здравствуйте! Я в отпуске до 5 декабря. По срочным вопросам обращайтесь к Ивану.",
            "Меня не будет в офисе, выйду 5 декабря, отвечу после возвращения.",
            "Добрый день, нахожусь в командировке, ограничен доступ к почте.",
        ],
    )
    def test_is_told_by_a_body_that_says_it_twice(self, text: str) -> None:
        found = parsed(mail(text, subject="Re: [#1001] Printer"))
        assert (found.verdict.code, found.verdict.held) == ("out_of_office", True)

    @pytest.mark.parametrize(
        "text",
        [
            "I am out of the office until Friday and cannot log in to the VPN.",
            "Я в отпуске, но мне нужен доступ к почте с телефона.",
            "Меня не будет на рабочем месте завтра, перенесите, пожалуйста, замену монитора.",
            "Принтер сломан, по срочным вопросам звоните мне.",
            "I'm on vacation. For urgent matters call me. " + "But first, the printer of our floor has stopped again. " * 12,
        ],
    )
    def test_a_person_who_is_away_is_still_a_person(self, text: str) -> None:
        assert parsed(mail(text)).verdict.code == "received"

    @pytest.mark.parametrize(
        "subject",
        [
            "Автоматты жауап: [#1042] VPN", "Аўтаматычны адказ: VPN", "Fuera de la oficina", "Fuori sede: [#310] Password",
            "Absence du bureau Re: [#310] Password", "Frånvaro: Password", "Out of Office Re: [#310] Password",
        ],
    )  # fmt: skip
    def test_is_told_by_the_subject_in_many_languages(self, subject: str) -> None:
        assert parsed(mail("Buy", subject=subject)).verdict.code == "out_of_office"

    @pytest.mark.parametrize(
        "text",
        [
            "Я на больничном. Меня замещает Фомин А.А. (fomin@example.org)",
            "В командировке до 22.03, доступ к почте ограничен. Отвечу, как только смогу.",
            "Здравствуйте!\n\nЯ в декретном отпуске. По всем вопросам пишите, пожалуйста, Дмитрию.\n\nЭто автоматическое сообщение.",
            "I'm out of the office today and tomorrow. If it's urgent call Sue in the office.\nGary",
            "Вітаю! Я у відпустці до 25 березня, відповім після повернення. Це автоматична відповідь.",
            "Вітаю! Я ў адпачынку з 4 па 15 сакавіка, адкажу па вяртанні. Гэта аўтаматычны ліст.",
            "Sono in ferie fino al 17/03. Per urgenze 02 000 000.",
            "Bonjour, je suis en congés du 4 au 15 mars. Je vous répondrai à mon retour.",
            "Dziękuję za wiadomość. Obecnie przebywam na urlopie, zastępuje mnie p. Kamil Lis. Wiadomość wygenerowana automatycznie.",
            "Сәлеметсіз бе! До 20 марта я в командировке, отвечу позже.\n\n(автоматты жауап / автоматический ответ)",
            "Здравствуйте! Сейчас я не на рабочем месте, вернусь 3 декабря. На ваше письмо отвечу по возвращении.",
        ],
    )
    def test_needs_no_header(self, text: str) -> None:
        found = parsed(mail(text, subject="Re: [#1001] Printer", in_reply_to="<ours@desk.example>"))
        assert (found.verdict.code, found.verdict.held) == ("out_of_office", True)

    @pytest.mark.parametrize(
        ("subject", "text"),
        [
            (
                "Out of office setup",
                'Could you set up an auto reply? Text:\n\n"I am out of the office. For urgent matters call Ann."\n\nThanks!',
            ),
            ("Re: [#5561] Invoice", "Please keep this one open, I am on leave from tomorrow and will send it when I am back on the 20th."),
            ("Отпуск", "Я в отпуске до 20 марта, переведите мои заявки на Анну."),
            ("Доставка", "Можно ли перенаправить посылку в другой город, я в командировке до 20-го"),
            (
                "Fwd: Автоматический ответ: Счёт",
                ("Отключите его.\n\n---------- Forwarded message ---------\nОт: П <p@x.example>\n\nЯ в отпуске до 20 "
                "августа. По срочным вопросам - приёмная."),
            ),
        ],
    )  # fmt: skip
    def test_who_asks_for_something_is_a_person(self, subject: str, text: str) -> None:
        assert parsed(mail(text, subject=subject, in_reply_to="<ours@desk.example>")).verdict.code == "received"


class TestRobotsWithoutAMark:
    @pytest.mark.parametrize(
        "text",
        [
            "Здравствуйте. Ваше письмо получено и будет рассмотрено в течение 30 дней. Данное сообщение отправлено автоматически.",
            "Thank you for contacting Customer Care. This is an automated response to let you know that we have received your email.",
            "Dies ist eine automatisch generierte Nachricht. Ihre E-Mail ist bei uns eingegangen.",
            "Здравствуйте! Этот адрес больше не используется, пишите на laptev@example.org. Автоответчик.",
            "Документ отправлен из 1С:Предприятие. Это письмо сформировано автоматически, не отвечайте на него.",
            "Ваше письмо задержано. Чтобы оно было доставлено, подтвердите, что вы человек. Письмо создано автоматически.",
        ],
    )
    def test_say_what_they_are(self, text: str) -> None:
        found = parsed(mail(text, subject="Your mail"))
        assert (found.verdict.code, found.verdict.held) == ("automatic", True)

    @pytest.mark.parametrize(
        "text",
        [
            "Сотрудник Ермаков Павел больше не работает в компании. Просьба направлять письма на info@example.org.",
            "Анна Иванова больше не работает в компании. Пожалуйста, направляйте письма на office@example.org.",
            "Please note that Dan Kent no longer works here. Please direct all enquiries to news@example.org.",
            "Коваль Андрій більше не працює в компанії. Прохання писати на office@example.org",
        ],
    )
    def test_who_left_does_not_answer(self, text: str) -> None:
        answer = mail(text, subject="Re: [#1001] Printer", in_reply_to="<ours@desk.example>")
        assert parsed(answer).verdict.code == "automatic"
        assert parsed(mail(text, subject="Mailbox of a colleague")).verdict.code == "received", "a colleague may write just that"

    @pytest.mark.parametrize(
        "text",
        [
            "Автоматический ответ в Outlook не включается.",
            "Спасибо за письмо, всё заработало.",
            "Ваше письмо получено, попробую вечером.",
            "Иванов больше не работает в компании, закройте ему доступ. Письма просьба направлять Петрову.",
            "Клиентам приходит «Это автоматическое сообщение, ваш запрос принят». Уберите, пожалуйста.",
            "Ваше обращение принято, но ответа нет. Когда ждать?",
            "автоответчик поменять, там старый голос",
            "Мне пришло «Это автоматическое письмо, не отвечайте на него», а заявка так и не решена.",
            "Сейчас я не на рабочем месте, подойду к четырём и перезагружу.",
        ],
    )
    def test_people_write_of_robots(self, text: str) -> None:
        assert parsed(mail(text, subject="Re: [#1001] Printer", in_reply_to="<ours@desk.example>")).verdict.code == "received"

    def test_a_postmaster_may_be_a_person(self) -> None:
        text = "Ваши письма отбрасываются нашим фильтром, нет PTR. Поправьте, пожалуйста, запись."
        sender = {"from": "Postmaster <postmaster@partner.example>", "subject": "Ваши письма"}
        assert parsed(mail(text, return_path="<postmaster@partner.example>", **sender)).verdict.code == "received"
        assert parsed(mail(text, return_path="<>", **sender)).verdict.held

    def test_a_receipt_may_have_lost_its_parts(self) -> None:
        text = "Ваше повідомлення\n\n   Кому: Бондар\n   Тема: Заявка\n\nпрочитано 5 березня 2024 р. 10:44."
        assert parsed(mail(text, subject="Прочитано: [#877] Заявка")).verdict.code == "read_receipt"
        assert parsed(mail("Инструкцию прочитал, не помогло", subject="Прочитано: инструкция")).verdict.code == "received"


class TestInvitations:
    EVENT = (
        "BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VEVENT\nUID:1\nDTSTART:20240311T090000Z\nSUMMARY:Переговоры\n{}END:VEVENT\nEND:VCALENDAR\n"
    )

    def letter(self, words: str, event: str) -> bytes:
        parts = f"--b\nContent-Type: text/plain; charset=utf-8\n\n{words}\n--b\nContent-Type: text/calendar\n\n{event}\n--b--\n"
        return mail(parts, content_type='multipart/mixed; boundary="b"')

    def test_a_file_that_somebody_sends_along_is_none(self) -> None:
        asked = self.letter("Контрагент прислал файл, Outlook его не открывает.", self.EVENT.format(""))
        found = parsed(asked)
        assert (found.verdict.code, found.card["event"]["summary"]) == ("received", "Переговоры")

    def test_who_is_named_in_it_invites(self) -> None:
        event = self.EVENT.format("ORGANIZER:mailto:anna@example.com\n")
        assert parsed(self.letter("Приглашаю всех на переговоры в среду.", event)).verdict.code == "calendar"
        assert parsed(self.letter("", self.EVENT.format(""))).verdict.code == "calendar"


class TestReportsInFreeWords:
    @pytest.mark.parametrize(
        ("sender", "subject", "text", "permanent"),
        [
            (
                "MAILER-DAEMON@x.example",
                "уведомление об ошибке",
                "Ваше сообщение не может быть доставлено.\n\n<kassa@x.example>:\nНет ящика. (#5.1.1)",
                True,
            ),
            (
                "MAILER-DAEMON@x.example",
                "Failed mail: Received",
                "Recipient: <kassa@x.example>\nReason: (552 message exceeds size limit)",
                True,
            ),
            (
                "postmaster@x.example",
                "**Message you sent blocked by our bulk email filter**",
                "Your message to:  kassa@x.example\nwas blocked",
                True,
            ),
            (
                "DrWeb-DAEMON@x.example",
                "Недоставлено: вирус в сообщении",
                "отправленное на адрес\n\n  kassa@x.example\n\nНЕ БЫЛО ДОСТАВЛЕНО.",
                True,
            ),
            ("PostMaster@x.example", "来自x.example的退信", "很抱歉，您的邮件无法投递。\n\n收件人：kassa@x.example", True),
            (
                "Mailer-Daemon@x.example",
                "Warning: message 1rC delayed 24 hours",
                "has not yet been delivered\n\n  kassa@x.example\n    Delay reason: timed out",
                False,
            ),
            (
                "MDaemon@x.example",
                "Transient Delivery Failure",
                "will continue trying to deliver\n\nAddress: kassa@x.example\nReason: 10060",
                False,
            ),
        ],
    )  # fmt: skip
    def test_tell_whom_and_for_how_long(self, sender: str, subject: str, text: str, permanent: bool) -> None:
        found = parsed(mail(text, subject=subject, return_path="<>", **{"from": sender}))
        assert found.bounce is not None
        assert (found.bounce.address, found.bounce.permanent) == ("kassa@x.example", permanent)


class TestSpam:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("X-Spam-Flag", "YES"), ("X-Spam-Status", "Yes, score=9.1 required=5.0"), ("X-Rspamd-Action", "add header"),
            ("X-MS-Exchange-Organization-SCL", "6"), ("X-Yandex-Spam", "4"), ("X-Bogosity", "Spam, tests=bogofilter"),
            ("X-Forefront-Antispam-Report", "CIP:1.2.3.4;SFV:SPM;H:x"),
        ],
    )  # fmt: skip
    def test_is_what_the_server_before_us_took_for_it(self, name: str, value: str) -> None:
        raw = f"{name}: {value}\r\n".encode() + mail("Buy now")
        assert (parsed(raw).verdict.code, parsed(raw).verdict.params) == ("spam", {"header": name.title()})

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("X-Spam-Flag", "NO"), ("X-Spam-Status", "No, score=-1 required=5"), ("X-Rspamd-Action", "no action"),
            ("X-MS-Exchange-Organization-SCL", "1"), ("X-Yandex-Spam", "1"), ("X-Forefront-Antispam-Report", "SFV:NSPM;"),
        ],
    )  # fmt: skip
    def test_what_it_let_pass_passes(self, name: str, value: str) -> None:
        assert parsed(f"{name}: {value}\r\n".encode() + mail("The printer is broken")).verdict.code == "received"

    def test_an_operator_who_knows_the_sender_goes_first(self) -> None:
        raw = b"X-Spam-Flag: YES\r\n" + mail("The printer is broken")
        assert parsed(raw, rules=Rules({"anna@example.com": "person"})).verdict.code == "sender_person"
        assert parsed(raw, rules=Rules({"anna@example.com": "apart"})).verdict.code == "sender_apart"

    @pytest.mark.parametrize(
        ("rules", "code"),
        [
            (Rules({"@example.com": "robot"}), "sender_robot"),
            (Rules({"@example.com": "robot", "anna@example.com": "person"}), "sender_person"),
            (Rules({"@other.example": "robot"}), "received"), (Rules({}, {"report of the night": "robot"}), "subject_robot"),
            (Rules({}, {"report": "robot", "report of the night": "apart"}), "subject_apart"),
            (Rules({}, {"invoice": "robot"}), "received"),
            (Rules({"anna@example.com": "person"}, {"report": "robot"}), "sender_person"),
        ],
    )  # fmt: skip
    def test_a_rule_is_for_an_address_a_domain_or_words_of_the_subject(self, rules: Rules, code: str) -> None:
        raw = mail("The printer is broken").replace(b"\r\nSubject: ", b"\r\nX-Was: ", 1)
        assert parsed(b"Subject: [zbx]  Report OF the\r\n night\r\n" + raw, rules=rules).verdict.code == code

    @pytest.mark.parametrize(
        ("words", "subject"),
        [
            ("отчёт", "Отчет за ночь"), ("отчет", "ОТЧЁТ за ночь"), ("отчёт", unicodedata.normalize("NFD", "Ночной отчёт")),
            ("ночной отчёт", "Ночной\u00a0 от\u00adчёт"), ("отчёт", "\u200eОт\u200bчёт"), ("straße", "STRASSE 5"),
        ],
    )  # fmt: skip
    def test_words_are_the_same_however_they_are_written(self, words: str, subject: str) -> None:
        place, key = rule_of(words)
        assert Rules.of({place: {key: "robot"}}).in_subject(subject) is not None

    def test_of_a_person_answers_for_nobody_who_only_bears_their_address(self) -> None:
        found = parsed(b"X-Autoreply: yes\r\n" + mail("close it"), rules=Rules({"anna@example.com": "person"}))
        forged = distrusted(found, Trust(Standing.FORGED), secret=SECRET)
        assert (found.verdict.code, forged.verdict.code, forged.verdict.held) == ("sender_person", FORGED_SENDER, True)


class TestRobots:
    @pytest.mark.parametrize(
        "header",
        [
            "X-Auto-Submitted: auto-replied", "X-Precedence: junk", "X-Loop: yes", "X-MS-Exchange-Inbox-Rules-Loop: a@b.example",
            "X-Autoreply-From: a@b.example", "Preference: auto_reply",
        ],
    )  # fmt: skip
    def test_say_so_in_many_headers(self, header: str) -> None:
        assert parsed(f"{header}\r\n".encode() + mail("hello")).verdict.code == "automatic"

    @pytest.mark.parametrize("header", ["X-Loop: owner@bugs.example", "Auto-Submitted: no", "X-Autoreply: no"])
    def test_some_headers_say_nothing(self, header: str) -> None:
        assert parsed(f"{header}\r\n".encode() + mail("hello")).verdict.code == "received"
