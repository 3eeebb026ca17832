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
    "join": _("Yes, continue here"),
    "not_join": _("No, it is not mine"),
    "join_in": _("Join"),
    "not_join_in": _("No"),
    "rate_in": _("Yes, it is mine"),
    "leave": _("Leave"),
    "prove_email": _("Confirm e-mail"),
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
ENCRYPTED = _(
    "Your letter is encrypted (%(by)s), and nobody here can read it. Please send it once more without encryption, "
    "or tell us in an answer to this letter what it is about."
)
SUBJECT_ENCRYPTED = _("Encrypted letter")
READ_AS = _("I read this as: %(text)s")
ASK_CATEGORY = _("Which of these is closest?")
ASK_EDIT = _("What should be changed?")
ASK_WHICH = _("Which request is this about?\n\n%(requests)s")
INVITED = _("Is this your request?\n\n**#%(number)s** · %(subject)s\n\nIf so, it goes on here: answers come into this chat.")
INVITED_TO_JOIN = _(
    "You are invited to this request:\n\n**#%(number)s** · %(subject)s\n\nIf you join, answers come into this chat too, and what you"
    " write in reply to them is read by the requester and by us."
)
INVITED_TO_RATE = _("Is this your request?\n\n**#%(number)s** · %(subject)s\n\nIf so, you can rate here how we helped.")
INVITED_TO = {
    "continue": (INVITED, "join", "not_join"),
    "join": (INVITED_TO_JOIN, "join_in", "not_join_in"),
    "rate": (INVITED_TO_RATE, "rate_in", "not_join"),
}
"""By what a link is for: the question, and the buttons for yes and no."""
NOTHING_TO_CONFIRM = {
    "own": _("#%(number)s is your own request, you need no link here. Just write, or look it up in “My requests”."),
    "on_it": _("You are on #%(number)s already. Answers come into this chat; reply to one of them to write there."),
}
INVITED_IN_GROUP = _("Open this link in our private chat: here others read along. If it does not work there, ask for a new one.")
INVITATION_SPENT = _(
    "This link was used already or has expired. Open the page of your request and take a new one, or ask whoever sent it to you."
)
NOT_JOINED_IN = _("All right, you have not joined. The link can still be used until it expires.")
JOINED_IN = _(
    "You are on #%(number)s now. Answers come into this chat too. To write there, reply to one of them. Only the requester closes and"
    " rates it."
)
REQUEST_FULL = _("#%(number)s holds as many people as it may. Ask whoever invited you to make room, then open the link again.")
LEFT = _("You have left #%(number)s. No more answers of it come here.")
INVITE = _("Send this link to your colleague. Whoever opens it can join #%(number)s; it works once, within %(hours)s hours:\n\n<%(link)s>")
INVITE_WHICH = _("Which request is it? Write its number too, like /invite 1042.")
INVITE_IN_PRIVATE = _("Here others read along. Write /invite to me in a private chat.")
INVITE_NOT_NOW = _("A link cannot be made right now. Open the page of your request: there is one too.")
LEAVE_WHICH = _("Which request do you leave?")
NOT_ON_NUMBER = _("You have not joined #%(number)s.")
NOT_ON_ANY = _("You have joined no request of somebody else.")
NOT_ON_IT = _("You are not on this request any more.")
NOT_JOINED = _("All right, nothing has changed. The request goes on where it was.")
JOINED = _("Done: #%(number)s goes on here. Just write, and answers will come into this chat.")
SHARE_PHONE = _("Share my phone")
ME = _("I take you for **%(name)s**.")
ME_PROVEN = _("proven")
ME_IN_PRIVATE = _("Here others read along. Write /me to me in a private chat.")
ME_ASK_PHONE = _("With “%(button)s” below you prove your phone, and I find what you asked under it elsewhere.")
PHONE_PROVEN = _("Thank you: the phone %(phone)s is yours.")
ASK_EMAIL = _("Write your e-mail address, and I send a code there.")
NOT_AN_ADDRESS = _("This is no e-mail address. Write just the address, like name@example.org")
EMAIL_IN_PRIVATE = _("Here others read along. Write /email to me in a private chat.")
CODE_SENT = _(
    "A letter with a code is on its way to %(address)s. Write the code here within %(minutes)s minutes. If no letter comes, look among the"
    " spam, or check the address and write /email again."
)
CODE_NOT_SENT = _("The letter to %(address)s could not be sent. Check the address and write /email again.")
CODE_VOID = _("This is not the code, and it was the last try. Ask for a new one: /email")
CODE_LATE = _("This code does not count any more. Ask for a new one: /email")
EMAIL_PROVEN = _("Thank you: the address %(address)s is yours. What you asked from there is in /my too.")
CODE_SUBJECT = _("Code to confirm your address")
CODE_LETTER = _(
    "The code to confirm your address: **%(code)s**\n\nWrite it in the chat where you asked for it, within %(minutes)s minutes. Tell it to"
    " nobody else.\n\nYou did not ask for it? Then you need not do anything: without the code nothing happens."
)
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
