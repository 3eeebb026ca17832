"""The bell of the sandbox: nobody who waits misses a ring."""

import asyncio

from channels.telegram.sandbox.wake import Wake


async def test_a_bell_that_rings_before_the_waiting_task_runs_is_heard() -> None:
    bell = Wake()
    waiting = asyncio.ensure_future(bell.wait(5))
    bell.ring()
    assert await asyncio.wait_for(waiting, 1)


async def test_nobody_rings() -> None:
    bell = Wake()
    assert not await bell.wait(0.01)
    assert not await bell.wait(0)


async def test_a_closed_bell_lets_everybody_go() -> None:
    bell = Wake()
    waiting = asyncio.ensure_future(bell.wait(5))
    bell.close()
    assert await waiting
    assert await bell.wait(5)
