"""Every event of a request has a sentence, in every language, whatever its data holds."""

from datetime import UTC, datetime

import pytest

from desk_core.tickets.entities import TicketEvent
from desk_core.tickets.lifecycle import Event
from desk_core.tickets.words import TOLD, tell

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def event(kind: str, *, actor_kind: str = "agent", **data: object) -> TicketEvent:
    return TicketEvent(id="1", ticket_id="2", at=NOW, kind=kind, actor_kind=actor_kind, actor="Anna", version=1, data=data)


@pytest.mark.parametrize("kind", [*Event, *TOLD, "released"])
@pytest.mark.parametrize("language", ["en", "ru"])
def test_every_kind_is_told_even_without_its_data(kind: str, language: str) -> None:
    sentence = tell(event(kind), language)
    assert sentence
    assert "%(" not in sentence


def test_an_unknown_kind_is_shown_as_it_is() -> None:
    assert tell(event("teleported"), "en") == "teleported"


def test_keys_are_told_by_their_titles() -> None:
    told = tell(event("categorised", **{"from": "a.b", "to": "c.d"}), "en", titles={"a.b": "Printers", "c.d": "Mail"})
    assert told == "Anna changed the category: Printers → Mail."


def test_who_gave_it_to_whom() -> None:
    assert tell(event("assigned", to="Ivan"), "en") == "Anna gave it to Ivan."
    assert tell(event("assigned", to="Anna"), "en") == "Anna took it from the queue."
    assert "automatically" in tell(event("assigned", actor_kind="system", to="Ivan"), "en")
