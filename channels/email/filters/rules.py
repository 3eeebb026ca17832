"""What an operator has said of a sender: it goes before everything that the mail says of itself."""

from channels.email.filters.letter import Letter, held
from channels.email.verdicts import Verdict


def of_sender(letter: Letter) -> Verdict | None:
    match letter.senders.get(letter.sender):
        case "person":
            return Verdict("sender_person", {"address": letter.sender})
        case "robot":
            return held("sender_robot", address=letter.sender)
        case "apart":
            return Verdict("sender_apart", {"address": letter.sender})
    return None
