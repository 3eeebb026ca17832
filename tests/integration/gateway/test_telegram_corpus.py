"""Updates of the public sets and generated ones of every kind, from receiving to the console; `make telegram-corpus` takes 10,000."""

from pathlib import Path

from benchmarks.telegram_corpus import dead, open_corpus
from benchmarks.telegram_updates import DATA, generate, samples, update_kinds

GENERATED = 250
PLAIN = {"id": 5, "is_bot": False, "first_name": "Anna"}


async def test_everything_is_stored_processed_and_shown_as_what_it_is(tmp_path: Path) -> None:
    chat = {"id": 5, "type": "private", "first_name": "Anna"}
    own = {"update_id": 1, "message": {"message_id": 1, "from": PLAIN, "chat": chat, "date": 1, "hologram": {"title": "Hi"}}}
    public = list(samples()) if DATA.is_dir() else []
    cases = [("own", own), *public, *(generate(GENERATED, start=2) if public else [])]
    corpus = await open_corpus(tmp_path)
    try:
        await corpus.run(cases)
        found = corpus.found
        assert (found.raised, found.wrong, await dead(corpus.desk)) == ([], [], 0)
        assert (found.stored, found.processed, found.shown) == (len(cases), len(cases), found.due)
        assert not public or set(update_kinds()) <= set(found.kinds)
    finally:
        await corpus.desk.close()
