"""What a person may do with a payment: where its money can go."""

from crm.commands import Code, Rejected
from crm.currencies import UNKNOWN_CURRENCY
from crm.state import Deal, Payment


def payable(payment: Payment, deal: Deal, field: str) -> None:
    """Raises Rejected when this payment cannot pay this deal. Money is never converted: what rate would be right is for
    a person to say."""
    if payment.amount_minor < 0:
        raise Rejected("paymentId", Code.INVALID, "It is money that went out: it pays no deal. Nothing was changed.")
    if deal.currency == payment.currency:
        return
    if payment.currency == UNKNOWN_CURRENCY:
        why = "The payment's currency is not known: say it with paymentCorrect first."
    else:
        why = f"The payment is in {payment.currency} and D-{deal.number} in {deal.currency}; money is never converted."
    raise Rejected(field, Code.CURRENCY_MISMATCH, f"{why} Nothing was changed.")
