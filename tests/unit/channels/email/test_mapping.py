"""What a mail becomes, whatever state it is in."""

import base64
import time
from datetime import timedelta
from itertools import pairwise

import pytest

from channels.email.html_text import safe_html, text_of_html, too_much
from channels.email.mapping import parse
from channels.email.threading import make_message_id, plus_address
from desk_core.conversations.ports import InboundKind
from tests.unit.channels.email.mails import INBOX, NOW, SECRET, SUPPORT, inbound, mail, parsed

RUSSIAN = "Здравствуйте, принтер на третьем этаже не печатает, помогите пожалуйста"
CONVERSATION = "01939f3e-1111-7000-8000-00000000c0de"


def multipart(kind: str, *parts: bytes, boundary: str = "b1") -> bytes:
    body = b"".join(b"--" + boundary.encode() + b"\r\n" + part + b"\r\n" for part in parts)
    return mail(body + b"--" + boundary.encode() + b"--\r\n", content_type=f'multipart/{kind}; boundary="{boundary}"')


def part(content: str | bytes, kind: str = "text/plain; charset=utf-8", **headers: str) -> bytes:
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in {"Content-Type": kind, **headers}.items())
    return head.encode() + b"\r\n" + (content if isinstance(content, bytes) else content.encode())


class TestAPlainMail:
    def test_is_in_the_desks_words(self) -> None:
        message = inbound(mail("The printer is on fire.\n", cc="Bob <bob@example.com>"))
        assert message.kind is InboundKind.MESSAGE
        assert (message.text, message.subject, message.external_id) == ("The printer is on fire.", "Printer", "one@example.com")
        assert (message.sender.address, message.sender.name) == ("anna@example.com", "Anna")
        assert message.lane == "in:email:anna@example.com"
        assert message.thread_key is None
        assert message.verdict == "received"
        assert message.recipients == (SUPPORT, "bob@example.com")
        assert message.card["cc"] == ["bob@example.com"]
        assert not message.automatic
        assert not message.held


class TestCharsets:
    @pytest.mark.parametrize("charset", ["utf-8", "windows-1251", "koi8-r", "iso-8859-5", "cp866", "x-mac-cyrillic"])
    def test_declared_ones_are_read(self, charset: str) -> None:
        body = RUSSIAN.encode("mac-cyrillic" if charset == "x-mac-cyrillic" else charset)
        assert inbound(mail(body, content_type=f"text/plain; charset={charset}")).text == RUSSIAN

    @pytest.mark.parametrize("actual", ["utf-8", "windows-1251", "koi8-r", "cp866"])
    @pytest.mark.parametrize("declared", ["", "; charset=us-ascii", "; charset=iso-8859-1", "; charset=x-unknown", "; charset=utf-8"])
    def test_false_and_missing_ones_are_guessed(self, actual: str, declared: str) -> None:
        assert inbound(mail(RUSSIAN.encode(actual), content_type=f"text/plain{declared}")).text == RUSSIAN

    def test_western_text_stays_western(self) -> None:
        assert inbound(mail("Le café est fermé à Noël".encode("cp1252"), content_type="text/plain")).text == "Le café est fermé à Noël"

    @pytest.mark.parametrize(
        ("value", "text"),
        [
            ("=?utf-8?B?" + base64.b64encode("Не печатает".encode()).decode() + "?=", "Не печатает"),
            ("=?koi8-r?Q?=F0=D2=C9=D7=C5=D4?= =?koi8-r?Q?_=ED=C9=D2?=", "Привет Мир"),
            ("=?utf-8?Q?=D0=9F=D1?= =?utf-8?Q?=80=D0=B8?=", "При"),  # a letter cut in two by the words
            ("plain =?utf-8?q?=C3=A9?= text", "plain é text"),
            ("=?utf-8?B?0J/RgNC40LLQtdGC?", "=?utf-8?B?0J/RgNC40LLQtdGC?"),
        ],
    )
    def test_subjects_are_decoded(self, value: str, text: str) -> None:
        assert inbound(mail(subject=value)).subject == text

    def test_a_raw_eight_bit_subject_is_recognised(self) -> None:
        raw = mail(subject="SUBJECT").replace(b"SUBJECT", "Не работает почта".encode("cp1251"))
        assert inbound(raw).subject == "Не работает почта"


