"""Generated from schemas/avro/events by `make events`. Do not edit."""

# ruff: noqa: RUF012 - msgspec gives each instance its own empty dict

from crm.envelope import Event
from crm.scalars import Id, Micros
from crm.shared import (
    AssignmentRule,
    Attachment,
    ContactIdentifier,
    ObjectDoubt,
    ObjectField,
    OrderLine,
    Payer,
    Phone,
    Report,
    StageRule,
    Template,
)


class AssignmentRulesSet(Event, frozen=True, gc=False):
    """Who gets which lead from now on."""

    version: int
    rules: tuple[AssignmentRule, ...]
    assignment_rules_id: Id | None = None


class CallOpened(Event, frozen=True, gc=False):
    """The first report of a call came."""

    call_id: Id
    contact_id: Id
    call: str
    direction: str
    phone: Phone
    line: str
    known: bool


class CallUpdated(Event, frozen=True, gc=False):
    """A report of a call: how far it is."""

    call_id: Id
    contact_id: Id
    phase: str
    employee: str = ""
    started_at: Micros | None = None
    wait_s: int | None = None
    talk_s: int | None = None
    disposition: str = ""
    recording: str = ""
    call: str = ""
    direction: str = ""
    phone: Phone | None = None
    line: str = ""
    known: bool = False
    note: str = ""
    leg: str = ""


class ChatMoved(Event, frozen=True, gc=False):
    """A chat got another id in its channel: its conversations go on. Stream: the chat under its new id."""

    channel: str
    chat: str
    former_chat: str


class CommandAccepted(Event, frozen=True, gc=False):
    """A command was accepted. The events that follow from it have the same cause. Stream: its row's."""

    command: str
    digest: str
    input: str
    row: str
    subject: Id
    key: str = ""


class ConnectionAdded(Event, frozen=True, gc=False):
    """An integration was activated. Its secret lies in crm.connections only. Stream: the connection."""

    connection_id: Id
    connector: str
    name: str
    settings: tuple[str, ...] = ()


class ConnectionRemoved(Event, frozen=True, gc=False):
    """A connection was switched off: its address answers 404. Stream: the connection."""

    connection_id: Id
    connector: str
    name: str
    why: str = ""


class ConnectionRotated(Event, frozen=True, gc=False):
    """A connection has another secret. Stream: the connection."""

    connection_id: Id
    connector: str
    name: str


class ContactAbsorbed(Event, frozen=True, gc=False):
    """A card that was merged into this one is shown with it: its name and fields stand where this one has none."""

    contact_id: Id
    other_id: Id
    name: str = ""
    fields: dict[str, str] = {}


class ContactChanged(Event, frozen=True, gc=False):
    """Custom fields of a contact were changed."""

    contact_id: Id
    fields: dict[str, str]
    created_at: Micros | None = None


class ContactCreated(Event, frozen=True, gc=False):
    """Somebody became known."""

    contact_id: Id
    name: str
    source: str
    utm: dict[str, str] = {}
    identifiers: tuple[ContactIdentifier, ...] = ()
    fields: dict[str, str] = {}
    report: Report | None = None


class ContactMerged(Event, frozen=True, gc=False):
    """Two cards turned out to be one person's. The history of both is shown with the one that stays."""

    contact_id: Id
    into_id: Id
    why: str


class ContactReleased(Event, frozen=True, gc=False):
    """A merge was undone: the other card is shown with this one no more."""

    contact_id: Id
    other_id: Id


class ContactRemoved(Event, frozen=True, gc=False):
    """A card is gone, as its import was undone. A report of its key makes it again."""

    contact_id: Id
    why: str = ""


class ContactRenamed(Event, frozen=True, gc=False):
    """A contact's name became known or better."""

    contact_id: Id
    name: str
    why: str = ""


class ContactUnmerged(Event, frozen=True, gc=False):
    """A merge was undone: the card stands for itself again, with its own history and its identifiers."""

    contact_id: Id
    from_id: Id
    why: str = ""


class ConversationNoted(Event, frozen=True, gc=False):
    """Something happened in a chat that nobody said: a reaction, a bot that was blocked, somebody who left."""

    conversation_id: Id
    contact_id: Id
    text: str


