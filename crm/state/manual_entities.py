"""State of what only people create: custom fields, notes, tasks, commands, connections, owners, tokens."""

from crm.scalars import Id, Micros
from crm.state.entity import Entity


class Definition(Entity, frozen=True, gc=False, omit_defaults=True):
    """A custom field. It is part of Fields."""

    field_id: Id
    label: str
    type: str
    options: tuple[str, ...] = ()
    required: bool = False
    retired: bool = False
    version: int = 0  # how many events its row is a fold of, as everywhere here


class Fields(Entity, frozen=True, gc=False, omit_defaults=True):
    """The custom fields of deals, or of contacts, by their keys. Key: deal or contact."""

    known: dict[str, Definition] = {}  # noqa: RUF012  # msgspec gives each its own


class Note(Entity, frozen=True, gc=False, omit_defaults=True):
    """A note. Key: its id. Its stream is that of `contact_id`."""

    contact_id: Id
    deal_id: Id | None = None
    removed: bool = False
    version: int = 0


class Task(Entity, frozen=True, gc=False, omit_defaults=True):
    """A task. Key: its id. Its stream is that of `contact_id`."""

    contact_id: Id
    title: str
    deal_id: Id | None = None
    due_at: Micros | None = None
    owner: str = ""
    status: str = ""  # done or removed; empty while it is to be done
    version: int = 0


class Command(Entity, frozen=True, gc=False, omit_defaults=True):
    """A command that was accepted: what its repetition is answered with. Key: the id that its key stands for."""

    digest: str
    row: str
    subject: Id
    stream: Id  # of that row


class ConnectionKept(Entity, frozen=True, gc=False, omit_defaults=True):
    """A connection that was added, rotated or removed by a command. Key: its id. Its secret is not known here."""

    removed: bool = False
    version: int = 0


class Owner(Entity, frozen=True, gc=False, omit_defaults=True):
    """A salesperson that the workspace declared. Key: `owner_id` of the workspace and the owner's key."""

    key: str
    name: str
    email: str = ""
    phone: str = ""
    extension: str = ""
    active: bool = True
    version: int = 0


class TokenKept(Entity, frozen=True, gc=False, omit_defaults=True):
    """A token that was made or revoked by a command. Key: its id."""

    revoked: bool = False
    version: int = 0


class WebhookKept(Entity, frozen=True, gc=False, omit_defaults=True):
    """A webhook. Key: its id."""

    name: str = ""
    url: str = ""
    types: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    thin: bool = False
    enabled: bool = True
    removed: bool = False
    version: int = 0
