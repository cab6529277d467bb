"""Generated from schemas/avro/facts by `make events`. Do not edit."""

# ruff: noqa: RUF012 - msgspec gives each instance its own empty dict

from crm.envelope import Fact
from crm.scalars import Id, Micros
from crm.shared import ActivityHour, Attachment, OrderLine, Payer, Phone, Raw, WithdrawnReport


class CallReported(Fact, frozen=True, gc=False):
    """A telephone system told how far a call is."""

    raw: Raw
    call: str
    phase: str
    direction: str
    phone: Phone
    line: str = ""
    employee: str = ""
    started_at: Micros | None = None
    wait_s: int | None = None
    talk_s: int | None = None
    disposition: str = ""
    recording: str = ""
    utm: dict[str, str] = {}
    note: str = ""
    leg: str = ""
    internal: bool = False


class ConnectionActive(Fact, frozen=True, gc=False):
    """What came to the URL of a connection lately, as one replica of intake counted. The newest for its key counts."""

    connection: Id
    instance: str
    taken_at: Micros | None = None
    quarantined_at: Micros | None = None
    refused_at: Micros | None = None
    failed_at: Micros | None = None
    refusal: str = ""
    hours: tuple[ActivityHour, ...] = ()


class ConnectionDeclared(Fact, frozen=True, gc=False):
    """One activated integration of a workspace. The newest for its id counts."""

    connection: Id
    connector: str
    name: str
    secret: str
    settings: dict[str, str] = {}
    enabled: bool = True
    sealed_secret: bytes = b""
    sealed_settings: bytes = b""


class ConnectionPolled(Fact, frozen=True, gc=False):
    """How far a connection's vendor has been asked, and how that went. The newest for its connection counts."""

    connection: Id
    connector: str
    cursor: str = ""
    began_at: Micros | None = None
    answered_at: Micros | None = None
    complete_at: Micros | None = None
    found_at: Micros | None = None
    next_at: Micros | None = None
    failed_at: Micros | None = None
    failures: int = 0
    problem: str = ""
    advice: str = ""
    notice: str = ""
    sealed_key: bytes = b""


class ContactReported(Fact, frozen=True, gc=False):
    """A system told of a person or firm that it keeps under a key of its own. What is not given stays as it is."""

    raw: Raw
    key: str
    system: str = "api"
    name: str | None = None
    phones: tuple[Phone, ...] = ()
    emails: tuple[str, ...] = ()
    fields: dict[str, str] = {}
    changed_at: Micros | None = None
    version: int | None = None
    deleted: bool | None = None
    merged_into: str | None = None
    doubts: tuple[str, ...] = ()
    existing: str = ""


class DealReported(Fact, frozen=True, gc=False):
    """A system told how a deal stands that it keeps under a key of its own. What is not given stays as it is."""

    raw: Raw
    key: str
    system: str = "api"
    contact_key: str | None = None
    name: str = ""
    phones: tuple[Phone, ...] = ()
    emails: tuple[str, ...] = ()
    title: str | None = None
    stage: str | None = None
    amount_minor: int | None = None
    currency: str | None = None
    owner: str | None = None
    reference: str | None = None
    fields: dict[str, str] = {}
    changed_at: Micros | None = None
    version: int | None = None
    deleted: bool | None = None
    merged_into: str | None = None
    doubts: tuple[str, ...] = ()
    existing: str = ""


class DeliveryDiscarded(Fact, frozen=True, gc=False):
    """Somebody settled that a quarantined delivery is not needed. Its raw bytes stay in Kafka."""

    quarantine_id: Id
    reason: str


class DeliveryKept(Fact, frozen=True, gc=False):
    """An authentic delivery that means nothing here yet: taken, counted and kept raw."""

    raw: Raw
    connector: str
    kind: str


class DeliveryQuarantined(Fact, frozen=True, gc=False):
    """An authentic delivery that could not be understood. `reparse` takes it up again."""

    raw: Raw
    connector: str
    reason: str


class DeliveryReparsed(Fact, frozen=True, gc=False):
    """Today's connector read a quarantined delivery again. What it told was sent on before this."""

    quarantine_id: Id
    facts: int
    reason: str = ""


class FactRetried(Fact, frozen=True, gc=False):
    """A fact that could not be decided on is to be decided once more, under the id of this attempt."""

    quarantine_id: Id
    fact: bytes


class FormSubmitted(Fact, frozen=True, gc=False):
    """Somebody sent a form."""

    raw: Raw
    form: str = ""
    page: str = ""
    name: str = ""
    phones: tuple[Phone, ...] = ()
    emails: tuple[str, ...] = ()
    utm: dict[str, str] = {}
    fields: dict[str, str] = {}
    files: tuple[Attachment, ...] = ()
    amount_minor: int | None = None
    currency: str = ""
    reference: str = ""
    suspicious: str = ""
    doubts: tuple[str, ...] = ()
    digest: str = ""


class ImportUndoReported(Fact, frozen=True, gc=False):
    """The role imports begins to undo an import, or has ended."""

    import_id: Id
    name: str
    number: int
    ended: bool = False
    removed: int = 0
    set_back: int = 0
    kept: int = 0


