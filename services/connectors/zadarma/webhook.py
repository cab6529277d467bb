"""Zadarma: the phases of a call through its exchange (https://zadarma.com/en/support/api/#api_webhooks)."""

import base64
import hmac
from collections.abc import Iterator

from msgspec import Struct

from crm.connector import Answer, Connection, Delivery, Report, Webhook, country_of, digest, echo, expect_equal
from crm.connector_settings import Country
from crm.phones import read_phone
from services.connectors.call_sides import happened_at
from services.connectors.calls import call_report, not_read
from services.connectors.formats.bodies import read_body
from services.connectors.formats.exact_json import Tree, canonical
from services.connectors.formats.local_times import Timezone, local_moment
from services.connectors.formats.meanings import meanings
from services.connectors.formats.values import first, required, seconds_or_none, text, verbatim
from services.connectors.signatures.fields import signed_body
from services.connectors.zadarma.files import ApiKey

IN, OUT = ("caller_id", "called_did", "call_start"), ("internal", "destination", "call_start")
SIGNED = {
    "NOTIFY_OUT_START": OUT,
    "NOTIFY_OUT_END": OUT,
    "NOTIFY_ANSWER": ("caller_id", "destination", "call_start"),
    "NOTIFY_RECORD": ("pbx_call_id", "call_id_with_rec"),
}
PHASES = meanings(
    ringing="NOTIFY_START NOTIFY_INTERNAL NOTIFY_IVR NOTIFY_OUT_START",
    answered="NOTIFY_ANSWER",
    completed="NOTIFY_END NOTIFY_OUT_END",
    recorded="NOTIFY_RECORD",
)
DISPOSITIONS = {"cancel": "cancelled", "no answer": "no_answer"} | dict.fromkeys(
    ("failed", "no money", "unallocated number", "no limit", "no day limit", "line limit", "no money, no limit"),
    "failed",
)


class Settings(Struct, frozen=True, gc=False):
    """The settings of a connection to a company's telephony."""

    api_key: ApiKey = ""
    country: Country = ""
    timezone: Timezone = ""


def sign(secret: str, fields: Tree) -> str:
    """Returns base64 of the hex text of HMAC-SHA1, as Zadarma's own library makes it."""
    signed = "".join(verbatim(fields, name) for name in SIGNED.get(text(fields, "event"), IN))
    return base64.b64encode(hmac.digest(secret.encode(), signed.encode(), "sha1").hex().encode()).decode()


def verify(delivery: Delivery, connection: Connection) -> None:
    fields = signed_body(delivery, as_sent=True)
    expect_equal(sign(connection.secret, fields), delivery.headers.get("signature", ""))


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    call = read_body(delivery).tree
    id, kind = required(call, "pbx_call_id"), required(call, "event")
    out = kind.startswith("NOTIFY_OUT") or id.startswith("out_")
    started, phase = local_moment(text(call, "call_start"), connection), PHASES.get(kind, kind.lower())
    lasted, word = seconds_or_none(call, "duration"), text(call, "disposition").lower()
    answered = word == "answered"
    at = happened_at(started, 0 if phase == "ringing" else lasted or 0, delivery.received_at)
    at = delivery.received_at if phase in ("answered", "recorded") else at
    yield call_report(
        *(id, f"{id}/{kind}/{digest(canonical(call))}", at),
        phase=phase,
        direction="out" if out else "in",
        phone=read_phone(text(call, "destination" if out else "caller_id"), country_of(connection)),
        line=text(call, "caller_id" if out else "called_did"),
        employee=first(call, "internal", *(() if out else ("destination",))),
        started_at=started,
        talk_s=(lasted if answered else 0) if phase == "completed" else None,
        disposition=DISPOSITIONS.get(word, word),
        recording=text(call, "call_id_with_rec"),  # Zadarma gives no link, but by this number a file
        note=not_read(call, call_start=started, duration=lasted),
    )


def handshake(delivery: Delivery, connection: Connection) -> Answer | None:
    challenge = delivery.parameters.get("zd_echo")
    return echo(challenge) if challenge is not None and delivery.method != "POST" else None


WEBHOOK = Webhook(verify, parse, handshake=handshake)
