"""Secrets that are good once and kept nowhere: computed by the desk's key from the id of what they belong to, when they are needed."""

import hashlib
import hmac

DIGITS = 6


class OneTime:
    """Makes them; any process with the desk's key makes the same."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def code(self, code_id: str) -> str:
        """The six digits of a code for an address."""
        return f"{int.from_bytes(self._made('address', code_id)) % 10**DIGITS:0{DIGITS}d}"

    def is_code(self, code_id: str, digits: str) -> bool:
        """Whether these are its digits; takes as long for a wrong code as for the right one."""
        return hmac.compare_digest(self.code(code_id).encode(), digits.encode())

    def invitation(self, message_id: str) -> str:
        """What makes the link of an invitation that is told in this message; letters that no formatting of a chat changes."""
        return self._made("invitation", message_id).hex()[:32]

    def _made(self, what: str, ident: str) -> bytes:
        return hmac.new(self._key, f"one-time:{what}:{ident}".encode(), hashlib.sha256).digest()