class ConversationOpened(Event, frozen=True, gc=False):
    """The first message of a chat came."""

    conversation_id: Id
    contact_id: Id
    channel: str
    chat: str
    title: str
    account: str = ""


class ConversationReached(Event, frozen=True, gc=False):
    """All messages of ours in a conversation up to a moment were delivered or read."""

    conversation_id: Id
    contact_id: Id
    status: str
    up_to: Micros


class DealAssigned(Event, frozen=True, gc=False):
    """A deal got its owner."""

    deal_id: Id
    contact_id: Id
    owner: str
    rule: str
    rules_version: int
    why: str
    report: Report | None = None


class DealChanged(Event, frozen=True, gc=False):
    """What a deal is about was changed. What is null stays as it is."""

    deal_id: Id
    contact_id: Id
    title: str | None = None
    amount_minor: int | None = None
    currency: str | None = None
    reference: str | None = None
    fields: dict[str, str] = {}
    report: Report | None = None
    doubts: tuple[str, ...] | None = None
    opened_at: Micros | None = None


class DealLineChanged(Event, frozen=True, gc=False):
    """A line of a deal was added, changed or taken away. Stream: the contact."""

    line_id: Id
    deal_id: Id
    contact_id: Id
    line: OrderLine
    place: int
    currency: str
    removed: bool = False


class DealOpened(Event, frozen=True, gc=False):
    """A deal entered the pipeline."""

    deal_id: Id
    contact_id: Id
    number: int
    title: str
    amount_minor: int
    currency: str
    stage: str
    source: str
    form: str = ""
    page: str = ""
    reference: str = ""
    fields: dict[str, str] = {}
    utm: dict[str, str] = {}
    files: tuple[Attachment, ...] = ()
    suspicious: str = ""
    doubts: tuple[str, ...] = ()
    digest: str = ""
    written: dict[str, str] = {}
    report: Report | None = None


class DealPaid(Event, frozen=True, gc=False):
    """What is paid for a deal changed."""

    deal_id: Id
    contact_id: Id
    payment_id: Id
    change_minor: int
    paid_minor: int
    held_minor: int
    currency: str
    why: str
    held_change_minor: int | None = None


class DealRemoved(Event, frozen=True, gc=False):
    """A deal is gone, as its import was undone. A report of its key opens it again."""

    deal_id: Id
    contact_id: Id
    number: int
    reference: str = ""
    owner: str = ""
    owner_reason: str = ""
    why: str = ""


class DealStageMoved(Event, frozen=True, gc=False):
    """A deal went from one stage to another."""

    deal_id: Id
    contact_id: Id
    from_stage: str
    stage: str
    why: str = ""
    report: Report | None = None
    closed_at: Micros | None = None


class DeliveryNoted(Event, frozen=True, gc=False):
    """A delivery was taken that changes nothing. Stream: the fact."""

    connector: str
    kind: str
    why: str


class DuplicateSuspected(Event, frozen=True, gc=False):
    """Two contacts may be one: a form had the phone of one and the e-mail of the other."""

    contact_id: Id
    other_id: Id
    kind: str
    value: str


class EnquiryRepeated(Event, frozen=True, gc=False):
    """The same enquiry came again while its deal was open: it is noted there, and no second deal is opened."""

    contact_id: Id
    deal_id: Id
    digest: str
    form: str = ""
    name: str = ""
    text: str = ""


class FactQuarantined(Event, frozen=True, gc=False):
    """A delivery waits for somebody to mend its connector. Stream: the fact."""

    quarantine_id: Id
    connector: str
    reason: str
    content_type: str
    size: int
    sha256: str
    excerpt: str
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()


class FieldDefined(Event, frozen=True, gc=False):
    """A custom field is this from now on: new, or changed. Stream: the workspace."""

    field_id: Id
    entity: str
    key: str
    label: str
    type: str
    options: tuple[str, ...] = ()
    required: bool = False


class FieldRetired(Event, frozen=True, gc=False):
    """A custom field is given no values any more. Those that were given stay. Stream: the workspace."""

    field_id: Id
    entity: str
    key: str


