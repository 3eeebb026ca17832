"""What a mail is, and why: one reason a mail, the most certain first, and people's mail passes."""

import pytest

from tests.unit.channels.email.mails import mail, parsed


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
        assert parsed(raw, senders={"anna@example.com": "person"}).verdict.code == "sender_person"


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