class TestParts:
    def test_plain_text_is_preferred_and_html_is_kept_safe(self) -> None:
        html = "<p onclick='x'>Hi <b>there</b><script>alert(1)</script><img src='http://spy/1.gif'></p>"
        message = inbound(multipart("alternative", part("Hi there"), part(html, "text/html")))
        assert message.text == "Hi there"
        assert message.html is not None
        assert "<b>there</b>" in message.html
        for evil in ("script", "onclick", "spy"):
            assert evil not in message.html

    def test_html_alone_becomes_text(self) -> None:
        html = "<html><style>p{}</style><p>One</p><ul><li>two</li></ul><a href='https://x.example/a'>here</a><br>end &amp; out"
        message = inbound(mail(html, content_type="text/html; charset=utf-8"))
        assert message.text == "One\n\n- two\nhere <https://x.example/a>\nend & out"

    def test_a_nested_mail_is_a_file(self) -> None:
        message = inbound(multipart("mixed", part("See below"), part(mail(subject="Inner"), "message/rfc822")))
        assert message.text == "See below"
        assert [(file.name, file.declared_type) for file in message.files] == [("Inner.eml", "message/rfc822")]

    def test_an_inline_picture_keeps_its_content_id(self) -> None:
        picture = part(b"\x89PNG", "image/png; name=a.png", Content_ID="<pic@x>", Content_Disposition="inline")
        message = inbound(multipart("related", part("<img src='cid:pic@x'>", "text/html"), picture))
        assert (message.files[0].inline, message.files[0].content_id) == (True, "pic@x")
        assert message.html is not None
        assert "cid:pic@x" in message.html

    @pytest.mark.parametrize(
        ("disposition", "name"),
        [
            ("attachment; filename*=utf-8''%D0%9E%D1%82%D1%87%D1%91%D1%82.pdf", "Отчёт.pdf"),
            ("attachment; filename*0*=utf-8''%D0%9E%D1; filename*1*=%82%D1%87%D1%91%D1%82; filename*2=.pdf", "Отчёт.pdf"),
            ('attachment; filename="=?utf-8?B?' + base64.b64encode("Отчёт.pdf".encode()).decode() + '?="', "Отчёт.pdf"),
            ('attachment; filename="Отчёт.pdf"', "Отчёт.pdf"),
            ("attachment; filename=Отчёт за май.pdf", "Отчёт за май.pdf"),
            ('attachment; filename="..\\..\\windows\\evil.exe"', "evil.exe"),
            ('attachment; filename="/etc/passwd"', "passwd"),
            ('attachment; filename="a;b.txt"', "a;b.txt"),
            ('attachment; filename="invoice\u202efdp.exe"', "invoice fdp.exe"),
            ("attachment", "attachment-1.pdf"),
        ],
    )
    def test_file_names_arrive_whole_and_harmless(self, disposition: str, name: str) -> None:
        raw = multipart("mixed", part("text"), part(b"%PDF", "application/pdf", Content_Disposition=disposition))
        assert [file.name for file in parsed(raw).files] == [name]

    def test_a_file_name_in_raw_windows_1251_is_read(self) -> None:
        raw = multipart("mixed", part("text"), part(b"%PDF", "application/pdf", Content_Disposition='attachment; filename="NAME.pdf"'))
        assert parsed(raw.replace(b"NAME", "Отчёт за месяц".encode("cp1251"))).files[0].name == "Отчёт за месяц.pdf"

    def test_flowed_text_is_joined(self) -> None:
        raw = mail("This is one \nlong line.\nAnd another.", content_type="text/plain; charset=utf-8; format=flowed")
        assert inbound(raw).text == "This is one long line.\nAnd another."


