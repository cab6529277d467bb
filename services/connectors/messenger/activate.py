"""Messenger: the app's webhook, and the account that installs the app."""

from services.connectors.meta_activation import meta_activation

FIELDS = (
    "messages,message_echoes,message_edits,messaging_postbacks,"
    "message_reactions,message_deliveries,message_reads,messaging_referrals"
)
ACTIVATION = meta_activation("page", FIELDS)
