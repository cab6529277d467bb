"""Deliveries of which fields are signed: a JSON object, a form, or JSON that came as the one name of a form."""

from collections.abc import Callable
from functools import partial
from urllib.parse import parse_qsl

from crm.connector import Delivery
from crm.errors import Malformed, Refused
from services.connectors.formats.bodies import read_body
from services.connectors.formats.exact_json import Tree, decode_object


def fields_of(delivery: Delivery) -> Tree:
    """Returns the fields as they were sent: nothing is repaired and JSON within them stays text. Raises Malformed."""
    body = delivery.body.strip()
    if body[:1] == b"{":
        return decode_object(body)
    pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    if len(pairs) == 1 and pairs[0][0].startswith("{"):
        return decode_object(pairs[0][0])
    if not pairs:
        raise Malformed("It is neither JSON nor a form.")
    return dict(pairs)


def signed_fields(delivery: Delivery) -> Tree:
    """`fields_of` before anything is verified. Raises Refused: what cannot be read has no signature."""
    return _or_refused(partial(fields_of, delivery))


def signed_body(delivery: Delivery, as_sent: bool = False) -> Tree:
    """`read_body` before anything is verified. Raises Refused."""
    return _or_refused(lambda: read_body(delivery, as_sent=as_sent).tree)


def _or_refused(read: Callable[[], Tree]) -> Tree:
    try:
        return read()
    except Malformed as error:
        raise Refused(f"{error} So there is no signature. Nothing was kept.") from None
