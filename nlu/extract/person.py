"""People's names, where a word or the form of the name says that it is one; the source tells whose: self, approver, employee, taker."""

import re

from nlu.extract.found import Found

_NAME = r"[А-ЯЁ][а-яё]{1,20}(?:-[А-ЯЁ][а-яё]{1,20})?"
_INITIALS = r"[А-ЯЁ]\.\s?(?:[А-ЯЁ]\.)?"
_RUSSIAN = rf"{_NAME}\s{_INITIALS}|{_INITIALS}\s?{_NAME}|{_NAME}(?:\s{_NAME}){{0,2}}"
_CAPITAL = r"[A-Z][a-z'’]{1,20}(?:-[A-Z][a-z]{1,20})?"
_ENGLISH = rf"{_CAPITAL}(?:\s(?:[A-Z]\.\s)?(?:(?:van|de|der|von)\s|O['’]|Mc)?{_CAPITAL}){{0,2}}"
_PERSON = rf"(?P<name>{_RUSSIAN}|{_ENGLISH})"
# Only the name tells capitals apart, so the words before it are case-free by themselves.
_ROLES = {
    "self": r"(?i:меня зовут|мо[её] имя|это пишет|my name is|i am called|this is)\s",
    "approver": (
        r"(?i:согласу[ею]т|согласова(?:л[аи]?|но(?: с)?)|утвержда[ею]т|утвердил[аи]?|одобрил[аи]?|руководитель|approver(?: is)?|"
        r"approved by|signed off by|my (?:manager|boss)(?: is)?)[\s:–—-]{1,3}"
    ),
    "taker": (
        r"(?i:переда(?:ть|йте|дим)(?: (?:файлы и почту|файлы|почту|дела|вс[её]))?|hand (?:it |them |everything )?over to|"
        r"forward (?:it |mail )?to)\s"
    ),
    "employee": (
        r"(?i:(?:нов\w{2,3} )?сотрудни[кц]\w{0,3}|коллег[иеауо]й?|новичок|уволь(?:няется|те)|выходит|увольня\w{1,10}|принят[аоы]?|"
        r"уволен[аоы]?|уходит|покидает|"
        r"(?:выходит|приходит|уходит|увольняется|принимаем|взяли|нов(?:ый|ая|ого|ую|ой)) \w{4,20}(?: \w{4,20})?|"
        r"new (?:hire|starter|employee|joiner|colleague|intern)|(?:our )?(?:employee|colleague)|mr\.?|ms\.?|mrs\.?)[\s:,–—-]{1,3}"
    ),
    "signature": r"(?:^|\n)(?i:с уважением|best regards|kind regards|regards|sincerely)[,.!]?\s",
}
_CALLED = tuple((role, re.compile(rf"(?<!\w){before}{_PERSON}(?!\w)")) for role, before in _ROLES.items())
# "Peter Novak is leaving": the words that say so stand behind the name.
_MOVES = re.compile(
    rf"(?<!\w)(?P<name>{_CAPITAL}\s{_CAPITAL}|{_NAME}\s{_NAME})\s(?i:(?:is|will be) (?:leaving|joining|starting)|leaves|left|joins|starts|"
    r"resigned|quit|has (?:left|resigned)|выходит|приходит|увольняется|уходит|уволил(?:ся|ась)|уш[её]л|ушла|начинает|покидает)(?!\w)"
)
_FULL = re.compile(rf"(?<!\w)(?P<name>(?:{_NAME}\s)?{_NAME}\s[А-ЯЁ][а-яё]{{2,20}}(?:вич(?:а|у|ем)?|вн(?:а|ы|е|у|ой)|ичн(?:а|ы|е|у)))(?!\w)")
_NOBODY = re.compile(
    r"(?:Outlook|Windows|Excel|Word|Teams|Zoom|Monday|Tuesday|Wednesday|Thursday|Friday|The|This|My|It|We|You|Please|Принтер|Компьютер|Ноутбук|"
    r"Не|Нет|Мой|Моя|Наш|Добрый|Здравствуйте|Спасибо|Прошу|Отдел|Москва|Support|Help|Team|Служба|Компания|ООО)\b"
)


def find(text: str) -> list[Found]:
    found: list[Found] = []
    for role, called in _CALLED:
        for match in called.finditer(text):
            if not _NOBODY.match(match["name"]):
                sure = 0.9 if " " in match["name"] else 0.6
                found.append(Found(match["name"], *match.span("name"), sure, "person", role))
    found += [
        Found(match["name"], *match.span("name"), 0.9, "person", "employee")
        for match in _MOVES.finditer(text)
        if not _NOBODY.match(match["name"]) and all(one.start != match.start("name") for one in found)
    ]
    taken = {(one.start, one.end) for one in found}
    found += [
        Found(match["name"], *match.span("name"), 0.8, "person", "name")
        for match in _FULL.finditer(text)
        if not any(start < match.end("name") and match.start("name") < end for start, end in taken)
    ]
    return sorted(found, key=lambda one: one.start)
