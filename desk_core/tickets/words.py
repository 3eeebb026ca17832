"""The history of a request in words: one sentence for each kind of event, in any language."""

from collections.abc import Mapping
from typing import Any

from desk_core.kit.i18n import gettext_noop as _
from desk_core.kit.i18n import translate
from desk_core.tickets.entities import TicketEvent

STATUS = {
    "new": _("new"),
    "open": _("in work"),
    "waiting": _("waiting for the person"),
    "on_hold": _("on hold"),
    "resolved": _("solved"),
    "closed": _("closed"),
    "cancelled": _("cancelled"),
    "merged": _("merged"),
}
METRIC = {"first_response": _("first answer"), "next_response": _("answer"), "resolution": _("solution")}
BATON = {"bot": _("The bot speaks again."), "queue": _("Returned to the queue."), "agent": _("An operator speaks.")}
HAND_OVER = {
    "person_asked": _("the person asked for a human"),
    "failures": _("the bot did not understand the answers"),
    "human_now": _("this topic goes straight to people"),
    "complaint": _("a complaint"),
    "error": _("something failed inside"),
}
TOLD = {
    "opened": _("%(actor)s opened the request."),
    "taken": _("%(actor)s took it over."),
    "assigned": _("%(actor)s gave it to %(to)s."),
    "unassigned": _("%(actor)s put it back into the queue."),
    "escalated": _("%(actor)s passed it to line %(line)s (%(team)s): %(reason)s"),
    "returned": _("%(actor)s returned it to line %(line)s: %(reason)s"),
    "requester_replied": _("%(actor)s wrote."),
    "agent_replied": _("%(actor)s answered."),
    "ask_requester": _("%(actor)s waits for the person's answer."),
    "put_on_hold": _("%(actor)s put it on hold."),
    "resumed": _("%(actor)s took it up again."),
    "resolved": _("%(actor)s solved it."),
    "confirmed": _("%(actor)s confirmed: it is solved."),
    "denied": _("%(actor)s says it is not solved."),
    "reopened": _("%(actor)s reopened it."),
    "closed_by_timer": _("Closed after the waiting time: nobody objected."),
    "closed_by_requester": _("%(actor)s closed it."),
    "closed_by_agent": _("%(actor)s closed it."),
    "cancelled": _("%(actor)s cancelled it."),
    "merged": _("%(actor)s merged it into #%(into)s."),
    "letter_moved": _("%(actor)s moved a letter to #%(to)s."),
    "letter_apart": _("%(actor)s made a letter a request of its own: #%(to)s."),
    "categorised": _("%(actor)s changed the category: %(from)s → %(to)s."),
    "prioritised": _("%(actor)s changed the priority: %(from)s → %(to)s."),
    "tagged": _("%(actor)s changed the tags: %(tags)s."),
    "slots_filled": _("%(actor)s added: %(slots)s."),
    "taken_back": _("%(actor)s took an answer back before it left."),
    "noted": _("%(actor)s wrote a note."),
    "edited": _("%(actor)s changed a message."),
    "rated": _("%(actor)s rated the help: %(score)s of 5."),
    "handed_over": _("The bot called a human: %(reason)s."),
    "reminded": _("The person was reminded to confirm."),
    "delivery_failed": _("A message was not delivered: %(reason)s"),
    "message_deleted": _("%(actor)s took a message away from the chat."),
    "act_failed": _("A message could not be changed in the chat: %(reason)s"),
    "reacted": _("%(actor)s reacted: %(emoji)s"),
    "continued_in_chat": _("%(actor)s continues the request in Telegram."),
    "copy_failed": _("A copy did not reach %(address)s: %(reason)s"),
    "participant_added": _("%(actor)s copied in %(address)s."),
    "participant_invited": _("%(actor)s made a link by which a colleague can join."),
    "participant_joined": _("%(actor)s joined the request by a link from %(by)s."),
    "participant_left": _("%(actor)s left the request."),
    "participant_removed": _("%(actor)s took %(address)s off the request."),
    "courtesies_stopped": _("%(actor)s wants no more reminders and no question for a rating."),
    "delivery_uncertain": _("A message may have been delivered twice."),
    "processing_failed": _("Processing failed and waits among the dead items: %(reason)s"),
    "contact_blocked": _("%(actor)s blocked the bot; messages do not arrive."),
    "contact_unblocked": _("%(actor)s unblocked the bot."),
    "sla_at_risk": _("The deadline is near: %(metric)s."),
    "sla_breached": _("The deadline has passed: %(metric)s."),
}
ASSIGNED_ALONE = _("Given to %(to)s automatically: the least loaded of those online.")
ON_THEIR_WORD = _("%(actor)s closed it: %(word_of)s says that it is solved.")
SELF_ASSIGNED = _("%(actor)s took it from the queue.")
ACTORS = {"bot": _("The bot"), "system": _("The desk")}


class _Known(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "—"


def tell(event: TicketEvent, language: str, *, titles: Mapping[str, str] | None = None) -> str:
    """One sentence. `titles` names categories, teams and slots by their keys; unknown kinds are shown as they are."""
    known = titles or {}
    data = dict(event.data)
    if event.kind == "released":
        return translate(language, BATON.get(str(data.get("to")), BATON["queue"]))
    text = TOLD.get(event.kind)
    if text is None:
        return event.kind
    if event.kind == "assigned" and event.actor_kind == "system":
        text = ASSIGNED_ALONE
    elif event.kind == "assigned" and data.get("to") == event.actor:
        text = SELF_ASSIGNED
    elif event.kind == "closed_by_agent" and data.get("word_of"):
        text = ON_THEIR_WORD
    actor = ACTORS.get(event.actor_kind)
    fields = _Known({name: _say(name, value, language, known) for name, value in data.items()})
    fields["actor"] = translate(language, actor) if actor else event.actor
    if event.kind == "handed_over":
        fields["reason"] = translate(language, HAND_OVER[data["reason"]]) if data.get("reason") in HAND_OVER else fields["reason"]
    return translate(language, text) % fields


def _say(name: str, value: Any, language: str, titles: Mapping[str, str]) -> str:
    if value is None:
        return "—"
    if isinstance(value, list):
        return ", ".join(titles.get(str(one), str(one)) for one in value) or "—"
    if name == "metric":
        return translate(language, METRIC.get(str(value), str(value)))
    return titles.get(str(value), str(value))
