"""Bytes to text as mail really is: the declared charset first, then what the bytes themselves say. Pure, never raises."""

import codecs
import re
from functools import lru_cache

# Names seen in the wild that Python does not know, or knows too narrowly: senders mean the superset.
_ALIASES = {
    "ascii": "cp1252",
    "us-ascii": "cp1252",
    "ansi_x3.4-1968": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "iso-8859-1": "cp1252",
    "iso8859-1": "cp1252",
    "win-1251": "cp1251",
    "win1251": "cp1251",
    "windows1251": "cp1251",
    "cp-1251": "cp1251",
    "x-cp1251": "cp1251",
    "koi8r": "koi8-r",
    "koi-8-r": "koi8-r",
    "x-mac-cyrillic": "mac-cyrillic",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
    "iso-8859-8-i": "iso-8859-8",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "x-sjis": "cp932",
    "iso-2022-jp": "iso2022_jp_ext",
    "utf8mb4": "utf-8",
    "unicode-1-1-utf-7": "utf-7",
}
_UNSURE = frozenset({"cp1252"})
_CYRILLIC = ("cp1251", "koi8-r", "cp866")
_SINGLE_BYTE = re.compile(r"^(cp125\d|koi8|iso8859|iso-8859|cp866|mac)")
_HIGH = re.compile(rb"[\x80-\xff]")
_HIGH_RUN = re.compile(rb"[\x80-\xff]{3,}")
_FREQUENT = frozenset("оеаинтсрвлкмдпуяыьгзбч")
_CYRILLIC_LETTERS = frozenset("абвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєґў")
_SURROGATE = re.compile("[\ud800-\udfff]")
_META = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]{2,40})", re.IGNORECASE)


@lru_cache(maxsize=256)
def codec_of(declared: str) -> str | None:
    """The Python codec for a declared charset, or None where the name says nothing."""
    name = declared.strip().strip("\"'").lower().split("*")[0].rstrip(";")
    name = _ALIASES.get(name, name)
    try:
        found = codecs.lookup(name).name
    except (LookupError, ValueError, UnicodeError):
        return None
    # Python lists byte-to-byte codecs (base64, zlib) beside charsets; those are not text.
    return None if found in {"base64", "hex", "bz2", "zlib", "quopri", "uu", "rot13", "idna", "punycode", "unicode_escape"} else found


def text_of(content: bytes, declared: str | None = None) -> str:
    """`content` as text without null bytes; what cannot be read becomes U+FFFD."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) and len(content) > 2:
        return _clean(content.decode("utf-16", "replace"))
    codec = codec_of(declared) if declared else None
    if codec in {"utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7", "iso2022_jp_ext", "iso2022_kr", "hz"}:
        return _clean(content.decode(codec, "replace"))
    if not _HIGH.search(content):
        # Pure ASCII says the same in every charset left, save for the seven-bit Japanese escapes.
        return _clean(content.decode("iso2022_jp_ext" if b"\x1b$" in content else "ascii", "replace"))
    if codec is None or codec == "utf-8" or _SINGLE_BYTE.match(codec):
        try:
            # Text in a single-byte charset is practically never valid UTF-8, so this overrules a false declaration.
            return _clean(content.decode("utf-8"))
        except UnicodeDecodeError as error:
            if codec == "utf-8" and error.start > 0 and content.count(b"\xef\xbf\xbd") == 0 and _mostly_utf8(content):
                return _clean(content.decode("utf-8", "replace"))
    if codec and codec not in _UNSURE and codec != "utf-8":
        return _clean(content.decode(_better_cyrillic(content, codec), "replace"))
    return _clean(content.decode(_detect(content, codec), "replace"))


def declared_in_html(content: bytes) -> str | None:
    """The charset a page declares in its head."""
    found = _META.search(content, 0, 4096)
    return found[1].decode("ascii", "replace") if found else None


def _clean(text: str) -> str:
    text = text.replace("\x00", "").removeprefix("\ufeff")
    # UTF-7 and its kin can spell half a character, which no store and no page takes.
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def _mostly_utf8(content: bytes) -> bool:
    """Whether only a few bytes are broken, as in a text cut in the middle of a letter."""
    sample = content[:20_000].decode("utf-8", "replace")
    return sample.count("\ufffd") * 10 <= sum(1 for letter in sample if letter > "\x7f")


def _detect(content: bytes, declared: str | None) -> str:
    sample = content[:4000]
    high = len(_HIGH.findall(sample))
    runs = sum(len(run) for run in _HIGH_RUN.findall(sample))
    best = max(_CYRILLIC, key=lambda codec: _russian(sample, codec))
    # Russian words are runs of high bytes; Western text has them one by one among Latin letters.
    if runs * 2 >= high and _russian(sample, best) > 0.4:
        return best
    if declared:
        return declared
    if runs * 2 < high:
        return "cp1252"
    from charset_normalizer import from_bytes  # costs milliseconds, so only where nothing cheaper can tell

    match = from_bytes(sample, steps=3, chunk_size=256).best()
    return match.encoding if match and match.encoding else "cp1252"


def _better_cyrillic(content: bytes, codec: str) -> str:
    """`codec`, unless it is Cyrillic and another Cyrillic charset reads far better."""
    if codec.replace("_", "-") not in _CYRILLIC:
        return codec
    sample = content[:2000]
    best = max(_CYRILLIC, key=lambda other: _russian(sample, other))
    return best if _russian(sample, best) > _russian(sample, codec) + 0.35 else codec


def _russian(sample: bytes, codec: str) -> float:
    """How Russian the high bytes look in a charset, about -1..1.5: frequent lower-case letters, few capitals inside words."""
    score = total = 0
    before = ""
    for letter in sample.decode(codec, "replace"):
        if letter > "\x7f":
            total += 2
            if letter in _FREQUENT:
                score += 3 if before in _CYRILLIC_LETTERS or not before.isalpha() else 1
            elif letter in _CYRILLIC_LETTERS:
                score += 2
            elif letter.lower() in _CYRILLIC_LETTERS:
                score += -1 if before in _CYRILLIC_LETTERS else 1
            elif letter not in "«»—–…№“”„’\xa0":
                score -= 3
        before = letter
    return score / total if total else 0.0
