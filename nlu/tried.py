"""What a person says they have tried already, so that nobody tells them to do it again. Pure."""

import re

_READ = 6_000
_MOST = 6
_LONGEST = 200
_SENTENCE = re.compile(r"[^.!?\n;]+")
_TRIED = re.compile(
    r"(?<!\w)(?:пере(?:загру[жз]|запус[кт]|установ|подключ)\w*|сброси\w*|вынимал\w*|вытаскивал\w*|выключ\w+ и включ\w+|удал\w+|почист\w+|"
    r"очист\w+|обнов\w+|провер(?:ил|ял)\w*|(?:по|за)?менял\w*|заменил\w*|(?:по)?пробовал\w*|пытал\w+|делал\w* по инструкции|нажимал\w*|"
    r"re(?:booted|started|installed|connected|set)|re(?:boot|start|install)ing|(?:un|re)plugged|turned it off|power[- ]cycled|"
    r"(?:(?:i|we)(?:'ve| have)?|already) (?:(?:already|also|just) )?"
    r"(?:tried|checked|cleared|deleted|updated|changed|swapped|replaced|removed)|"
    r"tried (?:to|it|again|another|a|the|two|both|restart\w*|reboot\w*|reinstall\w*))(?!\w)",
    re.IGNORECASE,
)
# What somebody wants done, was told to do or cannot do was not tried.
_WANTED = re.compile(
    r"(?<!\w)(?:прош\w+|пожалуйста|нужно|надо|можете|можно|помогите|хочу|как|"
    r"please|could you|can you|need|want|how (?:do|to|can)|should)(?!\w)",
    re.IGNORECASE,
)


def tried(text: str) -> tuple[str, ...]:
    """The sentences that tell of an attempt, in their order, each short and once."""
    found: dict[str, None] = {}
    for match in _SENTENCE.finditer(text[:_READ]):
        said = " ".join(match.group().split()).strip(" ,-–—")
        attempt = _TRIED.search(said)
        if attempt and not _WANTED.search(said[: attempt.start()]):
            found.setdefault(said if len(said) <= _LONGEST else said[: _LONGEST - 1].rsplit(" ", 1)[0] + "…")
    return tuple(found)[:_MOST]
