"""Days written in full: 24.12.2026 or 2026-12-24. Others depend on today and are left to the validator of the answer."""

import re
from datetime import date

from nlu.extract.found import Found

_DAY = re.compile(r"(?<!\d)(?:(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})|(?P<D>\d{1,2})[./](?P<M>\d{1,2})[./](?P<Y>\d{4}))(?!\d)")


def find(text: str) -> list[Found]:
    found: list[Found] = []
    for match in _DAY.finditer(text):
        year, month, day = (match["y"], match["m"], match["d"]) if match["y"] else (match["Y"], match["M"], match["D"])
        try:
            found.append(Found(date(int(year), int(month), int(day)).isoformat(), *match.span()))
        except ValueError:
            continue  # 31.02 is no day; the text keeps it
    return found
