"""The text of a token: random, with a checksum that lets a scanner tell a real one from a look-alike."""

import secrets
import string
from zlib import crc32

from crm.scalars import Id

PREFIX = "crm_live_"
INSTALLATION = Id("00000000-0000-0000-0000-000000000000")  # the workspace of tokens that belong to none
INSTALLATION_SCOPE = "installation"  # creating workspaces and changing their settings; no workspace's data
BASE62 = string.digits + string.ascii_letters


def new_secret() -> str:
    """`crm_live_`, 32 random url-safe characters, and 6 of their checksum."""
    random = secrets.token_urlsafe(24)
    return PREFIX + random + checksum(random)


def checksum(random: str) -> str:
    """CRC-32 in base 62, six digits."""
    number, digits = crc32(random.encode()), ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        digits = BASE62[digit] + digits
    return digits
