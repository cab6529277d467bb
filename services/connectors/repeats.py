"""By what a repeated form is known: the builder's own id of the submission, else its content within ten minutes."""

from crm.connector import Delivery, digest
from crm.scalars import Micros
from services.connectors.bodies import Body
from services.connectors.exact_json import canonical
from services.connectors.shapes import is_gravity
from services.connectors.values import text

WINDOW = 10 * 60 * 1_000_000  # a browser's second click, a builder's retry
_IDS = (("tranid",), ("payment", "orderid"), ("submissionID",), ("event_id",))


def key_of(body: Body, received_at: Micros) -> str:
    """The idempotency key of a form within its connection."""
    for path in _IDS:
        if found := text(body.tree, *path):
            return f"{'.'.join(path)}/{found}"
    if is_gravity(body.tree):
        return f"gravity/{text(body.tree, 'form_id')}/{text(body.tree, 'id')}"
    content = canonical(body.tree) + "".join(file.ref for file in body.files).encode()
    return f"{digest(content)}/{received_at // WINDOW}"


def of_content(kind: str, delivery: Delivery) -> str:
    """The key of a delivery that has no id of its own: its bytes."""
    return f"{kind}/{digest(delivery.body)}"
