"""Errors are classes named for the fact, with a stable code and a status; the words come from the catalogue."""

from collections.abc import Mapping
from types import MappingProxyType

from desk_core.kit.i18n import Phrase, translate
from desk_core.kit.i18n import gettext_noop as _


class DeskError(Exception):
    """Something a person asked for that the desk refuses or cannot do; `text` is shown in their language."""

    code = "error"
    status = 500
    text = _("Something went wrong. Nothing was lost; please try again.")
    problems: Mapping[str, Phrase] = MappingProxyType({})
    """Where it is of several things: what is wrong with each, by its name."""

    def __init__(self, **fields: object) -> None:
        self.fields = fields
        super().__init__(f"{self.code} {fields}" if fields else self.code)

    @property
    def phrase(self) -> Phrase:
        """Its text with the fields filled in, for a reader whose language is not known yet."""
        fields = {name: Phrase(value) if type(value) is str and value else value for name, value in self.fields.items()}
        try:
            return Phrase(self.text, **fields)
        except (KeyError, TypeError, ValueError):
            return Phrase(self.text)

    def said(self, language: str) -> str:
        """Its sentence in a language."""
        return translate(language, self.phrase)

    def with_facts(self, language: str) -> str:
        """The same for whoever looks after the desk: with what it is about, by name."""
        about = ", ".join(f"{name}: {value}" for name, value in self.fields.items() if name != "reason" and value is not None)
        return f"{self.said(language)} ({about})" if about else self.said(language)


class NotFound(DeskError):
    code, status, text = "not_found", 404, _("There is nothing here by that name or number.")


class Forbidden(DeskError):
    code, status, text = "forbidden", 403, _("Your role does not allow this.")


class Invalid(DeskError):
    code, status, text = "invalid", 422, _("This value does not fit: %(reason)s")


class StaleWrite(DeskError):
    """Somebody changed the record between reading and writing."""

    code, status, text = (
        "stale_write",
        409,
        _("Someone changed this meanwhile. Your text is safe; look at the new state and try again."),
    )


class StoreUnavailable(DeskError):
    """The database cannot take a write now (full, read-only, restarting)."""

    code, status, text = (
        "store_unavailable",
        503,
        _("The desk cannot store anything right now. Please try again in a minute."),
    )


class TablesMissing(StoreUnavailable):
    """The store was never set up, or not for this version yet: trying again helps once somebody has done that."""

    code, text = (
        "tables_missing",
        _(
            "There is no desk in this store, or it is not ready for this version. "
            "Make one: priyom init. After an update: priyom db upgrade. If it lies elsewhere, set PRIYOM_HOME."
        ),
    )


class TooMany(DeskError):
    code, status, text = "too_many", 429, _("That was a lot at once. Please wait a little and try again.")


class TooLarge(DeskError):
    code, status, text = "too_large", 413, _("This is larger than %(limit)s. Please send it in parts or as a link.")
