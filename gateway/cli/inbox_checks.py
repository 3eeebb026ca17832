"""`priyom inbox test`: the connection of an inbox step by step."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from desk_core.kit.i18n import Phrase, translate
from desk_core.kit.i18n import gettext_noop as _
from gateway.cli.shell import language, run, show

if TYPE_CHECKING:
    from desk_core.conversations.checkups import Step
    from desk_core.conversations.entities import Inbox
    from gateway.bootstrap import Desk

Json = Annotated[bool, typer.Option("--json", help="Print one JSON value.")]


def test(
    name: Annotated[str, typer.Argument()],
    to_me: Annotated[
        bool, typer.Option("--to-me", help="Of a bot: give a link, and wait until whoever opens it got a test message from the desk.")
    ] = False,
    wait: Annotated[float, typer.Option("--wait", help="How many seconds to wait for that.")] = 300.0,
    json: Json = False,
) -> None:
    """Try the connection step by step, with the far side's own words and what to do; of mail the names and a mail to itself too."""

    async def work(desk: "Desk") -> list[dict[str, Any]]:
        from desk_core.conversations.ports import ChannelKind
        from desk_core.kit.errors import Invalid
        from gateway import inboxes

        async with desk.database.unit() as uow:
            inbox = await inboxes.by_name(uow, name)
        if inbox.channel == ChannelKind.TELEGRAM:
            from gateway.checkups import examine_bot, told

            steps = await examine_bot(desk, inbox)
            return [told(step, language()) for step in [*steps, *([await _to_me(desk, inbox, wait)] if to_me else [])]]
        if to_me:
            raise Invalid(reason=_("this is no Telegram inbox"))
        return await (_test_mail if inbox.channel == ChannelKind.EMAIL else _test_other)(desk, inbox)

    steps = run(work)
    show(steps, as_json=json, table=lambda: _tell(steps))
    if not all(one["passed"] for one in steps):
        raise typer.Exit(1)


async def _to_me(desk: "Desk", inbox: "Inbox", seconds: float) -> "Step":
    """The link is said on stderr, so that the steps alone go to the output."""
    from gateway.checkups import awaited_test, new_test

    test = await new_test(desk, inbox, by="shell")
    print(translate(language(), _("Open this within a quarter of an hour: %(link)s"), link=test.link), file=sys.stderr, flush=True)
    return await awaited_test(desk, test, seconds=seconds)


async def _test_mail(desk: "Desk", inbox: "Inbox") -> list[dict[str, Any]]:
    from gateway.checkups import checkup_of, told
    from gateway.demo import where
    from gateway.mail_inboxes import mail_account

    account = mail_account(inbox.config, desk.box.open(inbox.secrets))
    listener = where(desk.settings.home).get("smtp", "")
    examined = await checkup_of(desk, address=inbox.address, account=account, inbox=inbox, listener=listener)
    return [told(step, language()) for step in await examined.run()]


async def _test_other(desk: "Desk", inbox: "Inbox") -> list[dict[str, Any]]:
    from desk_core.kit.errors import Invalid

    channel = await desk.channel(inbox.id)
    if channel is None:
        raise Invalid(reason=Phrase(_("%(name)s is paused"), name=inbox.name))
    nothing: dict[str, Any] = {"key": None, "ms": None, "advice": None, "params": {}, "todo": ""}
    return [
        {
            "step": step,
            "passed": passed,
            "words": words,
            "state": "ok" if passed else "fail",
            "said": "ok" if passed else "FAILED",
            **nothing,
        }
        for step, passed, words in await channel.test()
    ]


def _tell(steps: list[dict[str, Any]]) -> None:
    """One line a step, and under it what to do."""
    marks, names = (max(len(one[key]) for one in steps) for key in ("said", "step"))
    for one in steps:
        took = f"{one['ms']} ms" if one["ms"] else ""
        print(f"{one['said']:<{marks}}  {one['step']:<{names}}  {took:>8}  {one['words']}".rstrip())
        if one["todo"]:
            print(f"{'':<{marks}}  {one['todo']}")
