"""Idempotency keys of forms: the builder's own id of the submission, else what the form says within a time window."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import blake2b

import msgspec

from crm.enquiries import place, technical
from crm.scalars import Micros
from services.connectors.formats.bodies import Body
from services.connectors.formats.exact_json import Tree, is_flat
from services.connectors.formats.values import first, text
from services.connectors.repeats import WINDOW
from services.connectors.submissions.layouts import is_numbered
from services.connectors.submissions.shapes import Entry
from services.connectors.submissions.submission import Submission

_IDS = (("tranid",), ("payment", "orderid"), ("submissionID",))  # of their vendors alone, each of one submission
_SENT_AT = frozenset(
    ("submittedat", "submittedon", "submissiondate", "submissiontime", "позначкачасу", "отметкавремени")
)
_EVENT = frozenset(("event_type", "eventType", "timeToSubmit"))
_WHOLE_MINUTE = re.compile(r"\d\d:\d\d:00(?:\.0+)?(?:Z|[+-]\d\d:?\d\d)?$")
_DEEPEST = 2
_EMPTY = ('""', "null", "[]", "{}")
_LONG = 6  # characters: a shorter id may be a counter that was begun again, or a constant of the page
_DAY = 86_400
_TIME_LENGTH = 8  # of "12:00:00", the shortest
_TIME = re.compile(r"\d\d:\d\d:\d\d(?:\.\d+)?")
_TO_THE_SECOND = re.compile(r"\d\d:\d\d:\d\d")
_DAY_FIRST = re.compile(r"^(\d\d)\.(\d\d)\.(\d{4})")


def key_of(body: Body, entries: Iterable[Entry], submission: Submission, content: str, received_at: Micros) -> str:
    """Returns the idempotency key of a form within its connection. `content` is the digest of the enquiry."""
    tree = body.tree
    for path in _IDS:
        if path[0] in tree and (found := text(tree, *path)):
            unique = ":" in found or len(found) >= _LONG  # else a constant of a hand-made page, or a counter
            return f"{'.'.join(path)}/{found}" + ("" if unique else f"/{sender_digest(submission)}")
    if "form_response" in tree and (found := text(tree, "event_id")):  # of a delivery; elsewhere it is a concert's
        return f"event_id/{found}"
    if is_numbered(tree):
        return f"gravity/{text(tree, 'form_id')}/{text(tree, 'id')}"
    if found := submission.texts.get("order_key", ""):
        return f"order/{found}"
    if submission.is_order and (order := _order(tree)):
        return f"order/{order}/{sender_digest(submission)}"  # numbers of two shops may be alike
    if found := submission.texts.get("submission") or _lead(tree):
        # Somebody else under the same id is somebody else: an id may be a constant of the page.
        return f"submission/{found}/{sender_digest(submission)}{'' if len(found) >= _LONG else content}"
    return f"{content}/{sender_digest(submission)}/{_sent_at(entries, received_at) or received_at // WINDOW}"


def digest_of(body: Body, submission: Submission, page: str, received_at: Micros) -> str:
    """Returns a digest of the enquiry alone, without the sender's name and identifiers, clocks, tokens, click ids."""
    ignored = (
        submission.volatile
        | submission.identifiers.taken
        | (set() if submission.is_order else _own_ids(body.tree, received_at))
    )
    fields = [
        (name, value)
        for name, value in submission.fields.items()
        if name not in ignored
        and value not in _EMPTY
        and (len(value) < _TIME_LENGTH or value[1].isalpha() or not _is_running_clock(value.strip('"'), received_at))
    ]
    fields.sort()
    texts = [submission.texts.get(role, "") for role in ("form_id", "form_name", "reference", "currency")]
    files = [file.ref for file in body.files]
    return _short_digest((texts, place(page), fields, files))


