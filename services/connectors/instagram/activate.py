"""Instagram: the app's webhook, and the account that installs the app."""

from services.connectors.meta_activation import meta_activation

FIELDS = "messages,message_reactions,messaging_postbacks,messaging_seen,messaging_referral"
ACTIVATION = meta_activation("instagram", FIELDS)
