"""Verbs about operators' groups: codes, linking a group and an account, ending either."""

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update

from desk_core.catalogue.desk import REVISION
from desk_core.catalogue.entities import DeskSetting
from desk_core.groups.entities import AgentAccount, LinkCode, OperatorGroup
from desk_core.kit.db import UnitOfWork
from desk_core.kit.errors import DeskError, NotFound
from desk_core.kit.i18n import gettext_noop as _
from desk_core.kit.ids import new_id, new_token
from desk_core.people.entities import Agent

CODE_LIFE = timedelta(minutes=15)
FOR_GROUP, FOR_AGENT, FOR_TEST = "group", "agent", "test"
TEST_LINK = "test-"
"""How a deep link begins that asks the bot for a test message."""


class WrongCode(DeskError):
    """Unknown, used or out of time: which of them is nobody's business."""

    code, status, text = "wrong_code", 403, _("This code is not valid (any more). Please make a new one in the console.")


def hashed(code: str) -> str:
    """What of a code is kept."""
    return hashlib.sha256(code.strip().encode()).hexdigest()


async def make_code(uow: UnitOfWork, *, purpose: str, subject: str, by: str, now: datetime) -> str:
    """A code for one use within a quarter of an hour; earlier ones for the same end."""
    await uow.execute(delete(LinkCode).where(LinkCode.purpose == purpose, LinkCode.subject == subject, LinkCode.used_at.is_(None)))
    code = new_token(12)
    uow.add(
        LinkCode(
            code_hash=hashed(code), purpose=purpose, subject=subject, made_by=by, expires_at=now + CODE_LIFE, used_at=None, used_by=None,
            answered_at=None,
        )
    )  # fmt: skip
    return code


async def take_code(uow: UnitOfWork, code: str, *, purpose: str, now: datetime) -> LinkCode:
    """Use a code up; raises `WrongCode`. Of two who use it at once, one does."""
    taken = await uow.execute(
        update(LinkCode)
        .where(LinkCode.code_hash == hashed(code), LinkCode.purpose == purpose, LinkCode.used_at.is_(None), LinkCode.expires_at > now)
        .values(used_at=now)
        .execution_options(synchronize_session=False)
    )
    if taken.rowcount != 1:
        raise WrongCode
    found: LinkCode = await uow.session.get_one(LinkCode, hashed(code))
    return found


async def note_answered(uow: UnitOfWork, code_hash: str, *, now: datetime) -> None:
    """What was asked for by this code has been sent."""
    await uow.execute(update(LinkCode).where(LinkCode.code_hash == code_hash).values(answered_at=now))


async def link_group(uow: UnitOfWork, *, inbox_id: str, chat: str, title: str, language: str, by: str, now: datetime) -> OperatorGroup:
    """This group shows the requests from now on; again for one that was ended before."""
    group: OperatorGroup | None = await uow.scalar(
        select(OperatorGroup).where(OperatorGroup.inbox_id == inbox_id, OperatorGroup.chat == chat)
    )
    if group is None:
        group = OperatorGroup(
            id=new_id(), inbox_id=inbox_id, chat=chat, title=title, language=language, teams=[], alerts={}, trouble=None, linked_by=by,
            linked_at=now, ended_at=None,
        )  # fmt: skip
        uow.add(group)
    group.title, group.linked_by, group.linked_at, group.ended_at, group.trouble = title, by, now, None, None
    await _tell(uow, now=now)
    return group


async def end_group(uow: UnitOfWork, group_id: str, *, now: datetime) -> OperatorGroup:
    """The group shows nothing any more; its topics stay as they are."""
    group: OperatorGroup | None = await uow.session.get(OperatorGroup, group_id)
    if group is None or group.ended_at is not None:
        raise NotFound(group=group_id)
    group.ended_at = now
    await _tell(uow, now=now)
    return group


async def note_trouble(uow: UnitOfWork, group_id: str, words: str | None) -> None:
    """Why the group cannot be reached; None once it can."""
    await uow.execute(
        update(OperatorGroup)
        .where(OperatorGroup.id == group_id)
        .values(trouble=words[:500] if words else None)
        .execution_options(synchronize_session=False)
    )


async def link_agent(uow: UnitOfWork, agent_id: str, *, channel: str, address: str, display: str, now: datetime) -> Agent:
    """This account is this operator's; it was nobody's or somebody's before."""
    agent: Agent | None = await uow.session.get(Agent, agent_id)
    if agent is None or agent.disabled_at is not None:
        raise NotFound(agent=agent_id)
    await uow.execute(delete(AgentAccount).where(AgentAccount.channel == channel, AgentAccount.address == address))
    uow.add(AgentAccount(channel=channel, address=address, agent_id=agent.id, display=display[:200], linked_at=now))
    return agent


async def unlink_agent(uow: UnitOfWork, agent_id: str, *, channel: str) -> int:
    """The operator's accounts on this channel are nobody's; answers how many there were."""
    gone = await uow.execute(delete(AgentAccount).where(AgentAccount.channel == channel, AgentAccount.agent_id == agent_id))
    return int(gone.rowcount)


async def _tell(uow: UnitOfWork, *, now: datetime) -> None:
    """The groups are part of the configuration that every process holds."""
    await uow.execute(update(DeskSetting).where(DeskSetting.key == REVISION).values(updated_at=now))


async def change_group(
    uow: UnitOfWork, group_id: str, *, now: datetime, teams: list[str] | None = None, alerts: dict[str, object] | None = None
) -> None:
    """Whose requests it shows, and what it wants to be called for."""
    group: OperatorGroup = await uow.session.get_one(OperatorGroup, group_id)
    if teams is not None:
        group.teams = teams
    if alerts is not None:
        group.alerts = alerts
    await _tell(uow, now=now)
