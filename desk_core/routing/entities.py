"""Routing rules as data."""

from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from desk_core.kit.db import Base
from desk_core.kit.types import Id


class RoutingRule(Base):
    """Conditions and what they lead to; the first rule that matches decides."""

    __tablename__ = "routing_rules"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    position: Mapped[int]
    names: Mapped[dict[str, Any]]
    conditions: Mapped[list[Any]]
    actions: Mapped[dict[str, Any]]
    enabled: Mapped[bool] = mapped_column(default=True)
