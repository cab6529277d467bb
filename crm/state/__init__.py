"""State: what decisions remember, as a fold of the journal and of nothing else.

Streams interleave as they like, so any order that keeps each stream's own order must give the same state. Each entity
is therefore one of these, and a new one must be too:
- of one stream: Contact, Deal, Call, Conversation, Message, Reply, SentAs, Note, Task (the contact's stream), Payment,
  Parcel, Parts and PartOf (the payment's), Workspace,
  Owner, Fields, ObjectType and ObjectTypes (the workspace's), Object (its own), ConnectionKept, TokenKept, WebhookKept,
  Quarantined (the fact's), Command (written once, with its key);
- a sum, a maximum or a union, which no order changes: Turn, Load, Numbers, Reported (the newest of each field),
  UsedFields, MessageProgress (the furthest);
- a set whose each member is put in and taken out by one stream only: Parked (by the payment or the parcel), PaidFrom
  (by the payment), Absorbed (by the card that was merged away), DealReference (the smallest few of all that were ever
  put in; so Arrivals, each by its payment's stream), DealSum and Enquiry (the newest few);
- always written by one stream: DealNumber, ChatOrigin (the chat's), MailThread (the first mail's that names it);
- so is Identity: each contact that has the identifier is put in and taken out by its own stream. After a merge there
  are several that lead to the same card: who reads it follows Contact.merged_into. Where they lead to different cards
  the identifier is doubted, and identifies nobody alone.
"""

from crm.state.arrivals import Arrival, Arrivals
from crm.state.entities import (
    Absorbed,
    Call,
    ChatOrigin,
    Contact,
    Conversation,
    Correction,
    Deal,
    DealNumber,
    DealReference,
    DealSum,
    Enquiry,
    Identity,
    Load,
    MailThread,
    Message,
    MessageProgress,
    Numbers,
    PaidFrom,
    Parked,
    Part,
    PartOf,
    Parts,
    Payment,
    PaymentSums,
    Quarantined,
    Share,
    Turn,
    Workspace,
)
from crm.state.entity import known
from crm.state.folds import fold, fold_all
from crm.state.keys import arrivals_key, identifier_key, key, mail_key, origin_key, sent_key, shelf, turn_key
from crm.state.manual_entities import (
    Command,
    ConnectionKept,
    Definition,
    Fields,
    Note,
    Owner,
    Task,
    TokenKept,
    WebhookKept,
)
from crm.state.objects import Object, ObjectField, ObjectType, ObjectTypes, UsedFields
from crm.state.parcels import Parcel
from crm.state.removed import Attached, RemovedDeal, UndoneImport
from crm.state.replies import Reply, SentAs
from crm.state.reported import Reported, reported_key

__all__ = [
    "Absorbed",
    "Arrival",
    "Arrivals",
    "Attached",
    "Call",
    "ChatOrigin",
    "Command",
    "ConnectionKept",
    "Contact",
    "Conversation",
    "Correction",
    "Deal",
    "DealNumber",
    "DealReference",
    "DealSum",
    "Definition",
    "Enquiry",
    "Fields",
    "Identity",
    "Load",
    "MailThread",
    "Message",
    "MessageProgress",
    "Note",
    "Numbers",
    "Object",
    "ObjectField",
    "ObjectType",
    "ObjectTypes",
    "Owner",
    "PaidFrom",
    "Parcel",
    "Parked",
    "Part",
    "PartOf",
    "Parts",
    "Payment",
    "PaymentSums",
    "Quarantined",
    "RemovedDeal",
    "Reply",
    "Reported",
    "SentAs",
    "Share",
    "Task",
    "TokenKept",
    "Turn",
    "UndoneImport",
    "UsedFields",
    "WebhookKept",
    "Workspace",
    "arrivals_key",
    "fold",
    "fold_all",
    "identifier_key",
    "key",
    "known",
    "mail_key",
    "origin_key",
    "reported_key",
    "sent_key",
    "shelf",
    "turn_key",
]
