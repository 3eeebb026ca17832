"""What every verb of the desk is given: the configuration, the time, and somewhere to leave hints."""

from dataclasses import dataclass
from datetime import datetime

from desk_core.catalogue.desk import DeskConfig
from desk_core.kit.db import UnitOfWork
from desk_core.lanes.signal import WORK, Signal
from desk_core.people.entities import Agent, Contact


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: an agent, the bot, the requester or the system itself."""

    kind: str  # agent | bot | contact | system
    id: str | None
    name: str

    @classmethod
    def of(cls, agent: Agent) -> "Actor":
        return cls("agent", agent.id, agent.name)

    @classmethod
    def requester(cls, contact: Contact) -> "Actor":
        return cls("contact", contact.id, contact.name)


BOT = Actor("bot", None, "bot")
SYSTEM = Actor("system", None, "system")


@dataclass(frozen=True, slots=True)
class Context:
    """One act of the desk. `public_url` is the base of links that people get; `request_id` follows a message through all hops."""

    config: DeskConfig
    now: datetime
    signal: Signal
    public_url: str = ""
    request_id: str = ""

    def wake(self, uow: UnitOfWork) -> None:
        """Tell the workers, once this commit is durable, that there is work."""
        uow.after_commit(lambda: self.signal.publish(WORK))

    def hint(self, uow: UnitOfWork, topic: str, ident: str) -> None:
        """Tell open pages, once this commit is durable, that something changed."""
        uow.after_commit(lambda: self.signal.publish(topic, ident))
