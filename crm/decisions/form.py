"""Story 1: a form becomes a contact and a deal in the pipeline's first stage, with an owner at once."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Protocol

import msgspec
from msgspec.structs import replace

from crm.decisions.case import Case
from crm.decisions.contacts import Identifier, card, created, identified, named
from crm.decisions.custom import JSON
from crm.decisions.deals import opened
from crm.decisions.fact_rule import FactRule
from crm.decisions.form_fields import Fields, converted
from crm.decisions.identity import contradicts, found
from crm.decisions.loading import Wanted, of_identifier, of_sum
from crm.decisions.parked_payments import retry_parked
from crm.decisions.payment_evidence import reference_hint
from crm.decisions.repeated_enquiry import Earlier, find_earlier, noted
from crm.decisions.workspace import workspace_of
from crm.enquiries import anonymous, digest_of, short
from crm.envelope import Event
from crm.facts import FormSubmitted
from crm.shared import Phone
from crm.state import Contact, DealReference, Enquiry, Parked
from crm.state import Fields as Defined
from crm.state.references import reference_key
from crm.text.emails import emails_in
from crm.text.placeholders import is_placeholder

LONGEST = 190  # characters of an identifier: with its kind it is a key of the state as it is
MOST_FIELDS = 500  # as of a report, and as connectors keep of a form


class People(Protocol):
    """Names somebody as a form does."""

    @property
    def phones(self) -> tuple[Phone, ...]: ...
    @property
    def emails(self) -> tuple[str, ...]: ...


def form_submitted(form: FormSubmitted, case: Case) -> Iterator[Event]:
    called, identifiers = form.name.strip(), identifiers_of(form)
    form = cleaned(form, identifiers)
    digest = digest_in(form, identifiers)
    contact = found(case.state, identifiers, form.name)
    stands = card(case.state, contact.contact_id) if contact else None
    earlier = None
    if not identifiers or (stands and not contradicts(case.state, stands, form.name)):
        earlier = find_earlier(case.state, digest, form.meta.occurred_at, stands)
    if earlier:
        yield from again(case, form, identifiers, earlier, contact)
        return
    if contact:
        contact_id = contact.contact_id
        yield from named(case, contact, form.name, "a form gave it")
        yield from identified(case, contact_id, identifiers, shares=False)
    else:
        contact_id = case.new_id("contact")
        yield from created(case, contact_id, form.name, "form", identifiers, utm=form.utm)
    deal_id = case.new_id("deal")
    fields = typed(case, form)
    form = replace(form, fields=fields.values, doubts=(*form.doubts, *fields.doubts), digest=digest)
    title = title_of(form, called, unread(form, identifiers))
    yield from opened(case, contact_id, deal_id, title, "form", form, known=stands, written=fields.written)
    yield from retry_parked(case, contact_id, deal_id, form.reference.strip())


def again(
    case: Case, form: FormSubmitted, identifiers: list[Identifier], earlier: Earlier, contact: Contact | None
) -> Iterator[Event]:
    """The same enquiry: what is new about its sender is learnt, and its deal says that it came again."""
    before = case.events
    if contact:
        yield from named(case, contact, form.name, "a form gave it")
        yield from identified(case, contact.contact_id, identifiers, shares=False)
    learnt = case.events > before
    yield noted(case, form, earlier, news=learnt or bool(contact and unread(form, identifiers)))
    if contact and learnt:
        yield from retry_parked(case, contact.contact_id)


def cleaned(form: FormSubmitted, identifiers: list[Identifier]) -> FormSubmitted:
    """What stands for nothing in a name is none, and e-mails that cannot be read are said. All else stays."""
    name = " ".join(form.name.split())
    name = "" if is_placeholder("name", name) else name
    if name == form.name and len(form.phones) + len(form.emails) == len(identifiers):
        return form
    unread = tuple(
        f"The e-mail {email.strip()!r} cannot be read with certainty: it is kept as it was written."
        for email in form.emails
        if email.strip() and not addresses(email) and not is_placeholder("email", email)
    )
    return replace(form, name=name, doubts=(*form.doubts, *unread))


def digest_in(form: FormSubmitted, identifiers: list[Identifier]) -> str:
    """Of the enquiry. Who gave nothing to be known by is compared by name and spelling too; what looks like a robot's
    is never the enquiry of a person."""
    digest = form.digest or digest_of(form)
    if not identifiers:
        digest = anonymous(form, digest)
    return short((digest, "suspicious")) if form.suspicious else digest


def typed(case: Case, form: FormSubmitted) -> Fields:
    """Custom fields are JSON text. What is none (a client of its own sent it), or holds a number past all measure, is
    kept as a string, or no read model could hold it. Defined fields get a value of their type, where it can be read."""
    no_json: dict[str, str] = {}
    for name, value in form.fields.items():
        try:
            JSON.decode(value)
        except (ValueError, ArithmeticError, RecursionError):
            no_json[name] = msgspec.json.encode(value).decode()
    values = {**form.fields, **no_json} if no_json else form.fields
    defined = case.state.get(Defined, "deal") if values else None
    if defined is None:
        return Fields(values, {}, ())
    return converted(defined.known, values, workspace_of(case).timezone)


def identifiers_of(form: People) -> list[Identifier]:
    """Phones before e-mails: people share mailboxes more often than telephones. Placeholders are nobody's, and what is
    too long for an index is nobody's either."""
    return list(identifiers_among(form.phones, form.emails))


