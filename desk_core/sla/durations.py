"""Lengths of time as an administrator writes them: `15m`, `4h`, `2d 4h`."""

import re
from datetime import timedelta

from desk_core.kit.errors import DeskError
from desk_core.kit.i18n import gettext_noop as _

_UNITS = {"w": 7 * 24 * 3600, "d": 24 * 3600, "h": 3600, "m": 60, "s": 1}
_PART = re.compile(r"(\d{1,6})\s*([wdhms])")
_WHOLE = re.compile(r"\s*(?:\d{1,6}\s*[wdhms]\s*)+")


class InvalidDuration(DeskError):
    """A length of time that cannot be read."""

    code, status, text = (
        "invalid_duration",
        422,
        _("“%(value)s” is not a length of time. Write it like 15m, 4h or 2d 4h (w, d, h, m, s)."),
    )

    def __init__(self, value: str) -> None:
        super().__init__(value=value)


def parse_duration(text: str) -> timedelta:
    """Read `15m`, `4h`, `2d 4h`. A day is 24 hours on the clock that counts, never "a working day" of eight: write 8h for that."""
    lowered = str(text).strip().lower()
    parts = _PART.findall(lowered)
    units = [unit for _amount, unit in parts]
    # Each unit once and from large to small: "4h 2d" is more likely a slip than a wish.
    if not _WHOLE.fullmatch(lowered) or units != [unit for unit in _UNITS if unit in units]:
        raise InvalidDuration(str(text)[:40])
    seconds = sum(int(amount) * _UNITS[unit] for amount, unit in parts)
    if seconds == 0:
        raise InvalidDuration(str(text)[:40])
    return timedelta(seconds=seconds)


def format_duration(length: timedelta) -> str:
    """Write what `parse_duration` reads, in whole seconds: days, hours, minutes."""
    left = int(length.total_seconds())
    parts = []
    for unit in ("d", "h", "m", "s"):
        amount, left = divmod(left, _UNITS[unit])
        if amount:
            parts.append(f"{amount}{unit}")
    return " ".join(parts) or "0s"
