"""State: what decisions remember, as a fold of the journal and of nothing else.

Streams interleave as they like, so any order that keeps each stream's own order must give the same state. Each entity
is therefore one of these, and a new one must be too:
- of one stream: Contact, Deal, Call, Conversation, Message (the contact's stream), Payment, Workspace,
  Quarantined (the fact's);
- a sum or a maximum, which no order changes: Turn, Load, Numbers;
- a set whose each member is put in and taken out by one stream only: Parked (by the payment), Absorbed (by the card
  that was merged away), DealReference (the smallest few of all that were ever put in);
- written by one stream for ever: DealNumber;
- Identity keeps the smallest id of the contacts that were given the identifier. There is more than one only after a
  merge, and then all of them lead to the same card: who reads it follows Contact.merged_into.
"""

from crm.state.entities import (
    Absorbed,
    Call,
    Contact,
    Conversation,
    Deal,
    DealNumber,
    DealReference,
    Identity,
    Load,
    Message,
    Numbers,
    Parked,
    Payment,
    Quarantined,
    Turn,
    Workspace,
    identifier,
    key,
    shelf,
    turn_key,
)
from crm.state.entity import known
from crm.state.folds import fold

__all__ = [
    "Absorbed",
    "Call",
    "Contact",
    "Conversation",
    "Deal",
    "DealNumber",
    "DealReference",
    "Identity",
    "Load",
    "Message",
    "Numbers",
    "Parked",
    "Payment",
    "Quarantined",
    "Turn",
    "Workspace",
    "fold",
    "identifier",
    "key",
    "known",
    "shelf",
    "turn_key",
]
