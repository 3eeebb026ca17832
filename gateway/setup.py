"""Making a desk: store, preset, first administrator, first inbox. Once; again it says so and changes nothing."""

from dataclasses import dataclass
from pathlib import Path

import presets
from desk_core.catalogue import desk as catalogue
from desk_core.catalogue.install import install
from desk_core.catalogue.presets import load_preset
from desk_core.conversations.ports import ChannelKind
from desk_core.kit.errors import NotFound
from desk_core.people import service as people
from desk_core.people.permissions import Role
from gateway import inboxes
from gateway.auth.passwords import hash_password
from gateway.bootstrap import Desk

PRESETS = Path(presets.__file__).parent
FORM_INBOX = "site"


@dataclass(frozen=True, slots=True)
class Made:
    """What `make_desk` did. `again` is True when there was a desk already."""

    again: bool
    trained: bool = False


def preset_folder(name: str) -> Path:
    """A shipped preset by name, or any folder by path; raises `NotFound`."""
    for folder in (PRESETS / name, Path(name)):
        if (folder / "preset.yml").is_file():
            return folder
    raise NotFound(preset=name)


def preset_names() -> list[str]:
    return sorted(path.parent.name for path in PRESETS.glob("*/preset.yml"))


async def make_desk(desk: Desk, *, preset: str, language: str, admin_email: str, admin_password: str, train: bool = True) -> Made:
    """Migrate, load the preset, add the administrator and the form inbox, train the first models."""
    folder = preset_folder(preset)
    await desk.migrate()
    async with desk.database.read() as session:
        if await catalogue.revision(session) is not None:
            return Made(again=True)
    loaded = load_preset(folder)
    now = desk.clock.now()
    async with desk.database.unit() as uow:
        await install(uow, loaded, language=language, now=now)
        await people.add_agent(
            uow, email=admin_email, name=admin_email.split("@")[0].capitalize(), password_hash=hash_password(admin_password),
            role=Role.ADMINISTRATOR, language=language, time_zone=loaded.time_zone, team_keys=[team.key for team in loaded.teams], now=now,
        )  # fmt: skip
        await inboxes.add(
            uow,
            name=FORM_INBOX,
            channel=ChannelKind.WEBFORM,
            address=f"/f/{FORM_INBOX}",
            language=language,
            config={},
            sealed=None,
            clock=desk.clock,
        )
    desk.forget_config()
    trained = await desk.understanding.ensure_trained(await desk.config()) if train else False
    return Made(again=False, trained=trained)
