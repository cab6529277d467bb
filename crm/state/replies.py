"""State of our answers in conversations."""

from crm.scalars import Id
from crm.state.entity import Entity


class Reply(Entity, frozen=True, gc=False, omit_defaults=True):
    """A reply of ours. Key: its message's id."""

    conversation_id: Id
    status: str = ""  # sent or uncertain; empty while it waits
    attempt: int = 1
    is_mail: bool = False


class SentAs(Entity, frozen=True, gc=False, omit_defaults=True):
    """Which of our replies a channel knows by an id. Key: `sent_key` of the conversation and that id."""

    message_id: Id
