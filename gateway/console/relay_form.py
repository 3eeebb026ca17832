"""The form for an inbox's own relays: what was typed, what is wrong with it, and what it makes. Passwords never come back from it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from starlette.datastructures import FormData

from channels.email.imap_account import is_host, is_port
from channels.email.relay_address import Protection, Relay, guessed
from desk_core.kit.errors import Invalid
from desk_core.kit.i18n import gettext_noop as _
from gateway.console import typed_secrets
from gateway.secret_box import SecretBox

DESK, OWN = "desk", "own"
MOST = 4
PROTECTION = {Protection.TLS.value: "TLS", Protection.STARTTLS.value: "STARTTLS", Protection.NONE.value: _("no protection")}


@dataclass(frozen=True, slots=True)
class Row:
    """One server. `kept` is a sealed password that was typed a moment ago; `has_secret` says that there is one to go on with."""

    host: str = ""
    port: str = ""
    protection: str = Protection.TLS.value
    user: str = ""
    password: str = field(default="", repr=False)
    kept: str = field(default="", repr=False)
    has_secret: bool = False

    @classmethod
    def of(cls, relay: Relay) -> "Row":
        """A row for a stored relay; without its password."""
        return cls(relay.host, str(relay.port), relay.protection.value, relay.user or "", has_secret=bool(relay.password))

    @property
    def place(self) -> tuple[str, str, str, str]:
        """Where a password goes to: it is never sent to another server or for another user than it was typed for."""
        return self.protection, self.host.strip().lower(), self.port.strip(), self.user.strip()

    @property
    def is_empty(self) -> bool:
        return not self.host.strip()


@dataclass(frozen=True, slots=True)
class Form:
    """What the page shows: by whose servers, the servers, and what is wrong by field."""

    way: str
    rows: tuple[Row, ...]
    relays: tuple[Relay, ...] = ()
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, relays: Sequence[Relay], address: str) -> "Form":
        """As stored; where nothing is, a guess from the address waits for who wants a server of their own."""
        rows = tuple(Row.of(relay) for relay in relays) or (Row.of(guessed(address)),)
        return cls(OWN if relays else DESK, _and_one_more(rows), tuple(relays))

    @classmethod
    def read(cls, form: FormData, stored: Sequence[Relay], box: SecretBox) -> "Form":
        """What was typed. A password left empty is the one that was given for this very server and user. Raises `Invalid`."""
        way = _text(form, "way", 10)
        rows = tuple(_row(form, number) for number in range(MOST) if f"host_{number}" in form)
        if way not in (DESK, OWN) or any(row.protection not in PROTECTION for row in rows):
            raise Invalid(reason=_("This is none of the choices."))
        errors: dict[str, str] = {}
        relays: list[Relay] = []
        if way == OWN:
            if not any(not row.is_empty for row in rows):
                errors["host_0"] = _("Name the server that takes the letters.")
            for number, row in enumerate(rows):
                wrong = {} if row.is_empty else _wrong(row)
                errors |= {f"{name}_{number}": words for name, words in wrong.items()}
                if not row.is_empty and not wrong:
                    relay, missing = _relay(row, stored, box)
                    relays.append(relay)
                    if missing:
                        errors[f"password_{number}"] = missing
        held = {_place(relay) for relay in stored if relay.password}
        shown = tuple(
            Row(
                row.host, row.port, row.protection, row.user, kept=typed_secrets.keep(box, row.place, row.password, row.kept),
                has_secret=bool(row.password or row.kept) or row.place in held,
            )
            for row in rows
        )  # fmt: skip
        return cls(way, _and_one_more(tuple(row for row in shown if not row.is_empty) or shown[:1]), tuple(relays), errors)

    @property
    def urls(self) -> str:
        """What is stored; a secret."""
        return ",".join(relay.url for relay in self.relays) if self.way == OWN else ""


def _text(form: FormData, name: str, longest: int) -> str:
    value = form.get(name, "")
    return value[:longest] if isinstance(value, str) else ""


def _row(form: FormData, number: int) -> Row:
    return Row(
        host=_text(form, f"host_{number}", 253), port=_text(form, f"port_{number}", 5), protection=_text(form, f"protection_{number}", 20),
        user=_text(form, f"user_{number}", 254), password=_text(form, f"password_{number}", 1000), kept=_text(form, f"kept_{number}", 4000),
    )  # fmt: skip


def _and_one_more(rows: tuple[Row, ...]) -> tuple[Row, ...]:
    """A row to fill in for the next server, while there is room."""
    return rows if len(rows) >= MOST else (*rows, Row(port="465"))


def _wrong(row: Row) -> dict[str, str]:
    errors: dict[str, str] = {}
    if not is_host(row.host.strip()):
        errors["host"] = _("Only the server's name belongs here, like smtp.example.org.")
    if not is_port(row.port.strip()):
        errors["port"] = _("A port is a number from 1 to 65535.")
    if (row.password or row.kept) and not row.user.strip():
        errors["user"] = _("Who logs in? Most services want the whole address here.")
    return errors


def _relay(row: Row, stored: Sequence[Relay], box: SecretBox) -> tuple[Relay, str]:
    """The relay of a row, and what is to be said where its password is missing."""
    protection, user = Protection(row.protection), row.user.strip()
    held = next((relay for relay in stored if _place(relay) == row.place), None)
    password = row.password or typed_secrets.opened(box, row.place, row.kept) or (held.password if held is not None else None) or ""
    relay = Relay(
        row.host.strip().lower(), int(row.port), tls=protection is Protection.TLS, starttls=protection is Protection.STARTTLS,
        user=user or None, password=password or None,
    )  # fmt: skip
    if not user or password or (held is not None and not held.password):
        return relay, ""
    known = any(one.password for one in stored)
    return relay, _("Type the password again: it was given for another server or user.") if known else _("A password is needed.")


def _place(relay: Relay) -> tuple[str, str, str, str]:
    return Row.of(relay).place
