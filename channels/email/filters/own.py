"""Our own mail that came back: a loop through a forwarding, or two desks that answer each other."""

from channels.email.filters.letter import Letter, held
from channels.email.threading import CHECK, read_token
from channels.email.verdicts import Verdict
from desk_core.conversations.addresses import without_plus


def came_back(letter: Letter) -> Verdict | None:
    if letter.message_id and (token := read_token(letter.message_id, letter.secret)):
        return held("own_check") if token == CHECK else held("own_loop", header="Message-ID")
    if letter.sender in letter.own or without_plus(letter.sender) in letter.own:
        return held("own_loop", address=letter.sender)
    return None
