"""The operator console: inbox, requests, conversations, dead items, settings. Every page works by plain forms; htmx makes it quick."""

from pathlib import Path

from gateway.console import (
    acts,
    articles,
    bots,
    dead,
    files,
    gaps,
    groups,
    held,
    inbox,
    letters,
    live,
    mail_rules,
    mailboxes,
    mails,
    misfiled,
    model,
    outgoing,
    settings,
    ticket,
)

TEMPLATES = Path(__file__).resolve().parent / "templates"

routers = (
    inbox.router, ticket.router, acts.router, misfiled.router, dead.router, articles.router, gaps.router, settings.router, groups.router,
    mail_rules.router, mailboxes.router, bots.router, held.router, letters.router, outgoing.router, model.router, live.router,
    files.router, mails.router,
)  # fmt: skip
