"""What lies in other wrappings than MIME, invitations, and a mail as a page of its own."""

import base64
import struct
from email.message import EmailMessage

import pytest

from channels.email.enclosures import take_uuencoded, unwrap_tnef
from channels.email.html_text import remote_pictures, safe_html
from channels.email.viewing import page_of, page_policy
from tests.unit.channels.email.mails import mail, parsed

PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


def attribute(level: int, name: int, content: bytes) -> bytes:
    """One attribute of a TNEF stream: its place, its name, its bytes and their sum."""
    return struct.pack("<BII", level, name, len(content)) + content + struct.pack("<H", sum(content) & 0xFFFF)


def tnef(*, body: bytes = b"", files: dict[bytes, bytes]) -> bytes:
    stream = struct.pack("<IH", 0x223E9F78, 1) + attribute(1, 0x00089006, struct.pack("<I", 0x10000))
    stream += attribute(1, 0x00069007, struct.pack("<II", 1251, 0))
    if body:
        stream += attribute(1, 0x0002800C, body)
    for name, content in files.items():
        stream += attribute(2, 0x00069002, bytes(14)) + attribute(2, 0x00018010, name + b"\0") + attribute(2, 0x0006800F, content)
    return stream


def with_file(content: bytes, kind: str, name: str, *, text: str = "see the file") -> bytes:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"], made["Message-ID"] = "a@example.com", "support@desk.example", "Files", "<t@example.com>"
    made.set_content(text)
    maintype, _, subtype = kind.partition("/")
    made.add_attachment(content, maintype=maintype, subtype=subtype, filename=name)
    return bytes(made)


class TestWinmail:
    def test_its_files_come_out_under_their_own_names(self) -> None:
        content = tnef(files={"Отчёт.xlsx".encode("cp1251"): b"PK\3\4 sheet", b"photo.png": PNG})
        found = parsed(with_file(content, "application/ms-tnef", "winmail.dat"))
        assert [(file.name, file.content) for file in found.files] == [("Отчёт.xlsx", b"PK\3\4 sheet"), ("photo.png", PNG)]
        assert found.text == "see the file"

    def test_its_text_is_read_where_the_mail_has_none(self) -> None:
        content = tnef(body="Не печатает принтер".encode("cp1251"), files={})
        found = parsed(with_file(content, "application/ms-tnef", "winmail.dat", text=""))
        assert found.text == "Не печатает принтер"

    @pytest.mark.parametrize("cut", [0, 3, 6, 20, 60, 100])
    def test_what_is_broken_stays_a_file(self, cut: int) -> None:
        content = tnef(files={b"photo.png": PNG})[:cut] or b"nothing of the kind"
        found = parsed(with_file(content, "application/ms-tnef", "winmail.dat"))
        assert found.verdict.code == "received"
        assert len(found.files) <= 1
        assert unwrap_tnef(b"") is None


class TestUuencoded:
    def test_a_file_is_taken_out_of_the_text(self) -> None:
        body = "look at this\n\nbegin 644 cat.txt\n#0V%T\n`\nend\n\nthanks"
        found = parsed(mail(body))
        assert [(file.name, file.content) for file in found.files] == [("cat.txt", b"Cat")]
        assert "begin 644" not in found.text
        assert found.text.startswith("look at this")
        assert found.text.endswith("thanks")

    @pytest.mark.parametrize(
        "text", ["begin 644 the work\nand never end it", "please begin 644 now\nend", "begin 644 a\n\x7f\x7f\x7f\nend", "begin 644 a\nend"]
    )
    def test_words_that_only_look_like_it_stay(self, text: str) -> None:
        assert take_uuencoded(text) == (text, [])

    def test_base64_of_the_newer_tool(self) -> None:
        text, files = take_uuencoded("begin-base64 644 cat.txt\nQ2F0\n====\nend")
        assert (text, [(file.name, file.content) for file in files]) == ("", [("cat.txt", b"Cat")])


class TestSealed:
    @pytest.mark.parametrize(
        ("content_type", "expected"),
        [
            ('multipart/signed; protocol="application/pkcs7-signature"; boundary=b', {"how": "signed", "by": "S/MIME"}),
            ('multipart/signed; protocol="application/pgp-signature"; boundary=b', {"how": "signed", "by": "PGP"}),
            ('multipart/encrypted; protocol="application/pgp-encrypted"; boundary=b', {"how": "encrypted", "by": "PGP"}),
            ("application/pkcs7-mime; smime-type=enveloped-data", {"how": "encrypted", "by": "S/MIME"}),
            ("application/pkcs7-mime; smime-type=signed-data", {"how": "signed", "by": "S/MIME"}),
        ],
    )
    def test_is_told(self, content_type: str, expected: dict[str, str]) -> None:
        body = "--b\nContent-Type: text/plain\n\nhello\n--b--\n"
        assert parsed(mail(body, content_type=content_type)).card["sealed"] == expected

    def test_a_clear_signed_text_is_read_without_its_armour(self) -> None:
        text = (
            "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nThe printer is broken.\n- -- not a dash\n"
            "-----BEGIN PGP SIGNATURE-----\n\niQIzBAEB\n-----END PGP SIGNATURE-----\n"
        )
        found = parsed(mail(text))
        assert found.card["sealed"] == {"how": "signed", "by": "PGP"}
        assert found.text == "The printer is broken.\n-- not a dash"

    def test_an_encrypted_block_is_no_words(self) -> None:
        block = "-----BEGIN PGP MESSAGE-----\nVersion: GnuPG v2\n\nhQIMA7sF\n=4mKq\n-----END PGP MESSAGE-----\n"
        found = parsed(mail(block))
        assert (found.text, found.card["sealed"]) == ("", {"how": "encrypted", "by": "PGP"})
        assert found.original_text is not None
        assert "hQIMA7sF" in found.original_text, "whoever has the key can still read it"
        assert parsed(mail(f"Лично для Ольги:\n\n{block}")).text == "Лично для Ольги:"

    def test_most_mail_is_not(self) -> None:
        assert "sealed" not in parsed(mail("hello")).card