class TestBrokenMail:
    @pytest.mark.parametrize(
        "raw",
        [
            b"",
            b"\x00\x01\x02\xff\xfe",
            b"no headers at all, just words",
            b"From: a@b.c",
            b"\r\n\r\n\r\n",
            mail(b"--nope\r\n", content_type="multipart/mixed"),
            mail(b"--b\r\n--b\r\n--b", content_type="multipart/mixed; boundary=b"),
            mail(b"AAA=A", content_transfer_encoding="base64"),
            mail(b"=ZZ=4", content_transfer_encoding="quoted-printable"),
            mail(b"\xff\xfe\x00", content_type="text/plain; charset=utf-16"),
            mail(b"x", content_type="text/plain; charset=zlib"),
            mail(b"x", content_type=";;;===;'\""),
            mail(b"x", subject="=?utf-8?b?!!!?= =?nope?q?x?="),
            mail(b"x", date="yesterday, perhaps"),
        ],
    )
    def test_never_raises(self, raw: bytes) -> None:
        inbound(raw)

    def test_without_headers_is_kept_as_unreadable_with_its_text(self) -> None:
        message = inbound("просто слова, без заголовков".encode("koi8-r"), envelope_from="anna@example.com")
        assert (message.verdict, message.text, message.sender.address) == ("unreadable", "просто слова, без заголовков", "anna@example.com")

    def test_a_wrong_boundary_is_guessed(self) -> None:
        body = b"--real\r\n" + part("Hello") + b"\r\n--real\r\n" + part(b"x", "image/png; name=a.png") + b"\r\n--real--\r\n"
        message = inbound(mail(body, content_type="multipart/mixed; boundary=wrong"))
        assert (message.text, [file.name for file in message.files]) == ("Hello", ["a.png"])

    def test_a_missing_end_loses_nothing(self) -> None:
        body = b"--b\r\n" + part("Hello") + b"\r\n--b\r\n" + part(b"data", "application/pdf; name=a.pdf")
        assert parsed(mail(body, content_type="multipart/mixed; boundary=b")).files[0].content == b"data"

    def test_null_bytes_are_gone(self) -> None:
        message = inbound(mail(b"a\x00b", subject="x\x00y"))
        assert "\x00" not in message.text + (message.subject or "")

    def test_an_empty_body_is_an_empty_text(self) -> None:
        assert inbound(mail("")).text == ""

    def test_a_missing_message_id_is_made_up_the_same_each_time(self) -> None:
        raw = mail(message_id="")
        first, again = inbound(raw), inbound(b"Received: from elsewhere\r\n" + raw)
        assert first.external_id == again.external_id
        assert first.verdict == "no_message_id"
        assert first.verdict_params["made_up"] == first.external_id
        assert inbound(mail("other", message_id="")).external_id != first.external_id

    def test_parts_and_depth_are_bounded(self) -> None:
        many = multipart("mixed", *[part(b"x", "image/png") for _ in range(1500)])
        assert len(parsed(many).files) <= 1000
        deep = part("bottom")
        for level in range(100):
            boundary = f"b{level}x"
            deep = (
                f"Content-Type: multipart/mixed; boundary={boundary}\r\n\r\n--{boundary}\r\n".encode()
                + deep
                + f"\r\n--{boundary}--".encode()
            )
        inbound(b"From: a@b.example\r\n" + deep)

    def test_absurd_html_is_quick(self) -> None:
        message = inbound(mail("<div>" * 50_000 + "deep", content_type="text/html"))
        assert message.text == "deep"


class TestThreads:
    def test_our_tokens_are_found_in_addresses_and_references(self) -> None:
        own_id = make_message_id("01939f3e-2222-7000-8000-000000000002", CONVERSATION, "desk.example", SECRET)
        assert inbound(mail(to=plus_address(SUPPORT, CONVERSATION, SECRET))).tokens == (CONVERSATION,)
        message = inbound(mail(in_reply_to=f"<{own_id}>", references=f"<first@x> <{own_id}>"))
        assert message.tokens == (CONVERSATION,)
        assert message.references == ("first@x", own_id)
        assert message.reply_to == own_id

    def test_a_forged_token_is_nothing(self) -> None:
        assert inbound(mail(to=plus_address(SUPPORT, CONVERSATION, b"another secret"))).tokens == ()

    def test_a_number_in_the_subject_is_a_hint(self) -> None:
        assert inbound(mail(subject="Re: [#1042] Printer")).card["number"] == 1042


