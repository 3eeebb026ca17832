"""Mail of lists (RFC 2369, RFC 2919) and mass mail."""

from channels.email.filters.letter import Letter, held
from channels.email.people import is_list
from channels.email.verdicts import Verdict

_HEADERS = ("list-id", "list-post", "list-unsubscribe", "x-mailing-list", "mailing-list", "x-mailman-version")


def from_a_list(letter: Letter) -> Verdict | None:
    if _is_our_own(letter):
        return None
    root = letter.root
    for name in _HEADERS:
        if root.raw(name) is not None:
            return held("list", header=name.title(), value=root.get(name)[:120])
    precedence = root.get("precedence").strip().lower()
    return held("list", header="Precedence", value=precedence) if precedence in {"bulk", "list"} else None


def _is_our_own(letter: Letter) -> bool:
    """Many desks put a group in front of the inbox (support@ as a Google group): such mail is from people, not from a list."""
    return any(is_list(letter.root, address) for address in letter.own)
