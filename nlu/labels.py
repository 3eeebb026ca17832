"""The words on buttons and in the dialogue's own small questions; English texts are the message ids."""

from desk_core.kit.i18n import gettext_noop as _
from desk_core.kit.i18n import translate

LABELS = {
    "helped": _("Helped"),
    "not_it": _("Not it"),
    "whole": _("All of it, step by step"),
    "further": _("Further"),
    "human": _("Talk to a person"),
    "skip": _("Skip"),
    "back": _("Back"),
    "cancel": _("Cancel"),
    "send": _("Send"),
    "edit": _("Edit"),
    "new": _("New request"),
    "mine": _("My requests"),
    "faq": _("FAQ"),
    "solved": _("Solved"),
    "not_solved": _("Not solved"),
    "add": _("Add details"),
    "status": _("Status"),
    "use": _("Write about this one"),
    "cancel_request": _("Cancel request"),
    "together": _("One request"),
    "apart": _("Two requests"),
    "other": _("Something else"),
    "problem": _("What happened"),
    "category": _("Topic"),
    "files": _("Files"),
}

LANGUAGE_NAMES = {"ru": "Русский", "en": "English"}

# What a person reads about the state of their own request.
STATES = {
    "new": _("received"),
    "open": _("in progress"),
    "waiting": _("waiting for your answer"),
    "on_hold": _("waiting for another service"),
    "resolved": _("solved, waiting for your word"),
    "closed": _("closed"),
    "cancelled": _("cancelled"),
    "merged": _("joined with another request"),
}

# Said before an article that exists in the other language alone.
ONLY_IN = {"ru": _("This is only there in Russian:"), "en": _("This is only there in English:")}
READ_AS = _("I read this as: %(text)s")
ASK_CATEGORY = _("Which of these is closest?")
ASK_EDIT = _("What should be changed?")
ASK_WHICH = _("Which request is this about?\n\n%(requests)s")
SWITCHED = _("Now it is about %(name)s. Just write.")
NOW_ABOUT = _("What you write now goes to #%(number)s.")
ASK_ABOUT = _("Is this about request #%(number)s or something new?")
ABOUT = _("About #%(number)s")
ASK_SPLIT = _("These sound like two different things. One request or two?")
COPY_NUMBER = _("Copy #%(number)s")
LAST_MESSAGE = _("The open question is in the last message.")
A_MOMENT = _("Got it. One moment, please.")
UNKNOWN_NUMBER = _("There is no request #%(number)s among your open ones.")
ASK_SPLIT_BY_MAIL = _("These sound like two different things. Shall the second one be a request of its own? Yes or no.")
KNOWN_INCIDENT = _("We know of this: %(title)s. %(status)s You will be told when it is over; nothing more is needed from you.")
MOVED_TO_TOPIC = _("It goes on in a topic of its own: “%(name)s”. Here you can start something else.")
ASK_ADDITION = _("Write what should be added; files are fine too.")
ASK_HELPED = _("Did this help?")
ASK_LANGUAGE = _("Which language shall we use?")
ASK_EDITED_PROBLEM = _("Tell it again in your own words; it replaces what is on the card.")
EXAMPLE = _("the printer on the third floor does not print")
SUBJECT_HUMAN = _("A person is asked for")
SUBJECT_FILES = _("Files without words")
SUBJECT_UNNAMED = _("A request without words")


def label(language: str, name: str) -> str:
    """A button's word in a language."""
    return translate(language, LABELS[name])