class TestVerdicts:
    @pytest.mark.parametrize(
        ("headers", "code"),
        [
            ({"auto_submitted": "auto-replied"}, "automatic"),
            ({"x_autoreply": "yes"}, "automatic"),
            ({"precedence": "bulk"}, "list"),
            ({"list_id": "News <news.example.com>"}, "list"),
            ({"from": "no-reply@shop.example"}, "automatic"),
            ({"from": "MAILER-DAEMON@mx.example"}, "automatic"),
            ({"subject": "Automatic reply: Printer"}, "out_of_office"),
            ({"subject": "Автоответ: Принтер"}, "out_of_office"),
            ({"from": SUPPORT}, "own_loop"),
        ],
    )
    def test_robots_are_held(self, headers: dict[str, str], code: str) -> None:
        message = inbound(mail(**headers))
        assert (message.verdict, message.automatic, message.held) == (code, True, True)

    @pytest.mark.parametrize(
        "headers",
        [
            {"auto_submitted": "no"},
            {"subject": "Автоответ в почте не включается"},
            {"subject": "Out of office reply does not work"},
            {"list_id": "<support.desk.example>", "precedence": "list"},  # the inbox behind a group of its own
        ],
    )
    def test_people_are_not(self, headers: dict[str, str]) -> None:
        message = inbound(mail(**headers))
        assert (message.verdict, message.held) == ("received", False)

    def test_our_own_mail_coming_back_is_a_loop(self) -> None:
        own = make_message_id("01939f3e-2222-7000-8000-000000000002", CONVERSATION, "desk.example", SECRET)
        assert inbound(mail(message_id=f"<{own}>")).verdict == "own_loop"

    def test_the_null_sender_is_automatic(self) -> None:
        assert inbound(mail(), envelope_from="<>").held
        assert not inbound(mail(), envelope_from="anna@example.com").held

    def test_a_form_that_writes_for_a_person_is_from_the_person(self) -> None:
        message = inbound(mail(**{"from": "noreply@site.example", "reply_to": "Anna <anna@example.com>"}))
        assert (message.sender.address, message.held) == ("anna@example.com", False)


class TestBounces:
    OWN = make_message_id("01939f3e-2222-7000-8000-000000000002", CONVERSATION, "desk.example", SECRET)

    def report(self, action: str, status: str) -> bytes:
        fields = (
            "Reporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; Gone@example.com\r\n"
            f"Action: {action}\r\nStatus: {status}\r\nDiagnostic-Code: smtp; 550 5.1.1 No such user"
        )
        head = f"Message-ID: <{self.OWN}>\r\nSubject: [#1042] Printer"
        body = b"".join(
            b"--b\r\n" + piece + b"\r\n"
            for piece in (part("It did not work."), part(fields, "message/delivery-status"), part(head, "text/rfc822-headers"))
        )
        return mail(
            body + b"--b--",
            subject="Undelivered Mail",
            content_type="multipart/report; report-type=delivery-status; boundary=b",
            **{"from": "MAILER-DAEMON@mx.example"},
        )

    @pytest.mark.parametrize(("action", "status", "permanent"), [("failed", "5.1.1", True), ("delayed", "4.4.1", False)])
    def test_a_delivery_report_names_our_mail_and_the_address(self, action: str, status: str, permanent: bool) -> None:
        message = inbound(self.report(action, status))
        assert message.kind is InboundKind.BOUNCE
        assert message.edits == self.OWN
        assert (message.card["permanent"], message.card["address"]) == (permanent, "gone@example.com")
        assert message.card["reason"] == "550 5.1.1 No such user"
        assert message.held

    def test_free_words_of_a_mail_server_are_understood(self) -> None:
        body = f"Ваше письмо не доставлено:\n\n  gone@example.com\n    550 user not found\n\nMessage-ID: <{self.OWN}>\n"
        message = inbound(mail(body, subject="Недоставленное сообщение", **{"from": "mailer-daemon@yandex.ru"}))
        assert (message.kind, message.edits) == (InboundKind.BOUNCE, self.OWN)
        assert (message.card["address"], message.card["permanent"]) == ("gone@example.com", True)

    def test_a_report_without_any_sender_is_one_too(self) -> None:
        message = inbound(mail("550 no such user gone@example.com", subject="Mail delivery failed", **{"from": "<>"}), envelope_from="")
        assert (message.kind, message.card["address"]) == (InboundKind.BOUNCE, "gone@example.com")

    def test_the_address_it_came_back_to_is_not_the_one_that_failed(self) -> None:
        envelope = plus_address(SUPPORT, CONVERSATION, SECRET)
        body = f"<{envelope}>: mail from this address\n\n<gone@example.com>: 550 5.1.1 no such user\n"
        message = inbound(mail(body, to=envelope, subject="Undelivered Mail", **{"from": "MAILER-DAEMON@mx.example"}), envelope_from="")
        assert (message.kind, message.edits, message.tokens) == (InboundKind.BOUNCE, None, (CONVERSATION,))
        assert message.card["address"] == "gone@example.com"

    def test_a_person_who_writes_about_one_is_a_person(self) -> None:
        message = inbound(mail("550 no such user", subject="Undelivered mail: please help"))
        assert (message.kind, message.held) == (InboundKind.MESSAGE, False)


