"""Every mapped class in one import: for migrations and for tests that compare models with the store."""

from desk_core.catalogue import entities as catalogue
from desk_core.conversations import entities as conversations
from desk_core.groups import entities as groups
from desk_core.knowledge import entities as knowledge
from desk_core.lanes import entities as lanes
from desk_core.learning import entities as learning
from desk_core.people import entities as people
from desk_core.routing import entities as routing
from desk_core.sla import entities as sla
from desk_core.tickets import entities as tickets

__all__ = ["catalogue", "conversations", "groups", "knowledge", "lanes", "learning", "people", "routing", "sla", "tickets"]
