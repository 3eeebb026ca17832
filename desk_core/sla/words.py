"""How a moment is told to a person: by the clock today, by the day this week, by the date beyond.

The phrases are tables here and not catalogue entries: Russian bends the weekday after its preposition («во вторник», «в среду»)
and the month after its number («27 ноября»), which whole phrases say better than joined translations.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

from desk_core.kit.i18n import known_language

_WEEKDAYS = {
    "en": ("on Monday", "on Tuesday", "on Wednesday", "on Thursday", "on Friday", "on Saturday", "on Sunday"),
    "ru": ("в понедельник", "во вторник", "в среду", "в четверг", "в пятницу", "в субботу", "в воскресенье"),
}
_MONTHS = {
    "en": (
        "January", "February", "March", "April", "May", "June",
        "July", "August", "September", "October", "November", "December",
    ),
    "ru": (
        "января", "февраля", "марта", "апреля", "мая", "июня",
        "июля", "августа", "сентября", "октября", "ноября", "декабря",
    ),
}  # fmt: skip
_TOMORROW = {"en": "tomorrow", "ru": "завтра"}
_ON = {"en": "on ", "ru": ""}
_DATE = {"en": "{day} {month}", "ru": "{day} {month}"}
_DATE_AND_YEAR = {"en": "{day} {month} {year}", "ru": "{day} {month} {year} года"}
_BY = {"en": "by", "ru": "до"}
_AT = {"en": "at", "ru": "в"}
_A_WEEK = 7  # the same weekday next week must not read like today's


def humanise(due_at: datetime, now: datetime, zone: str | ZoneInfo, language: str) -> str:
    """A deadline: "by 14:30", "tomorrow by 10:00", "on Monday by 10:00", "on 27 November by 10:00"; «до 14:30» in Russian."""
    return _phrase(due_at, now, zone, known_language(language), _BY)


def humanise_at(at: datetime, now: datetime, zone: str | ZoneInfo, language: str) -> str:
    """A moment: "at 14:30", "tomorrow at 09:00", "on Monday at 09:00"; «завтра в 09:00» in Russian."""
    return _phrase(at, now, zone, known_language(language), _AT)


def humanise_date(at: datetime, now: datetime, zone: str | ZoneInfo, language: str) -> str:
    """A day: "27 November", with the year when it is another one; «27 ноября» in Russian. The sentence brings its preposition."""
    language, tz = known_language(language), _zone(zone)
    local = at.astimezone(tz)
    pattern = _DATE if local.year == now.astimezone(tz).year else _DATE_AND_YEAR
    return pattern[language].format(day=local.day, month=_MONTHS[language][local.month - 1], year=local.year)


def moment(at: datetime, now: datetime, zone: str | ZoneInfo, language: str) -> str:
    """A moment to put after "by" or «до»: "14:30" today, "24 November, 14:30" on another day."""
    local = at.astimezone(_zone(zone))
    today = local.date() == now.astimezone(_zone(zone)).date()
    return f"{local:%H:%M}" if today else f"{humanise_date(at, now, zone, language)}, {local:%H:%M}"


def _phrase(at: datetime, now: datetime, zone: str | ZoneInfo, language: str, prepositions: dict[str, str]) -> str:
    tz = _zone(zone)
    local, today = at.astimezone(tz), now.astimezone(tz).date()
    clock = f"{prepositions[language]} {local:%H:%M}"
    days = (local.date() - today).days
    if days == 0:
        return clock
    if days == 1:
        return f"{_TOMORROW[language]} {clock}"
    if 1 < days < _A_WEEK:
        return f"{_WEEKDAYS[language][local.weekday()]} {clock}"
    return f"{_ON[language]}{humanise_date(at, now, tz, language)} {clock}"


def _zone(zone: str | ZoneInfo) -> ZoneInfo:
    return ZoneInfo(zone) if isinstance(zone, str) else zone
