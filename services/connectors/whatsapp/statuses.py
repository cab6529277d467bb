"""How far a message of ours came in WhatsApp
(https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/reference/messages/status)."""

from crm.connector import Report
from services.connectors.chat import Channel, joined
from services.connectors.formats.exact_json import Tree, Value
from services.connectors.formats.times import moment_or_none
from services.connectors.formats.values import first, records, required, text, whole_or_none

STATUSES = {"sent": "sent", "delivered": "delivered", "read": "read", "played": "read", "failed": "failed"}


def status_report(channel: Channel, _value: Value, _country: str, reported: Tree) -> list[Report]:
    """Returns one report. In a group each member reads for themselves: that is only kept."""
    status, id = STATUSES.get(required(reported, "status")), required(reported, "id")
    if status is None or text(reported, "recipient_type") == "group":
        return [channel.kept(f"status {text(reported, 'status')} {text(reported, 'recipient_type')}".strip())]
    chat = first(reported, "recipient_id", "recipient_user_id")
    moment = moment_or_none(whole_or_none(reported, "timestamp"))
    why = "; ".join(
        joined(text(error, "title"), text(error, "error_data", "details")) for error in records(reported, "errors")
    )
    return [channel.status(chat, id, status, moment, why, text(reported, "biz_opaque_callback_data"))]