class IdentifierAdded(Event, frozen=True, gc=False):
    """A way to know a contact was learnt."""

    contact_id: Id
    kind: str
    value: str
    text: str = ""
    from_id: Id | None = None


class IdentifierDoubted(Event, frozen=True, gc=False):
    """An identifier was seen with two people, or somebody said that it is nobody's: it identifies nobody alone."""

    contact_id: Id
    kind: str
    value: str
    other_id: Id | None = None
    why: str = ""


class IdentifierRemoved(Event, frozen=True, gc=False):
    """A way to know a contact is its no more."""

    contact_id: Id
    kind: str
    value: str
    why: str = ""


class IdentifierSettled(Event, frozen=True, gc=False):
    """Somebody said whose an identifier is: it is doubted on this card no more."""

    contact_id: Id
    kind: str
    value: str
    why: str = ""


class ImportUndoBegan(Event, frozen=True, gc=False):
    """An import is being undone: its rows count as new when its file comes again. Stream: the import."""

    import_id: Id
    name: str
    number: int


class ImportUndone(Event, frozen=True, gc=False):
    """An import was undone; what others changed since is kept. Stream: the import."""

    import_id: Id
    name: str
    number: int
    removed: int
    set_back: int
    kept: int


class MessageDeleted(Event, frozen=True, gc=False):
    """A message was taken back in its channel. What it said is kept."""

    message_id: Id
    conversation_id: Id
    contact_id: Id


class MessageDuplicated(Event, frozen=True, gc=False):
    """A message turned out to be another one that is known: it is taken out of its conversation."""

    message_id: Id
    conversation_id: Id
    contact_id: Id
    original_id: Id


class MessageEdited(Event, frozen=True, gc=False):
    """A message was changed by who wrote it."""

    message_id: Id
    conversation_id: Id
    contact_id: Id
    text: str
    edited_at: Micros
    attachments: tuple[Attachment, ...] | None = None
    revision: int = 0
    html: str | None = None


class MessageReceived(Event, frozen=True, gc=False):
    """A message landed in a conversation."""

    message_id: Id
    conversation_id: Id
    contact_id: Id
    message: str
    sender_name: str
    text: str
    attachments: tuple[Attachment, ...] = ()
    reply_to: str = ""
    edited_at: Micros | None = None
    direction: str = "in"
    sent_at: Micros | None = None
    revision: int = 0
    subject: str = ""
    html: str = ""
    sent_to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    thread: tuple[str, ...] = ()
    owner: str = ""
    account: str = ""
    reply_address: str = ""


class MessageStatusChanged(Event, frozen=True, gc=False):
    """A message of ours came further, never back: sent, failed, delivered, read."""

    message_id: Id
    conversation_id: Id
    status: str
    contact_id: Id | None = None
    reason: str = ""


class NoteAdded(Event, frozen=True, gc=False):
    """Somebody wrote a note."""

    note_id: Id
    contact_id: Id
    text: str
    deal_id: Id | None = None


class NoteChanged(Event, frozen=True, gc=False):
    """A note was rewritten."""

    note_id: Id
    contact_id: Id
    text: str
    deal_id: Id | None = None


class NoteRemoved(Event, frozen=True, gc=False):
    """A note was taken away."""

    note_id: Id
    contact_id: Id
    deal_id: Id | None = None


class ObjectChanged(Event, frozen=True, gc=False):
    """An object of the workspace's own is new, has changed, is gone or is there again. Stream: the object."""

    object_id: Id
    type: str
    key: str
    version: int
    created_at: Micros
    moment: int = 0
    by_hand: bool = False
    status: str | None = None
    title: str | None = None
    fields: dict[str, str] = {}
    deleted: bool | None = None
    merged_into: str | None = None
    repeated: tuple[str, ...] = ()
    whole: bool = False
    kept: dict[str, str] = {}
    shown: bool = True
    aliases: tuple[str, ...] = ()
    slots: dict[str, str] = {}
    related_to: tuple[str, ...] = ()
    newly_used: tuple[str, ...] = ()
    doubts: tuple[ObjectDoubt, ...] = ()


class ObjectRemoved(Event, frozen=True, gc=False):
    """An object is gone, as its import was undone. A report of its key makes it again. Stream: the object."""

    object_id: Id
    type: str
    key: str
    why: str = ""