def sender_digest(submission: Submission) -> str:
    """Returns a digest of the sender, the same for every spelling of a number."""
    own, name = submission.identifiers, " ".join(submission.name.casefold().split())
    phones = {phone.e164 or "".join(filter(str.isdecimal, phone.text)) for phone in own.phones.values()}
    identity = "\n".join((name, *sorted(phones), *sorted(own.emails)))
    return blake2b(identity.encode(), digest_size=12).hexdigest()


def _order(tree: Tree) -> str:
    """Returns an order's id at its shop, which is the same for each of its states."""
    inside = (tree, tree.get("order"), tree.get("data"), tree.get("payload"))
    return next((found for at in inside if (found := first(at, "id", "order_id", "order_number", "number"))), "")


def _lead(tree: Tree) -> str:
    """Facebook's and Webflow's leads have an id of their own next to the id of their form."""
    if "field_data" in tree:
        return text(tree, "id")
    inner = tree if "formId" in tree else tree.get("payload")
    return text(inner, "id") if isinstance(inner, dict) and "formId" in inner else ""


def _sent_at(entries: Iterable[Entry], received_at: Micros) -> str:
    """Returns the time at which a form says it was sent: the same for every retry."""
    for entry in entries:
        if entry.meaning.volatile and isinstance(entry.value, (str, int)):
            last = entry.name.rpartition(".")[2].lower().replace("_", "").replace(" ", "")
            if last in _SENT_AT and is_clock(moment := str(entry.value), received_at, 30 * _DAY):
                return moment
    return ""


def _own_ids(tree: Tree, received_at: Micros, path: tuple[str, ...] = ()) -> set[str]:
    """Returns the names of a record's own numbers: an id next to the time of its creation, or next to an event's type.
    Another click makes another record."""
    found: set[str] = set()
    if not _EVENT.isdisjoint(tree):
        found.update(".".join((*path, name)) for name in ("event_id", "eventId") if name in tree)
    times = [name for name in tree if technical(name)] if "id" in tree else []
    if times and any(
        isinstance(tree[name], (str, int)) and is_clock(str(tree[name]), received_at, 30 * _DAY) for name in times
    ):
        found.update(".".join((*path, name)) for name in ("id", "number", "serial_number") if name in tree)
    if len(path) < _DEEPEST and not is_flat(tree.values()):
        for name, value in tree.items():
            if isinstance(value, dict) and (
                "id" in value or not _EVENT.isdisjoint(value) or not is_flat(value.values())
            ):
                found |= _own_ids(value, received_at, () if name == "rawRequest" else (*path, name))
    return found


def _is_running_clock(text: str, received_at: Micros) -> bool:
    """Whether a text is the time of a clock and no choice of a person: people choose whole minutes."""
    return text[:1].isdecimal() and is_clock(text, received_at) and not _WHOLE_MINUTE.search(text)


def is_clock(text: str, received_at: Micros, before_s: int = _DAY) -> bool:
    """Whether a value is the time at which the form was submitted, exact to the second as only a clock writes it."""
    text = text.strip()
    if not _TIME_LENGTH <= len(text) <= 35 or not text[:1].isdecimal():
        return False
    if _TIME.fullmatch(text):
        return True
    if text.isdecimal():
        seconds = float(text) / (1 if len(text) <= 10 else 1_000)
    elif not _TO_THE_SECOND.search(text):
        return False
    else:
        try:
            at = datetime.fromisoformat(_DAY_FIRST.sub(r"\3-\2-\1", text))
        except ValueError:
            return False
        seconds = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    now = received_at // 1_000_000
    return now - before_s < seconds < now + _DAY


def _short_digest(submission: object) -> str:
    """Returns a short digest that ignores capitals and spaces."""
    plain = " ".join(msgspec.json.encode(submission).decode().casefold().split())
    plain = plain.replace(' \\"', '\\"').replace('\\" ', '\\"')  # blanks at the ends of a value
    return blake2b(plain.encode(), digest_size=12).hexdigest()
