"""`priyom`: the commands and how they end (0 done, 1 refused or failed, 2 wrong usage, 3 not found)."""

import sys

import typer

from gateway.cli import agents, api_tokens, articles, data, desk, groups, inboxes, mail, process, rasa, stories, tickets, understanding

app = typer.Typer(
    name="priyom",
    help="Priyom: omnichannel, bot-driven intake for a service desk.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for module in (desk, process):
    module.register(app)
app.add_typer(inboxes.app, name="inbox", help="Inboxes: the accounts through which people write.")
app.add_typer(groups.app, name="group", help="Groups where operators work in Telegram.")
app.add_typer(mail.app, name="email", help="Mail: bring in what lies in files.")
app.add_typer(tickets.app, name="tickets", help="Requests: list, show, act on them.")
app.add_typer(data.messages, name="messages", help="Every inbound message of every channel.")
app.add_typer(data.conversations, name="conversations", help="Conversations and who speaks in them.")
app.add_typer(data.dead, name="dead", help="Work that failed for good: list, show, replay.")
app.add_typer(agents.app, name="agent", help="Operators: add, list, passwords, disable.")
app.add_typer(api_tokens.app, name="token", help="Keys of programs to the REST interface: add, list, revoke.")
app.add_typer(articles.app, name="article", help="Articles: import from files, list, show, export.")
app.add_typer(desk.preset, name="preset", help="A whole desk in a folder: check, load, export.")
app.add_typer(stories.app, name="stories", help="Dialogues written down, and whether the bot goes that way.")
app.add_typer(rasa.app, name="rasa", help="Rasa 3.x projects: write the desk as one, bring one in.")
app.add_typer(desk.db, name="db", help="The store.")
understanding.register(app)


def main() -> None:
    """Entry point; a refusal ends in one sentence on stderr and a telling exit code."""
    from desk_core.kit.errors import DeskError

    try:
        app(standalone_mode=True)
    except DeskError as error:
        from gateway.cli.shell import refuse

        sys.exit(refuse(error))