class ObjectReportOutdated(Event, frozen=True, gc=False):
    """A report of an object changed nothing: it is known, or older than what is. Stream: the object."""

    object_id: Id
    type: str
    key: str
    why: str


class ObjectTypeDefined(Event, frozen=True, gc=False):
    """A type of objects is this from now on: new, or changed. Stream: the workspace."""

    object_type_id: Id
    key: str
    label: str
    plural: str
    statuses: tuple[str, ...] = ()
    fields: tuple[ObjectField, ...] = ()


class ObjectTypeRetired(Event, frozen=True, gc=False):
    """Objects of this type are taken no more; those that are there stay. Stream: the workspace."""

    object_type_id: Id
    key: str


class OwnerChanged(Event, frozen=True, gc=False):
    """A salesperson was added, changed, retired, or is back: all of it, from now on. Stream: the workspace."""

    owner_id: Id
    key: str
    name: str
    email: str = ""
    phone: str = ""
    extension: str = ""
    active: bool = True
    why: str = ""


class ParcelAttached(Event, frozen=True, gc=False):
    """It is known which deal a parcel is for. Stream: the parcel."""

    parcel_id: Id
    deal_id: Id
    contact_id: Id
    by: str
    why: str


class ParcelDetached(Event, frozen=True, gc=False):
    """Somebody said that a parcel is not for its deal. No rule attaches it again. Stream: the parcel."""

    parcel_id: Id
    deal_id: Id
    contact_id: Id
    why: str


class ParcelMoved(Event, frozen=True, gc=False):
    """The parcel of a deal came to another status. Stream: the contact."""

    parcel_id: Id
    deal_id: Id
    contact_id: Id
    tracking_number: str
    status: str
    from_status: str
    why: str = ""


class ParcelParked(Event, frozen=True, gc=False):
    """A parcel that fits no deal yet waits. Stream: the parcel."""

    parcel_id: Id
    why: str
    hints: tuple[str, ...]
    candidates: tuple[Id, ...] = ()


class ParcelRecorded(Event, frozen=True, gc=False):
    """What is known of a parcel, all of it, after a report that said something new. Stream: the parcel."""

    parcel_id: Id
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
    suspicious: str = ""


class ParcelReportOutdated(Event, frozen=True, gc=False):
    """A report of a parcel said nothing new. It changes nothing. Stream: the parcel."""

    parcel_id: Id
    status: str
    why: str


class ParcelTracked(Event, frozen=True, gc=False):
    """A parcel is followed before its service has said anything of it. Stream: the parcel."""

    parcel_id: Id
    service: str
    tracking_number: str
    returns: Id | None = None
    why: str = ""


class PaymentCorrected(Event, frozen=True, gc=False):
    """Somebody said what the sum and the currency of a payment really are."""

    payment_id: Id
    reported_minor: int
    reported_currency: str
    amount_minor: int
    currency: str
    why: str = ""


class PaymentMatched(Event, frozen=True, gc=False):
    """It is known what a payment is for."""

    payment_id: Id
    deal_id: Id
    contact_id: Id
    by: str
    why: str
    taught: tuple[str, ...] = ()
    suspicious: str = ""
    source: str = ""


class PaymentParked(Event, frozen=True, gc=False):
    """A payment that fits no deal yet waits."""

    payment_id: Id
    why: str
    hints: tuple[str, ...]
    candidates: tuple[Id, ...] = ()


class PaymentPartRecorded(Event, frozen=True, gc=False):
    """A part of a payment as its provider reported it, and how the payment stands. Stream: the payment."""

    payment_id: Id
    part_id: Id
    provider: str
    part: str
    kind: str
    status: str
    amount_minor: int
    currency: str
    began_at: Micros
    changed_at: Micros
    reason: str
    payment_status: str
    payment_amount_minor: int
    payment_refunded_minor: int
    why: str = ""
    suspicious: str = ""


