"""Secrets of inboxes at rest: sealed with the desk's key, opened only where an adapter is built."""

import base64
import hashlib
import json
from collections.abc import Mapping

from cryptography.fernet import Fernet, InvalidToken

from desk_core.kit.errors import DeskError
from desk_core.kit.i18n import gettext_noop as _


class SecretLost(DeskError):
    """The secret was sealed with another key."""

    code, status, text = "secret_lost", 500, _("The stored secret cannot be opened: PRIYOM_SECRET_KEY is not the one it was sealed with.")


class SecretBox:
    """Seals small mappings. Made from the desk's key; a key of its own, so that nothing sealed here opens anything else."""

    def __init__(self, key: bytes) -> None:
        self._fernet = Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"priyom inbox secrets\0" + key).digest()))

    def seal(self, secrets: Mapping[str, str]) -> str:
        return self._fernet.encrypt(json.dumps(dict(secrets)).encode()).decode()

    def open(self, sealed: str | None) -> dict[str, str]:
        """What was sealed; nothing for None. Raises `SecretLost`."""
        if not sealed:
            return {}
        try:
            opened: dict[str, str] = json.loads(self._fernet.decrypt(sealed.encode()))
        except InvalidToken as error:
            raise SecretLost from error
        return opened
