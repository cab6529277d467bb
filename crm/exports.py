"""Exports that are asked for by the API: what is wanted, what became of it, and the link by which the file is fetched.

The link is the permission: workspace, export and its last moment, encrypted with the keys of the installation.
"""

import base64
from enum import StrEnum

import msgspec
from msgspec import Struct

from crm.scalars import Id, Micros
from crm.secret_keys import SecretKeyLost, SecretKeys

KEPT = 24 * 3_600_000_000  # microseconds that a file is kept
ABOUT = "export link"
PATH = "/exports/"  # of the API, before the link


class Format(StrEnum):
    """What is written."""

    CSV = "csv"
    XLSX = "xlsx"
    PARQUET = "parquet"


class Phase(StrEnum):
    """Where an export is."""

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"


class Request(Struct, frozen=True):
    """Written by the API alone. `where`: a condition in SQL, which only a login of the workspace reads."""

    id: Id
    workspace: Id
    what: str  # a view
    where: str
    format: Format
    asked_at: Micros

    @property
    def name(self) -> str:
        return f"{self.what}.{self.format}"


class Status(Struct, frozen=True):
    """Written by the role alone."""

    phase: Phase = Phase.WAITING
    rows: int = 0
    message: str = ""


class Link(Struct, frozen=True):
    """What a link permits."""

    workspace: Id
    id: Id
    until: Micros


class BadLink(Exception):
    """A link is over, or not of this installation. The sentence is for people."""


def link_text(link: Link, keys: SecretKeys) -> str:
    """Returns a link as text for a URL. Raises NoSecretKey."""
    return base64.urlsafe_b64encode(keys.encrypt(msgspec.json.encode(link), ABOUT)).decode().rstrip("=")


def link_in(text: str, keys: SecretKeys, at: Micros) -> Link:
    """Raises BadLink."""
    try:
        encrypted = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        link = msgspec.json.decode(keys.decrypt(encrypted, ABOUT), type=Link)
    except (SecretKeyLost, ValueError):  # of base64, of UTF-8 and of JSON
        raise BadLink("This link is not of this installation, or it was changed on its way.") from None
    if at > link.until:
        raise BadLink("This link is over. Ask for the export once more: `fileExport` gives a new one while it is kept.")
    return link
