"""WhatsApp: the media of an id (https://developers.facebook.com/docs/whatsapp/cloud-api/reference/media)."""

from crm.connector_files import Files
from services.connectors.meta_activation import VERSION

FILES = Files(
    needs=("token",),
    look_up=f"https://graph.facebook.com{VERSION}/{{ref}}",
    link="url",
    headers={"authorization": "Bearer {token}"},
    with_key=("https://lookaside.fbsbx.com/whatsapp_business/",),
)
