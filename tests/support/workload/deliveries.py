"""A tenant, and one delivery to one of its two URLs."""

from typing import NamedTuple

from msgspec import Struct

from crm.scalars import Id
from tests.support.workload.ledger import FactKind, Money


class Tenant(NamedTuple):
    """A workspace with a token for POST /facts and a connection for POST /in/<form>."""

    workspace: Id
    token: str
    form: Id


class Delivery(Struct, frozen=True, gc=False):
    """One fact as it is sent: a line of POST /facts or, with a content type, the body of a POST to the form's URL."""

    tenant: Tenant
    kind: FactKind
    body: bytes
    money: Money | None = None
    content_type: str = ""
    id: Id | None = None  # of what came to the form's URL; a line's is in its verdict
