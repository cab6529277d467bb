"""Instagram: how an answer is sent (https://developers.facebook.com/docs/messenger-platform/instagram/features/send-message)."""

from crm.connector_send import Limits
from services.connectors.page_replies import page_send

LIMITS = Limits(
    text_bytes=1_000,
    caption=-1,
    files=1,
    file_bytes=25_000_000,
    kind_bytes={"photo": 8_000_000},
    window_hours=7 * 24,
    per_second=10,
    needs=("token",),
)
SEND = page_send(LIMITS, metadata=False)
