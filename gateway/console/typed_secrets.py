"""Passwords that were typed a moment ago, kept sealed in the page for its next request, so that nobody has to type one twice.

Each is bound to its place: to the server and the user it was typed for.
"""

from collections.abc import Sequence

from desk_core.kit.errors import DeskError
from gateway.secret_box import SecretBox


def keep(box: SecretBox, place: Sequence[str], password: str, kept: str = "") -> str:
    """What goes into the page; `kept` is what came from it, where nothing was typed anew."""
    if not password:
        return kept
    return box.seal({"place": "\n".join(place), "password": password})


def opened(box: SecretBox, place: Sequence[str], kept: str) -> str:
    """The password; empty for another place, and where it is none of ours."""
    if not kept:
        return ""
    try:
        found = box.open(kept)
    except DeskError:
        return ""  # it is asked for again
    return found.get("password", "") if found.get("place") == "\n".join(place) else ""
