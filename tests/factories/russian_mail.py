"""Russian replies as the mail programs people use write them: their attribution lines, containers and history blocks.

Each function takes what a person wrote and what they answer, and gives (plain text or None, HTML or None), as the program sends it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from html import escape


@dataclass(frozen=True, slots=True)
class Earlier:
    """The mail that is answered."""

    name: str = "Служба поддержки"
    address: str = "help@romashka.ru"
    lines: tuple[str, ...] = ("Здравствуйте!", "Ваше обращение #1042 принято.", "1. Какое это устройство?", "2. Где оно стоит?")


Body = tuple[str | None, str | None]


def _p(lines: Sequence[str], tag: str = "div") -> str:
    return "".join(f"<{tag}>{escape(line) or '<br>'}</{tag}>" for line in lines)


def _br(lines: Sequence[str]) -> str:
    return "<br>\n".join(escape(line) for line in lines)


def _marked(lines: Sequence[str]) -> str:
    return "\n".join(f"> {line}".rstrip() for line in lines)


def gmail_web(said: Sequence[str], to: Earlier) -> Body:
    head = f"ср, 25 нояб. 2026 г. в 12:10, {to.name} <{to.address}>:"
    html = (
        f'<div dir="ltr">{_p(said)}</div><br><div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">'
        f'ср, 25 нояб. 2026 г. в 12:10, {to.name} &lt;<a href="mailto:{to.address}">{to.address}</a>&gt;:<br></div>'
        f'<blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex">'
        f"{_br(to.lines)}</blockquote></div>"
    )
    return "\n".join([*said, "", head, "", _marked(to.lines)]), html


def gmail_android(said: Sequence[str], to: Earlier) -> Body:
    text = "\n".join([*said, "", f'25 нояб. 2026 г. 12:10 пользователь "{to.name}" <', f"{to.address}> написал:", "", _marked(to.lines)])
    html = (
        f'<div dir="auto">{_p(said)}</div><br><div class="gmail_quote"><div dir="ltr">25 нояб. 2026 г. 12:10 пользователь &quot;{to.name}'
        f'&quot; &lt;<a href="mailto:{to.address}">{to.address}</a>&gt; написал:<br></div>'
        '<blockquote class="gmail_quote" style="margin:0 0 0 '
        f'.8ex;border-left:1px #ccc solid;padding-left:1ex">{_br(to.lines)}</blockquote></div>'
    )
    return text, html


def yandex_web(said: Sequence[str], to: Earlier) -> Body:
    html = (
        f"{_p(said)}<div> </div><div>25.11.2026, 12:10, &quot;{to.name}&quot; &lt;{to.address}&gt;:</div>"
        f"<blockquote>{_p(to.lines, 'p')}</blockquote>"
    )
    return None, html


def yandex_mobile(said: Sequence[str], to: Earlier) -> Body:
    html = (
        f"{_p(said)}<div><br></div><div>12:10, 25 ноября 2026 г., {to.name} &lt;{to.address}&gt;:</div>"
        f'<blockquote class="210e7a848e8fcb45wmi-quote">{_br(to.lines)}</blockquote><div><br></div>'
        "<div>-- <br>Отправлено из мобильного приложения Яндекс Почты</div>"
    )
    return None, html


def mailru_web(said: Sequence[str], to: Earlier) -> Body:
    html = (
        f'<div>{_p(said)}</div><div class="mail-quote-collapse"><div><br></div>'
        f'<blockquote style="border-left:1px solid #0857A6;margin:10px;'
        f'padding:0 0 0 10px;">Среда, 25 ноября 2026, 12:10 +03:00 от {to.name} &lt;<a href="mailto:{to.address}">{to.address}</a>&gt;:<br>'
        f'<div id=""><div class="js-helper js-readmsg-msg">{_p(to.lines)}</div></div></blockquote></div>'
    )
    return None, html


def mailru_app(said: Sequence[str], to: Earlier) -> Body:
    html = (
        f'<div id="composeWebView_editable_content">{_p(said)}<div id="mail-app-auto-signature"><br>--<br>Отправлено из Mail.ru для Android'
        f'</div></div><div id="composeWebView_previouse_content"><br>среда, 25 ноября 2026г., 12:10 +03:00 от {to.name} '
        f'<a href="mailto:{to.address}">{to.address}</a>:<br><blockquote id="mail-app-auto-quote" style="border-left:1px solid #005FF9">'
        f"{_p(to.lines)}</blockquote></div>"
    )
    return None, html


def mailru_text(said: Sequence[str], to: Earlier) -> Body:
    return "\n".join([*said, "", f"Среда, 25 ноября 2026, 12:10 +03:00 от {to.name} <{to.address}>:", _marked(to.lines)]), None


def outlook_desktop(said: Sequence[str], to: Earlier) -> Body:
    history = (
        f"<b>From:</b> {to.name} &lt;{to.address}&gt; <br><b>Sent:</b> Wednesday, November 25, 2026 12:10 PM<br>"
        f"<b>To:</b> Иванова Анна &lt;anna@klient.ru&gt;<br><b>Subject:</b> [#1042] Принтер"
    )
    html = (
        f"<html><body lang=RU><div class=WordSection1>{_p(said, 'p class=MsoNormal')}<p class=MsoNormal>&nbsp;</p><div>"
        f'<div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm"><p class=MsoNormal>{history}</p></div></div>'
        f"<p class=MsoNormal>&nbsp;</p>{_p(to.lines, 'p class=MsoNormal')}</div></body></html>"
    ).replace("</p class=MsoNormal>", "</p>")
    return None, html


def outlook_desktop_ru(said: Sequence[str], to: Earlier) -> Body:
    text = "\n".join(
        [
            *said, "", f"От: {to.name} [mailto:{to.address}]", "Отправлено: 25 ноября 2026 г. 12:10", "Кому: Иванова Анна",
            "Тема: [#1042] Принтер", "", *to.lines,
        ]
    )  # fmt: skip
    return text, None


def outlook_web(said: Sequence[str], to: Earlier) -> Body:
    html = (
        f'<div class="elementToProof" style="font-family:Calibri">{_p(said)}</div><div id="appendonsend"></div>'
        '<hr style="display:inline-block;'
        f'width:98%" tabindex="-1"><div id="divRplyFwdMsg" dir="ltr"><b>От:</b> {to.name} &lt;{to.address}&gt;<br>'
        "<b>Отправлено:</b> 25 ноября "
        f"2026 г. 12:10<br><b>Кому:</b> Анна Иванова<br><b>Тема:</b> [#1042] Принтер<div> </div></div><div>{_p(to.lines)}</div>"
    )
    text = "\n".join(
        [*said, "_" * 32, f"От: {to.name} <{to.address}>", "Отправлено: 25 ноября 2026 г. 12:10", "Кому: Анна Иванова", "Тема: Принтер", "",
         *to.lines]
    )  # fmt: skip
    return text, html


def windows_mail(said: Sequence[str], to: Earlier) -> Body:
    date = "\u200eсреда\u200e, \u200e25\u200e \u200eноября\u200e \u200e2026\u200e г. \u200e12\u200e:\u200e10"
    html = (
        f'<div>{_p(said)}</div><div style="padding-top:5px;border-top-color:#E1E1E1;border-top-width:1px;border-top-style:solid">'
        f"<div><b>От:</b> "
        f"{to.name}<br><b>Отправлено:</b> {date}<br><b>Кому:</b> Анна Иванова</div></div><div><br></div>{_p(to.lines)}"
    )
    return None, html


def thunderbird(said: Sequence[str], to: Earlier) -> Body:
    text = "\n".join([*said, "", f"25.11.2026 12:10, {to.name} пишет:", _marked(to.lines)])
    html = (
        f'<p>{_br(said)}</p><div class="moz-cite-prefix">25.11.2026 12:10, {to.name} пишет:<br></div>'
        f'<blockquote type="cite" cite="mid:x@y">{_p(to.lines, "p")}</blockquote>'
    )
    return text, html


def apple_mail(said: Sequence[str], to: Earlier) -> Body:
    head = f"25 нояб. 2026 г., в 12:10, {to.name} <{to.address}> написал(а):"
    html = (
        f'<html><body style="overflow-wrap: break-word">{_p(said)}<br><div><br><blockquote type="cite"><div>{escape(head)}</div><br '
        f'class="Apple-interchange-newline"><div>{_p(to.lines)}</div></blockquote></div><br></body></html>'
    )
    return "\n".join([*said, "", _marked([head, "", *to.lines])]), html


def iphone(said: Sequence[str], to: Earlier) -> Body:
    text = "\n".join(
        [
            *said,
            "",
            "Отправлено с iPhone",
            "",
            f"> 25 нояб. 2026 г., в 12:10, {to.name} <{to.address}> написал(а):",
            "> ",
            _marked(to.lines),
        ]
    )
    return text, None


def samsung(said: Sequence[str], to: Earlier) -> Body:
    html = (
        f'<div dir="auto">{_p(said)}</div><div dir="auto"><br></div>'
        '<div id="composer_signature" dir="auto">Отправлено с устройства Galaxy</div>'
        f'<div><br></div><div style="font-size:100%;color:#000000"><!-- originalMessage --><div>-------- Исходное сообщение --------</div>'
        f"<div>От: {to.name} &lt;{to.address}&gt; </div><div>Дата: 25.11.2026 12:10 (GMT+03:00) </div><div>Кому: anna@klient.ru </div>"
        f"<div>Тема: [#1042] Принтер </div><div><br></div></div>{_p(to.lines)}"
    )
    return None, html


PROGRAMS: dict[str, Callable[[Sequence[str], Earlier], Body]] = {
    "Gmail": gmail_web, "Gmail on Android": gmail_android, "Yandex": yandex_web, "Yandex on a phone": yandex_mobile, "Mail.ru": mailru_web,
    "Mail.ru on a phone": mailru_app, "Mail.ru as text": mailru_text, "Outlook": outlook_desktop, "Outlook in Russian": outlook_desktop_ru,
    "Outlook on the web": outlook_web, "Windows Mail": windows_mail, "Thunderbird": thunderbird, "Apple Mail": apple_mail, "iPhone": iphone,
    "Samsung": samsung,
}  # fmt: skip


def as_mail(body: Body, *, subject: str = "Re: [#1042] Принтер", sender: str = "Анна Иванова <anna@klient.ru>") -> bytes:
    """The mail that carries such a body."""
    text, html = body
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, "help@romashka.ru", subject
    message["Message-ID"] = "<reply@klient.ru>"
    message.set_content(text if text is not None else (html or ""), subtype="plain" if text is not None else "html")
    if text is not None and html is not None:
        message.add_alternative(html, subtype="html")
    return message.as_bytes()