class PaymentRecorded(Event, frozen=True, gc=False):
    """A payment's state as its provider told it. Stream: the payment."""

    payment_id: Id
    provider: str
    payment: str
    status: str
    amount_minor: int
    currency: str
    refunded_minor: int
    purpose: str
    reference: str
    payer: Payer
    account: str
    changed_at: Micros
    doubts: tuple[str, ...] = ()
    suspicious: str = ""
    reported_status: str = ""
    reported_amount_minor: int = 0
    reported_refunded_minor: int = 0
    fee_minor: int = 0


class PaymentReportOutdated(Event, frozen=True, gc=False):
    """A report came that an earlier one had overtaken. It changes nothing."""

    payment_id: Id
    status: str
    why: str


class PaymentShared(Event, frozen=True, gc=False):
    """Somebody split a payment: this part of it is for this deal."""

    payment_id: Id
    deal_id: Id
    contact_id: Id
    share_minor: int
    why: str = ""
    source: str = ""


class PaymentUnmatched(Event, frozen=True, gc=False):
    """Somebody said that a payment is not for this deal. It waits to be matched by hand."""

    payment_id: Id
    deal_id: Id
    contact_id: Id
    why: str = ""


class PipelineChanged(Event, frozen=True, gc=False):
    """The pipeline is this from now on, the whole of it. Stream: the workspace."""

    pipeline_id: Id
    name: str
    stages: tuple[str, ...]
    labels: dict[str, str]
    paid_stage: str
    part_paid_stage: str
    why: str = ""
    parcel_stages: dict[str, str] = {}


class QuarantineAttempted(Event, frozen=True, gc=False):
    """A quarantined delivery was taken up again in vain. Stream: the quarantined fact."""

    quarantine_id: Id
    attempts: int
    reason: str


class QuarantineSettled(Event, frozen=True, gc=False):
    """A quarantined delivery waits no more. Stream: the quarantined fact."""

    quarantine_id: Id
    status: str
    attempts: int
    reason: str = ""


class ReplyQueued(Event, frozen=True, gc=False):
    """Somebody answered in a conversation. It waits to be delivered."""

    message_id: Id
    conversation_id: Id
    contact_id: Id
    text: str
    author: str = ""
    reply_to: Id | None = None
    owner: str = ""
    connection_id: Id | None = None
    connector: str = ""
    chat: str = ""
    account: str = ""
    reply_address: str = ""
    answers: str = ""
    attachments: tuple[Attachment, ...] = ()
    template: Template | None = None
    subject: str = ""
    thread: tuple[str, ...] = ()
    asked_at: Micros | None = None
    why: str = ""
    stage_rule_id: Id | None = None


class ReplyResolved(Event, frozen=True, gc=False):
    """Somebody said what becomes of a reply that is uncertain or failed."""

    message_id: Id
    conversation_id: Id
    contact_id: Id
    outcome: str
    author: str = ""
    attempt: int = 1


class ReplySent(Event, frozen=True, gc=False):
    """A channel took over a reply of ours. How far it comes is told by MessageStatusChanged."""

    message_id: Id
    conversation_id: Id
    contact_id: Id
    message: str = ""
    attempt: int = 1
    echo_id: Id | None = None


class ReplyUncertain(Event, frozen=True, gc=False):
    """Nobody knows whether a reply was sent: no answer came to the request. Somebody has to look."""

    message_id: Id
    conversation_id: Id
    contact_id: Id
    reason: str = ""
    attempt: int = 1


class ReportDoubted(Event, frozen=True, gc=False):
    """A report of a source was not taken as a whole, or disagrees with another one of the same moment."""

    contact_id: Id
    system: str
    key: str
    why: str
    deal_id: Id | None = None


class ReportRecorded(Event, frozen=True, gc=False):
    """A report of a source was noted. What it changed is told by other events."""

    report: Report
    contact_id: Id | None = None
    deal_id: Id | None = None


class ReportWithdrawn(Event, frozen=True, gc=False):
    """What a source said of a record counts no more, as if it had never said it."""

    record: str
    system: str
    key: str
    said: dict[str, str]
    newest: int
    first: Micros
    subject: Id | None = None
    contact_id: Id | None = None
    deal_id: Id | None = None


class StageRuleApplied(Event, frozen=True, gc=False):
    """A deal reached a stage, and a rule acted on it. What it did are events of their own, after this one."""

    deal_id: Id
    contact_id: Id
    stage_rule_id: Id
    rule: str
    version: int
    stage: str
    why: str = ""
    done: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    task_id: Id | None = None
    message_id: Id | None = None
    webhook_id: Id | None = None


