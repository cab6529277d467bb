"""Generated from schemas/avro/shared by `make events`. Do not edit."""

from msgspec import Struct

from crm.scalars import Id, Micros


class ActivityHour(Struct, frozen=True, gc=False):
    """How many requests to a connection came to what, within an hour."""

    begins_at: Micros
    taken: int = 0
    quarantined: int = 0
    refused: int = 0
    failed: int = 0


class AssignmentRule(Struct, frozen=True, gc=False):
    """One line of a workspace's assignment rules; the first that fits decides."""

    name: str
    owners: tuple[str, ...]
    source: str = ""
    field: str = ""
    value: str = ""
    from_hour: int = 0
    to_hour: int = 24
    pick: str = "round_robin"


class Attachment(Struct, frozen=True, gc=False):
    """A file that came with a message or a form; its content stays with the sender's system or in the raw bytes."""

    kind: str
    name: str = ""
    media_type: str = ""
    size: int = 0
    ref: str = ""


class ContactIdentifier(Struct, frozen=True, gc=False):
    """A way to know a contact."""

    kind: str
    value: str
    text: str = ""


class Meta(Struct, frozen=True, gc=False):
    """What is known of a fact or an event besides what it says."""

    id: Id
    workspace: Id
    stream: Id
    occurred_at: Micros
    recorded_at: Micros
    source: str
    cause: Id
    cause_topic: str = ""
    cause_partition: int = -1
    cause_offset: int = -1
    actor: str = ""
    trace: str = ""


class ObjectDoubt(Struct, frozen=True, gc=False):
    """What a report says of an object and could not be taken as it was."""

    about: str
    moment: int
    why: str


class ObjectField(Struct, frozen=True, gc=False):
    """A field of an object type."""

    key: str
    label: str
    type: str
    options: tuple[str, ...] = ()
    required: bool = False
    target: str = ""
    slot: str = ""


class OrderLine(Struct, frozen=True, gc=False):
    """One line of an order: what, how much of it, for how much."""

    key: str
    sku: str = ""
    name: str = ""
    quantity: str = ""
    price_minor: int | None = None
    discount_minor: int = 0
    total_minor: int | None = None


class Payer(Struct, frozen=True, gc=False):
    """Who paid, as far as the bank tells. Empty where it does not."""

    name: str = ""
    iban: str = ""
    tax_id: str = ""
    phone: str = ""
    email: str = ""
    card: str = ""


class Phone(Struct, frozen=True, gc=False):
    """A telephone number. Two numbers are the same when their e164 is."""

    text: str
    e164: str
    extension: str = ""


class Raw(Struct, frozen=True, gc=False):
    """A delivery as it came in, byte for byte."""

    content_type: str
    headers: dict[str, str]
    query: str
    body: bytes


class Report(Struct, frozen=True, gc=False):
    """What was new in a report: what its source says of a record that it keeps under its own key."""

    record: str
    system: str
    key: str
    moment: int
    said: dict[str, str]


class Template(Struct, frozen=True, gc=False):
    """A message that the vendor approved before, and the values that are put into it."""

    name: str
    language: str
    values: dict[str, str]


class RuleTask(Struct, frozen=True, gc=False):
    """A task that a stage rule adds."""

    title: str
    owner: str = ""
    due_hours: int = 0
    due_days: int = 0


class WithdrawnReport(Struct, frozen=True, gc=False):
    """What an import said under a key of a source, and what had been said of it before."""

    system: str
    key: str
    said: dict[str, str]
    newest: int
    first: Micros
    before: dict[str, str]
    subject: Id | None = None


class RuleMessage(Struct, frozen=True, gc=False):
    """A message that a stage rule sends."""

    text: str = ""
    template: Template | None = None
    template_text: str = ""


class StageRule(Struct, frozen=True, gc=False):
    """What happens when a deal reaches a stage."""

    name: str
    version: int
    stage: str
    enabled: bool = True
    source: str = ""
    owner: str = ""
    amount_at_least_minor: int | None = None
    currency: str = ""
    task: RuleTask | None = None
    message: RuleMessage | None = None
    webhook_id: Id | None = None
