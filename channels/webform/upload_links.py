"""Addresses where one conversation takes files that its channel does not carry: signed, for whoever holds them, valid for a week."""

from datetime import UTC, datetime, timedelta

from itsdangerous import BadData, URLSafeSerializer

from desk_core.kit.errors import DeskError
from desk_core.kit.i18n import gettext_noop as _

LIFE = timedelta(days=7)


class UploadUnknown(DeskError):
    """Not an address that we gave out."""

    code, status, text = "upload_unknown", 404, _("This link for uploading is not valid.")


class UploadExpired(DeskError):
    """Its week is over."""

    code, status = "upload_expired", 410
    text = _("This link for uploading has expired. Send the file in Telegram again to get a new one.")


class UploadLinks:
    """Makes and reads these addresses; any process with the desk's key can."""

    def __init__(self, key: bytes, *, public_url: str = "") -> None:
        self._signer, self._public_url = URLSafeSerializer(key, salt="priyom.upload"), public_url

    def url(self, conversation_id: str, *, now: datetime) -> str:
        signed = str(self._signer.dumps([conversation_id, int((now + LIFE).timestamp())]))
        return f"{self._public_url}/u/{signed}"

    def read(self, token: str, *, now: datetime) -> str:
        """The conversation behind an address; raises `UploadUnknown` and `UploadExpired`."""
        try:
            conversation_id, until = self._signer.loads(token)
            ends = datetime.fromtimestamp(int(until), UTC)
        except (BadData, TypeError, ValueError, OverflowError) as error:
            raise UploadUnknown from error
        if ends <= now:
            raise UploadExpired
        return str(conversation_id)
