"""REST, version 1: requests and what is said on them, for programs that carry a token."""

from fastapi import APIRouter

from gateway.api.v1 import joins, messages, tickets
from gateway.api.v1.access import PROBLEMS

router = APIRouter(prefix="/api/v1", responses=PROBLEMS)
router.include_router(tickets.router)
router.include_router(messages.router)
router.include_router(joins.router)
