"""Structured logs to stderr, as text on a terminal and JSON elsewhere. No message text and no secrets ever go in."""

import logging
import sys

import structlog

SECRET_KEYS = frozenset({"token", "password", "secret", "authorization", "cookie", "text", "body", "subject"})


def _mask(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """A last net: values under these names never reach a log, whoever passed them."""
    for key in SECRET_KEYS & event.keys():
        event[key] = "***"
    return event


def _to_stderr(*_names: object) -> structlog.WriteLogger:
    """Asks for stderr at each use, since a test or a supervisor may have put another in its place."""
    return structlog.WriteLogger(sys.stderr)


def configure(*, level: str, style: str) -> None:
    """Set up structlog and route the libraries' own logging through it."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _mask,
    ]
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
        if style == "text"
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=_to_stderr,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setLevel(logging.WARNING)  # some libraries set their own loggers to debug
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name])
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
