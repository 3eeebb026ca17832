"""Which language a text is in: Russian, English, or unsure. Unsure is a good answer: the conversation's language then stands."""

import importlib
import re

from models.words import mask, normalise

_CYRILLIC = re.compile(r"[а-яёА-ЯЁіїєґўІЇЄҐЎ]+")
_LATIN = re.compile(r"[a-zA-Z]+(?:['’][a-zA-Z]+)?")
_OTHER = re.compile(r"[^\W\d_]")
_READABLE = re.compile(r"[іїєґўІЇЄҐЎ]")  # Ukrainian and Belarusian: their writers read Russian, and we have no reply of theirs
_FOREIGN = re.compile(r"[äöüßñçãõàèìòùâêîôûåøæœłśżźćęąőűşğ¿¡]")
_SAMPLE = 2_000
_LONG = 60  # letters; from here on the statistical detector is better than a guess

# Words that carry an English sentence and are no word of German, French, Spanish, Polish or transliterated Russian, nor a product name.
_ENGLISH_WORDS = """
the is are my i i'm i've it it's its of to and or not with for from this that these those there here have has had having can can't
cannot could couldn't do does doesn't don't did didn't won't wouldn't would should will what when where which who why how please need
needs want wants you your we our they their he she them us been being isn't aren't wasn't after before again still nothing something
anyone everyone help hello hi hey thanks thank you're yes working works work broken forgot cant dont doesnt password printer update
only about because into out keeps got get getting new any some all but if as at by be haven't hasn't hadn't i'd i'll we're they're
let's that's what's there's who's wont isnt didnt havent dosent doesent recieve recieved teh pls plz im ive
good morning afternoon evening today yesterday tomorrow tonight week weekend month year friday monday tuesday wednesday
thursday saturday sunday day days hour hours minute minutes since while during every each once twice always never sometimes often soon
later now just already yet ago until between through without against around behind under over above below off away back next last
another other others both either neither many much more less few several enough too very really quite almost maybe even else same
call calls calling called print prints printing printed scan scanning send sends sending sent receive received receiving open opens
opening opened close closed closing start starts starting started stop stops stopped stopping run runs running keep kept lose lost
find found give given gave take takes taken took make makes made making know knows known think thought tell told ask asked asking
show shows showing shown see seen saw look looks looking read write written type typed click clicked choose change changed changing
add added remove removed delete deleted set up sets move moved turn turns turned join joining leave leaves leaving left stay wait
waiting waited try tried trying use used using buy order ordered replace replaced replacement fix fixed fixing break breaks broke
crash crashes crashed freeze freezes froze frozen hang hangs drop drops dropped disconnect disconnects disconnected connect connected
connecting slow slowly fast quick quickly weak strong loud quiet dead empty full missing wrong right stuck locked unlock unlocked
blocked expired expires forgotten reset resets install installed installing reinstall upgrade license licence account accounts
access denied permission permissions screen keyboard mouse headset charger cable desk room meeting meetings floor office home phone
phones laptop laptops machine folder folders file files share shared drive mailbox message messages email emails mails link links
attachment attachments someone somebody anybody everybody nobody anything everything people person team colleague colleagues
boss manager customer customers client clients employee hire intern company friend wife husband mine yours ours his her hers him
cheers mate appreciate appreciated welcome sorry bye goodbye nice pretty great awesome bad worse worst better best
smart stupid funny happy old big small long short high low early late free busy ready sure able unable interested recommend suggest
like likes love wish hope feel feels sounds sound seems says said say saying talk talking speak speaking meant mean means happened
happens happening asks finds lasts hangs eats closes restarts disappeared vanished wireless battery browser connection connections signature
search subscription failed going goes gone went come comes coming came bring brought put puts sell selling sold pay paid worth cost costs
then than though although however instead whether whose whom upon per via
"""
# Words of English that are words of its neighbours too: they tell something beside one that is not.
_WEAK_WORDS = """
a an in on no so was also error computer network program document report monitor problem service trip mail
"""
_STRONG_WORDS = """
the is my i'm it's isn't doesn't don't can't won't cannot please what how why you your and not with this that have hello thanks
"""
_ENGLISH = frozenset(_ENGLISH_WORDS.split())
_STRONG = frozenset(_STRONG_WORDS.split())
_WEAK = frozenset(_WEAK_WORDS.split())


def is_english_word(word: str) -> bool:
    """Whether a lower-case word is one of those that carry an English sentence."""
    return word in _ENGLISH


def detect(text: str, *, careful: bool = False) -> tuple[str | None, float]:
    """ "ru", "en" or None when unsure, with a confidence 0..1.

    `careful` also asks the statistical detector about long Latin text without clear English words. It takes 70 MB and 0.7 s to load
    (measured), so a live turn leaves it out: there "unsure" costs nothing, because the conversation's language is known.
    """
    sample = mask(normalise(text[:_SAMPLE]))
    cyrillic, latin = _CYRILLIC.findall(sample), [word.lower().replace("’", "'") for word in _LATIN.findall(sample)]
    latin = [word for word in latin if word not in {"email", "url", "num"}]
    letters_cyrillic, letters_latin = sum(map(len, cyrillic)), sum(map(len, latin))
    others = len(_OTHER.findall(sample)) - letters_cyrillic - letters_latin
    if letters_cyrillic + letters_latin < 2 or others > letters_cyrillic + letters_latin:
        return None, 0.0
    english = sum(word in _ENGLISH for word in latin)
    # Russian messages are full of Latin product names, English ones hardly ever hold Cyrillic.
    if letters_cyrillic and (letters_cyrillic >= letters_latin or len(cyrillic) >= 2 * english):
        sure = 0.6 if _READABLE.search(sample) else 0.7 if letters_cyrillic < 4 else 0.9 if len(cyrillic) < 3 else 0.99
        return "ru", sure
    strong = sum(word in _STRONG for word in latin)
    foreign = len(_FOREIGN.findall(sample.lower()))
    if foreign * 12 > letters_latin:
        return None, 0.0
    if strong >= 2 or (strong and english >= 2) or english * 3 >= max(3, len(latin)):
        return "en", 0.99 if english >= 3 else 0.9
    if english and (strong or english * 2 >= len(latin) or english + sum(word in _WEAK for word in latin) >= 2):
        return "en", 0.7
    if careful and letters_latin >= _LONG:
        label, _ = importlib.import_module("py3langid").classify(sample)
        return ("en", 0.8) if label == "en" else (None, 0.0)
    return None, 0.0
