"""Out of office: by the subject that robots write, or by a body that says it twice."""

import re

from channels.email.filters.letter import Letter, held
from channels.email.verdicts import Verdict

# Only what robots write: "Automatic reply: ..." is one, "Automatic reply does not work" is a request.
_SUBJECT = re.compile(
    r"^\s*(?:"
    r"(?:out of (?:the )?office|automatic reply|automatic response|auto[ -]?reply|auto[ -]?response|vacation reply|"
    r"away from (?:the )?office|автоответ|автоматический ответ|автоматична відповідь|отсутствие на рабочем месте|"
    r"abwesenheitsnotiz|automatische antwort|réponse automatique|respuesta automática)"
    r"(?: (?:auto-?reply|reply|message|notification))?\s*(?:[:(\]–—-]|$)"
    r"|(?:я )?(?:в отпуске|вне офиса|отсутствую)\s*(?:(?:с|до|по) \d|[:.,(]|$)"
    r")",
    re.IGNORECASE,
)
_ABSENT = re.compile(
    r"(?:i am|i'm|i will be|i'll be) (?:currently |now )?(?:out of (?:the )?office|away from (?:the |my )?(?:office|desk)|"
    r"on (?:annual |parental |sick )?(?:leave|vacation|holiday))"
    r"|(?:нахожусь|буду|сейчас|я) (?:в (?:отпуске|командировке|декрете)|на больничном|вне офиса)"
    r"|меня (?:не будет|нет) (?:в офисе|на (?:рабочем )?месте)|отсутствую на рабочем месте",
    re.IGNORECASE,
)
_INSTEAD = re.compile(
    r"in (?:urgent|case of (?:an )?(?:emergency|urgency)|my absence)|for (?:urgent|immediate) (?:matters|assistance|issues|requests)"
    r"|(?:will|shall|'ll) (?:reply|respond|answer|get back|read)[^.]{0,60}(?:when|once|as soon|upon|after)"
    r"|limited access to (?:my )?e?-?mail|(?:return|back) (?:to the office )?on"
    r"|по (?:срочным|всем|неотложным) вопросам|в (?:случае срочности|мо[её] отсутствие)"
    r"|(?:отвечу|прочитаю|прочту)[^.]{0,60}(?:после|когда|по возвращении|как только)"
    r"|ограничен(?:ный)? доступ к почте|(?:вернусь|выйду|выхожу) \d",
    re.IGNORECASE,
)
_WORDS = 80  # a longer letter has something else to say


def out_of_office(letter: Letter) -> Verdict | None:
    if _SUBJECT.match(letter.subject):
        return held("out_of_office", subject=letter.subject[:200])
    if len(letter.text) < 2_000 and _ABSENT.search(letter.text) and _INSTEAD.search(letter.text) and len(letter.text.split()) <= _WORDS:
        return held("out_of_office", text="1")
    return None
