"""The requests of all vendors under one roof, for tests that are not about a vendor."""

from services.connectors.binotel.rehearse import call as binotel_call
from services.connectors.form.rehearse import form
from services.connectors.liqpay.rehearse import callback as liqpay_callback
from services.connectors.liqpay.rehearse import signed as liqpay_signed
from services.connectors.monobank.rehearse import invoice as monobank_invoice
from services.connectors.monobank.rehearse import keys
from services.connectors.monobank.rehearse import signed as monobank_signed
from services.connectors.monobank_personal.rehearse import statement as monobank_statement
from services.connectors.rehearsal import Post
from services.connectors.rehearsal import json_post as json_form
from services.connectors.telegram.rehearse import message as telegram_message
from services.connectors.telegram.rehearse import signed as telegram_signed

__all__ = [
    "Post",
    "binotel_call",
    "form",
    "json_form",
    "keys",
    "liqpay_callback",
    "liqpay_signed",
    "monobank_invoice",
    "monobank_signed",
    "monobank_statement",
    "telegram_message",
    "telegram_signed",
]
