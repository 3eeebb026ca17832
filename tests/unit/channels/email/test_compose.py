"""The letters we write: the same for every attempt, readable everywhere, with nothing a person typed among the headers."""

from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast

import pytest

from channels.email.compose import Mailbox, compose, envelope_sender, to_bytes
from channels.email.mapping import parse
from channels.email.threading import read_token
from desk_core.conversations.ports import OutboundButton, OutboundFile, OutboundMessage, Refused
from tests.unit.channels.email.mails import NOW, SECRET, inbound

CONVERSATION = "01939f3e-1111-7000-8000-00000000c0de"
MAILBOX = Mailbox("support@desk.example", "Поддержка")
MESSAGE = OutboundMessage(
    message_id="01939f3e-2222-7000-8000-000000000002",
    conversation_id=CONVERSATION,
    thread_key="t",
    to="anna@example.com",
    to_name="Анна Петрова",
    text="Обращение **#1042** принято.\n\n1. Какой принтер?\n2. [Статья](https://desk.example/a)",
    language="en",
    at=NOW,
    subject="Принтер",
    ticket_number=1042,
    status_url="https://desk.example/s/abc",
    references=("first@example.com",),
)


def written(message: OutboundMessage = MESSAGE, **options: object) -> EmailMessage:
    given: dict[str, Any] = {"mailbox": MAILBOX, **options}
    raw = to_bytes(compose(message, secret=SECRET, **given))
    return cast("EmailMessage", message_from_bytes(raw, policy=policy.default))


def test_the_headers_say_what_it_is() -> None:
    mail = written()
    assert mail["Subject"] == "[#1042] Принтер"
    assert mail["From"] == "Поддержка <support@desk.example>"
    assert mail["To"] == "Анна Петрова <anna@example.com>"
    assert mail["Auto-Submitted"] == "auto-replied"
    assert mail["X-Auto-Response-Suppress"] == "All"
    assert (mail["In-Reply-To"], mail["References"]) == ("<first@example.com>", "<first@example.com>")
    assert read_token(mail["Message-ID"], SECRET) == CONVERSATION
    assert read_token(str(mail["Reply-To"].addresses[0].addr_spec), SECRET) == CONVERSATION


@pytest.mark.parametrize(("language", "name"), [("ru", "Наша компания"), ("en", "Our company"), ("de", "Our company")])
def test_the_organisation_is_named_in_the_language_of_the_letter(language: str, name: str) -> None:
    mailbox = Mailbox("support@desk.example", "Our company", names={"ru": "Наша компания", "en": "Our company", "de": ""})
    assert written(replace(MESSAGE, language=language), mailbox=mailbox)["From"].addresses[0].display_name == name


def test_addresses_and_ids_of_other_alphabets_stay_what_they_are() -> None:
    ids = tuple(f"{number}-письмо-о-принтере@почта.рф" for number in range(5))
    message = replace(MESSAGE, to="иван@почта.рф", to_name="Иван «Петя» Иванов", cc=(("Мария", "мария@почта.рф"),), references=ids)
    raw = to_bytes(compose(message, mailbox=MAILBOX, secret=SECRET))
    head = raw.partition(b"\r\n\r\n")[0].decode()
    assert "<иван@почта.рф>" in head
    assert max(map(len, head.split("\r\n"))) < 110
    read = parse(raw, inbox_id="i", inbox_addresses=["иван@почта.рф"], secret=SECRET, received_at=NOW)
    assert read.references == ids, "threads of other programs hold"
    assert read.recipients == ("иван@почта.рф", "мария@почта.рф")
    again = cast("EmailMessage", message_from_bytes(raw, policy=policy.default.clone(utf8=True)))
    assert again["Subject"] == "[#1042] Принтер"


def test_a_person_is_no_robot() -> None:
    mail = written(replace(MESSAGE, automatic=False, author="agent", author_name="Ольга"))
    assert "Auto-Submitted" not in mail
    assert mail["From"] == '"Ольга (Поддержка)" <support@desk.example>'


def test_every_attempt_is_the_same_mail() -> None:
    assert to_bytes(compose(MESSAGE, mailbox=MAILBOX, secret=SECRET)) == to_bytes(
        compose(replace(MESSAGE, attempt=2), mailbox=MAILBOX, secret=SECRET)
    )


