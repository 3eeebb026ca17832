"""Addresses of files that are too large for a letter: signed, for whoever holds them, and valid for two weeks."""

from datetime import UTC, datetime, timedelta

from itsdangerous import BadData, URLSafeSerializer

from desk_core.kit.errors import DeskError
from desk_core.kit.i18n import gettext_noop as _

LIFE = timedelta(days=14)


class LinkUnknown(DeskError):
    """Not an address that we gave out."""

    code, status, text = "link_unknown", 404, _("This link to a file is not valid.")


class LinkExpired(DeskError):
    """Its two weeks are over."""

    code, status, text = "link_expired", 410, _("This link to a file has expired. Reply to the letter to ask for the file again.")


class FileLinks:
    """Makes and reads these addresses; any process with the desk's key can."""

    def __init__(self, key: bytes, *, public_url: str = "") -> None:
        self._signer, self._public_url = URLSafeSerializer(key, salt="priyom.mail.file"), public_url

    def until(self, sent_at: datetime, now: datetime) -> datetime:
        """When the links of a letter end: the same for every try, and later for one that is sent again long after it was written."""
        return (sent_at if now - sent_at < LIFE / 2 else now) + LIFE

    def url(self, attachment_id: str, *, until: datetime) -> str:
        signed = str(self._signer.dumps([attachment_id, int(until.timestamp())]))
        return f"{self._public_url}/files/{signed}"

    def read(self, token: str, *, now: datetime) -> str:
        """The attachment behind an address; raises `LinkUnknown` and `LinkExpired`."""
        try:
            attachment_id, until = self._signer.loads(token)
            ends = datetime.fromtimestamp(int(until), UTC)
        except (BadData, TypeError, ValueError) as error:
            raise LinkUnknown from error
        if ends <= now:
            raise LinkExpired
        return str(attachment_id)
