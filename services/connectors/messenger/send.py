"""Messenger: how an answer is sent (https://developers.facebook.com/docs/messenger-platform/reference/send-api). Our id
of it comes back with its echo."""

from crm.connector_send import Limits
from services.connectors.page_replies import page_send

LIMITS = Limits(
    text=2_000, caption=-1, files=1, file_bytes=25_000_000, window_hours=7 * 24, per_second=10, needs=("token",)
)
SEND = page_send(LIMITS, metadata=True)
