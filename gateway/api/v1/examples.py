"""The examples of the interface description: the shapes of docs/interface.md, filled in."""

from typing import Any

TICKET: dict[str, Any] = {
    "number": 1042,
    "id": "0193ab2e-6c1f-7d3a-9f0e-0a3c5b1d2e4f",
    "status": "new",
    "kind": "incident",
    "category": "hardware.printer",
    "category_title": "Printer",
    "priority": "P3",
    "team": "workplace",
    "line": 2,
    "assignee": None,
    "channel": "api",
    "subject": "Printer 305 does not print",
    "contact": {
        "id": "0193ab2e-6c1f-7d3a-9f0e-0a3c5b1d2e50",
        "name": "Anna Orlova",
        "language": "en",
        "identities": [{"channel": "api", "address": "anna@company.example"}],
    },
    "tags": [],
    "opened_at": "2026-11-24T11:30:00+00:00",
    "updated_at": "2026-11-24T11:30:00+00:00",
    "resolved_at": None,
    "closed_at": None,
    "promise": {"metric": "first_response", "due_at": "2026-11-24T12:30:00+00:00"},
    "baton": "queue",
    "rating": None,
    "resolution": None,
}
MESSAGE: dict[str, Any] = {
    "id": "0193ab2e-6c1f-7d3a-9f0e-0a3c5b1d2e51",
    "direction": "inbound",
    "channel": "api",
    "inbox": "api",
    "conversation": "0193ab2e-6c1f-7d3a-9f0e-0a3c5b1d2e52",
    "author": "Anna Orlova",
    "text": "Printer 305 on the third floor does not print since this morning.",
    "versions": [],
    "attachments": [],
    "external_id": "0193ab2e-6c1f-7d3a-9f0e-0a3c5b1d2e53",
    "ticket": 1042,
    "verdict": {"code": "received", "text": "received"},
    "at": "2026-11-24T11:30:00+00:00",
    "delivery": None,
    "buttons": [],
    "card": {},
    "deleted_at": None,
}
NEW_TICKET: dict[str, Any] = {
    "contact": {"name": "Anna Orlova", "email": "anna@company.example", "language": "en"},
    "subject": "Printer 305 does not print",
    "text": "Printer 305 on the third floor does not print since this morning.",
    "category": "hardware.printer",
    "slots": {"printer_device": "printer 305, third floor"},
}
CORRECTION: dict[str, Any] = {"text": "I come at six.", "by": "olga@company.example"}
NEW_MESSAGE: dict[str, Any] = {"text": "It prints again, thank you.", "by": "contact"}


def answered(description: str, example: dict[str, Any]) -> dict[str, Any]:
    """A response of the interface description."""
    return {"description": description, "content": {"application/json": {"example": example}}}


def page_of(example: dict[str, Any]) -> dict[str, Any]:
    return {"items": [example], "next": None}


JOIN: dict[str, Any] = {
    "id": "0193a1b2-5e6f-7a0c-8d13-3f9a1c2b4d5e",
    "joined": "Anna Orlova",
    "reason": "invitation",
    "ticket": 1042,
    "by": "Anna Orlova",
    "at": "2026-11-26T09:30:00+00:00",
    "undone_at": None,
    "undone_by": None,
}