@lru_cache(maxsize=2_048)  # of a batch: they are looked for before it is decided, and twice again for each fact
def identifiers_among(phones: tuple[Phone, ...], emails: tuple[str, ...]) -> tuple[Identifier, ...]:
    numbers = [Identifier("phone", p.e164, p.text, p.extension) for p in phones if usable(p)]
    written = [Identifier("email", email, text) for text in emails for email in addresses(text)]
    return (*once(numbers), *once(written))


def once(identifiers: list[Identifier]) -> list[Identifier]:
    if len(identifiers) < 2:
        return identifiers
    return list({identifier.value: identifier for identifier in reversed(identifiers)}.values())[::-1]


def usable(phone: Phone) -> bool:
    return 0 < len(phone.e164) <= LONGEST and not is_placeholder("phone", phone.e164)


def addresses(text: str) -> list[str]:
    return [email for email in emails_in(text) if len(email) <= LONGEST and not is_placeholder("email", email)]


def title_of(form: FormSubmitted, called: str, phones: list[str]) -> str:
    """A phone that could not be read must still be seen by the person who calls back, and so must what is no name."""
    title = ": ".join(part for part in (form.form, form.name or called) if part) or "Form"
    return f"{title} (phone as written: {', '.join(phones)})" if phones else title


def unread(form: FormSubmitted, identifiers: list[Identifier]) -> list[str]:
    """Phones that are no identifiers, as they were written."""
    read = {identifier.value for identifier in identifiers}
    return [phone.text for phone in form.phones if phone.text and phone.e164 not in read]


def hints(form: FormSubmitted) -> Wanted:
    identifiers = identifiers_of(form)
    for identifier in identifiers:
        yield from of_identifier(identifier.key)
    if not identifiers:
        yield Enquiry, digest_in(form, identifiers)
    if form.fields:
        yield Defined, "deal"
    if reference := form.reference.strip():
        yield DealReference, reference_key(reference)
        yield Parked, reference_hint(reference)
    yield from of_sum(form.amount_minor)


def check(form: FormSubmitted) -> tuple[str, str] | None:
    """Returns the field that cannot be taken, and why."""
    if len(form.fields) > MOST_FIELDS:
        most = f"It has {len(form.fields)} fields; a form has at most {MOST_FIELDS}."
        return "fields", f"{most} Leave out some, or put several into one as a list or an object."
    return None


RULE = FactRule(
    FormSubmitted,
    form_submitted,
    family="forms",
    hints=hints,
    check=check,
    sender=lambda own: next((p.e164 for p in own["phones"] if p.e164), "") or next(iter(own["emails"]), ""),
    one_per_delivery=True,
)
