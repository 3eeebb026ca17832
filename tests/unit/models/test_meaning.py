"""A shelf has a space of its own: what all its titles share counts little, what tells them apart counts."""

import numpy as np

from models.encoder import NullEncoder
from models.meaning import Meaning, sentences_of
from tests.unit.models.small import HashEncoder

TITLES = [["how to print a page"], ["how to print a badge"], ["how to scan a page"], ["how to change a password", "forgot my password"]]


def test_a_question_is_closest_to_the_title_it_repeats_and_keywords_speak_too() -> None:
    encoder = HashEncoder()
    meaning = Meaning.of(TITLES, [""] * 4, encoder)
    assert meaning is not None
    assert int(meaning.close(encoder.encode(["how to scan a page"])[0]).titles.argmax()) == 2
    assert int(meaning.close(encoder.encode(["forgot my password"])[0]).titles.argmax()) == 3


def test_what_all_titles_share_counts_less_than_in_the_encoders_own_space() -> None:
    encoder = HashEncoder()
    rng = np.random.default_rng(1)
    shared = rng.normal(size=64)
    own = rng.normal(size=(60, 64)) * 0.2
    known = {f"t{n}": ((shared + each) / np.linalg.norm(shared + each)).astype(np.float32) for n, each in enumerate(own)}
    meaning = Meaning([[f"t{n}"] for n in range(60)], [[] for _ in range(60)], known)
    close = meaning.close(known["t7"]).titles
    plain = np.array([float(known["t7"] @ known[f"t{n}"]) for n in range(60)])
    assert int(close.argmax()) == 7
    assert np.delete(close, 7).mean() < 0.2 < 0.9 < np.delete(plain, 7).mean()
    assert encoder.calls == 0


def test_texts_are_read_beside_titles_and_stand_for_an_article_without_sentences() -> None:
    encoder = HashEncoder()
    meaning = Meaning.of([["one"], ["two"]], ["The printer stands on the third floor.", ""], encoder)
    assert meaning is not None
    close = meaning.close(encoder.encode(["The printer stands on the third floor."])[0])
    assert close.texts[0] > close.texts[1]


def test_without_an_encoder_or_articles_there_is_none() -> None:
    assert Meaning.of(TITLES, [""] * 4, NullEncoder()) is None
    assert Meaning.of([], [], HashEncoder()) is None


def test_sentences_are_few_and_no_labels() -> None:
    assert sentences_of("# Steps\n\n1. Open the settings window. Press the button Network!\n\nOK") == [
        "Open the settings window.",
        "Press the button Network!",
    ]
    assert len(sentences_of("A sentence of several words here. " * 3 + "\n".join(f"Sentence number {n} is here." for n in range(99)))) == 12
