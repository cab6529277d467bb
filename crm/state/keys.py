"""The keys of remembered things: what they are found by."""

from functools import lru_cache
from hashlib import sha256

DAY, DAY_BEGINS = 86_400_000_000, 3 * 3_600_000_000  # microseconds
NUMBERS_A_SHELF = 500  # as many as a batch may open deals: so a batch needs two shelves at most


def key(text: str) -> str:
    """What somebody wrote, as a key: no NUL, which Postgres cannot hold, and no longer than its index can take."""
    text = text.replace("\0", "\ufffd")
    return text if len(text) <= 200 else "sha256:" + sha256(text.encode("utf-8", "replace")).hexdigest()


@lru_cache(maxsize=512)  # the same few are asked for again and again in one decision
def identifier_key(kind: str, value: str) -> str:
    return key(f"{kind}:{value}")


def origin_key(source: str, channel: str, chat: str) -> str:
    return key(f"{source}/{channel}/{chat}")


def mail_key(mail: str) -> str:
    return key(f"mail/{mail}")


def sent_key(conversation_id: str, message: str) -> str:
    return key(f"sent/{conversation_id}/{message}")


def turn_key(version: int, rule: str) -> str:
    return key(f"{version}/{rule}")


def arrivals_key(amount_minor: int, currency: str, at: int, days: int = 0) -> str:
    """Where payments of a sum and a day are, or of the day so many `days` later. A statement tells the day alone, whose
    beginning in Europe is on the day before in UTC."""
    return f"{(at + DAY_BEGINS) // DAY + days}/{amount_minor}/{currency}"


def shelf(hint: str) -> str:
    """Where payments with this hint wait. Deals' numbers share shelves: a batch cannot know which it will give."""
    return f"number:{int(hint[7:]) // NUMBERS_A_SHELF}" if hint.startswith("number:") else hint
