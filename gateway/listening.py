"""Ports of this machine that the desk listens at: a free one is found, and why one cannot be had is said with what to do."""

import errno
import socket

from desk_core.kit.errors import DeskError
from desk_core.kit.i18n import gettext_noop as _

PORTS_TO_TRY = 50


class PortTaken(DeskError):
    code, status, text = (
        "port_taken",
        409,
        _(
            "This port is taken by another program. End that program, or choose another port: PRIYOM_HTTP__PORT for the pages, "
            "PRIYOM_SMTP__PORT and PRIYOM_SMTP__LMTP_PORT for mail."
        ),
    )


class CannotListen(DeskError):
    """The machine does not let the desk listen there, whoever else does."""

    code, status, text = (
        "cannot_listen",
        500,
        _(
            "The desk cannot listen here: %(reason)s. Check the address (PRIYOM_HTTP__HOST, PRIYOM_SMTP__HOST); "
            "a port below 1024 needs the right to it."
        ),
    )


def refusal(error: OSError, host: str, port: int) -> DeskError:
    """What to say where a port could not be listened at."""
    if error.errno == errno.EADDRINUSE:
        return PortTaken(host=host, port=port)
    return CannotListen(host=host, port=port, reason=error.strerror or str(error))


def free_port(host: str, port: int, *, given: bool) -> int:
    """`port` itself, or for the default the next free one; a given port that is taken is refused. Raises `PortTaken`, `CannotListen`."""
    candidates = [port] if given else range(port, port + PORTS_TO_TRY)
    for candidate in candidates:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, candidate))
            except OSError as error:
                if error.errno != errno.EADDRINUSE or candidate == candidates[-1]:
                    raise refusal(error, host, port) from error
            else:
                return candidate
    raise PortTaken(host=host, port=port)
