"""The desk and Rasa projects: the desk's tables as a preset, and a project joined into them."""

import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from desk_core.catalogue.export import export_preset
from desk_core.catalogue.install import install_understanding
from desk_core.catalogue.preset_model import Preset
from desk_core.catalogue.presets import load_preset
from desk_core.catalogue.rasa_import import Joined, join
from desk_core.catalogue.rasa_project import read_project

if TYPE_CHECKING:
    from gateway.bootstrap import Desk


async def desk_as_preset(desk: "Desk") -> Preset:
    """What the desk's tables hold, as a preset in memory."""
    with tempfile.TemporaryDirectory() as folder:
        async with desk.database.read() as session:
            await export_preset(session, Path(folder))
        return await asyncio.to_thread(load_preset, Path(folder))


async def bring_in(desk: "Desk", folder: Path, *, dry_run: bool) -> Joined:
    """Join a Rasa project into the desk, in one transaction; a dry run only tells what would come and what would not."""
    project = await asyncio.to_thread(read_project, folder)
    joined = join(await desk_as_preset(desk), project, language=(await desk.config()).language)
    if not dry_run:
        async with desk.database.unit() as uow:
            await install_understanding(uow, joined.preset, now=desk.clock.now())
        desk.forget_config()
    return joined