class StageRuleDefined(Event, frozen=True, gc=False):
    """What happens from now on when a deal reaches a stage. Stream: the workspace."""

    stage_rule_id: Id
    rule: StageRule


class StageRuleRemoved(Event, frozen=True, gc=False):
    """A rule acts no more. Stream: the workspace."""

    stage_rule_id: Id
    name: str


class TaskAdded(Event, frozen=True, gc=False):
    """Something is to be done."""

    task_id: Id
    contact_id: Id
    title: str
    deal_id: Id | None = None
    due_at: Micros | None = None
    owner: str = ""
    why: str = ""


class TaskChanged(Event, frozen=True, gc=False):
    """A task is this from now on, the whole of it."""

    task_id: Id
    contact_id: Id
    title: str
    deal_id: Id | None = None
    due_at: Micros | None = None
    owner: str = ""


class TaskDone(Event, frozen=True, gc=False):
    """A task was done."""

    task_id: Id
    contact_id: Id
    deal_id: Id | None = None


class TaskRemoved(Event, frozen=True, gc=False):
    """A task was taken away: it need not be done."""

    task_id: Id
    contact_id: Id
    deal_id: Id | None = None


class TaskReopened(Event, frozen=True, gc=False):
    """A task that was done is to be done again."""

    task_id: Id
    contact_id: Id
    deal_id: Id | None = None


class TokenCreated(Event, frozen=True, gc=False):
    """A key to the workspace was made; it was shown once and is kept nowhere. Stream: the token."""

    token_id: Id
    name: str
    scopes: tuple[str, ...]
    expires_at: Micros | None = None


class TokenRevoked(Event, frozen=True, gc=False):
    """A key to the workspace works no more. Stream: the token."""

    token_id: Id
    name: str
    scopes: tuple[str, ...]
    why: str = ""


class WebhookAdded(Event, frozen=True, gc=False):
    """Somebody wants to be sent events. The secret that signs them is on crm.connections. Stream: the webhook."""

    webhook_id: Id
    name: str
    url: str
    since: Micros
    types: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    thin: bool = False


class WebhookChanged(Event, frozen=True, gc=False):
    """A webhook was changed, or switched off or on. What is null stays as it is. Stream: the webhook."""

    webhook_id: Id
    name: str | None = None
    url: str | None = None
    types: tuple[str, ...] | None = None
    stages: tuple[str, ...] | None = None
    changed: tuple[str, ...] | None = None
    thin: bool | None = None
    enabled: bool | None = None
    why: str = ""


class WebhookDeliveriesSettled(Event, frozen=True, gc=False):
    """Deliveries that were given up are sent again, or discarded. Stream: the webhook."""

    webhook_id: Id
    again: bool
    deliveries: tuple[Id, ...]


class WebhookRemoved(Event, frozen=True, gc=False):
    """A webhook is sent nothing any more. Stream: the webhook."""

    webhook_id: Id
    name: str


class WebhookReplayed(Event, frozen=True, gc=False):
    """A webhook is sent events once more, from a moment or from positions. Stream: the webhook."""

    webhook_id: Id
    since: Micros
    positions: tuple[int, ...] = ()


class WebhookRotated(Event, frozen=True, gc=False):
    """A webhook got another secret; the one before it signs too for a while. Stream: the webhook."""

    webhook_id: Id
    name: str
    both_until: Micros


class WebhookTested(Event, frozen=True, gc=False):
    """A webhook is sent this event, whatever it is sent otherwise. Stream: the webhook."""

    webhook_id: Id
    text: str = ""


class WorkspaceChanged(Event, frozen=True, gc=False):
    """The settings of a workspace from now on, all of them. Stream: the workspace."""

    pipeline_id: Id
    name: str
    country: str
    currency: str
    timezone: str
    why: str = ""


class WorkspaceCreated(Event, frozen=True, gc=False):
    """A tenant began."""

    name: str
    country: str
    currency: str
    timezone: str
    stages: tuple[str, ...]
    paid_stage: str
    part_paid_stage: str
