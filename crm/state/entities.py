"""The remembered things of a workspace, each as small as the decisions allow."""

from crm.scalars import Id, Micros
from crm.shared import AssignmentRule, Payer, StageRule
from crm.state.entity import Entity

ONLY = ""  # the key of what a workspace has one of
OUTCOMES = ("won", "lost")  # stages that end a deal; they are in no pipeline


class Workspace(Entity, frozen=True, gc=False, omit_defaults=True):
    """A tenant and its rules. Key: ONLY."""

    name: str
    country: str
    currency: str
    timezone: str
    stages: tuple[str, ...]
    paid_stage: str
    part_paid_stage: str
    rules_version: int = 0
    rules: tuple[AssignmentRule, ...] = ()
    labels: dict[str, str] = {}  # noqa: RUF012  # msgspec gives each its own
    pipeline_id: Id = Id("")
    version: int = 0  # of the pipeline, as in its row
    parcel_stages: dict[str, str] = {}  # noqa: RUF012  # where a parcel's status moves its deal
    assignment_rules_id: Id = Id("")
    has_owners: bool = False  # it has declared its salespeople: nobody else gets a deal by command
    retired: tuple[str, ...] = ()  # keys of owners who get nothing new
    stage_rules: dict[Id, StageRule] = {}  # noqa: RUF012  # msgspec gives each its own


class Numbers(Entity, frozen=True, gc=False, omit_defaults=True):
    """The last short number that a deal got, and how many deals stand in each stage. Key: ONLY."""

    deals: int = 0
    standing: dict[str, int] = {}  # noqa: RUF012  # msgspec gives each its own


class Contact(Entity, frozen=True, gc=False, omit_defaults=True):
    """A card. Key: its id."""

    contact_id: Id
    name: str = ""
    identifiers: tuple[str, ...] = ()  # as Identity's keys
    deals: int = 0  # ever opened
    open_deals: tuple[Id, ...] = ()  # the newest fifty
    owner: str = ""  # who got the newest deal that got an owner
    newest_deals: tuple[Id, ...] = ()  # the last few that were opened, whatever became of them
    merged_into: Id | None = None
    version: int = 0  # how many events its row is a fold of
    fields: dict[str, str] = {}  # noqa: RUF012  # msgspec gives each its own
    enquiries: tuple[tuple[str, Micros, Id], ...] = ()  # the last few forms: digest, when it came last, its deal
    lent: tuple[str, ...] = ()  # identifiers that came with a card that was merged into this one
    doubts: dict[str, tuple[Id, ...]] = {}  # noqa: RUF012  # identifiers: with which other cards they were seen too
    nobodys: tuple[str, ...] = ()  # identifiers that it has, and that somebody said to identify nobody
    used: bool = False  # a call, a chat, a note or a task came to it
    wrote_in: Id = Id("")  # the conversation in which they last wrote


class Absorbed(Entity, frozen=True, gc=False, omit_defaults=True):
    """The cards that were merged into one. Key: the id of the card that stayed."""

    contacts: tuple[Id, ...]


class Identity(Entity, frozen=True, gc=False, omit_defaults=True):
    """Whose an identifier is. Key: `identifier(kind, value)`."""

    contact_id: Id  # the smallest id of those that have it
    others: tuple[Id, ...] = ()

    @property
    def holders(self) -> tuple[Id, ...]:
        return self.contact_id, *self.others


class Enquiry(Entity, frozen=True, gc=False, omit_defaults=True):
    """The newest deals of one enquiry whose sender gave nothing to be known by. Key: `crm.enquiries.anonymous`."""

    deals: tuple[tuple[Micros, Id], ...] = ()  # when it came, and its deal


class Deal(Entity, frozen=True, gc=False, omit_defaults=True):
    """A deal. Key: its id. Its stream is that of `contact_id`, the contact at its birth."""

    deal_id: Id
    contact_id: Id
    number: int
    amount_minor: int
    currency: str
    stage: str
    owner: str = ""
    paid_minor: int = 0
    held_minor: int = 0
    version: int = 0  # how many events its row is a fold of
    lost_from: str = ""  # where it stood when it was lost last
    source: str = ""  # where it came from
    stage_set_at: Micros = Micros(0)  # when somebody, and no rule, put it into a stage last
    by_parcel: bool = False  # a parcel put it where it stands
    used: bool = False  # a note or a task is about it
    title: str = ""
    stage_rules: tuple[Id, ...] = ()  # that acted on it: each does so once

    @property
    def open(self) -> bool:
        """Somebody still has to work or to pay."""
        return self.stage not in OUTCOMES and not 0 < self.amount_minor <= self.paid_minor

    @property
    def outstanding_minor(self) -> int:
        return self.amount_minor - self.paid_minor


class DealNumber(Entity, frozen=True, gc=False, omit_defaults=True):
    """Which deal has a short number. Key: the number."""

    deal_id: Id


class DealReference(Entity, frozen=True, gc=False, omit_defaults=True):
    """The deals of an order or invoice number from outside. Key: `key(reference)`."""

    deals: tuple[Id, ...]


class DealSum(Entity, frozen=True, gc=False, omit_defaults=True):
    """The newest few deals that were ever worth a sum, by number. Key: the sum in the smallest unit of any currency."""

    deals: tuple[tuple[int, Id], ...]


class Turn(Entity, frozen=True, gc=False, omit_defaults=True):
    """How often a rule has decided. Key: `turn_key(version, rule)`."""

    count: int = 0


