"""Address headers, read before they are decoded so that a comma in a name splits nothing. Pure, never raises."""

import re

from channels.email.mime import header_text

# Bounded: in a header without any "@" every letter begins a search.
_ADDRESS = re.compile(r"(?<![^\s<>()\[\],;:\"\\])[^\s<>()\[\],;:\"\\]{1,250}@(?:[^\s<>()\[\],;:\"\\@]+|\[[\w.:]{3,60}\])")
# A name in quotes may be anything (RFC 5321, 4.1.2).
_ODD = re.compile(r'"((?:[^"\\]|\\.){1,64})"@[\w.-]+\.\w+')
_PLAIN = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+")
_COMMENT = re.compile(r"\(([^()]*)\)")
_ASIDE = re.compile(r'["(]')
_QUOTED, _COMMENTED = re.compile(r'(?:[^"\\]|\\.)*"', re.DOTALL), re.compile(r"[^()]*\)")


def addresses(value: bytes | None) -> list[tuple[str, str]]:
    """[(name, address)]; addresses in lower case, items without one left out, at most 500."""
    if not value:
        return []
    found: list[tuple[str, str]] = []
    for item in _items(value[:60_000].decode("latin-1")):
        # What stands in quotes or in brackets is a name, whatever it looks like: "Vera <vera@bank>" <eve@evil>.
        bare = _without_asides(item)
        opens = bare.find("<")
        match = _ADDRESS.search(bare, opens + 1)
        odd = None if match else _ODD.search(item, max(opens, 0))
        match = match or odd or _ADDRESS.search(bare) or _ADDRESS.search(item)
        if not match:
            continue
        comment = _COMMENT.search(item) if not odd else None
        before = item[: max(opens, 0)]
        name = before if before.strip() else (comment[1] if comment else "")
        address = (_unquoted(odd) if odd else _decoded(match[0]).strip("'.")).lower()
        if len(address) <= 254 and (odd or _ADDRESS.fullmatch(address)):
            found.append((_name(name, address), address))
        if len(found) >= 500:
            break
    return found


def address_of(text: str | None) -> str | None:
    """The one address in an envelope value such as `<a@b>`; None for the null sender."""
    if odd := _ODD.fullmatch((text or "").strip(" <>")):
        return _unquoted(odd).lower()
    match = _ADDRESS.search(text or "")
    return match[0].lower() if match else None


def _unquoted(odd: re.Match[str]) -> str:
    """The address without quotes that it does not need."""
    address = _decoded(odd[0])
    return address.replace('"', "") if _PLAIN.fullmatch(odd[1]) else address


def _without_asides(text: str) -> str:
    """The text with blanks in the place of quoted strings and comments."""
    kept: list[str] = []
    position = done = 0
    while (begins := _ASIDE.search(text, position)) is not None:
        found = (_QUOTED if begins[0] == '"' else _COMMENTED).match(text, begins.end())
        if found is None and begins[0] == '"':
            break  # it is never closed, and so is no other one behind it
        position = found.end() if found is not None else begins.end()
        if found is not None:
            kept += [text[done : begins.start()], " " * (position - begins.start())]
            done = position
    return "".join([*kept, text[done:]])


def _decoded(address: str) -> str:
    """An address as it is meant: in UTF-8 (RFC 6532). Encoded words have no place in it (RFC 2047, 5) and are left as they are."""
    try:
        return address.encode("latin-1").decode()
    except UnicodeDecodeError:
        return address


def _name(raw: str, address: str) -> str:
    raw = raw.strip().replace('\\"', '"')
    if len(raw) > 1 and raw[0] == raw[-1] == '"':
        raw = raw[1:-1]
    name = header_text(raw.encode("latin-1")).strip().strip('"').strip()
    if len(name) > 1 and name[0] == name[-1] == "'":
        name = name[1:-1].strip()
    return "" if name.lower() == address else name[:200]


def _items(text: str) -> list[str]:
    items: list[str] = []
    start = 0
    quoted = angle = False
    for position, letter in enumerate(text):
        if letter == '"':
            quoted = not quoted
        elif letter == "<" and not quoted:
            angle = True
        elif letter == ">" and not quoted:
            angle = False
        elif letter in ",;" and not quoted and not angle:
            items.append(text[start:position])
            start = position + 1
    items.append(text[start:])
    # A quote that is never closed would hide everything after it.
    return items if not quoted else [piece for item in items for piece in item.split(",")]
