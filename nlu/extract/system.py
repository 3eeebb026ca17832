"""Operating systems, by their usual names."""

import re

from nlu.extract.found import Found

_SYSTEMS = re.compile(
    r"\b(?:(?P<windows>(?:windows|винд[аоуые]\w{0,3}|вин(?=\s?(?:7|8|10|11)\b)|win(?=\s?(?:7|8|10|11)\b))\s?(?P<version>xp|7|8(?:\.1)?|10|11)?)"
    r"|(?P<mac>mac\s?os(?: x)?|макос\w*|макбук\w*|macbook)|(?P<linux>linux|линукс\w*|ubuntu|убунт\w+|debian|"
    r"astra linux|астра линукс|alt linux|ред ос)"
    r"|(?P<android>android|андроид\w*)|(?P<ios>ios|iphone|айфон\w*|ipad|айпад\w*))(?!\w)",
    re.IGNORECASE,
)
_NAMES = {"windows": "Windows", "mac": "macOS", "linux": "Linux", "android": "Android", "ios": "iOS"}


def find(text: str) -> list[Found]:
    found: list[Found] = []
    for match in _SYSTEMS.finditer(text):
        name = next(name for name in _NAMES if match[name])
        version = f" {match['version'].upper() if match['version'].lower() == 'xp' else match['version']}" if match["version"] else ""
        found.append(Found(_NAMES[name] + version, *match.span()))
    return found
