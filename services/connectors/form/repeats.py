"""By what a repeated form is known: the builder's own id of the submission for ever, else what it says."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import blake2b

import msgspec

from crm.connector import Delivery, digest
from crm.enquiries import place, technical
from crm.scalars import Micros
from services.connectors.form.builders import is_gravity
from services.connectors.form.shapes import Entry
from services.connectors.form.submission import Submission
from services.connectors.formats.bodies import Body
from services.connectors.formats.exact_json import Tree, is_flat
from services.connectors.formats.values import first, text

WINDOW = 10 * 60 * 1_000_000  # a browser's second click, a builder's retry; what crosses its edge the decision sees
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


def key_of(body: Body, entries: Iterable[Entry], said: Submission, content: str, received_at: Micros) -> str:
    """The idempotency key of a form within its connection. `content`: the digest of what it says."""
    tree = body.tree
    for path in _IDS:
        if path[0] in tree and (found := text(tree, *path)):
            unique = ":" in found or len(found) >= _LONG  # else a constant of a hand-made page, or a counter
            return f"{'.'.join(path)}/{found}" + ("" if unique else f"/{who(said)}")
    if "form_response" in tree and (found := text(tree, "event_id")):  # Typeform's; others mean a concert's
        return f"event_id/{found}"
    if is_gravity(tree):
        return f"gravity/{text(tree, 'form_id')}/{text(tree, 'id')}"
    if found := said.texts.get("order_key", ""):
        return f"order/{found}"
    if said.is_order and (order := _order(tree)):
        return f"order/{order}/{who(said)}"  # numbers of two shops may be alike
    if found := said.texts.get("submission") or _lead(tree):
        # Somebody else under the same id is somebody else: an id may be a constant of the page.
        return f"submission/{found}/{who(said)}{'' if len(found) >= _LONG else content}"
    return f"{content}/{who(said)}/{_told_at(entries, received_at) or received_at // WINDOW}"


def digest_of(body: Body, said: Submission, page: str, received_at: Micros) -> str:
    """Of what is asked, whoever asks: without its sender's name and ways, clocks, tokens and click ids."""
    ignored = said.volatile | said.ways.taken | (set() if said.is_order else _own_ids(body.tree, received_at))
    fields = [
        (name, value)
        for name, value in said.fields.items()
        if name not in ignored
        and value not in _EMPTY
        and (len(value) < _TIME_LENGTH or value[1].isalpha() or not _ticks(value.strip('"'), received_at))
    ]
    fields.sort()
    texts = [said.texts.get(role, "") for role in ("form_id", "form_name", "reference", "currency")]
    files = [file.ref for file in body.files]
    return _short((texts, place(page), fields, files))


def who(said: Submission) -> str:
    """Of whoever sends it, however their number is spelled."""
    phones = {phone.e164 or "".join(filter(str.isdecimal, phone.text)) for phone in said.ways.phones.values()}
    told = "\n".join((" ".join(said.name.casefold().split()), *sorted(phones), *sorted(said.ways.emails)))
    return blake2b(told.encode(), digest_size=12).hexdigest()


def of_content(kind: str, delivery: Delivery) -> str:
    """The key of a delivery that has no id of its own: its bytes."""
    return f"{kind}/{digest(delivery.body)}"


def _order(tree: Tree) -> str:
    """An order's id at its shop: it is reported again with each of its states."""
    inside = (tree, tree.get("order"), tree.get("data"), tree.get("payload"))
    return next((found for at in inside if (found := first(at, "id", "order_id", "order_number", "number"))), "")


def _lead(tree: Tree) -> str:
    """Facebook's and Webflow's leads say their id beside the id of their form."""
    if "field_data" in tree:
        return text(tree, "id")
    inner = tree if "formId" in tree else tree.get("payload")
    return text(inner, "id") if isinstance(inner, dict) and "formId" in inner else ""


def _told_at(entries: Iterable[Entry], received_at: Micros) -> str:
    """When a form says that it was sent: the same at every repetition of one sending."""
    for entry in entries:
        if entry.asked.volatile and isinstance(entry.value, (str, int)):
            last = entry.name.rpartition(".")[2].lower().replace("_", "").replace(" ", "")
            if last in _SENT_AT and is_clocks(moment := str(entry.value), received_at, 30 * _DAY):
                return moment
    return ""


def _own_ids(tree: Tree, received_at: Micros, path: tuple[str, ...] = ()) -> set[str]:
    """Names of a record's own numbers: it says its id beside the moment at which it was made; an event beside its type.
    Another click makes another record."""
    found = set()
    if not _EVENT.isdisjoint(tree):
        found = {".".join((*path, name)) for name in ("event_id", "eventId") if name in tree}
    if "id" in tree and any(
        isinstance(value, str | int) and technical(name) and is_clocks(str(value), received_at, 30 * _DAY)
        for name, value in tree.items()
    ):
        found |= {".".join((*path, name)) for name in ("id", "number", "serial_number") if name in tree}
    if len(path) < _DEEPEST and not is_flat(tree.values()):
        for name, value in [(name, value) for name, value in tree.items() if isinstance(value, dict)]:
            found |= _own_ids(value, received_at, () if name == "rawRequest" else (*path, name))
    return found


def _ticks(text: str, received_at: Micros) -> bool:
    """A clock that nobody has set: people choose whole minutes."""
    return text[:1].isdecimal() and is_clocks(text, received_at) and not _WHOLE_MINUTE.search(text)


def is_clocks(text: str, received_at: Micros, before_s: int = _DAY) -> bool:
    """Whether a value is the moment at which the form was filled in, told to the second as only a clock does."""
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


def _short(said: object) -> str:
    """Whatever its capitals and blanks."""
    plain = " ".join(msgspec.json.encode(said).decode().casefold().split())
    plain = plain.replace(' \\"', '\\"').replace('\\" ', '\\"')  # blanks at the ends of a value
    return blake2b(plain.encode(), digest_size=12).hexdigest()