def test_what_is_said_to_an_attached_mail_is_told_from_it() -> None:
    inner = part(mail("It broke.", subject="Chair", **{"from": "Bob <bob@x.example>"}), "message/rfc822")
    told = inbound(multipart("mixed", part("He again"), inner)).card["passed_on"]
    assert (told["address"], told["covering"], told["text"]) == ("bob@x.example", "He again", "It broke.")


@pytest.mark.parametrize("subject", ["FW: Broken chair", "[#1025] FW: Broken chair", "Пересл: Fwd: [#7] Broken chair"])
def test_a_mail_that_is_passed_on_has_its_own_subject(subject: str) -> None:
    body = "He again\n\n---------- Forwarded message ---------\nFrom: Bob <bob@x.example>\n\nIt broke."
    assert inbound(mail(body, subject=subject)).card["passed_on"]["subject"] == "Broken chair"


def test_lanes_keep_one_persons_mails_in_order() -> None:
    lanes = [inbound(mail(**{"from": address})).lane for address in ("a@x.example", "A@X.example", "b@x.example")]
    assert [first == second for first, second in pairwise(lanes)] == [True, False]


class TestFoundByFuzzing:
    def test_half_a_character_spelled_in_utf7_is_no_text(self) -> None:
        raw = b"From: a@x.example\r\nContent-Type: text/html; charset=utf-7\r\n\r\n<p>Hi +2D0- there</p>"
        message = inbound(raw)
        assert message.html is not None
        assert "\ufffd" in message.text
        (message.text + message.html).encode()

    def test_a_line_without_end_is_read(self) -> None:
        assert inbound(mail("a" * 150_000 + "\n\n" + "1" * 30_000 + "\n\n" + "a." * 20_000)).text.startswith("aaa")

    def test_a_word_after_the_headers_without_an_empty_line_is_text(self) -> None:
        assert inbound(b"From: a@x.example\r\nSubject: Hi\r\nThe printer is broken.\r\n\r\nPlease help.\r\n").text.startswith("The printer")


class TestReportsOfOtherKinds:
    @staticmethod
    def report(kind: str, part: str) -> bytes:
        return (
            f"From: fbl@mail.example\r\nTo: s@x.example\r\nSubject: Report\r\nMessage-ID: <r@mail.example>\r\n"
            f"Content-Type: multipart/report; report-type={kind}; boundary=x\r\n\r\n--x\r\n\r\nSee below.\r\n"
            f"--x\r\nContent-Type: {part}\r\n\r\nFeedback-Type: abuse\r\nUser-Agent: F/1\r\nVersion: 1\r\n--x--\r\n"
        ).encode()

    @pytest.mark.parametrize(
        ("kind", "part", "code"),
        [
            ("feedback-report", "message/feedback-report", "abuse_report"),
            ("disposition-notification", "message/disposition-notification", "read_receipt"),
        ],
    )
    def test_are_held_under_their_own_name(self, kind: str, part: str, code: str) -> None:
        message = inbound(self.report(kind, part))
        assert (message.kind, message.verdict, message.held, message.automatic) == (InboundKind.MESSAGE, code, True, True)