class Load(Entity, frozen=True, gc=False, omit_defaults=True):
    """How many open deals an owner has. Key: `key(owner)`."""

    open_deals: int = 0


class Share(Entity, frozen=True, gc=False, omit_defaults=True):
    """What a deal gets of a payment that was split. It is part of Payment."""

    deal_id: Id
    amount_minor: int


class Correction(Entity, frozen=True, gc=False, omit_defaults=True):
    """A sum that was misread, and what it is. It is part of Payment: later reports are read in the same way."""

    reported_minor: int
    reported_currency: str
    amount_minor: int
    currency: str


class PaymentSums(Entity, frozen=True, gc=False, omit_defaults=True):
    """What a provider reported of a payment alone. It is part of Payment, where parts were reported one by one."""

    status: str
    amount_minor: int
    refunded_minor: int


class Part(Entity, frozen=True, gc=False, omit_defaults=True):
    """A capture, a refund or a chargeback of a payment. It is part of Parts."""

    part_id: Id
    kind: str
    status: str
    amount_minor: int
    currency: str
    began_at: Micros
    changed_at: Micros


class Parts(Entity, frozen=True, gc=False, omit_defaults=True):
    """The parts of a payment, each as it stands, in the order of their ids. Key: the payment's id."""

    parts: tuple[Part, ...]


class PartOf(Entity, frozen=True, gc=False, omit_defaults=True):
    """Which payment a capture is of. Key: the capture's id."""

    payment_id: Id


class Payment(Entity, frozen=True, gc=False, omit_defaults=True):
    """The newest state of a payment, with all its parts. Key: its id."""

    payment_id: Id
    status: str
    amount_minor: int
    currency: str
    changed_at: Micros
    refunded_minor: int = 0
    payer: Payer = Payer()
    deal_id: Id | None = None
    hints: tuple[str, ...] = ()  # where it is parked
    parked: str = ""  # why
    by_hand: bool = False  # somebody said what it is not for: no rule matches it any more
    version: int = 0  # how many events its row is a fold of
    purpose: str = ""  # what all its reports said it is for, while it is matched to nothing
    references: tuple[str, ...] = ()  # and the references that they named
    candidates: tuple[Id, ...] = ()  # the deals that it could be for, while it is parked
    taught: tuple[str, ...] = ()  # the payer's accounts that its match ties to a contact, as Identity's keys
    shares: tuple[Share, ...] = ()  # where it is split over deals; it has no `deal_id` then
    correction: Correction | None = None
    reported: PaymentSums | None = None  # None: as it stands, for no part of it was reported alone

    @property
    def deals(self) -> tuple[Id, ...]:
        """What it is for."""
        return tuple(share.deal_id for share in self.shares) if self.shares else (self.deal_id,) if self.deal_id else ()


class PaidFrom(Entity, frozen=True, gc=False, omit_defaults=True):
    """Whose deals were paid from an account: (contact, the payment that showed it). Key: as Identity's."""

    payments: tuple[tuple[Id, Id], ...]


class Parked(Entity, frozen=True, gc=False, omit_defaults=True):
    """Payments and parcels that wait for something: (hint, payment id) and (PARCEL, parcel id). Key: `shelf(hint)`."""

    waiting: tuple[tuple[str, Id], ...]


class Call(Entity, frozen=True, gc=False, omit_defaults=True):
    """A call. Key: its id."""

    contact_id: Id
    anonymous: bool = False  # no report has named its number yet
    phone: str = ""  # E.164
    text: str = ""  # the other side as it was written
    direction: str = ""
    talked: bool = False
    detailed: bool = False  # the report that is made when all is over came


class Conversation(Entity, frozen=True, gc=False, omit_defaults=True):
    """A chat with one contact, and where an answer in it goes. Key: its id."""

    contact_id: Id
    connection_id: Id = Id("")  # through which the customer last wrote, as are the next ones
    connector: str = ""
    chat: str = ""  # the channel's id of it
    account: str = ""
    reply_address: str = ""
    asked_at: Micros = Micros(0)  # when the customer last wrote; 0: never, as far as is known
    subject: str = ""  # of a mail
    thread: tuple[str, ...] = ()  # the first mail and the last one
    ruled_at: dict[Id, Micros] = {}  # noqa: RUF012  # when each stage rule wrote here last


class Message(Entity, frozen=True, gc=False, omit_defaults=True):
    """A message. Key: its id."""

    edited_at: Micros = Micros(0)
    revision: int = 0  # of the edit
    sent_at: Micros = Micros(0)  # 0: unknown
    digest: str = ""  # of the first version; empty while it has not come
    message: str = ""  # the channel's id of it


class MessageProgress(Entity, frozen=True, gc=False, omit_defaults=True):
    """How far a message of ours came: the furthest of all that was reported. Key: its id, also before it is known."""

    status: str
    reason: str = ""


class ChatOrigin(Entity, frozen=True, gc=False, omit_defaults=True):
    """The first id of a chat that got another one. Key: `origin_key` of the id that it has now."""

    chat: str


class MailThread(Entity, frozen=True, gc=False, omit_defaults=True):
    """The conversation of a mail's thread. Key: `mail_key` of the Message-ID of one of its mails."""

    conversation_id: Id


class Quarantined(Entity, frozen=True, gc=False, omit_defaults=True):
    """A delivery that could not be understood. Key: its fact's id."""

    attempts: int = 0  # to take it up again
    status: str = ""  # released or discarded; empty while it waits
