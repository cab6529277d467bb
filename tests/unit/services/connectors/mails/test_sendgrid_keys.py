"""Inbound Parse and the Event Webhook of SendGrid may sign with keys of their own, and send to one connection."""

import pytest

from crm.connector import Connection, Delivery
from crm.errors import Refused
from services.connectors.sendgrid.rehearse import settings, sign
from services.connectors.sendgrid.webhook import verify
from tests.support.connector_deliveries import NOW
from tests.support.scenarios import CONNECTION, SHOP


@pytest.mark.parametrize("seed", ["mails", "events"])
def test_either_key_proves_a_delivery(seed: str) -> None:
    keys = ", ".join(settings(one)["public_key"] for one in ("mails", "events"))
    connection = Connection(CONNECTION, SHOP, "sendgrid", "", {"public_key": keys})
    verify(sign(Delivery({}, b"[]", NOW), seed), connection)
    with pytest.raises(Refused):
        verify(sign(Delivery({}, b"[]", NOW), "stranger"), connection)