def test_both_bodies_hold_everything() -> None:
    button = ((OutboundButton("Solved", url="https://desk.example/s/abc?do=solved"), OutboundButton("token only", token="t")),)
    mail = written(replace(MESSAGE, buttons=button, original={"author": "Anna", "at": NOW.isoformat(), "text": "Не <печатает>"}))
    plain = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    html = mail.get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert "Обращение #1042 принято." in plain
    assert "2. Статья (https://desk.example/a)" in plain
    assert "Solved: https://desk.example/s/abc?do=solved" in plain
    assert "Request #1042" in plain
    assert "> Не <печатает>" in plain
    for piece in (
        "<strong>#1042</strong>",
        '<a href="https://desk.example/a">',
        ">Solved</a>",
        "Не &lt;печатает&gt;",
        "https://desk.example/s/abc",
        "overflow-wrap:anywhere",
    ):
        assert piece in html


def test_markup_in_the_text_stays_text() -> None:
    html = written(replace(MESSAGE, text="<script>alert(1)</script> [x](javascript:alert(1))")).get_body(("html",))
    assert "<script" not in html.get_content()  # type: ignore[union-attr]
    assert 'href="javascript' not in html.get_content()  # type: ignore[union-attr]


def test_headers_cannot_be_injected() -> None:
    evil = "x\r\nBcc: all@example.com\r\n\r\nbody\u2028z"
    mail = written(
        replace(MESSAGE, subject=evil, to_name=evil, author_name=evil, reply_to=f"a@b{evil}", references=(f"c@d{evil}",)),
        files=[(OutboundFile(evil, f"image/png{evil}", 1, "0"), b"x")],
    )
    assert mail["Bcc"] is None
    assert all(part["Bcc"] is None for part in mail.walk())


@pytest.mark.parametrize("to", ["", "nobody", "a\r\nb"])
def test_without_an_address_it_is_refused(to: str) -> None:
    with pytest.raises(Refused):
        written(replace(MESSAGE, to=to))


def test_attachments_keep_their_cyrillic_names() -> None:
    mail = written(files=[(OutboundFile("Отчёт за май.pdf", "application/pdf", 4, "0"), b"%PDF")])
    (file,) = mail.iter_attachments()
    assert (file.get_filename(), file.get_content()) == ("Отчёт за май.pdf", b"%PDF")


def test_long_threads_keep_plain_headers() -> None:
    ids = tuple(f"{'x' * 80}{number}@example.com" for number in range(40))
    mail = written(replace(MESSAGE, references=ids))
    assert str(mail["References"]).split()[0] == f"<{ids[0]}>"
    assert str(mail["References"]).split()[-1] == f"<{ids[-1]}>"
    raw = to_bytes(compose(replace(MESSAGE, references=ids), mailbox=MAILBOX, secret=SECRET))
    assert b"=?utf-8" not in raw.split(b"References:")[1].split(b"\r\nAuto")[0]
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998


def test_made_up_ids_are_not_sent_to_others() -> None:
    mail = written(replace(MESSAGE, references=("abc@made-up.priyom",), reply_to="abc@made-up.priyom"))
    assert (mail["References"], mail["In-Reply-To"]) == (None, None)


def test_our_own_letter_coming_back_is_known_as_ours() -> None:
    assert inbound(to_bytes(compose(MESSAGE, mailbox=MAILBOX, secret=SECRET))).verdict == "own_loop"


def test_russian_footers_are_translated_when_the_catalogue_has_them() -> None:
    assert "1042" in written(replace(MESSAGE, language="ru")).get_body(("plain",)).get_content()  # type: ignore[union-attr]


class TestWhereReportsComeBackTo:
    def test_is_the_conversation(self) -> None:
        for message in (MESSAGE, replace(MESSAGE, automatic=False)):
            told = envelope_sender(message, mailbox=MAILBOX, secret=SECRET)
            assert (told.startswith("support+"), read_token(told, SECRET)) == (True, CONVERSATION)

    def test_is_the_plain_address_where_the_server_knows_no_plus_or_it_would_be_too_long(self) -> None:
        long = f"{'x' * 30}@desk.example"
        for mailbox in (replace(MAILBOX, plus=False), replace(MAILBOX, address=long)):
            assert envelope_sender(MESSAGE, mailbox=mailbox, secret=SECRET) == mailbox.address


def test_what_an_operator_typed_as_an_address_can_be_pressed_in_html_and_stays_as_typed_in_plain_text() -> None:
    mail = written(replace(MESSAGE, text="Reset it at https://id.desk.example/reset_me__now__?a=1&b=2, or write to id@example.com."))
    html = mail.get_body(("html",)).get_content()  # type: ignore[union-attr]
    plain = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert '<a href="https://id.desk.example/reset_me__now__?a=1&amp;b=2">' in html
    assert '<a href="mailto:id@example.com">' in html
    assert "Reset it at https://id.desk.example/reset_me__now__?a=1&b=2, or write to id@example.com." in plain
