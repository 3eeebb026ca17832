"""One at a time; who is in a hurry waits for one of the others and not for all, and nobody waits for ever."""

import asyncio

import pytest

from desk_core.kit.turns import Turns


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def served(turns: Turns, order: list[str], name: str, *, urgent: bool = False) -> None:
    await turns.take(urgent=urgent)
    order.append(name)
    await asyncio.sleep(0)
    turns.give()


async def test_those_in_a_hurry_and_the_others_take_turns() -> None:
    turns, order = Turns(), list[str]()
    await turns.take()
    waiting = [asyncio.create_task(served(turns, order, f"work {n}")) for n in range(3)]
    await settled()
    waiting += [asyncio.create_task(served(turns, order, f"mail {n}", urgent=True)) for n in range(3)]
    await settled()
    turns.give()
    await asyncio.gather(*waiting)
    assert order == ["mail 0", "work 0", "mail 1", "work 1", "mail 2", "work 2"]
    await asyncio.wait_for(turns.take(), 1)


@pytest.mark.parametrize("granted", [False, True], ids=["while it waits", "in the moment its turn comes"])
async def test_who_is_cancelled_keeps_nobody_waiting(granted: bool) -> None:
    turns, order = Turns(), list[str]()
    await turns.take()
    gone = asyncio.create_task(served(turns, order, "gone"))
    await settled()
    after = asyncio.create_task(served(turns, order, "after"))
    await settled()
    if granted:
        turns.give()
    gone.cancel()
    if not granted:
        turns.give()
    await asyncio.wait_for(after, 1)
    assert order == ["after"]
    with pytest.raises(asyncio.CancelledError):
        await gone
    await asyncio.wait_for(turns.take(), 1)
