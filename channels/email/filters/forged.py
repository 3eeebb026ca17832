"""Mail in a forged name: what `channels.email.trust` found out of its sender decides, after everything that the mail says itself."""

from dataclasses import replace
from typing import TYPE_CHECKING

from channels.email.filters.letter import held
from channels.email.threading import read_token
from channels.email.trust import Standing, Trust
from desk_core.conversations.ports import FORGED_SENDER

if TYPE_CHECKING:
    from channels.email.mapping import ParsedMail


def distrusted(parsed: "ParsedMail", trust: Trust, *, secret: bytes) -> "ParsedMail":
    """The mail with what is known of its sender on its card. A forged one is held, whatever else it is, and is no delivery report.

    A report that returns the signed id of a mail of ours stays one: mail servers write reports, often unsigned, and strangers have no id.
    """
    parsed = replace(parsed, card={**parsed.card, "trust": trust.to_json()})
    returned = parsed.bounce.message_id if parsed.bounce is not None else None
    if trust.verdict is not Standing.FORGED or (returned and read_token(returned, secret)):
        return parsed
    made_up = {key: value for key, value in parsed.verdict.params.items() if key == "made_up"}
    return replace(parsed, verdict=held(FORGED_SENDER, **made_up), bounce=None)
