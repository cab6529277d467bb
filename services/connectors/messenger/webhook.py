"""Messenger: what people write, and how far our messages came (https://developers.facebook.com/docs/messenger-platform/webhooks)."""

from services.connectors.page_chats import page_webhook

WEBHOOK = page_webhook("messenger", "page")
