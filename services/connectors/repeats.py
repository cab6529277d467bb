"""By what a repeated form is known: the builder's own id of the submission for ever, else what it says."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import blake2b
from urllib.parse import parse_qsl, urlsplit

import msgspec

from crm.connector import Delivery, digest
from crm.scalars import Micros
from services.connectors.bodies import Body
from services.connectors.exact_json import Tree
from services.connectors.fields import asked_of
from services.connectors.shapes import Entry, is_gravity
from services.connectors.submission import Submission
from services.connectors.values import text

WINDOW = 10 * 60 * 1_000_000  # a browser's second click, a builder's retry; what crosses its edge the decision sees
_IDS = (("tranid",), ("payment", "orderid"), ("submissionID",))  # of their vendors alone, each of one submission
_SENT_AT = frozenset(
    ("submittedat", "submittedon", "submissiondate", "submissiontime", "позначкачасу", "отметкавремени")
)
_LONG = 6  # characters: a shorter id may be a counter that was begun again, or a constant of the page
_DAY = 86_400
_SPACE = re.compile(r"\s+")


def key_of(body: Body, entries: Iterable[Entry], said: Submission, content: str, received_at: Micros) -> str:
    """The idempotency key of a form within its connection. `content`: the digest of what it says."""
    tree = body.tree
    for path in _IDS:
        if found := text(tree, *path):
            return f"{'.'.join(path)}/{found}"
    if "form_response" in tree and (found := text(tree, "event_id")):  # Typeform's; others mean a concert's
        return f"event_id/{found}"
    if is_gravity(tree):
        return f"gravity/{text(tree, 'form_id')}/{text(tree, 'id')}"
    if found := said.texts.get("order_key") or _order(tree, said):
        return f"order/{found}"
    if found := said.texts.get("submission") or _lead(tree):
        # Somebody else under the same id is somebody else: an id may be a constant of the page.
        return f"submission/{found}/{who(said) if len(found) >= _LONG else content}"
    if at := _told_at(entries, received_at):
        return f"{content}/{at}"
    return f"{content}/{received_at // WINDOW}"


def digest_of(body: Body, said: Submission) -> str:
    """Of what a form means: not how its numbers are spelled, nor its clocks, tokens and click ids."""
    fields = {name: _plain(value) for name, value in said.fields.items() if name not in said.volatile}
    files = [file.ref for file in body.files]
    texts = [_plain(said.texts.get(role, "")) for role in ("form_id", "form_name", "reference", "currency")]
    return _short((texts, place_of(said.texts.get("page", "")), _identity(said), sorted(fields.items()), files))


def who(said: Submission) -> str:
    return _short(_identity(said))


def place_of(page: str) -> str:
    """A page without what only says by which advertisement somebody came."""
    if "?" not in page:
        return page.partition("#")[0].rstrip("/")
    try:
        parts = urlsplit(page)
    except ValueError:  # an address that is none
        return page
    query = [pair for pair in parse_qsl(parts.query) if not asked_of((pair[0],)).volatile]
    return f"{parts.netloc}{parts.path.rstrip('/')}?{sorted(query)}"


def of_content(kind: str, delivery: Delivery) -> str:
    """The key of a delivery that has no id of its own: its bytes."""
    return f"{kind}/{digest(delivery.body)}"


def _identity(said: Submission) -> tuple[str, list[str], list[str]]:
    phones = (phone.e164 or "".join(filter(str.isdecimal, phone.text)) for phone in said.phones.values())
    return _plain(said.name), sorted(set(phones)), sorted(said.emails)


def _order(tree: Tree, said: Submission) -> str:
    """An order's id at its shop: it is reported again with each of its states."""
    return next((found for at in (tree, tree.get("order")) if said.is_order and (found := text(at, "id"))), "")


def _lead(tree: Tree) -> str:
    """Facebook's and Webflow's leads say their id beside the id of their form."""
    if "field_data" in tree:
        return text(tree, "id")
    return next((text(tree, *at, "id") for at in ((), ("payload",)) if text(tree, *at, "formId")), "")


def _told_at(entries: Iterable[Entry], received_at: Micros) -> str:
    """When a form says that it was sent: the same at every repetition of one sending."""
    for entry in entries:
        if isinstance(entry.value, str) and entry.asked.volatile:
            last = entry.name.rpartition(".")[2].lower().replace("_", "").replace(" ", "")
            if last in _SENT_AT and _is_near(entry.value, received_at // 1_000_000):
                return entry.value
    return ""


def _is_near(moment: str, now: int) -> bool:
    """Whether it can be when this form was sent, and not when its page was made."""
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        return False
    seconds = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    return now - 30 * _DAY < seconds < now + _DAY


def _plain(text: str) -> str:
    return _SPACE.sub(" ", text).strip().casefold()


def _short(said: object) -> str:
    return blake2b(msgspec.json.encode(said), digest_size=12).hexdigest()
