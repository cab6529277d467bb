"""WhatsApp: the app's webhook, and the business account that installs the app."""

from typing import Annotated

from msgspec import Meta

from services.connectors.meta_activation import meta_activation

BusinessAccount = Annotated[
    str,
    Meta(
        description="The id of the WhatsApp Business Account, in Business settings: needed to set the webhook.",
        extra={"pattern": r"\d{5,20}"},
    ),
]
ACTIVATION = meta_activation(
    "whatsapp_business_account", "messages,calls,smb_message_echoes", "{business_account}", ("business_account",)
)