class TestWhatIsSentToStopTheDesk:
    @pytest.mark.parametrize(
        "tag",
        [
            "<p " + " ".join(f"a{place}=1" for place in range(5_000)) + ">",
            '<p x=">" ' + " ".join(f"a{place}" for place in range(5_000)) + ">",
            "<p " + " ".join(f"a{place}='<b c>'" for place in range(5_000)) + ">",
        ],
    )
    def test_a_tag_of_attributes_builds_no_tree(self, tag: str) -> None:
        assert too_much(tag)
        assert safe_html(f"{tag}Принтер") == ""
        assert "Принтер" in text_of_html(f"{tag}Принтер")

    @pytest.mark.parametrize("part", ["<i>x</b>", "<div><i>x</div>", "<a>x</span>"])
    def test_elements_that_others_pretend_to_close_build_no_tree(self, part: str) -> None:
        assert too_much(part * 2_000)
        assert not too_much("<b><i>x</b></i>" * 2_000), "programs cross them, and close both"

    @pytest.mark.parametrize("entity", ["&a", "& ", "&nbsp;"])
    def test_a_text_of_entities_is_quick_and_stays_as_it_was(self, entity: str) -> None:
        began = time.perf_counter()
        safe = safe_html(f"<p>{entity * 300_000}</p>")
        assert time.perf_counter() - began < 2.0
        assert safe == "<p>" + safe_html(entity * 10) * 30_000 + "</p>"

    @pytest.mark.parametrize("value", ["a" * 60_000, '\\"' * 30_000, "a@" * 30_000, "(a" * 30_000, '"' * 59_999])
    def test_a_header_of_one_letter_ends(self, value: str) -> None:
        assert len(parsed(mail("Printer", **{"from": value})).text) > 0

    def test_a_line_without_an_end_in_the_place_of_a_head_ends(self) -> None:
        text = f"Printer\n\nFrom: {'x' * 200_000}\nSent: {'y' * 200_000}\nTo: {'z' * 200_000}"
        assert parsed(mail(text)).text.startswith("Printer")

    def test_much_that_is_honest_passes(self) -> None:
        rows = "<tr><td class='a' style='b: c'>1 > 0</td></tr>" * 2_000
        picture = f"<img src='data:image/png;base64,{'A' * 60 + chr(10)}' alt='x'>" * 100
        assert not too_much(f"<table>{rows}</table>{picture}")

    def test_what_nobody_sees_is_not_said(self) -> None:
        assert text_of_html("<div style='display: none'>preheader</div><p>Принтер</p>") == "Принтер"


class TestAnAddress:
    @pytest.mark.parametrize("given", ["=?utf-8?q?vera=40bank.example=3E?=@evil.example", "=?utf-8?q?a=20b?=@evil.example"])
    def test_holds_no_encoded_words(self, given: str) -> None:
        sender = parsed(mail("x", **{"from": given})).sender.address
        assert sender.endswith("@evil.example") and "bank.example>" not in sender and " " not in sender

    def test_of_our_own_with_a_token_is_our_own(self) -> None:
        assert parsed(mail("x", **{"from": "support+anything@desk.example"})).verdict.code == "own_loop"


def test_a_name_of_a_file_in_two_writings_is_the_better_one() -> None:
    content = b"JVBERi0="
    names = "attachment; filename=Otchet.pdf; filename*=UTF-8''%D0%9E%D1%82%D1%87%D1%91%D1%82.pdf"
    found = parsed(mail(content, content_type="application/pdf", content_disposition=names, content_transfer_encoding="base64"))
    assert [file.name for file in found.files] == ["Отчёт.pdf"]


def test_a_soft_line_break_may_be_padded() -> None:
    raw = mail(b"one =  \r\nline", content_transfer_encoding="quoted-printable")
    assert parsed(raw).text == "one line"


def test_a_letter_without_a_date_is_known_for_a_day() -> None:
    raw = mail("Toner low", date="", message_id="")
    first = parse(raw, inbox_id=INBOX, inbox_addresses=[SUPPORT], secret=SECRET, received_at=NOW).external_id
    assert parse(raw, inbox_id=INBOX, inbox_addresses=[SUPPORT], secret=SECRET, received_at=NOW + timedelta(hours=1)).external_id == first
    assert parse(raw, inbox_id=INBOX, inbox_addresses=[SUPPORT], secret=SECRET, received_at=NOW + timedelta(days=1)).external_id != first
