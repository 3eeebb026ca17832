"""Whether somebody stands behind an address, and what that decides: one table, and what each use needs of it. Pure."""

import re
from enum import Enum, auto


class Behind(Enum):
    """Who an address belongs to, as far as it says."""

    SOMEBODY = auto()
    NOBODY = auto()  # it stands for a sender that is not known
    MAIL_SERVER = auto()
    POSTMASTER = auto()  # a mail server, or whoever keeps it (RFC 2142): reports come from there, and people write and read
    NO_REPLY = auto()  # says itself that nobody reads it
    NOTICES = auto()
    LIST = auto()


REPORTS = frozenset({Behind.MAIL_SERVER, Behind.POSTMASTER})
"""What delivery reports come from."""
SPEAKS_FOR_OTHERS = frozenset({Behind.NO_REPLY})
"""Whose Reply-To is the person: sites send what is filled in there from such an address."""
UNREAD = frozenset({Behind.NOBODY, Behind.MAIL_SERVER, Behind.NO_REPLY, Behind.NOTICES})
"""Nobody reads what is sent there, and what comes from there nobody wrote."""
NOT_TO_INVOLVE = UNREAD | {Behind.POSTMASTER, Behind.LIST}
"""Not to be drawn into a talk for standing in To or Cc."""

_NAMES = (
    (Behind.NOBODY, re.compile(r"@invalid$")),
    (
        Behind.MAIL_SERVER,
        re.compile(r"^(?:[\w.-]{0,30}daemon|bounce[sd]?|mail[._-]?delivery(?:[._-]?(?:system|subsystem))?)(?:[+.=-].*)?@", re.IGNORECASE),
    ),
    (Behind.POSTMASTER, re.compile(r"^post[._-]?master(?:[+.=-].*)?@", re.IGNORECASE)),
    (
        Behind.NO_REPLY,
        re.compile(r"^(?:no[._-]?reply|do[._-]?not[._-]?reply|not[._-]?reply|ne[._-]?otvechat|не-?отвечать)(?:[+._-].*)?@", re.IGNORECASE),
    ),
    (Behind.NOTICES, re.compile(r"^(?:notifications?|auto-?reply)(?:[+._-].*)?@", re.IGNORECASE)),
    (
        Behind.LIST,
        re.compile(
            r"^(?:.+[-_.](?:list|lists|request|bounces?|owner|unsubscribe|subscribe|admin)|lists?|all|everyone|everybody|staff|"
            r"undisclosed-recipients|vse|rassylka)@|@(?:[\w-]+\.)*(?:lists?|googlegroups|groups)\.[\w.-]+$",
            re.IGNORECASE,
        ),
    ),
)


def behind(address: str) -> Behind:
    return next((who for who, named in _NAMES if named.search(address)), Behind.SOMEBODY)
