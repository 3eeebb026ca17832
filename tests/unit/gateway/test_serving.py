"""How a desk settles once it has learned."""

import gc

from gateway.serving import learn_and_settle


async def test_what_was_learned_is_kept_from_the_collector() -> None:
    learned: list[list[int]] = []

    async def learn() -> None:
        learned.append([691])

    frozen = gc.get_freeze_count()
    try:
        await learn_and_settle(learn)
        assert gc.get_freeze_count() > frozen
        assert not any(known is learned[0] for known in gc.get_objects())
    finally:
        gc.unfreeze()
