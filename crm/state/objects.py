"""State of objects of a workspace's own, and of their types."""

from crm.scalars import Id, Micros
from crm.state.entity import Entity
from crm.state.manual_entities import Definition


class ObjectField(Definition, frozen=True, gc=False, omit_defaults=True):
    """A field of an object type. It is part of ObjectType; one that is no longer defined is retired."""

    target: str = ""  # of a relation
    slot: str = ""  # of its index; it keeps it while rows may hold its values


class ObjectType(Entity, frozen=True, gc=False, omit_defaults=True):
    """A type of objects. Key: its own key."""

    object_type_id: Id
    label: str
    plural: str
    statuses: tuple[str, ...] = ()
    fields: dict[str, ObjectField] = {}  # noqa: RUF012  # msgspec gives each its own
    indexed: dict[str, str] = {}  # noqa: RUF012  # slots of the fields that are indexed now
    relations: tuple[str, ...] = ()
    retired: bool = False
    version: int = 0


class ObjectTypes(Entity, frozen=True, gc=False, omit_defaults=True):
    """The keys of all types that were ever defined. Key: ONLY."""

    keys: tuple[str, ...] = ()


class UsedFields(Entity, frozen=True, gc=False, omit_defaults=True):
    """The defined fields that an object of a type has, or had, a value of. Key: the type's."""

    keys: tuple[str, ...] = ()


class Object(Entity, frozen=True, gc=False, omit_defaults=True):
    """An object. Key: its id. Values are JSON text by name: status, title, deleted, merged_into or fields.<key>."""

    type: str
    key: str
    created_at: Micros
    given: dict[str, tuple[int, str]] = {}  # noqa: RUF012  # what its source reported last of each, and its moment
    by_hand: dict[str, str] = {}  # noqa: RUF012  # what people changed since
    doubts: dict[str, tuple[int, str]] = {}  # noqa: RUF012  # by what they are about: moment and sentence
    aliases: tuple[str, ...] = ()  # keys of the objects that were merged into it
    shown: bool = False
    version: int = 0

    def value(self, name: str) -> str:
        """Returns the JSON text of a value as it is now; null when there is none."""
        return self.by_hand[name] if name in self.by_hand else self.given.get(name, NOTHING)[1]

    @property
    def values(self) -> dict[str, str]:
        """Returns all values as they are now, as JSON text."""
        values = {name: text for name, (_, text) in self.given.items()}
        return values | self.by_hand if self.by_hand else values


NULL = "null"
NOTHING = (0, NULL)
