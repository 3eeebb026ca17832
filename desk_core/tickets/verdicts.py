"""What intake made of a message, in words: why it joined, was kept, or opened something new."""

from collections.abc import Mapping
from typing import Any

from desk_core.kit.i18n import gettext_noop as _
from desk_core.kit.i18n import translate

VERDICTS = {
    "received": _("received"),
    "joined_token": _("joined by our mark in the address"),
    "joined_references": _("joined by References"),
    "joined_number": _("joined #%(number)s: the number belongs to the sender"),
    "number_not_owned": _("new: the number in the subject belongs to someone else"),
    "automatic": _("held: automatic reply"),
    "list": _("held: list mail"),
    "bounce": _("delivery report"),
    "own_loop": _("held: our own mail came back"),
    "no_reply": _("held: from an address that takes no answer"),
    "out_of_office": _("held: out of office"),
    "released": _("taken up by %(by)s: it had been held"),
    "sender_person": _("received: mail of this sender is a person's, by a rule of this inbox"),
    "sender_robot": _("held: mail of this sender is held, by a rule of this inbox"),
    "abuse_report": _("held: a mail service reports that our mail was marked as spam"),
    "read_receipt": _("held: a receipt that our mail was read"),
    "calendar": _("held: an invitation, or an answer to one"),
    "imported": _("brought in from a file; the sender was not answered"),
    "duplicate": _("the same as an earlier message of this sender"),
    "unanswered": _("received without an answer: two automatic ones went to this sender within ten minutes"),
    "flood": _("held: too many messages from this sender within an hour"),
    "unreadable": _("kept: it could not be read whole"),
    "no_message_id": _("received without Message-ID; an id was made up"),
    "unsupported": _("kept: this kind of message is not supported yet"),
    "group": _("kept: written in a group"),
}

ROBOTS = frozenset({"automatic", "list", "bounce", "own_loop", "out_of_office", "sender_robot", "abuse_report", "read_receipt", "calendar"})
"""Verdicts of what machines write."""


def tell_verdict(code: str | None, params: Mapping[str, Any], language: str) -> str:
    """The verdict in words; an unknown code is shown as it is."""
    text = VERDICTS.get(code or "received")
    if text is None:
        return code or ""
    try:
        return translate(language, text, **{key: value for key, value in params.items() if isinstance(value, str | int)})
    except (KeyError, TypeError, ValueError):
        return translate(language, text).partition("%(")[0].strip()