class ImportedRecordUndone(Fact, frozen=True, gc=False):
    """What an import did to one card, deal or object shall be undone."""

    import_id: Id
    why: str
    record: str
    id: Id
    made: bool
    version: int = 0
    imported: dict[str, str] = {}
    before: dict[str, str] = {}
    identifiers: tuple[str, ...] = ()
    doubted: tuple[str, ...] = ()
    deals: tuple[Id, ...] = ()
    withdrawn: tuple[WithdrawnReport, ...] = ()


class MailReported(Fact, frozen=True, gc=False):
    """A mail came in, or one of ours went out."""

    raw: Raw
    mail: str
    references: tuple[str, ...] = ()
    direction: str = "in"
    customer: str = ""
    customer_name: str = ""
    by_mailer: bool = False
    automatic: str = ""
    sender: str = ""
    sent_to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    subject: str = ""
    text: str = ""
    quoted: str = ""
    html: str = ""
    attachments: tuple[Attachment, ...] = ()
    sent_at: Micros | None = None
    returned: str = ""
    reason: str = ""


class MessageReported(Fact, frozen=True, gc=False):
    """A chat message was sent, or edited."""

    raw: Raw
    channel: str
    chat: str
    chat_kind: str
    message: str
    sender: str
    sender_name: str = ""
    username: str = ""
    text: str = ""
    attachments: tuple[Attachment, ...] = ()
    shared_phone: Phone | None = None
    shared_is_own: bool = False
    edited_at: Micros | None = None
    reply_to: str = ""
    direction: str = "in"
    kind: str = ""
    person: bool = True
    chat_title: str = ""
    account: str = ""
    former_chat: str = ""
    sent_at: Micros | None = None
    revision: int = 0
    phones: tuple[Phone, ...] = ()
    emails: tuple[str, ...] = ()
    reply_address: str = ""
    reply: str = ""


class MessageStatusReported(Fact, frozen=True, gc=False):
    """A channel reported how far our messages came: one, or all up to a moment."""

    raw: Raw
    channel: str
    chat: str
    message: str
    status: str
    up_to: Micros | None = None
    reason: str = ""
    account: str = ""
    reply: str = ""


class ObjectReported(Fact, frozen=True, gc=False):
    """A program reported an object of the workspace's own: it is new, some of it changed, or it is gone."""

    raw: Raw
    object: str
    key: str
    status: str | None = None
    title: str | None = None
    fields: dict[str, str] = {}
    version: int | None = None
    changed_at: Micros | None = None
    deleted: bool | None = None
    merged_into: str | None = None


class OrderReported(Fact, frozen=True, gc=False):
    """A shop or a marketplace reported how an order stands: a deal with lines. What is not given stays as it is."""

    raw: Raw
    system: str
    order: str
    changed_at: Micros
    number: str | None = None
    status: str | None = None
    stage: str | None = None
    cancelled: bool | None = None
    deleted: bool | None = None
    contact_key: str | None = None
    name: str = ""
    phones: tuple[Phone, ...] = ()
    emails: tuple[str, ...] = ()
    currency: str | None = None
    total_minor: int | None = None
    paid_minor: int | None = None
    refunded_minor: int = 0
    lines: tuple[OrderLine, ...] | None = None
    fields: dict[str, str] = {}
    doubts: tuple[str, ...] = ()


class ParcelReported(Fact, frozen=True, gc=False):
    """A delivery service reported where a parcel is."""

    raw: Raw
    service: str
    tracking_number: str
    status: str
    status_code: str = ""
    status_text: str = ""
    changed_at: Micros | None = None
    reference: str = ""
    phone: Phone | None = None
    cash_on_delivery_minor: int | None = None
    cost_minor: int | None = None
    currency: str = ""
    return_number: str = ""
    expected_at: Micros | None = None
    doubts: tuple[str, ...] = ()


class PaymentPartReported(Fact, frozen=True, gc=False):
    """A payment system reported a part of a payment alone: a capture, a refund or a chargeback."""

    raw: Raw
    provider: str
    payment: str
    part: str
    kind: str
    status: str
    amount_minor: int
    currency: str
    began_at: Micros
    changed_at: Micros
    reason: str = ""
    account: str = ""


class PaymentReported(Fact, frozen=True, gc=False):
    """A bank or payment system told where a payment stands now."""

    raw: Raw
    provider: str
    payment: str
    status: str
    amount_minor: int
    currency: str
    changed_at: Micros
    refunded_minor: int = 0
    purpose: str = ""
    reference: str = ""
    payer: Payer = Payer()
    account: str = ""
    doubts: tuple[str, ...] = ()
    fee_minor: int = 0


class ReplyAttempted(Fact, frozen=True, gc=False):
    """We asked a channel to send a reply; its answer is the raw body."""

    raw: Raw
    message_id: Id
    conversation_id: Id
    outcome: str
    message: str = ""
    reason: str = ""
    attempt: int = 1


class TokenDeclared(Fact, frozen=True, gc=False):
    """A key to a workspace. The newest for its id counts."""

    token: Id
    name: str
    sha256: str
    scopes: tuple[str, ...]
    expires_at: Micros | None = None
    enabled: bool = True


class WorkspaceDeclared(Fact, frozen=True, gc=False):
    """What holds for every connection and token of a workspace. The newest for the workspace counts."""

    name: str
    country: str
    currency: str
    timezone: str