INVITATION = """BEGIN:VCALENDAR
METHOD:REQUEST
BEGIN:VEVENT
SUMMARY:Планёрка
DTSTART:20261130T090000Z
DTEND:20261130T093000Z
LOCATION:Комната 305
ORGANIZER;CN=Anna:mailto:anna@example.com
UID:1
END:VEVENT
END:VCALENDAR
"""


class TestInvitations:
    def test_is_held_as_a_card(self) -> None:
        found = parsed(mail(INVITATION, content_type="text/calendar; charset=utf-8; method=REQUEST"))
        assert (found.verdict.code, found.verdict.params, found.verdict.held) == ("calendar", {"method": "request"}, True)
        assert found.card["event"] == {
            "method": "request", "summary": "Планёрка", "starts": "2026-11-30T09:00:00+00:00", "ends": "2026-11-30T09:30:00+00:00",
            "place": "Комната 305", "organiser": "anna@example.com",
        }  # fmt: skip

    @pytest.mark.parametrize("content", ["", "BEGIN:VCALENDAR", "BEGIN:VEVENT\nDTSTART:never\nEND:VEVENT", INVITATION[:60]])
    def test_what_cannot_be_read_is_a_file(self, content: str) -> None:
        found = parsed(mail(content, content_type="text/calendar; charset=utf-8"))
        assert "event" not in found.card

    def test_a_calendar_that_only_tells_holds_nothing_up(self) -> None:
        raw = with_file(INVITATION.replace("METHOD:REQUEST\n", "").encode(), "text/calendar", "duty.ics", text="Who is on duty?")
        assert parsed(raw).verdict.code == "received"


HTML = (
    '<p onclick="x()">Look</p><script>alert(1)</script><img src="cid:one@mail"><img src="https://pictures.example/a.png" alt="chart">'
    '<img src="https://tracker.example/p.gif" width="1" height="1"><img src="http://tracker.example/q" style="display:none">'
    '<img src="data:text/html;base64,xxxx"><a href="javascript:x()">here</a>'
)


class TestPictures:
    def test_those_elsewhere_are_counted_without_the_trackers(self) -> None:
        assert remote_pictures(HTML) == 1
        assert parsed(mail(HTML, content_type="text/html; charset=utf-8")).card["pictures"] == 1

    def test_are_off_until_asked_for(self) -> None:
        assert "example" not in safe_html(HTML)

    def test_asked_for_the_trackers_stay_out(self) -> None:
        shown = safe_html(HTML, remote=True)
        assert "pictures.example/a.png" in shown
        assert "tracker" not in shown
        assert not {"script", "onclick", "javascript", "data:text"} & {
            word for word in ("script", "onclick", "javascript", "data:text") if word in shown
        }


class TestAPageOfAMail:
    def test_shows_what_came_along_inside_itself(self) -> None:
        made = EmailMessage()
        made["From"], made["Message-ID"] = "a@example.com", "<t@example.com>"
        made.set_content("plain")
        made.add_alternative(HTML, subtype="html")
        made.get_payload()[1].add_related(PNG, "image", "png", cid="<one@mail>")  # type: ignore[index, union-attr]
        page = page_of(bytes(made), language="en")
        assert f'src="data:image/png;base64,{base64.b64encode(PNG).decode()}"' in page
        assert "cid:" not in page
        assert "pictures.example" not in page
        assert "pictures.example" in page_of(bytes(made), language="en", remote=True)

    def test_a_mail_without_html_shows_its_text(self) -> None:
        assert "1 &lt; 2" in page_of(mail("1 < 2"), language="en")

    def test_may_do_nothing_but_show_itself(self) -> None:
        policy = page_policy(remote=False)
        assert policy.startswith("default-src 'none'; img-src data:;")
        assert "sandbox" in policy
        assert "script" not in policy


def test_a_winmail_that_names_four_thousand_million_values_ends() -> None:
    properties = struct.pack("<I", 1) + struct.pack("<HHI", 0x1002, 0x0037, 0xFFFFFFFF)  # one property: short numbers, so many of them
    stream = tnef(body=b"Printer", files={}) + attribute(1, 0x00069003, properties)
    opened = unwrap_tnef(stream)
    assert opened is not None and opened.text == "Printer"
