"""What is sent and to whom: a shop's two doors, and one delivery through either."""

from typing import NamedTuple

from msgspec import Struct

from crm.scalars import Id
from tests.chaos.ledger import Kind, Money


class Shop(NamedTuple):
    """A workspace with the keys to its two doors: a token for POST /facts, a connection for POST /in/<form>."""

    workspace: Id
    token: str
    form: Id


class Delivery(Struct, frozen=True, gc=False):
    """One fact as it is sent: a line of POST /facts or, with a content type, the body of a POST to the form's door."""

    shop: Shop
    kind: Kind
    body: bytes
    money: Money | None = None
    content_type: str = ""
    id: Id | None = None  # of what came by the form's door; a line's is told by its verdict
