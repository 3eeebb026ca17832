"""Answers that nobody wrote, told by their words alone: many programs mark them in no header. Out of office, and what other robots say.

One sign is not enough, since people write of their leave, of robots and of colleagues who left: a short letter is held when it says two
such things, or one of them in answer to a mail of ours. What stands in quotation marks and what is passed on are somebody else's words.
"""

import re

from channels.email.filters.letter import Letter, held
from channels.email.verdicts import Verdict

# Only what robots write: "Automatic reply: ..." is one, "Automatic reply does not work" is a request.
_SUBJECT = re.compile(
    r"^\s*(?:"
    r"(?:out of (?:the )?office|automatic reply|automatic response|auto[ -]?reply|auto[ -]?response|vacation reply|"
    r"away from (?:the )?office|автоответ|автоматический ответ|автоматична відповідь|аўтаматычны адказ|автоматты жауап|"
    r"отсутствие на рабочем месте|abwesenheitsnotiz|automatische antwort|réponse automatique|absen(?:ce|te?) du bureau|"
    r"respuesta automática|fuera de (?:la )?oficina|risposta automatica|fuori (?:sede|ufficio)|odpowiedź automatyczna|autoodpowiedź|"
    r"resposta automática|automatisch antwoord|automatická odpověď|autosvar|frånvaro|otomatik yanıt)"
    r"(?: (?:auto-?reply|reply|message|notification))?\s*(?:[:(\]–—-]|re:|$)"
    r"|(?:я )?(?:в отпуске|вне офиса|отсутствую)\s*(?:(?:с|до|по) \d|[:.,(]|$)"
    r")",
    re.IGNORECASE,
)
_ABSENT = re.compile(
    r"(?:i am|i'm|i will be|i'll be) (?:currently |now )?(?:out of (?:the )?office|away from (?:the |my )?(?:office|desk)|driving|"
    r"on (?:\w+ )?(?:leave|vacation|holiday|sabbatical))|^(?:on|out on) (?:\w+ )?(?:leave|vacation|holiday|sabbatical)"
    r"|(?:нахожусь|буду|сейчас|я) (?:\w+ )?(?:в (?:\w+ )?(?:отпуске|командировке|декрете|отъезде)|на больничном|вне офиса)"
    r"|^(?:(?:до|по|с) [\d. а-я]{2,20})?(?:в отпуске|в командировке|на больничном)"
    r"|меня (?:не будет|нет) (?:в офисе|на (?:рабочем )?месте)|отсутствую на рабочем месте|я не на рабочем месте"
    r"|до [\d. а-я]{2,20}(?:я )?(?:в отпуске"
    r"|на больничном)"
    r"|(?:у|в) відпустці|на лікарняному|у відрядженні|[ўу] адпачынку|демалысында|демалыстамын|іссапардамын"
    r"|im urlaub|nicht im büro|außer haus|en (?:congés?|vacances|déplacement)|de vacaciones|fuera de la oficina|in ferie"
    r"|fuori (?:sede|ufficio)"
    r"|na (?:urlopie|zwolnieniu|dovolené)|poza biurem|de férias|op vakantie|på semester|izindeyim|tatildeyim",
    re.IGNORECASE | re.MULTILINE,
)
_INSTEAD = re.compile(
    r"in (?:urgent|case of (?:an )?(?:emergency|urgency)|my absence)|for (?:urgent|immediate) (?:matters|assistance|issues|requests)"
    r"|(?:will|shall|'ll) (?:reply|respond|answer|get back|read)[^.]{0,60}(?:when|once|as soon|upon|after)"
    r"|(?:if|should) (?:it is|it's|this is) urgent|if you need immediate|e-?mails? will not be (?:read|forwarded)"
    r"|(?:limited|no) access to (?:my )?e?-?mail|(?:return|back) (?:to the office )?on"
    r"|по (?:срочным|всем|неотложным) вопросам|в (?:случае срочности|мо[её] отсутствие)|замеща[ею]т"
    r"|(?:отвечу|прочитаю|прочту)[^.]{0,60}(?:после|позже|когда|по возвращении|как только)"
    r"|ограничен(?:ный)? доступ к почте|доступ к почте ограничен|(?:вернусь|выйду|выхожу) \d"
    r"|відповім (?:після|коли)|з термінових питань|адкажу (?:пасля|па )|па тэрміновых пытаннях|шұғыл мәселелер"
    r"|in dringenden fällen|wenden sie sich|répondrai|en cas d'urgence|responderé|in caso di urgenza|per urgenze|zastępuje mnie|odpowiem",
    re.IGNORECASE,
)
# A robot's word of itself: "this message was generated automatically", in its own sentence.
_LETTER = (
    r"(?:message|e-?mail|mail|reply|response|notification|nachricht|antwort|réponse|mensaje|respuesta|messaggio|risposta"
    r"|wiadomość|odpowiedź|"
    r"письмо|сообщение|ответ|уведомление|лист|відповідь|повідомлення|адказ|ліст|жауап|хат)"
)
_AUTOMATIC = r"(?:automat\w*|automátic\w*|автомати\w+|автоматты|аўтаматыч\w+|auto-?repl\w+|autoresponse)"
_SENTENCE = r"(?:^|[.!?(/\n]\s*)"
_ITSELF = re.compile(
    rf"{_SENTENCE}(?:please note that )?(?:this|это|данное|настоящее|dies|diese|ce|c'est|este|esto|questo|questa|це|гэта|бұл|to jest|"
    rf"i apologize for)\b[ \w]{{0,20}} (?:{_AUTOMATIC}[ \w]{{0,20}} {_LETTER}|{_LETTER}\b[ \w]{{0,20}} (?:\w+ )?{_AUTOMATIC})"
    rf"|{_SENTENCE}(?:the |ta |der |die )?{_LETTER}\b[ \w]{{0,20}} (?:\w+ )?{_AUTOMATIC}"
    rf"|{_SENTENCE}(?:{_AUTOMATIC} {_LETTER}|sent automatically|автоответчик)\s*(?:[.!)/\n]|$)",
    re.IGNORECASE,
)
# What robots tell besides: it arrived, which people say as well; and nobody reads it, prove that you are none yourself.
_RECEIVED = re.compile(
    r"(?:received|got) your (?:e-?mail|message|request|enquiry)|(?:e-?mail|message|request|enquiry) (?:has been|was) received"
    r"|ваш[аеу]? (?:письмо|сообщение|обращение|заявк[аи]|запрос)[^.]{0,30}(?:получен|принят|зарегистрирован|обработан|не будет)"
    r"|eingegangen|bien reçu",
    re.IGNORECASE,
)
_UNREAD = re.compile(
    r"(?:mailbox|inbox|address) is (?:not|no longer) (?:monitored|read|in use)|unmonitored (?:mailbox|address)"
    r"|ящик (?:больше )?не (?:просматривается|обслуживается|предназначен|используется)|адрес больше не используется"
    r"|(?:confirm|verify|prove) (?:that )?you are (?:a )?(?:human|not a robot)|подтвердите, что вы (?:не робот|человек)"
    r"|(?:please )?do not reply to this|не отвечайте на (?:это|него|данное)|отвечать на (?:него|это письмо) не",
    re.IGNORECASE,
)
_GONE = re.compile(
    r"no longer (?:works?|employed|with)|has left the company|больше не работает|(?:уволил|уволен)\w*|більше не працює|больш не працуе"
    r"|nicht mehr (?:im|bei|für)|ne (?:fait|travaille) plus|ya no trabaja|non lavora più|już nie pracuje",
    re.IGNORECASE,
)
_ELSEWHERE = re.compile(
    r"(?:direct|send|address|forward) (?:all |your |any )?(?:e-?mails?|enquiries|messages|correspondence)|please (?:contact|write to)"
    r"|(?:просьба|прошу|просим)? ?(?:направлять|писать|обращаться|пишите|обращайтесь|прохання писати|направляйте|адресуйте)|adresser vos"
    r"|wenden sie sich"
    r"|автоматически",
    re.IGNORECASE,
)
_UNTIL = re.compile(
    r"(?:until|till|through|до|по|дейін|bis|jusqu'au|hasta|fino al?|do|tot|até)\s+\S*\d|\d\S*\s+\w+\s*(?:дейін|аралығында)", re.IGNORECASE
)
# Whoever asks for something is a person.
_ASKS = re.compile(
    r"\?|(?:^|\n)\s*можно ли\b|(?:could|can|would) you|please (?:keep|close|set|remove|add|help|forward|redirect|give"
    r"|do not close|leave)|i need\b|we need\b"
    r"|не (?:закрывайте|закрывать)|помогите|нужн[аоы]?\b|нужен|подскажите|(?:настройте|переведите|перенаправьте|отключите"
    r"|откройте|закройте|"
    r"заблокируйте|удалите|дайте|предоставьте|оформите|оставьте|подключите|сделайте|проверьте)",
    re.IGNORECASE,
)
_CITED = re.compile(r"«[^»]{0,600}»|“[^”]{0,600}”|„[^“”]{0,600}[“”]|\"[^\"]{0,600}\"")
_WORDS = 80  # a longer letter has something else to say
_FEW = 25


