"""What intake made of a message, in words: why it joined, was kept, or opened something new."""

from collections.abc import Mapping
from typing import Any

from desk_core.conversations.ports import FORGED_SENDER
from desk_core.kit.i18n import gettext_noop as _
from desk_core.kit.i18n import translate

VERDICTS = {
    "received": _("received"),
    "joined_token": _("joined by our mark in the address"),
    "joined_references": _("joined by References"),
    "joined_number": _("joined #%(number)s: the number belongs to the sender"),
    "another_address": _("joined #%(number)s from another address than the requester's. What is written there closes and rates nothing"),
    "participant": _("joined #%(number)s: its writer was copied in. What they write closes and rates nothing"),
    "moved": _("moved here from #%(number)s by %(by)s"),
    "apart": _("a request of its own, says %(by)s: it had joined #%(number)s"),
    "own_address": _("joined #%(number)s: its address is the requester's own, says %(by)s"),
    "number_not_owned": _("new: the number in the subject belongs to someone else"),
    "number_not_proven": _("new: nothing proves that the number in the subject is the sender's"),
    FORGED_SENDER: _("held: the sender is not proven"),
    "automatic": _("held: written by a machine"),
    "list": _("held: list mail"),
    "loop_words": _("held: the third letter within an hour in nearly the same words, as machines write that answer each other"),
    "loop_growth": _(
        "held: the third letter within an hour that repeats and outgrows the one before it, as machines do that answer each other"
    ),
    "bounce": _("delivery report"),
    "own_check": _("the desk sent it to itself to check the inbox"),
    "own_loop": _("held: our own mail came back"),
    "no_reply": _("held: from an address that takes no answer"),
    "out_of_office": _("held: out of office"),
    "released": _("taken up by %(by)s: it had been held"),
    "sender_person": _("received: mail of this sender is a person's, by a rule of this inbox"),
    "sender_apart": _("a request of its own: every letter of this sender is one, by a rule of this inbox"),
    "subject_person": _("received: a rule of this inbox says so of mail with “%(words)s” in its subject"),
    "subject_apart": _("a request of its own: a rule of this inbox says so of mail with “%(words)s” in its subject"),
    "subject_robot": _("held: a rule of this inbox says so of mail with “%(words)s” in its subject"),
    "sender_robot": _("held: mail of this sender is held, by a rule of this inbox"),
    "abuse_report": _("held: a mail service reports that our mail was marked as spam"),
    "read_receipt": _("held: a receipt that our mail was read"),
    "passed_on": _("%(by)s passed on a letter of %(address)s, who is the requester"),
    "spam": _("held: the mail server before this desk took it for spam"),
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

JOINED = frozenset({
    "joined_token", "joined_references", "joined_number", "another_address", "participant", "own_address", "moved", "duplicate",
})  # fmt: skip
"""A letter with one of these came to a request that was there before it."""

FOREIGN = frozenset({"another_address", "participant"})
"""Its writer is not the requester."""

TRUST = {
    "verified": _("Sender proven: %(why)s"),
    "unknown": _("Nothing proves or refutes the sender: %(why)s"),
    "forged": _("Sender not proven: %(why)s"),
}
_WHY = {
    "spf_pass": _("SPF passes for %(domain)s"),
    "spf_fail": _("SPF fails"),
    "spf_softfail": _("SPF fails softly"),
    "spf_other": _("the sending server speaks for %(domain)s"),
    "dkim_pass": _("signed by %(domain)s"),
    "dkim_fail": _("the DKIM signature does not hold"),
    "dkim_none": _("no DKIM signature"),
    "dkim_other": _("signed by another domain, %(domain)s"),
    "dmarc_pass": _("DMARC passes"),
    "dmarc_fail": _("DMARC fails"),
    "names_unavailable": _("the name servers did not answer"),
    "vouched": _("%(domain)s saw it pass before passing it on (ARC)"),
    "several_senders": _("several people are named as the sender"),
    "another_author": _("the mail server judged another sender, of %(domain)s"),
    "borrowed": _("the address is not the one in From, which is all that can be checked"),
    "no_author": _("the mail names no sender"),
}
_NOTHING = _("no results, no policy")
_POLICY = _("%(why)s (policy %(policy)s)")


def tell_trust(trust: Mapping[str, Any], language: str) -> str:
    """What is known of a mail's sender in one sentence, from the card of the message; empty where nobody asked."""
    lead = TRUST.get(str(trust.get("verdict")))
    if lead is None:
        return ""
    reasons = [(_WHY[code], domain) for code, domain in trust.get("reasons", ()) if code in _WHY]
    why = ", ".join(translate(language, text, domain=domain) for text, domain in reasons) or translate(language, _NOTHING)
    if policy := trust.get("policy"):
        why = translate(language, _POLICY, why=why, policy=policy)
    return translate(language, lead, why=why)


def tell_verdict(code: str | None, params: Mapping[str, Any], language: str) -> str:
    """The verdict in words; an unknown code is shown as it is."""
    text = VERDICTS.get(code or "received")
    if text is None:
        return code or ""
    try:
        return translate(language, text, **{key: value for key, value in params.items() if isinstance(value, str | int)})
    except (KeyError, TypeError, ValueError):
        return translate(language, text).partition("%(")[0].strip()
