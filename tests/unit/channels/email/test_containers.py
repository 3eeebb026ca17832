"""What the elements of an answer's HTML tell: where its history begins, whatever language its head is in, and which ">" a person typed."""

from email.message import EmailMessage

import pytest

from channels.email.containers import PLAIN, structure_of
from channels.email.html_text import text_of_html
from tests.unit.channels.email.mails import parsed

SAID = ["Köszönöm, most már nyomtat.", "> 100 oldal készült el."]
OLD = ["Üdvözöljük!", "Ellenőrizze a kábelt."]
GMAIL = (
    '<div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">Ügyfélszolgálat &lt;<a href="mailto:s@x.example">'
    "s@x.example</a>&gt; ezt írta (időpont: 2026. nov. 25., Sze, 12:10):<br></div>"
    '<blockquote class="gmail_quote">Üdvözöljük!<br>Ellenőrizze a kábelt.</blockquote></div>'
)
GMAIL_TEXT = "Ügyfélszolgálat <s@x.example> ezt írta (időpont: 2026. nov.\n25., Sze, 12:10):\n\n> Üdvözöljük!\n> Ellenőrizze a kábelt."
HEAD = "<b>Feladó:</b> Ügyfélszolgálat<br><b>Elküldve:</b> 2026. november 25.<br><b>Címzett:</b> Anna<br><b>Tárgy:</b> Nyomtató"
HEAD_TEXT = "Feladó: Ügyfélszolgálat\nElküldve: 2026. november 25.\nCímzett: Anna\nTárgy: Nyomtató\n\nÜdvözöljük!\nEllenőrizze a kábelt."
OUTLOOK = f'<div id="appendonsend"></div><hr><div id="divRplyFwdMsg" dir="ltr">{HEAD}</div><div>Üdvözöljük!<br>Ellenőrizze a kábelt.</div>'
DESKTOP = (
    f'<div><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm"><p class="MsoNormal">{HEAD}</p></div></div>'
    "<p>Üdvözöljük!</p><p>Ellenőrizze a kábelt.</p>"
)
MAC = f'<div id="mail-editor-reference-message-container"><div><div>{HEAD}</div><div>Üdvözöljük!<br>Ellenőrizze a kábelt.</div></div></div>'
PHONE = (
    '<div id="composeWebView_previouse_content"><br>sze, 2026. nov. 25. — Ügyfélszolgálat írta neked<br>'
    "<blockquote>Üdvözöljük!<br>Ellenőrizze a kábelt.</blockquote></div>"
)
PHONE_TEXT = "sze, 2026. nov. 25. — Ügyfélszolgálat írta neked\n> Üdvözöljük!\n> Ellenőrizze a kábelt."
PROGRAMS = {
    "Gmail": (GMAIL, GMAIL_TEXT),
    "Outlook on the web": (OUTLOOK, f"{'_' * 32}\n{HEAD_TEXT}"),
    "Outlook on a desktop": (DESKTOP, HEAD_TEXT),
    "Outlook for Mac": (MAC, HEAD_TEXT),
    "Mail.ru on a phone": (PHONE, PHONE_TEXT),
}


def own_html() -> str:
    return "".join(f"<div>{line.replace('>', '&gt;')}</div>" for line in SAID)


def answer(text: str | None, html: str, **params: str) -> str:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "anna@klient.example", "support@desk.example", "Re: Nyomtató"
    message["In-Reply-To"] = "<question@desk.example>"
    if text is not None:
        message.set_content(text)
        message.add_alternative(html, subtype="html")
    else:
        message.set_content(html, subtype="html")
    return parsed(message.as_bytes()).text


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_history_whose_head_is_in_an_unknown_language_is_folded(program: str) -> None:
    html, text = PROGRAMS[program]
    assert answer("\n".join([*SAID, "", text]), own_html() + html) == "\n".join(SAID)


