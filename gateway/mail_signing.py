"""The desk's DKIM keys: one row of desk settings for all processes, the secrets in it sealed with the desk's key."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update

from channels.email.resolver import NamesUnavailable, Resolver
from channels.email.signing import Algorithm, KeyPair, Signer, record_name, record_value, same_key, strings
from channels.email.trust import domain_of
from desk_core.catalogue.entities import DeskSetting
from desk_core.conversations.entities import Inbox
from desk_core.conversations.ports import ChannelKind
from desk_core.kit.db import ReadSession, UnitOfWork
from desk_core.kit.errors import DeskError, Invalid, NotFound
from desk_core.kit.i18n import gettext_noop as _
from gateway.secret_box import SecretBox

SETTING = "dkim"
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


class SelectorTaken(DeskError):
    code, status, text = "selector_taken", 409, _("There is a key of this name already; choose another with --selector.")


class NamesSilent(DeskError):
    """Nobody answered what the domain publishes."""

    code, status, text = "names_unavailable", 503, _("The name servers did not answer. Check the network of this machine and try again.")


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key of a domain. `published` is what the last check found."""

    selector: str
    algorithm: str
    public: str
    sealed: str
    made_at: str
    published: bool = False

    def shown(self, domain: str) -> dict[str, Any]:
        """As commands show it: no secret in it."""
        value = record_value(self.algorithm, self.public)
        return {
            "domain": domain, "selector": self.selector, "algorithm": self.algorithm, "published": self.published,
            "name": record_name(self.selector, domain), "value": value, "strings": strings(value),
        }  # fmt: skip


def mail_domain(text: str) -> str:
    """A domain as names are asked for; raises `Invalid`."""
    domain = domain_of(text)
    labels = domain.split(".")
    if "@" in text or len(domain) > 200 or len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels):
        raise Invalid(reason=_("a domain looks like example.org"))
    return domain


async def keys_of(session: ReadSession | UnitOfWork, domain: str) -> tuple[SigningKey, ...]:
    """The keys of a domain, oldest first."""
    kept: dict[str, Any] | None = await session.scalar(select(DeskSetting.value).where(DeskSetting.key == SETTING))
    return tuple(SigningKey(**one) for one in (kept or {}).get(domain, ()))


def in_use(keys: Sequence[SigningKey]) -> SigningKey | None:
    """The key that signs: the newest whose record was found, so that a new one waits until it is published; before that the first."""
    return next((key for key in reversed(keys) if key.published), keys[0] if keys else None)


def signer(keys: Sequence[SigningKey], domain: str, *, box: SecretBox) -> Signer | None:
    """What signs mail of a domain; None where it has no key. Raises `SecretLost`."""
    key = in_use(keys)
    if key is None:
        return None
    return Signer(domain, key.selector, Algorithm(key.algorithm), box.open(key.sealed)["key"])


async def add_key(uow: UnitOfWork, domain: str, pair: KeyPair, *, selector: str, box: SecretBox, now: datetime) -> SigningKey:
    """Keep one more key of a domain. An empty selector is made from the month. Raises `Invalid` and `SelectorTaken`."""
    keys = await keys_of(uow, domain)
    taken = {key.selector for key in keys}
    if not selector:
        month = f"priyom{now:%Y%m}"
        selector = next(name for name in (month, *(f"{month}-{n}" for n in range(2, 1000))) if name not in taken)
    if not all(_LABEL.fullmatch(label) for label in selector.split(".")):
        raise Invalid(reason=_("a selector has letters, digits and -"))
    if selector in taken:
        raise SelectorTaken(selector=selector)
    made = SigningKey(selector, pair.algorithm.value, pair.public, box.seal({"key": pair.secret}), now.isoformat())
    await _keep(uow, domain, (*keys, made), now=now)
    return made


async def note_published(uow: UnitOfWork, domain: str, found: Mapping[str, bool], *, now: datetime) -> tuple[SigningKey, ...]:
    """Remember which records are there: selector -> found and equal. Answers the keys as they are now."""
    before = await keys_of(uow, domain)
    keys = tuple(replace(key, published=found.get(key.selector, key.published)) for key in before)
    if keys != before:
        await _keep(uow, domain, keys, now=now)
    return keys


async def remove_key(uow: UnitOfWork, domain: str, selector: str, *, now: datetime) -> None:
    """Forget a key; raises `NotFound`."""
    keys = await keys_of(uow, domain)
    kept = tuple(key for key in keys if key.selector != selector)
    if len(kept) == len(keys):
        raise NotFound(dkim=record_name(selector, domain))
    await _keep(uow, domain, kept, now=now)


def look_up(keys: Sequence[SigningKey], domain: str, resolver: Resolver) -> dict[str, str]:
    """Selector -> what its record is: published, different, missing. Blocking; raises `NamesSilent`."""
    states: dict[str, str] = {}
    for key in keys:
        try:
            records = resolver.texts(record_name(key.selector, domain))
        except NamesUnavailable as error:
            raise NamesSilent(domain=domain) from error
        same = any(same_key(record, algorithm=key.algorithm, public=key.public) for record in records)
        states[key.selector] = "published" if same else "different" if records else "missing"
    return states


async def _keep(uow: UnitOfWork, domain: str, keys: Sequence[SigningKey], *, now: datetime) -> None:
    row = await uow.session.get(DeskSetting, SETTING, with_for_update=True)
    if row is None:
        row = DeskSetting(key=SETTING, value={}, updated_at=now)
        uow.add(row)
    row.value, row.updated_at = {**row.value, domain: [asdict(key) for key in keys]}, now
    await uow.flush()
    # Adapters are built anew when their inbox changes.
    mine = func.lower(Inbox.address).endswith(f"@{domain}", autoescape=True)
    await uow.execute(update(Inbox).where(Inbox.channel == ChannelKind.EMAIL.value, mine).values(version=Inbox.version + 1))
