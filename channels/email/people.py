"""Who writes a mail, and to whom else it goes. Pure."""

import re
from collections.abc import Collection

from channels.email.addresses import address_of, addresses
from channels.email.mime import Part
from channels.email.robots import NOT_TO_INVOLVE, SPEAKS_FOR_OTHERS, behind
from channels.email.rules import Rules
from desk_core.conversations.addresses import without_plus
from desk_core.conversations.ports import Sender, TakeAs

NOBODY = "unknown@invalid"
_OTHERS = 50
_ADDRESSES = re.compile(r"[\w.+=-]{1,64}@[\w.-]+")
# Lists write in the name of their members, whose domains may forbid it to others: 'Vera' via Support <support@lists.example>.
_THROUGH = re.compile(r"^(.{1,150}?)\s+(?:via|through|через|über|par|por|per|przez)\s+\S", re.IGNORECASE)


def sender_of(root: Part, envelope_from: str | None) -> Sender:
    found = [pair for name in ("from", "sender") for value in raws_of(root, name) for pair in addresses(value)]
    if not found:
        address = address_of(envelope_from) or next((own for value in root.all("return-path") if (own := address_of(value))), None)
        return Sender(address or NOBODY)
    name, address = found[0]
    if (member := _through_a_list(root, name, address)) is not None:
        return member
    replies = addresses(root.raw("reply-to"))
    # Shop and site forms write from no-reply with the person in Reply-To: the person is who asks.
    if replies and behind(address) in SPEAKS_FOR_OTHERS and behind(replies[0][1]) not in SPEAKS_FOR_OTHERS:
        name, address = replies[0][0] or name, replies[0][1]
    return Sender(address, name)


def _through_a_list(root: Part, name: str, address: str) -> Sender | None:
    """The member in whose name a list writes: as the list keeps them beside From, or as Reply-To names them; else by name alone."""
    through = _THROUGH.match(name)
    if through is None or not is_list(root, address):
        return None
    said = through[1].strip(" '\"")
    for header in ("x-original-from", "x-original-sender", "reply-to"):
        for written, member in addresses(root.raw(header)):
            if member != address and (header != "reply-to" or written.casefold() == said.casefold()):
                return Sender(member, written or said)
    return Sender(address, said)


def is_list(root: Part, address: str) -> bool:
    """Whether the mail says that a list of this address passed it on."""
    named = root.get("list-id").rpartition("<")[2].rstrip("> ").lower()
    if named and named == address.replace("@", "."):
        return True
    return any(
        address == one for name in ("list-post", "x-mailing-list", "mailing-list") for one in _ADDRESSES.findall(root.get(name).lower())
    )


def others_on(root: Part, known: Collection[str], rules: Rules) -> list[list[str]]:
    """[name, address] of the people whom the letter went to besides the desk; no robots and no lists."""
    found: dict[str, str] = {}
    for name, address in (pair for header in ("to", "cc") for value in raws_of(root, header) for pair in addresses(value)):
        if address in known or without_plus(address) in known or rules.about(address) is TakeAs.ROBOT or behind(address) in NOT_TO_INVOLVE:
            continue
        found[address] = found.get(address) or name
    return [[name, address] for address, name in found.items()][:_OTHERS]


def raws_of(root: Part, name: str) -> list[bytes]:
    return [value for key, value in root.headers if key == name][:20]
