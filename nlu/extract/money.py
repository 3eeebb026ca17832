"""Sums of money: amount and currency code, "4990 RUB"."""

import re
from decimal import Decimal

from nlu.extract.found import Found

_CURRENCIES = {
    "RUB": r"₽|руб(?:л[яейьюями]{1,3}|\.)?|р\.|rub(?:les?)?",
    "USD": r"\$|доллар\w{0,3}|бакс\w{0,3}|usd|dollars?|bucks",
    "EUR": r"€|евро|eur(?:os?)?",
    "GBP": r"£|фунт\w{0,3} стерлингов|gbp|pounds?",
    "KZT": r"₸|тенге|kzt",
    "BYN": r"byn|бел\. ?руб\w{0,3}",
}
_AMOUNT = r"\d{1,3}(?:[  ,.]\d{3}){1,4}(?:[.,]\d{1,2})?|\d{1,12}(?:[.,]\d{1,2})?"
_SCALE = r"тыс(?:яч\w{0,3}|\.)?|к|k|thousand|млн\.?|миллион\w{0,3}|million|mln"
_AFTER = "|".join(f"(?P<{code}>{names})" for code, names in _CURRENCIES.items())
_SUM = re.compile(
    rf"(?<![\w.,:/№#-])(?:(?P<sign>[₽$€£₸])\s?(?P<first>{_AMOUNT})(?:\s?(?P<first_scale>{_SCALE})(?!\w))?(?!\w)"
    rf"|(?P<amount>{_AMOUNT})(?:\s?(?P<scale>{_SCALE})(?!\w))?\s?(?:{_AFTER})(?!\w))",
    re.IGNORECASE,
)
_SIGNS = {"₽": "RUB", "$": "USD", "€": "EUR", "£": "GBP", "₸": "KZT"}


def find(text: str) -> list[Found]:
    found: list[Found] = []
    for match in _SUM.finditer(text):
        code = _SIGNS[match["sign"]] if match["sign"] else next(code for code in _CURRENCIES if match[code])
        amount = _number(match["first"] or match["amount"]) * _times(match["first_scale"] or match["scale"])
        whole = amount == amount.to_integral_value()
        found.append(Found(f"{amount:.0f} {code}" if whole else f"{amount:.2f} {code}", *match.span(), 0.95))
    return found


def _number(written: str) -> Decimal:
    """Groups of three are thousands; a point or a comma before one or two digits is the decimal one."""
    whole, _, rest = re.sub(r"[  ]", "", written).replace(",", ".").rpartition(".")
    if not whole:
        return Decimal(rest)
    return Decimal(whole.replace(".", "") + rest) if len(rest) == 3 else Decimal(f"{whole.replace('.', '')}.{rest}")


def _times(scale: str | None) -> int:
    return 1 if not scale else 1_000_000 if scale.lower().startswith(("м", "m")) else 1_000
