"""What the server before us took for spam. We judge nothing ourselves: a mail held for it can be taken up."""

import re

from channels.email.filters.letter import Letter, held
from channels.email.mime import Part
from channels.email.verdicts import Verdict

_YES = {  # header -> what it says of spam
    "x-spam-flag": re.compile(r"^\s*yes\b", re.IGNORECASE),
    "x-spam-status": re.compile(r"^\s*yes\b", re.IGNORECASE),
    "x-spam": re.compile(r"^\s*(?:yes|true)\b", re.IGNORECASE),
    "x-barracuda-spam-flag": re.compile(r"^\s*yes\b", re.IGNORECASE),
    "x-bogosity": re.compile(r"^\s*spam\b", re.IGNORECASE),
    "x-dspam-result": re.compile(r"^\s*spam\b", re.IGNORECASE),
    "x-rspamd-action": re.compile(r"^\s*(?:reject|add header|rewrite subject)\b", re.IGNORECASE),
    "x-ms-exchange-organization-scl": re.compile(r"^\s*[5-9]\s*$"),
    "x-forefront-antispam-report": re.compile(r"\bSFV:(?:SPM|SKS|SKB)\b"),
    "x-yandex-spam": re.compile(r"^\s*4\s*$"),
}


def marked(letter: Letter) -> Verdict | None:
    header = _mark(letter.root)
    return held("spam", header=header) if header else None


def _mark(root: Part) -> str | None:
    return next((name.title() for name, says in _YES.items() if root.raw(name) is not None and says.search(root.get(name))), None)
