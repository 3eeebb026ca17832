"""Trouble with a mailbox in words: what it means, what to do, and what the far side said. Pure; the check gives the same advice."""

import ssl

from channels.email.checkup import ADVICE, log_in_advice
from channels.email.imap_account import Account, provider_at
from channels.email.imap_mailbox import CommandRefused, MailboxFailed, hidden
from channels.email.imap_oauth import TokenRefused
from desk_core.kit.i18n import Phrase
from desk_core.kit.i18n import gettext_noop as _

AWAY = _("The mail server cannot be reached.")
SILENT = _("The mail server does not answer.")
CLOSED = _("The mail server does not let the desk in.")
UNPROTECTED = _("No protected connection to the mail server comes about.")
CHECK = _("Run the check of this inbox: it says what is wrong with the certificate.")


def trouble(error: MailboxFailed, account: Account, *, logged_in: bool, seconds: float) -> str:
    """For `translate`. A server that hung up or refused something later is told in its own words alone."""
    words, cause = str(error.fields.get("reason", "")), error.__cause__
    place = {"host": account.host, "port": account.port}
    match error, cause:
        case TokenRefused(), _:
            return _told(CLOSED, Phrase(ADVICE["oauth"]), words)
        case CommandRefused(), _ if not logged_in:
            provider = provider_at(account.host)
            advice = Phrase(ADVICE[log_in_advice(account)], url=provider.passwords if provider is not None else "")
            return _told(CLOSED, advice, hidden(words, account.password))
        case _, TimeoutError():
            return _told(SILENT, Phrase(ADVICE["slow"], seconds=round(seconds)), "")
        case _, ssl.SSLCertVerificationError():
            return _told(UNPROTECTED, Phrase(CHECK), cause.verify_message)
        case _, ssl.SSLError():
            return _told(UNPROTECTED, Phrase(ADVICE["tls"]), words)
        case _, OSError() if not logged_in:
            return _told(AWAY, Phrase(ADVICE["unreachable"], **place), cause.strerror or words)
    return words


def _told(meaning: str, advice: Phrase, words: str) -> Phrase:
    if not words:
        return Phrase("%(meaning)s %(advice)s", meaning=Phrase(meaning), advice=advice)
    return Phrase("%(meaning)s %(advice)s (%(words)s)", meaning=Phrase(meaning), advice=advice, words=words)
