"""The same enquiry once more: a second click, a retry, a reminder hours later. It is noted and opens no second deal."""

from typing import NamedTuple

from crm.decisions.case import Case, State
from crm.decisions.contacts import cards
from crm.enquiries import in_words
from crm.envelope import Event
from crm.events import DeliveryNoted, EnquiryRepeated
from crm.facts import FormSubmitted
from crm.scalars import Micros
from crm.state import Contact, Deal, Enquiry, known

AGAIN_WITHIN = 600_000_000  # microseconds: the same form by the same contact is a second click, not a second wish
REMINDS_WITHIN = 3 * 86_400_000_000  # microseconds: after days somebody may order the same once more


class Earlier(NamedTuple):
    """The enquiry that came before: its digest, the deal that it became, and whether this is a second click on it."""

    digest: str
    deal: Deal
    click: bool


def find_earlier(state: State, digest: str, at: Micros, contact: Contact | None) -> Earlier | None:
    """`contact`: the card that stands. Clocks may run either way. After ten minutes it counts only while the deal is
    open, and not after days: then it is a new wish.
    Of a sender who gave nothing to be known by, only a second click is recognised."""
    if contact is None:
        enquiry = state.get(Enquiry, digest)
        earlier = [(digest, when, deal_id) for when, deal_id in enquiry.deals] if enquiry else []
    else:
        earlier = [one for each in cards(state, contact) for one in each.enquiries if one[0] == digest]
    for _, when, deal_id in sorted(earlier, key=lambda one: abs(at - one[1])):
        deal, click = known(state, Deal, deal_id), abs(at - when) < AGAIN_WITHIN
        if click or (contact and deal.open and abs(at - when) < REMINDS_WITHIN):
            return Earlier(digest, deal, click)
    return None


def noted(case: Case, form: FormSubmitted, earlier: Earlier, news: bool) -> Event:
    deal = earlier.deal
    if earlier.click and not news:
        why = "its sender sent the same form before"
        return DeliveryNoted(case.meta(form.meta.id), form.meta.actor, "form", why)
    return EnquiryRepeated(
        meta=case.meta(deal.contact_id),
        contact_id=deal.contact_id,
        deal_id=deal.deal_id,
        digest=earlier.digest,
        form=form.form,
        name=form.name,
        text="\n".join([*(phone.text for phone in form.phones if not phone.e164), in_words(form)]).strip(),
    )