@pytest.mark.parametrize("program", PROGRAMS)
def test_so_it_is_where_there_is_no_plain_text(program: str) -> None:
    assert answer(None, own_html() + PROGRAMS[program][0]) == "\n".join(SAID)


def test_an_answer_below_such_a_quote_is_the_reply() -> None:
    below = "".join(f"<div>{line}</div>" for line in SAID[:1])
    assert answer(f"{GMAIL_TEXT}\n\n{SAID[0]}", GMAIL.removesuffix("</div>") + below + "</div>") == SAID[0]


def test_a_sign_that_somebody_typed_is_a_quote_where_no_element_tells_otherwise() -> None:
    assert answer("Igen.\n\n> Kábel?\nNem.", "<div>Igen.</div><div>&gt; Kábel?</div><div>Nem.</div>") == "Igen.\n\nNem."
    assert structure_of("<div>&gt; Kábel?</div>") == PLAIN


def test_a_typed_line_is_known_again_where_the_plain_text_wraps_it() -> None:
    long = "> a line that is so long that the program of whoever writes it has to wrap it in the plain part of the letter"
    wrapped = long.replace(" has to", "\nhas to")
    assert answer(f"{wrapped}\n\n{GMAIL_TEXT}", f"<div>{long.replace('>', '&gt;')}</div>{GMAIL}") == wrapped


def test_plain_text_that_flows_tells_a_typed_sign_by_a_blank_before_it() -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "anna@klient.example", "support@desk.example", "Re: Drucker"
    message.set_content("Seit heute:\n >5 MB kommt nicht an.\n\nAm 25.11.26 um 12:10 schrieb Support:\n> Seit wann?\n")
    message.set_param("format", "flowed")
    assert parsed(message.as_bytes()).text == "Seit heute:\n>5 MB kommt nicht an."


def test_what_is_said_between_quotations_that_the_plain_text_leaves_unmarked_is_read_from_the_html() -> None:
    html = (
        "<div>25.11.2026, 12:10, &quot;Служба&quot; &lt;s@x.example&gt;:</div><blockquote><p>1. Какое это устройство?</p></blockquote>"
        "<div>HP 305</div><blockquote><p>2. Где оно стоит?</p></blockquote><div>второй этаж</div>"
    )
    text = 'Ответы ниже.\n25.11.2026, 12:10, "Служба" <s@x.example>:\n1. Какое это устройство?\nHP 305\n2. Где оно стоит?\nвторой этаж'
    told = answer(text, f"<div>Ответы ниже.</div>{html}")
    assert [line for line in told.split("\n") if line] == [
        "Ответы ниже.", "> 1. Какое это устройство?", "HP 305", "> 2. Где оно стоит?", "второй этаж",
    ]  # fmt: skip


def test_a_style_sheet_that_names_an_element_is_none() -> None:
    assert structure_of("<style>.gmail_quote{margin:0}</style><p>Köszönöm, most már nyomtat.</p>") == PLAIN


def test_a_line_ruled_above_a_footer_begins_no_history() -> None:
    html = "<p>Köszönöm.</p><div style='border-top: 1px solid #E5E5E5'>Kovács és Társa Kft. Budapest, Fő utca 1.</div>"
    assert structure_of(html) == PLAIN


def test_a_paragraph_that_is_indented_is_no_quote() -> None:
    assert text_of_html('<blockquote style="margin:0 0 0 40px;border:none;padding:0px">Hiba: 5</blockquote>') == "Hiba: 5"
    quoted = '<blockquote style="border:none;border-left:solid #CCCCCC 1.0pt">Hiba: 5</blockquote>'
    assert text_of_html(quoted) == "> Hiba: 5"


def test_absurd_markup_is_read_quickly() -> None:
    for part in ("<blockquote>", "gmail_quote", "<div class=gmail_quote ", "&gt; ", "border-top: ", "</blockquote>", "<!--", "<style "):
        structure_of("<blockquote>" + part * 200_000)
        structure_of("<blockquote></blockquote>" + part * 200_000)
