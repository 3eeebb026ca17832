"""Verbs about people."""

from datetime import datetime

from sqlalchemy import bindparam, select, update

from desk_core.kit.db import UnitOfWork
from desk_core.kit.errors import Invalid, NotFound
from desk_core.kit.i18n import Phrase
from desk_core.kit.i18n import gettext_noop as _
from desk_core.kit.ids import new_id
from desk_core.kit.prepared import Prepared
from desk_core.people import repository
from desk_core.people.entities import Agent, AuditEntry, Contact, ContactIdentity, Team, TeamMember
from desk_core.people.permissions import Role


async def identify(
    uow: UnitOfWork, *, channel: str, address: str, name: str, language: str | None, verified: bool, now: datetime
) -> Contact:
    """The contact behind an address; made on first sight. A better name replaces a mere address."""
    found = await repository.contact_by_identity(uow, channel=channel, address=address)
    if found is None:
        found = Contact(
            id=new_id(), name=name or address, language=language, time_zone=None, organisation_id=None, facts={}, created_at=now
        )
        identity = ContactIdentity(
            id=new_id(), contact_id=found.id, channel=channel, address=address, display=name or None,
            verified_at=now if verified else None, failed_at=None, failed_reason=None,
        )  # fmt: skip
        uow.add(found, identity)
        await uow.flush()
    elif name and found.name == address:
        found.name = name
    if language and not found.language:
        found.language = language
    return found


async def mark_address(uow: UnitOfWork, *, channel: str, address: str, reason: str, now: datetime) -> None:
    """Note that an address permanently refuses mail or messages."""
    await uow.execute(
        update(ContactIdentity)
        .where(ContactIdentity.channel == channel, ContactIdentity.address == address)
        .values(failed_at=now, failed_reason=reason)
    )


_WORKS_AGAIN = Prepared(
    update(ContactIdentity)
    .where(
        ContactIdentity.channel == bindparam("of_channel"), ContactIdentity.address == bindparam("of_address"),
        ContactIdentity.failed_at.is_not(None),
    )
    .values(failed_at=None, failed_reason=None)
)  # fmt: skip


async def works_again(uow: UnitOfWork, *, channel: str, address: str) -> None:
    """Somebody wrote from an address: what was said of it no longer holds."""
    await _WORKS_AGAIN.run(uow.session, {"of_channel": channel, "of_address": address})


async def add_agent(
    uow: UnitOfWork,
    *,
    email: str,
    name: str,
    password_hash: str,
    role: Role,
    language: str,
    time_zone: str,
    team_keys: list[str],
    now: datetime,
) -> Agent:
    """A new operator; raises `Invalid` when the address is taken or a team is unknown."""
    email = email.strip().lower()
    if "@" not in email:
        raise Invalid(field="email", reason=_("not an e-mail address"))
    if await uow.scalar(select(Agent.id).where(Agent.email == email)):
        raise Invalid(field="email", reason=Phrase(_("%(email)s exists already"), email=email))
    agent = Agent(
        id=new_id(), email=email, name=name or email.split("@")[0], password_hash=password_hash, role=role.value, language=language,
        time_zone=time_zone, availability="online", seen_at=None, load_cap=20, skills=[], last_assigned_at=None, disabled_at=None,
        created_at=now,
    )  # fmt: skip
    uow.add(agent)
    await uow.flush()
    for key in team_keys:
        team_id = await uow.scalar(select(Team.id).where(Team.key == key))
        if team_id is None:
            raise NotFound(team=key)
        uow.add(TeamMember(team_id=team_id, agent_id=agent.id))
    return agent


def audit(
    uow: UnitOfWork,
    *,
    actor: str,
    action: str,
    subject: str,
    before: dict[str, object],
    after: dict[str, object],
    now: datetime,
    ip: str | None = None,
) -> None:
    """Note who changed what; secrets must already be masked."""
    uow.add(AuditEntry(id=new_id(), at=now, actor=actor, action=action, subject=subject, before=before, after=after, ip=ip))