def out_of_office(letter: Letter) -> Verdict | None:
    if _SUBJECT.match(letter.subject):
        return held("out_of_office", subject=letter.subject[:200])
    said = _own_words(letter)
    if said is None or not _ABSENT.search(said):
        return None
    elsewhere = bool(_INSTEAD.search(said)) or (letter.answers and len(said.split()) <= _FEW and bool(_UNTIL.search(said)))
    if _ITSELF.search(said) or (elsewhere and not _ASKS.search(said)):
        return held("out_of_office", text="1")
    return None


def says_so(letter: Letter) -> Verdict | None:
    """A robot that tells that it is one, or that whoever is written to does not read."""
    said = _own_words(letter)
    if said is None:
        return None
    unread = bool(_UNREAD.search(said)) or bool(_GONE.search(said) and _ELSEWHERE.search(said))
    if _ITSELF.search(said):
        certain = unread or letter.answers or bool(_RECEIVED.search(said))
    else:
        certain = unread and letter.answers and not _ASKS.search(said)
    return held("automatic", text="1") if certain else None


def _own_words(letter: Letter) -> str | None:
    """The letter's words without those of others; None where there are too many for a robot, or none of its own."""
    if letter.passes_on or len(letter.text) > 2_000 or len(letter.text.split()) > _WORDS:
        return None
    said = _CITED.sub(" ", letter.text.replace("’", "'"))
    return said if said.strip() else None
