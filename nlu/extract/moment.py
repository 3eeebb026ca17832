"""Days and times, in figures and in words, as ISO in the zone of `now`: "завтра после обеда", "since Monday 9 am"."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from nlu.extract.found import Found
from nlu.text import lowered

MONTHS = (
    "янв(?:ар[яье])?|jan(?:uary)?", "фев(?:рал[яье])?|feb(?:ruary)?", "мар(?:т[ае]?)?|mar(?:ch)?", "апр(?:ел[яье])?|apr(?:il)?",
    "ма[йяе]|may", "июн[яье]?|june?", "июл[яье]?|july?", "авг(?:уст[ае]?)?|aug(?:ust)?", "сен(?:тябр[яье])?|sep(?:t(?:ember)?)?",
    "окт(?:ябр[яье])?|oct(?:ober)?", "ноя(?:бр[яье])?|nov(?:ember)?", "дек(?:абр[яье])?|dec(?:ember)?",
)  # fmt: skip
_MONTH = "|".join(MONTHS)
WEEKDAYS = (
    "понедельник[ауе]?|monday", "вторник[ауе]?|tuesday",
    # A word that also means an environment: "рабочая среда" is no day.
    r"сред[уы]|(?<!\w\s)среда(?!\s)|(?<=к\s)среде|wednesday",
    "четверг[ауе]?|thursday", "пятниц[уыеа]|friday", "суббот[уыеа]|saturday", "воскресень[еяю]|sunday",
)  # fmt: skip
_WEEKDAY = "|".join(WEEKDAYS)
_STEMS = ("понед|mon", "вторник|tue", "сред|wed", "четверг|thu", "пятниц|fri", "суббот|sat", "воскрес|sun")
_RELATIVE = {
    "позавчера": -2, "day before yesterday": -2, "вчера": -1, "вчерашнего дня": -1,
    "вчерашнего вечера": -1, "вчерашнего утра": -1, "yesterday": -1, "сегодня": 0, "today": 0, "завтра": 1,
    "завтрашнему дню": 1, "tomorrow": 1, "послезавтра": 2, "day after tomorrow": 2,
}  # fmt: skip
# Name of a part of the day -> when it begins and ends. Named groups below carry these names.
_PARTS = {
    "early": (time(9), time(12)), "lunch": (time(12), time(13)), "late": (time(13), time(18)), "evening": (time(18), time(22)),
    "night": (time(0), time(6)), "close": (time(17), time(18)),
}  # fmt: skip
_COUNTS = {
    "один": 1, "одну": 1, "одного": 1, "два": 2, "две": 2, "двух": 2, "три": 3, "трех": 3, "трёх": 3, "четыре": 4, "пять": 5, "шесть": 6,
    "семь": 7, "второй": 2, "третий": 3, "пару": 2, "полтора": 1, "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5,
    "six": 6, "seven": 7, "a couple of": 2, "a couple": 2, "couple": 2,
}  # fmt: skip
_COUNT = r"\d{1,3}|" + "|".join(sorted(_COUNTS, key=len, reverse=True))
_UNITS = {
    "minute": r"мин(?:ут\w?)?|minutes?|mins?", "hour": r"час(?:а|ов|ик)?|hours?|hrs?", "day": r"дн(?:я|ей|ю)|день|сут(?:ки|ок)|days?",
    "week": r"недел[яиьюе]|weeks?", "month": r"месяц(?:а|ев)?|months?",
}  # fmt: skip
_UNIT = "|".join(_UNITS.values())
_LENGTHS = {
    "minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1),
    "month": timedelta(days=30),
}  # fmt: skip

_ATOM = re.compile(
    r"(?<![\w./:№#-])(?=\w)(?:"
    r"(?P<iso>\d{4}-\d{1,2}-\d{1,2})"
    r"|(?P<short>(?:(?<=\bк\s)|(?<=до\s)|(?<=\bс\s)|(?<=by\s))(?:0?[1-9]|[12]\d|3[01])\.(?:0[1-9]|1[0-2]))"
    r"|(?P<dotted>\d{1,2}[./]\d{1,2}[./](?:\d{4}|\d{2}))"
    rf"|(?P<named>\d{{1,2}}(?:-?(?:го|е|ого|му)|st|nd|rd|th)?\s(?:of\s)?(?:{_MONTH})\.?(?:,?\s\d{{4}}(?:\s?г(?:ода?|\.))?)?)"
    rf"|(?P<american>(?:{_MONTH})\.?\s\d{{1,2}}(?:st|nd|rd|th)?(?:,?\s\d{{4}})?)"
    rf"|(?P<relative>{'|'.join(sorted(_RELATIVE, key=len, reverse=True))})"
    rf"|(?P<weekday>(?:(?P<next>(?:в\s)?следующ\w{{2,3}}\s|next\s)|(?P<last>(?:в\s)?прошл\w{{2,3}}\s|last\s)|(?:эт\w{{1,2}}\s|this\s))?"
    rf"(?:{_WEEKDAY}))"
    rf"|(?P<ahead>(?:через|in)\s(?:(?P<ahead_count>{_COUNT})\s)?(?P<ahead_unit>{_UNIT}))"
    rf"|(?P<ago>(?:(?P<ago_count>{_COUNT})\s)?(?P<ago_unit>{_UNIT})\s(?:(?:тому\s)?назад|ago))"
    rf"|(?P<lasting>(?:уже|вот\sуже|for|for\sthe\s(?:last|past)|(?<!за\s)последние)\s(?:почти\s|almost\s|about\s|около\s)?"
    rf"(?:(?P<lasting_count>{_COUNT})\s)?(?P<lasting_unit>{_UNIT}))"
    r"|(?P<clock>(?:[01]?\d|2[0-3]):[0-5]\d(?:\s?[ap]\.?m\b\.?)?)"
    r"|(?P<hour>(?:1[0-2]|0?\d)(?:[:.][0-5]\d)?\s?[ap]\.?m\b\.?)"
    r"|(?P<spoken>(?:[01]?\d|2[0-3])\s(?:(?:час(?:ов|а|ам)?\s)?(?:утра|вечера|ночи)|час(?:ов|а)?\sдня|o'?clock)|(?<=[вк]\s)(?:[01]?\d|2[0-3])\s(?:дня|час(?:ов|ам)))"
    r"|(?P<early>(?:с(?:\sсамого)?\s)?утр(?:а|ом)|до\sобеда|до\sполудня|this\smorning|(?:in\sthe\s)?morning|before\s(?:lunch|noon))"
    r"|(?P<lunch>в\sобед|в\sполдень|at\s(?:lunch(?:time)?|noon)|noon)"
    r"|(?P<late>после\sобеда|(?<!с\s)дн[её]м|во\sвторой\sполовине\sдня|after\slunch|(?:this\s|in\sthe\s)?afternoon)"
    r"|(?P<evening>вечером|с\sвечера|tonight|(?:this\s|in\sthe\s)?evening)"
    r"|(?P<night>ночью|(?:at\s|last\s)?night)"
    r"|(?P<close>(?:к|до)\s(?:концу|конца)\sдня|(?:by\s|before\s)?(?:the\s)?end\sof\s(?:the\s)?day|eod)"
    r")(?![\w:/]|[.,-]\d)",
)
_JOIN = re.compile(r"\s?,?\s?(?:(?:в|во|at|с|со|около|around|about|к|до|by|from|on|the)\s)?")
_BARE_HOUR = re.compile(
    r"\s(?:в|к|at|около|around)\s(?P<hour>[01]?\d|2[0-3])(?:\sчас(?:ов|ам|а)?)?(?![\w:/%-]|[.,]\d|\s?[ap]\.?m\b|\s(?:утра|дня|вечера|ночи)|\s\w*(?:кабинет|комнат|room|офис|этаж))",
)
_SINCE = re.compile(r"(?:(?<!\w)(?:с|со|начиная с|начиная со|since|ever since|starting)\s(?:around\s|about\s|the\s|last\s)?)$")
_UNTIL = re.compile(r"(?<!\w)(?:к|ко|до|не позднее|на|by|until|till|before|for)\s(?:the\s)?$")
_PLANNED = re.compile(
    r"выход|прид[её]т|приход|отпуск|нуж|понадоб|требует|будет|будут|начина|планир|хочу|прос|join|starts?\b|leav|vacation|need|will\b|from"
)
_SEVERAL = re.compile(r"\w+s|дн(?:ей|я)|час(?:ов|а)|недел[ьи]|месяц(?:ев|а)|минут")
_LASTED = re.compile(r"\b(?:has|have|had|been|not|no|down|stuck|broken|slow|already|waiting)\b|n't|'ve|'s ")
_NO_WEEKDAY = re.compile(r"\s(?:разработ|обитани|выполнени|тестирован)")
_TO = re.compile(r"\s?(?:до|по|и|-|–|—|to|till|until|and)\s?")
_BEFORE = 60
_MOST = 20


@dataclass(frozen=True, slots=True)
class _Atom:
    """One word or figure of time: a day, a clock time, or a part of the day."""

    start: int
    end: int
    day: date | None = None
    at: time | None = None
    part: str = ""
    past: bool = False  # "two days ago" says by itself that it is behind us
    exact: datetime | None = None
    weekday: bool = False


def find(text: str, *, now: datetime) -> list[Found]:
    """Moments (`moment`: a deadline, an appointment) and beginnings (`since`), in the order they stand; `now` carries the zone."""
    found: list[Found] = []
    written, text = text, lowered(text)
    day: date | None = None  # that the moment before named
    ended = 0
    for group in _groups(text, written, now):
        if day and group[0].at and not any(atom.day for atom in group) and _TO.fullmatch(text, ended, group[0].start):
            group[0] = replace(group[0], day=day)
        day, ended = next((atom.day for atom in group if atom.day), None), group[-1].end
        start, end = group[0].start, group[-1].end
        before = text[max(0, start - _BEFORE) : start]
        marked = _SINCE.search(before)
        since = any(atom.past for atom in group) or bool(marked and not _PLANNED.search(before[: marked.start()]))
        if text[start : start + 2] in {"с ", "c "}:
            since = True
        dated = next((atom.day for atom in group if atom.day and not atom.weekday), None)
        since = since and (dated is None or dated <= now.date())
        value = _value(group, now, since=since)
        if value is None:
            continue
        if since:
            found.append(Found(value, start - (len(marked.group()) if marked else 0), end, 0.85, "since"))
        else:
            found.append(Found(value, start, end, _sureness(group, before, now), "moment"))
    return found


def first_day(answer: str, *, today: date) -> date | None:
    """The first day that an answer names; a time of the day alone names none."""
    noon = datetime.combine(today, time(12))
    return next((atom.day for group in _groups(lowered(answer), answer, noon) for atom in group if atom.day), None)


def _sureness(group: list[_Atom], before: str, now: datetime) -> float:
    """How sure it is that the words name a deadline or an appointment, rather than the day on which something broke."""
    dated = next((atom for atom in group if atom.day), None)
    if dated is None or dated.day is None or dated.day < now.date():
        return 0.5
    if _UNTIL.search(before) or _PLANNED.search(before):
        return 0.9
    return 0.6 if dated.weekday or dated.day == now.date() else 0.8


def _lies_ahead(text: str, start: int, end: int) -> bool:
    """Whether the words around a day speak of what is still to come."""
    before = text[max(0, start - _BEFORE) : start]
    return bool(_UNTIL.search(before) or _PLANNED.search(before) or _PLANNED.match(text, end + 1))


def _groups(text: str, written: str, now: datetime) -> Iterator[list[_Atom]]:
    """Atoms that stand together and say one moment."""
    group: list[_Atom] = []
    for number, match in enumerate(_ATOM.finditer(text)):
        if number == _MOST:
            break
        atom = _atom(match, text, written, now)
        if atom is None or (group and atom.start < group[-1].end):
            continue
        if group and _JOIN.fullmatch(text, group[-1].end, atom.start) and not _clash(group, atom):
            group.append(atom)
            continue
        if group:
            yield group
        group = [atom]
        if atom.day and (bare := _BARE_HOUR.match(text, atom.end)):
            group.append(_Atom(bare.start(), bare.end(), at=time(int(bare["hour"]))))
    if group:
        yield group


def _clash(group: list[_Atom], atom: _Atom) -> bool:
    """Whether the group says already what the atom says."""
    days = any(one.day or one.exact for one in group)
    times = any(one.at or one.part for one in group)
    return bool(((atom.day or atom.exact) and days) or ((atom.at or atom.part) and times) or atom.past or any(one.past for one in group))


def _atom(match: re.Match[str], text: str, written: str, now: datetime) -> _Atom | None:
    kind, start, end = match.lastgroup or "", match.start(), match.end()
    # Counts and units are groups inside their atom, so the last group is not always the atom's own.
    kind = next((name for name in ("ahead", "ago", "lasting", "weekday") if match[name]), kind)
    said = match.group()
    today = now.date()
    if kind in _PARTS:
        return _Atom(start, end, part=kind)
    if kind in {"iso", "dotted", "short", "named", "american"}:
        if kind == "american" and said.startswith("may") and written[start] != "M":
            return None  # "it may 5 ..." is no day
        day = _written(kind, said, today)
        return _Atom(start, end, day=day) if day else None
    if kind == "relative":
        return _Atom(start, end, day=today + timedelta(days=_RELATIVE[said]))
    if kind == "weekday":
        if _NO_WEEKDAY.match(text, end):
            return None  # "среда разработки" is no Wednesday
        number = next(place for place, stems in enumerate(_STEMS) if re.search(stems, said))
        ahead = (number - today.weekday()) % 7
        days = ahead - 7 if match["last"] else ahead + (7 if match["next"] and ahead + today.weekday() < 7 else 0)
        if days == 0 and _lies_ahead(text, start, end):
            days = 7  # who says on a Monday what is to be there by Monday means the next one
        return _Atom(
            start, end, day=today + timedelta(days=days or (-7 if match["last"] else 0)), weekday=not (match["last"] or match["next"])
        )
    if kind == "lasting" and said.startswith("for") and not _LASTED.search(text, max(0, start - _BEFORE), start):
        return None  # "access for two weeks" lies ahead
    if kind in {"ago", "lasting"} and not match[f"{kind}_count"] and _SEVERAL.fullmatch(match[f"{kind}_unit"]):
        return None  # "a few days ago" is no day
    if kind in {"ahead", "ago", "lasting"}:
        return _counted(kind, match, now)
    return _Atom(start, end, at=at) if (at := _clock(said)) else None


def _counted(kind: str, match: re.Match[str], now: datetime) -> _Atom:
    count = match[f"{kind}_count"]
    many = 1 if count is None else int(count) if count.isdigit() else _COUNTS[count]
    unit = next(name for name, words in _UNITS.items() if re.fullmatch(words, match[f"{kind}_unit"]))
    if kind == "lasting" and count and count in {"второй", "третий"}:
        many -= 1  # the second day is the one after the first
    then = now + _LENGTHS[unit] * many * (1 if kind == "ahead" else -1)
    exact = then if unit in {"minute", "hour"} else None
    return _Atom(match.start(), match.end(), day=None if exact else then.date(), past=kind != "ahead", exact=exact)


def _written(kind: str, said: str, today: date) -> date | None:
    """A real day; without a year the nearest such day that is not long past."""
    figures = [int(number) for number in re.findall(r"\d+", said)]
    if kind == "iso":
        return _day(*figures)
    if kind == "dotted":
        day, month, year = figures
        return _day(year + (2000 if year < 100 else 0), month, day)
    month = (
        figures.pop()
        if kind == "short"
        else next(place for place, names in enumerate(MONTHS, 1) if re.search(rf"(?<!\w)(?:{names})(?!\w)", said))
    )
    if len(figures) > 1:
        return _day(figures[1], month, figures[0])
    this = _day(today.year, month, figures[0])
    return this if this is None or this >= today - timedelta(days=90) else _day(today.year + 1, month, figures[0])


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _clock(said: str) -> time | None:
    figures = [int(number) for number in re.findall(r"\d+", said)]
    hour, minute = figures[0], figures[1] if len(figures) > 1 else 0
    afternoon = re.search(r"p\.?m|дня|вечера", said)
    if afternoon and hour < 12:
        hour += 12
    elif hour == 12 and re.search(r"a\.?m|ночи", said):
        hour = 0
    return time(hour, minute) if hour < 24 else None


def _value(group: list[_Atom], now: datetime, *, since: bool) -> str | None:
    """A day, a moment, or the two ends of a part of a day."""
    exact = next((atom.exact for atom in group if atom.exact), None)
    if exact:
        return exact.isoformat(timespec="minutes")
    dated = next((atom for atom in group if atom.day), None)
    at = next((atom.at for atom in group if atom.at is not None), None)
    part = next((atom.part for atom in group if atom.part), "")
    day = dated.day if dated and dated.day else now.date()
    if since and dated and dated.weekday and day > now.date():
        day -= timedelta(days=7)  # what is going on since Monday began on the last one
    if at is not None:
        moment = datetime.combine(day, at, tzinfo=now.tzinfo)
        if since and dated is None and moment > now:
            moment -= timedelta(days=1)
        return moment.isoformat(timespec="minutes")
    if part:
        begin, end = (datetime.combine(day, edge, tzinfo=now.tzinfo).isoformat(timespec="minutes") for edge in _PARTS[part])
        return begin if since else f"{begin}/{end}"
    return day.isoformat() if dated else None
