"""WhatsApp Cloud API: messages, how far ours came, calls
(https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/components)."""

from collections.abc import Callable, Iterator
from functools import partial

from msgspec import Struct

from crm.connector import Answer, Connection, Delivery, Report, Webhook, country_of
from crm.connector_settings import Country
from services.connectors.chat import Channel
from services.connectors.formats.exact_json import Value, decode_object
from services.connectors.formats.values import records, text
from services.connectors.meta_activation import AppId, Token
from services.connectors.signatures.meta import VerifyToken, answer_challenge, expect_object, verify_meta
from services.connectors.whatsapp.activate import BusinessAccount
from services.connectors.whatsapp.calls import call_report
from services.connectors.whatsapp.messages import Said
from services.connectors.whatsapp.statuses import status_report


class Settings(Struct, frozen=True, gc=False):
    """The settings of a connection to an app."""

    verify_token: VerifyToken = ""
    app_id: AppId = ""
    token: Token = ""
    business_account: BusinessAccount = ""
    country: Country = ""


def verify(delivery: Delivery, connection: Connection) -> None:
    verify_meta(delivery, connection.secret)


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    """Yields the reports of all changes of all entries: Meta puts many into one delivery."""
    body, country = decode_object(delivery.body), country_of(connection)
    expect_object(body, "whatsapp_business_account")
    for change in (change for entry in records(body, "entry") for change in records(entry, "changes")):
        value = change.get("value")
        channel = Channel("whatsapp", delivery, text(value, "metadata", "phone_number_id"))
        reports = [
            report
            for name, read in READERS.items()
            for report in channel.each(records(value, name), partial(read, channel, value, country))
        ]
        yield from reports or [channel.kept(text(change, "field") or "a change without a name")]


def said(channel: Channel, value: Value, country: str, message: dict[str, Value], ours: bool = False) -> list[Report]:
    return Said(channel, value, country, ours).reports(message)


READERS: dict[str, Callable[[Channel, Value, str, dict[str, Value]], list[Report]]] = {
    "messages": said,
    "message_echoes": partial(said, ours=True),
    "statuses": status_report,
    "calls": call_report,
}


def handshake(delivery: Delivery, connection: Connection) -> Answer | None:
    return answer_challenge(delivery, connection.settings_as(Settings).verify_token)


WEBHOOK = Webhook(verify, parse, handshake=handshake)
