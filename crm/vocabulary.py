"""The words of facts and events for statuses, phases, directions and kinds. On the wire they are plain strings."""

from enum import StrEnum, auto


class PaymentStatus(StrEnum):
    """In the order in which the later one wins when two reports have the same time."""

    CREATED = auto()
    EXPIRED = auto()
    FAILED = auto()
    HELD = auto()
    SETTLED = auto()
    REVERSED = auto()


class PartKind(StrEnum):
    """What of a payment has an id of its own at some providers."""

    CAPTURE = auto()
    REFUND = auto()
    CHARGEBACK = auto()


class CallPhase(StrEnum):
    """What a report of a call says; a vendor's own word is kept where none of these fits."""

    RINGING = auto()
    ANSWERED = auto()
    TRANSFERRED = auto()
    HUNG_UP = auto()
    COMPLETED = auto()


class Disposition(StrEnum):
    """How a call ended; a vendor's own word is kept where none of these fits. Empty while it is unknown."""

    ANSWERED = auto()
    NO_ANSWER = auto()
    BUSY = auto()
    CANCELLED = auto()
    FAILED = auto()
    VOICEMAIL = auto()


class Direction(StrEnum):
    """Seen from the workspace: who called or wrote. Empty while it is unknown."""

    IN = auto()
    OUT = auto()


class MessageStatus(StrEnum):
    """How far a message of ours came, in the order in which the later one wins: what arrived did not fail."""

    SENT = auto()
    FAILED = auto()
    DELIVERED = auto()
    READ = auto()


class Existing(StrEnum):
    """What a report does to a record that is there."""

    FILL = auto()  # it gives what the record does not have
    SKIP = auto()  # it changes nothing


class ExistingDeal(StrEnum):
    """What a report does to a deal that is there."""

    SKIP = auto()


class ParcelStatus(StrEnum):
    """In the order in which the later one wins when two reports have the same time, or none."""

    UNKNOWN = auto()
    CREATED = auto()
    IN_TRANSIT = auto()
    ARRIVED = auto()
    FAILED = auto()
    RETURNING = auto()
    RECEIVED = auto()
    RETURNED = auto()


RETURN_OF = {
    ParcelStatus.CREATED: ParcelStatus.RETURNING,
    ParcelStatus.IN_TRANSIT: ParcelStatus.RETURNING,
    ParcelStatus.ARRIVED: ParcelStatus.RETURNING,
    ParcelStatus.RECEIVED: ParcelStatus.RETURNED,
}
"""What a status means of a parcel in which another one is sent back."""


def returned_status(status: str) -> str:
    """Returns the status of a parcel in which another one is sent back, from what its service reported."""
    return {str(says): str(means) for says, means in RETURN_OF.items()}.get(status, status)


class ChatKind(StrEnum):
    PRIVATE = auto()
    GROUP = auto()
    CHANNEL = auto()
